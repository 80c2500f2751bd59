//! An owner with a phone on a bad line: keeps what they wrote until the journal has it, comes back
//! after every cut, opens what the relay cannot.
//!
//! It speaks `motoreach-owner.v1` frame by frame and seals with the library's own primitives; what it
//! checks as it goes it checks for every test: entries rise without a gap in what was promised, no
//! entry comes twice, everything that an owner may read opens.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};
use uuid::Uuid;

use motoreach::clock::Clock;
use motoreach::seal::{self, InviteSecret, Key, SealContext, ThreadKeys};

use super::{SOON, until};

/// Between two attempts to come back.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// A connection that does not answer by then is given up.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// An entry as this owner's page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub seq: i64,
    pub id: Uuid,
    pub kind: String,
    /// The opened body; null once erased.
    pub body: Value,
}

/// Something written that the journal does not contain yet.
#[derive(Clone, Debug)]
struct Waiting {
    id: Uuid,
    kind: &'static str,
    epoch: u16,
    sealed: String,
}

/// Why the page is told that its link opens nothing.
pub type Gone = String;

/// All that the page knows.
#[derive(Default)]
struct Page {
    log: Option<Uuid>,
    head: i64,
    /// Up to where entries have come.
    after: i64,
    entries: Vec<Shown>,
    ids: HashSet<Uuid>,
    outbox: Vec<Waiting>,
    stored: Vec<Uuid>,
    gone: Option<Gone>,
    /// Whether the workshop's box is on the line, as the relay last said.
    workshop_online: Option<bool>,
    /// Whether everything up to `head` has come.
    is_caught_up: bool,
    is_connected: bool,
    connects: u64,
    starts_over: u64,
    seq: u64,
    keys: BTreeMap<u16, Arc<ThreadKeys>>,
    place: Option<(Uuid, Uuid)>,
}

/// The owner; dropped, the phone is switched off.
pub struct Owner {
    page: Arc<Mutex<Page>>,
    link: Arc<Link>,
    wrote: Arc<Notify>,
    phone: JoinSet<()>,
}

/// What the link carries, and the phone's own name.
struct Link {
    invite: Uuid,
    secret: [u8; 32],
    device: Uuid,
    door: SocketAddr,
}

impl Owner {
    /// Opens a link (`…/o/<invite>#<secret>`) through this door, which need not be where the link
    /// says.
    pub fn opens(url: &str, door: SocketAddr) -> Self {
        let (path, fragment) = url.split_once('#').expect("a link has a secret");
        let invite = URL_SAFE_NO_PAD
            .decode(path.rsplit('/').next().unwrap())
            .unwrap();
        let secret = URL_SAFE_NO_PAD.decode(fragment).unwrap();
        let link = Arc::new(Link {
            invite: Uuid::from_slice(&invite).unwrap(),
            secret: secret.try_into().unwrap(),
            device: Uuid::new_v4(),
            door,
        });
        let mut owner = Self {
            page: Arc::default(),
            link,
            wrote: Arc::default(),
            phone: JoinSet::new(),
        };
        owner.switch_on();
        owner
    }

    /// The phone is off: nothing is kept but what a page keeps.
    pub async fn switch_off(&mut self) {
        self.phone.shutdown().await;
        self.page.lock().unwrap().is_connected = false;
    }

    /// The phone, which is off, comes by another door.
    pub fn comes_by(&mut self, door: SocketAddr) {
        let link = &self.link;
        self.link = Arc::new(Link { door, ..**link });
        self.switch_on();
    }

    /// The phone is on again.
    pub fn switch_on(&mut self) {
        let phone = Phone {
            page: Arc::clone(&self.page),
            link: Arc::clone(&self.link),
            wrote: Arc::clone(&self.wrote),
        };
        self.phone.spawn(phone.live());
    }

    /// Writes a message. Its id is the id that the journal will know it by. The thread must have been
    /// opened once.
    pub fn writes(&self, content: &str) -> Uuid {
        self.posts("message", json!({ "content": content }))
    }

    /// Has read up to this event.
    pub fn reads(&self, up_to: Uuid) -> Uuid {
        self.posts("read", json!({ "up_to": up_to }))
    }

    /// Posts anything at all.
    pub fn posts(&self, kind: &'static str, mut body: Value) -> Uuid {
        let id = Uuid::new_v4();
        let mut page = self.page.lock().unwrap();
        page.seq += 1;
        body["seq"] = page.seq.into();
        let (workshop, thread) = page.place.expect("a page that was open once");
        let (epoch, keys) = page.keys.last_key_value().expect("a page with keys");
        let context = SealContext {
            workshop: *workshop.as_bytes(),
            thread: Some(*thread.as_bytes()),
            event: *id.as_bytes(),
            kind,
        };
        let key = self.link.post_key(keys);
        let now = Clock::system().now();
        let plain = seal::plain(
            now.0,
            *self.link.device.as_bytes(),
            body.to_string().as_bytes(),
        );
        let sealed = URL_SAFE_NO_PAD.encode(seal::seal(&key, &context, &plain));
        let waiting = Waiting {
            id,
            kind,
            epoch: *epoch,
            sealed,
        };
        page.outbox.push(waiting);
        drop(page);
        self.wrote.notify_one();
        id
    }

    /// What the page shows.
    pub fn shown(&self) -> Vec<Shown> {
        self.page.lock().unwrap().entries.clone()
    }

    /// The words of all messages, in order; those that were erased as nothing.
    pub fn conversation(&self) -> Vec<String> {
        let shown = self.shown();
        let messages = shown.iter().filter(|entry| entry.kind == "message_posted");
        messages
            .map(|entry| {
                entry.body["content"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect()
    }

    /// What waits on this phone.
    pub fn waiting(&self) -> usize {
        self.page.lock().unwrap().outbox.len()
    }

    /// What the relay said that it keeps (one tick), each once.
    pub fn stored(&self) -> Vec<Uuid> {
        self.page.lock().unwrap().stored.clone()
    }

    /// Why the link opens nothing, if it does not.
    pub fn gone(&self) -> Option<Gone> {
        self.page.lock().unwrap().gone.clone()
    }

    /// The thread that the link opens.
    pub fn thread(&self) -> Uuid {
        self.page
            .lock()
            .unwrap()
            .place
            .expect("a page that was open once")
            .1
    }

    /// Waits until the page is up to date with the journal up to here.
    pub async fn has_come_to(&self, seq: i64, within: Duration) {
        let come = async || (self.page.lock().unwrap().after >= seq).then_some(());
        until("the owner's page is up to date", within, come).await;
    }

    /// How often it connected.
    pub fn connects(&self) -> u64 {
        self.page.lock().unwrap().connects
    }

    /// How often the journal had become another one.
    pub fn starts_over(&self) -> u64 {
        self.page.lock().unwrap().starts_over
    }

    /// Whether the workshop is online, as far as this page was told.
    pub fn workshop_online(&self) -> Option<bool> {
        let page = self.page.lock().unwrap();
        page.workshop_online.filter(|_| page.is_connected)
    }

    /// Waits until the thread is open and up to date.
    pub async fn is_open(&self) {
        let open = async || {
            let page = self.page.lock().unwrap();
            assert_eq!(page.gone, None, "the link opens the thread");
            (page.is_connected && page.is_caught_up && !page.keys.is_empty()).then_some(())
        };
        until("the owner's page is open", SOON, open).await;
    }

    /// Waits until the relay has said that it keeps all of these.
    pub async fn are_stored(&self, ids: &[Uuid]) {
        let stored = async || {
            let stored = self.stored();
            ids.iter().all(|id| stored.contains(id)).then_some(())
        };
        until("the relay keeps what was written", SOON, stored).await;
    }

    /// Waits until the journal has everything that was written here.
    pub async fn has_nothing_waiting(&self, within: Duration) {
        let done = async || (self.waiting() == 0).then_some(());
        until("the journal has what the owner wrote", within, done).await;
    }

    /// Waits until this message is shown.
    pub async fn sees(&self, content: &str) {
        let seen = async || {
            self.conversation()
                .iter()
                .any(|it| it == content)
                .then_some(())
        };
        until(&format!("the owner sees {content:?}"), SOON, seen).await;
    }
}

impl Link {
    fn auth(&self) -> String {
        URL_SAFE_NO_PAD.encode(InviteSecret::from_bytes(self.secret).auth())
    }

    /// The key that this link's posts are sealed under: it needs the thread's and the link's.
    fn post_key(&self, keys: &ThreadKeys) -> Key {
        let info: [&[u8]; 2] = [b"post", self.invite.as_bytes()];
        Key::hkdf(&self.secret, keys.post.as_bytes(), &info)
    }
}

/// What runs on the phone.
struct Phone {
    page: Arc<Mutex<Page>>,
    link: Arc<Link>,
    wrote: Arc<Notify>,
}

type Socket = WebSocketStream<TcpStream>;

impl Phone {
    async fn live(self) {
        loop {
            // However it ended, what is on the page stays and the phone comes back.
            let _ = self.visit().await;
            {
                let mut page = self.page.lock().unwrap();
                page.is_connected = false;
                page.is_caught_up = false;
                if page.gone.is_some() {
                    return;
                }
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    async fn visit(&self) -> Option<()> {
        let mut socket = tokio::time::timeout(ANSWER_MAX, self.dial()).await.ok()??;
        let (log, after) = {
            let page = self.page.lock().unwrap();
            (page.log, page.after)
        };
        let auth = json!({
            "type": "auth", "auth": self.link.auth(), "device": self.link.device,
            "log": log, "after": after,
        });
        socket.send(Message::text(auth.to_string())).await.ok()?;
        let mut counter = Counter::default();
        loop {
            let held = counter.held_until;
            // Cancel-safe: all of them only wait.
            let frame = tokio::select! {
                frame = socket.next() => frame?.ok()?,
                () = self.wrote.notified() => {
                    self.offer(&mut socket, &mut counter).await?;
                    continue;
                }
                () = tokio::time::sleep_until(held.unwrap_or_else(Instant::now)), if held.is_some() => {
                    counter.held_until = None;
                    self.offer(&mut socket, &mut counter).await?;
                    continue;
                }
            };
            match frame {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                    self.page.lock().unwrap().takes(&frame, &self.link);
                    counter.takes(&frame);
                    self.offer(&mut socket, &mut counter).await?;
                }
                Message::Close(_) => return None,
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    async fn dial(&self) -> Option<Socket> {
        let (door, invite) = (self.link.door, self.link.invite.as_bytes());
        let invite = URL_SAFE_NO_PAD.encode(invite);
        let url = format!("ws://{door}/ws/owner/{invite}/");
        let mut request = url.into_client_request().ok()?;
        let protocol = "motoreach-owner.v1".parse().ok()?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let stream = TcpStream::connect(door).await.ok()?;
        stream.set_nodelay(true).ok()?;
        Some(client_async(request, stream).await.ok()?.0)
    }

    /// Everything that the journal does not have, oldest first and one at a time, so that nothing
    /// overtakes; once a connection.
    async fn offer(&self, socket: &mut Socket, counter: &mut Counter) -> Option<()> {
        let next = {
            let page = self.page.lock().unwrap();
            let in_flight = |id| page.outbox.iter().any(|post| post.id == id);
            // What is in the journal needs no other answer.
            counter.in_flight = counter.in_flight.filter(|id| in_flight(*id));
            if !page.is_connected || counter.in_flight.is_some() || counter.held_until.is_some() {
                return Some(());
            }
            let new = |post: &&Waiting| !counter.offered.contains(&post.id);
            page.outbox.iter().find(new).cloned()
        };
        let Some(post) = next else { return Some(()) };
        let frame = json!({
            "type": "post", "id": post.id, "kind": post.kind, "epoch": post.epoch,
            "sealed": post.sealed,
        });
        counter.in_flight = Some(post.id);
        counter.offered.push(post.id);
        socket.send(Message::text(frame.to_string())).await.ok()
    }
}

/// What was handed in on one connection.
#[derive(Default)]
struct Counter {
    offered: Vec<Uuid>,
    /// Offered, and not answered yet.
    in_flight: Option<Uuid>,
    /// The relay asked to wait.
    held_until: Option<Instant>,
}

impl Counter {
    fn takes(&mut self, frame: &Value) {
        let answers = matches!(frame["type"].as_str(), Some("stored" | "refused" | "error"));
        let about = frame["id"].as_str().map(|id| id.parse::<Uuid>().unwrap());
        if !answers || about.is_none() || about != self.in_flight {
            return;
        }
        if frame["type"] == "error" {
            let wait = frame["retry_after_s"].as_u64().unwrap_or(1);
            self.held_until = Some(Instant::now() + Duration::from_secs(wait));
            self.offered.retain(|id| Some(*id) != about);
        }
        self.in_flight = None;
    }
}

impl Page {
    fn takes(&mut self, frame: &Value, link: &Link) {
        match frame["type"].as_str().unwrap() {
            "hello" => self.hello(frame, link),
            "entries" => self.entries(frame),
            "wraps" => self.wraps(&frame["wraps"], link),
            "stored" => {
                let id = uuid(&frame["id"]);
                if !self.stored.contains(&id) {
                    self.stored.push(id);
                }
            }
            "refused" => {
                let id = uuid(&frame["id"]);
                self.outbox.retain(|post| post.id != id);
            }
            "presence" => self.workshop_online = frame["workshop_online"].as_bool(),
            "gone" => self.gone = Some(frame["why"].as_str().unwrap().to_owned()),
            "error" | "moment" | "seen" | "pong" => {}
            other => panic!("a frame that nobody knows: {other}"),
        }
    }

    fn hello(&mut self, frame: &Value, link: &Link) {
        let log = frame["log"].as_str().map(|log| log.parse().unwrap());
        let from = frame["from"].as_i64().unwrap();
        if log != self.log || from != self.after {
            assert_eq!(from, 0, "a page begins where it was or at the beginning");
            self.start_over(log);
        }
        self.head = frame["head"].as_i64().unwrap();
        self.place = Some((uuid(&frame["workshop"]), uuid(&frame["thread"])));
        self.wraps(&frame["wraps"], link);
        self.workshop_online = frame["workshop_online"].as_bool();
        self.is_connected = true;
        self.connects += 1;
    }

    fn start_over(&mut self, log: Option<Uuid>) {
        if self.log.is_some() {
            self.starts_over += 1;
        }
        self.log = log;
        self.after = 0;
        self.entries.clear();
        self.ids.clear();
        self.is_caught_up = false;
    }

    fn wraps(&mut self, wraps: &Value, link: &Link) {
        let secret = InviteSecret::from_bytes(link.secret);
        for wrap in wraps.as_array().unwrap() {
            let epoch = u16::try_from(wrap["epoch"].as_u64().unwrap()).unwrap();
            let wrapped = URL_SAFE_NO_PAD
                .decode(wrap["wrapped"].as_str().unwrap())
                .unwrap();
            let key = secret
                .unwrap(&wrapped, *link.invite.as_bytes(), epoch)
                .expect("a key that was wrapped for this link");
            let keys = Arc::new(ThreadKeys::from_thread_key(key));
            self.keys.insert(epoch, keys);
        }
    }

    fn entries(&mut self, frame: &Value) {
        let log = frame["log"].as_str().map(|log| log.parse().unwrap());
        if log != self.log {
            self.start_over(log);
        }
        for entry in frame["entries"].as_array().unwrap() {
            let shown = self.open(entry);
            assert!(shown.seq > self.after, "{shown:?} after {}", self.after);
            self.after = shown.seq;
            self.outbox.retain(|post| post.id != shown.id);
            assert!(self.ids.insert(shown.id), "shown twice: {shown:?}");
            self.erase_what_this_erases(&shown);
            self.entries.push(shown);
        }
        self.head = frame["head"].as_i64().unwrap();
        self.is_caught_up = frame["more"] == false;
        if self.is_caught_up {
            // Everything in between is other threads' or the staff's.
            self.after = self.after.max(self.head);
        }
    }

    fn erase_what_this_erases(&mut self, shown: &Shown) {
        if matches!(shown.kind.as_str(), "message_redacted" | "message_expired") {
            let erased = uuid(&shown.body["message"]);
            for entry in self.entries.iter_mut().filter(|it| it.id == erased) {
                entry.body = Value::Null;
            }
        }
    }

    fn open(&self, entry: &Value) -> Shown {
        let (id, kind) = (uuid(&entry["id"]), entry["kind"].as_str().unwrap());
        let body = entry["body"].as_str().map_or(Value::Null, |sealed| {
            let sealed = URL_SAFE_NO_PAD.decode(sealed).unwrap();
            let epoch = u16::try_from(entry["epoch"].as_u64().unwrap()).unwrap();
            let (workshop, thread) = self.place.unwrap();
            let context = SealContext {
                workshop: *workshop.as_bytes(),
                thread: Some(*thread.as_bytes()),
                event: *id.as_bytes(),
                kind,
            };
            let keys = self.keys.get(&epoch);
            let keys = keys.unwrap_or_else(|| panic!("no key of epoch {epoch} for {kind} {id}"));
            let plain = seal::open(&keys.journal, &context, &sealed);
            let plain = plain.unwrap_or_else(|_| panic!("{kind} {id} does not open"));
            let opened = seal::Opened::parse(&plain).unwrap();
            serde_json::from_slice(opened.body).unwrap()
        });
        Shown {
            seq: entry["seq"].as_i64().unwrap(),
            id,
            kind: kind.to_owned(),
            body,
        }
    }
}

fn uuid(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}
