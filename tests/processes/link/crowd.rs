//! A relay that comes back to everybody at once: thousands of owners' pages, each of which finds its
//! thread again within seconds.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};
use uuid::Uuid;

use motoreach::clock::stopwatch;
use motoreach::seal::InviteSecret;

use crate::harness::{RelayPlan, Workshop};

/// Owners in `make test`; `make prove` asks for 10,000.
const OWNERS: usize = 1_000;
/// Pages that one phone's address has open.
const PAGES_PER_ADDRESS: usize = 4;
/// By when everybody is back.
const BACK_MAX: Duration = Duration::from_secs(120);
/// Connections under way from this process, so that the kernel's queue and not ours is what is tried.
const DIALLING_MAX: usize = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_owners_who_come_back_at_once_all_get_in() {
    let owners = std::env::var("MOTOREACH_OWNERS").map_or(OWNERS, |it| it.parse().unwrap());
    let requests = u32::try_from(owners.div_ceil(4)).unwrap();
    let mut workshop = Workshop::open_large(requests).await;
    let listen = workshop.relay().address();
    let links: Vec<Link> = (0..owners)
        .map(|number| Link::of(workshop.sample().invite_url(number / 4), number))
        .collect();
    let links: Arc<[Link]> = links.into();

    let before = workshop.relay().process().memory_bytes();
    let (watch, crowd) = (stopwatch(), Crowd::comes(&links, listen).await);
    let first = watch.elapsed();
    let grown = workshop
        .relay()
        .process()
        .memory_bytes()
        .saturating_sub(before);
    println!(
        "{owners} owners came within {first:.1?} ({:.0} a second); {} bytes of the relay's memory each",
        owners as f64 / first.as_secs_f64(),
        grown / owners as u64
    );

    workshop.kill_relay();
    crowd.waits_until_cut_off().await;
    workshop
        .start_relay_as(RelayPlan {
            listen: Some(listen),
            ..RelayPlan::default()
        })
        .await;
    let (watch, crowd) = (stopwatch(), Crowd::comes(&links, listen).await);
    println!("{owners} owners are back within {:.1?}", watch.elapsed());
    workshop.staff_writes(0, "everybody is back").await;
    crowd.goes();
    workshop.relay_catches_up(BACK_MAX).await;
}

/// A link, and where its phone is.
struct Link {
    path: String,
    auth: String,
    from: Ipv4Addr,
}

impl Link {
    fn of(url: &str, number: usize) -> Self {
        let (path, fragment) = url.split_once('#').unwrap();
        let secret = InviteSecret::from_fragment(fragment).unwrap();
        let address = u32::try_from(number / PAGES_PER_ADDRESS).unwrap() + 2;
        Self {
            path: format!("/ws/owner/{}/", path.rsplit('/').next().unwrap()),
            auth: URL_SAFE_NO_PAD.encode(secret.auth()),
            // All of 127.0.0.0/8 is this machine: every phone has an address of its own.
            from: Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 0)) + address),
        }
    }
}

type Socket = WebSocketStream<TcpStream>;

/// Owners whose pages are open.
struct Crowd {
    pages: JoinSet<()>,
    leave: Arc<Notify>,
}

impl Crowd {
    /// Everybody comes at once, again and again until they are in.
    async fn comes(links: &Arc<[Link]>, relay: SocketAddr) -> Self {
        let dialling = Arc::new(Semaphore::new(DIALLING_MAX));
        let mut coming = JoinSet::new();
        for number in 0..links.len() {
            let (links, dialling) = (Arc::clone(links), Arc::clone(&dialling));
            coming.spawn(async move {
                let _turn = dialling.acquire_owned().await.unwrap();
                loop {
                    if let Some(socket) = open(&links[number], relay).await {
                        return socket;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
        }
        let all = async {
            let mut open = Vec::new();
            while let Some(socket) = coming.join_next().await {
                open.push(socket.unwrap());
            }
            open
        };
        let open = tokio::time::timeout(BACK_MAX, all).await;
        let open = open.unwrap_or_else(|_| panic!("not everybody is in within {BACK_MAX:?}"));
        let leave = Arc::new(Notify::new());
        let mut pages = JoinSet::new();
        for mut socket in open {
            let leave = Arc::clone(&leave);
            pages.spawn(async move {
                tokio::select! {
                    () = leave.notified() => {}
                    () = async { while let Some(Ok(_)) = socket.next().await {} } => {}
                }
            });
        }
        Self { pages, leave }
    }

    /// Waits until nobody's page is open any more.
    async fn waits_until_cut_off(mut self) {
        let all = async { while self.pages.join_next().await.is_some() {} };
        let gone = tokio::time::timeout(BACK_MAX, all).await;
        assert!(gone.is_ok(), "pages of a relay that was killed stay open");
    }

    fn goes(self) {
        self.leave.notify_waiters();
    }
}

/// Opens a page and waits until it is up to date; none if it has to try again.
async fn open(link: &Link, relay: SocketAddr) -> Option<Socket> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind((link.from, 0).into()).ok()?;
    let stream = socket.connect(relay).await.ok()?;
    let mut request = format!("ws://{relay}{}", link.path)
        .into_client_request()
        .ok()?;
    let protocol = "motoreach-owner.v1".parse().ok()?;
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = client_async(request, stream).await.ok()?;
    let auth = json!({ "type": "auth", "auth": link.auth, "device": Uuid::new_v4() });
    socket.send(Message::text(auth.to_string())).await.ok()?;
    loop {
        let Message::Text(text) = socket.next().await?.ok()? else {
            continue;
        };
        let frame: Value = serde_json::from_str(&text).unwrap();
        match frame["type"].as_str() {
            Some("gone") => panic!("{frame}"),
            Some("entries") if frame["more"] == false => return Some(socket),
            _ => {}
        }
    }
}
