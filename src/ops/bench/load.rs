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
use uuid::Uuid;

use super::child::Box as Served;
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
    /// Messages acknowledged, per second.
    pub(super) per_second: f64,
    /// Half were acknowledged within so many milliseconds.
    pub(super) p50_ms: f64,
    /// All but one in a hundred were.
    pub(super) p99_ms: f64,
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
        let mut senders = JoinSet::new();
        let mut sockets = Vec::with_capacity(self.senders);
        for sender in 0..self.senders {
            let request = &served.sample.requests[sender % self.rooms];
            let owner = served
                .sample
                .people
                .iter()
                .find(|person| person.id == request.owner_id);
            let token = &owner.context("a request has no owner")?.token;
            let path = format!("/ws/service-chat/{}/?token={token}", request.id);
            sockets.push(connect(served, &path).await?);
        }
        let begun = stopwatch();
        for socket in sockets {
            senders.spawn(write(socket, self.in_flight, begun + time));
        }
        let mut times = Vec::new();
        while let Some(done) = senders.join_next().await {
            times.append(&mut done??);
        }
        let took = begun.elapsed();
        times.sort();
        Ok(Run {
            rooms: self.rooms,
            in_flight: self.in_flight,
            per_second: times.len() as f64 / took.as_secs_f64(),
            p50_ms: at(&times, 0.50),
            p99_ms: at(&times, 0.99),
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
    until: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut underway: HashMap<Uuid, Instant> = HashMap::new();
    loop {
        while underway.len() < in_flight && stopwatch() < until {
            let id = Uuid::now_v7();
            let text = format!(
                r#"{{"type":"chat.message","client_id":"{id}","content":"The brakes squeal when it is cold."}}"#
            );
            underway.insert(id, stopwatch());
            socket.send(Message::Text(text.into())).await?;
        }
        if underway.is_empty() {
            socket.close(None).await?;
            return Ok(times);
        }
        let frame = socket.next().await.context("the box closed the socket")??;
        let Ok(text) = frame.to_text() else {
            continue;
        };
        let Ok(heard) = serde_json::from_str::<Heard>(text) else {
            continue;
        };
        anyhow::ensure!(
            heard.kind != "chat.error",
            "the box refused a message: {text}"
        );
        if let ("chat.ack", Some(id)) = (heard.kind.as_str(), heard.client_id)
            && let Some(sent) = underway.remove(&id)
        {
            times.push(sent.elapsed());
        }
    }
}

fn at(times: &[Duration], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let index = (times.len() as f64 * share) as usize;
    times
        .get(index.min(times.len().saturating_sub(1)))
        .map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
