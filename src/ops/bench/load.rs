//! People who write: sockets of `motoreach.v1`, each message timed from sending to acknowledgement.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::child::Box as Served;
use super::times::Times;
use crate::clock::stopwatch;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How much is sent at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Rooms that are written in.
    pub(super) rooms: usize,
    /// People who write, one room each in turn.
    pub(super) senders: usize,
    /// Messages that each of them sends before waiting.
    pub(super) in_flight: usize,
}

/// How a load was borne.
#[derive(Debug, Serialize)]
pub(super) struct Run {
    /// Rooms that were written in.
    pub(super) rooms: usize,
    /// Messages that each sender had under way.
    pub(super) in_flight: usize,
    /// Messages acknowledged.
    pub(super) messages: usize,
    /// The same, per second.
    pub(super) per_second: f64,
    /// From sending to acknowledgement.
    #[serde(flatten)]
    pub(super) times: Times,
}

#[derive(Deserialize)]
struct Heard {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    client_id: Option<Uuid>,
}

impl Load {
    /// Writes for so long.
    pub(super) async fn run(self, served: &Served, time: Duration) -> anyhow::Result<Run> {
        let stop = CancellationToken::new();
        let running = self.run_until(served, &stop);
        let timer = async {
            tokio::time::sleep(time).await;
            stop.cancel();
        };
        tokio::join!(running, timer).0
    }

    /// Writes until it is told to stop.
    pub(super) async fn run_until(
        self,
        served: &Served,
        stop: &CancellationToken,
    ) -> anyhow::Result<Run> {
        let mut senders = JoinSet::new();
        let mut sockets = Vec::with_capacity(self.senders);
        for sender in 0..self.senders {
            sockets.push(enter(served, sender % self.rooms).await?);
        }
        let begun = stopwatch();
        for socket in sockets {
            senders.spawn(write(socket, self.in_flight, stop.clone()));
        }
        let mut times = Vec::new();
        while let Some(done) = senders.join_next().await {
            times.append(&mut done??);
        }
        let took = begun.elapsed();
        Ok(Run {
            rooms: self.rooms,
            in_flight: self.in_flight,
            messages: times.len(),
            per_second: times.len() as f64 / took.as_secs_f64(),
            times: Times::of(times),
        })
    }
}

/// An idle notification socket of an admin.
pub(super) async fn watch(served: &Served) -> anyhow::Result<Socket> {
    let mut people = served.sample.people.iter();
    let admin = people.find(|person| person.role == "workshop_admin");
    let token = &admin.context("the sample workshop has no admin")?.token;
    let mut socket = connect(served, &format!("/ws/notifications/?token={token}")).await?;
    socket.next().await.context("the box closed the socket")??;
    Ok(socket)
}

/// Says one thing in a room, and gives its id once the box has it on disk.
pub(super) async fn say_once(served: &Served, room: usize) -> anyhow::Result<Uuid> {
    let mut socket = enter(served, room).await?;
    let id = send_one(&mut socket).await?;
    while acknowledged(&mut socket).await? != Some(id) {}
    socket.close(None).await?;
    Ok(id)
}

/// A socket of the owner of a room's request.
async fn enter(served: &Served, room: usize) -> anyhow::Result<Socket> {
    let request = &served.sample.requests[room];
    let mut people = served.sample.people.iter();
    let owner = people.find(|person| person.id == request.owner_id);
    let token = &owner.context("a request has no owner")?.token;
    let path = format!("/ws/service-chat/{}/?token={token}", request.id);
    connect(served, &path).await
}

async fn connect(served: &Served, path: &str) -> anyhow::Result<Socket> {
    let mut request = format!("ws://{}{path}", served.address).into_client_request()?;
    let protocol = http::HeaderValue::from_static("motoreach.v1");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    Ok(connect_async(request).await?.0)
}

async fn write(
    mut socket: Socket,
    in_flight: usize,
    stop: CancellationToken,
) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut underway: HashMap<Uuid, Instant> = HashMap::new();
    loop {
        while underway.len() < in_flight && !stop.is_cancelled() {
            let sent = stopwatch();
            underway.insert(send_one(&mut socket).await?, sent);
        }
        if underway.is_empty() {
            socket.close(None).await?;
            return Ok(times);
        }
        if let Some(id) = acknowledged(&mut socket).await?
            && let Some(sent) = underway.remove(&id)
        {
            times.push(sent.elapsed());
        }
    }
}

async fn send_one(socket: &mut Socket) -> anyhow::Result<Uuid> {
    let id = Uuid::now_v7();
    let text = format!(
        r#"{{"type":"chat.message","client_id":"{id}","content":"The brakes squeal when it is cold."}}"#
    );
    socket.send(Message::Text(text.into())).await?;
    Ok(id)
}

/// Reads one frame: the message that it acknowledges, if it does.
async fn acknowledged(socket: &mut Socket) -> anyhow::Result<Option<Uuid>> {
    let frame = socket.next().await.context("the box closed the socket")??;
    let Ok(text) = frame.to_text() else {
        return Ok(None);
    };
    let Ok(heard) = serde_json::from_str::<Heard>(text) else {
        return Ok(None);
    };
    anyhow::ensure!(
        heard.kind != "chat.error",
        "the box refused a message: {text}"
    );
    Ok(heard.client_id.filter(|_| heard.kind == "chat.ack"))
}
