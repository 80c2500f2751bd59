//! A chat socket in `motoreach.v1`.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

use super::{SOON, Sample};

/// An open chat socket.
pub struct Chat(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What came, or how it ended.
#[derive(Debug)]
pub enum Frame {
    /// A frame.
    Json(Value),
    /// The server closed with this code.
    Closed(u16),
    /// The connection broke.
    Broken,
}

impl Chat {
    /// Opens the chat of `request`; after `position` (a log and a place in it) if there is one.
    pub async fn open(
        sample: &Sample,
        token: &str,
        request: i64,
        position: Option<&(String, i64)>,
    ) -> Result<Self, Error> {
        Self::open_at(sample.address(), token, request, position).await
    }

    /// The same of a box at this address.
    pub async fn open_at(
        address: &str,
        token: &str,
        request: i64,
        position: Option<&(String, i64)>,
    ) -> Result<Self, Error> {
        let position =
            position.map_or_else(String::new, |(log, rev)| format!("&after={rev}&log={log}"));
        let url = format!("ws://{address}/ws/service-chat/{request}/?token={token}{position}");
        let mut request = url.into_client_request()?;
        let protocol = "motoreach.v1".parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let (socket, _) = tokio::time::timeout(SOON, connect_async(request))
            .await
            .unwrap_or_else(|_| panic!("no socket within {SOON:?}"))?;
        Ok(Self(socket))
    }

    /// Sends a message under a name.
    pub async fn say(&mut self, name: Uuid, content: &str) -> Result<(), Error> {
        let frame = json!({ "type": "chat.message", "client_id": name, "content": content });
        self.0.send(Message::text(frame.to_string())).await
    }

    /// Says that everything up to here was read.
    pub async fn has_read(&mut self, up_to: i64) -> Result<(), Error> {
        let frame = json!({ "type": "chat.read", "up_to": up_to });
        self.0.send(Message::text(frame.to_string())).await
    }

    /// The next frame. Cancel-safe.
    pub async fn next(&mut self) -> Frame {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Frame::Json(serde_json::from_str(&text).expect("frames are JSON"));
                }
                Some(Ok(Message::Close(close))) => {
                    return Frame::Closed(close.map_or(1005, |close| close.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Frame::Broken,
            }
        }
    }

    /// The next frame of this type; others before it are passed over.
    #[track_caller]
    pub fn expect(&mut self, kind: &str) -> impl Future<Output = Value> {
        self.expect_within(kind, SOON)
    }

    /// The same with a deadline of its own.
    #[track_caller]
    pub fn expect_within(&mut self, kind: &str, within: Duration) -> impl Future<Output = Value> {
        let asked_at = std::panic::Location::caller();
        async move {
            let waiting = tokio::time::timeout(within, async {
                loop {
                    match self.next().await {
                        Frame::Json(frame) if frame["type"] == kind => return frame,
                        Frame::Json(_) => {}
                        end @ (Frame::Closed(_) | Frame::Broken) => {
                            panic!("{end:?} instead of {kind} ({asked_at})")
                        }
                    }
                }
            });
            waiting
                .await
                .unwrap_or_else(|_| panic!("no {kind} within {within:?} ({asked_at})"))
        }
    }
}
