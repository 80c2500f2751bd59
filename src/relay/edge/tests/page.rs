//! An owner's page, as far as its socket goes.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{PATIENCE, Running, auth};
use crate::domain::EventId;
use crate::relay::conformance::pen::{device, invite};

/// An open socket.
pub(in crate::relay::edge) struct Page {
    socket: WebSocketStream<TcpStream>,
}

impl Page {
    /// Opens a link's socket; shows nothing yet.
    pub(in crate::relay::edge) async fn open(running: &Running, link: u64) -> Self {
        let id = BASE64.encode(invite(link).as_bytes());
        Self::open_at(running, &format!("/ws/owner/{id}/")).await
    }

    pub(in crate::relay::edge) async fn open_at(running: &Running, path: &str) -> Self {
        let url = format!("ws://{}{path}", running.address);
        let mut request = url.into_client_request().unwrap();
        let protocol = HeaderValue::from_static("motoreach-owner.v1");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let stream = TcpStream::connect(running.address).await.unwrap();
        let (socket, _) = tokio_tungstenite::client_async(request, stream)
            .await
            .unwrap();
        Self { socket }
    }

    /// Opens a link and shows its secret.
    pub(in crate::relay::edge) async fn enter(running: &Running, link: u64) -> Self {
        let mut page = Self::open(running, link).await;
        page.show(link, 1, Value::Null, 0).await;
        page
    }

    /// The same, through hello and everything there is; gives the hello.
    pub(in crate::relay::edge) async fn ready(running: &Running, link: u64) -> (Self, Value) {
        let mut page = Self::enter(running, link).await;
        let hello = page.next("hello").await;
        while page.next("entries").await["more"] == true {}
        (page, hello)
    }

    pub(in crate::relay::edge) async fn show(
        &mut self,
        link: u64,
        on: u64,
        log: Value,
        after: i64,
    ) {
        let auth = BASE64.encode(auth(link));
        let device = device(on).uuid();
        self.say(&json!({
            "type": "auth", "auth": auth, "device": device, "log": log, "after": after,
        }))
        .await;
    }

    pub(in crate::relay::edge) async fn say(&mut self, frame: &Value) {
        self.socket
            .send(Message::text(frame.to_string()))
            .await
            .unwrap();
    }

    pub(in crate::relay::edge) async fn post(&mut self, id: EventId, kind: &str) {
        let id = id.uuid();
        self.say(&json!({
            "type": "post", "id": id, "kind": kind, "epoch": 0, "sealed": BASE64.encode([7; 40]),
        }))
        .await;
    }

    /// The next frame, which must be of this type.
    pub(in crate::relay::edge) async fn next(&mut self, kind: &str) -> Value {
        let frame = self.received().await.expect("a frame");
        assert_eq!(frame["type"], kind, "{frame}");
        frame
    }

    /// The next frame, which must be of one of these types.
    pub(in crate::relay::edge) async fn next_of(&mut self, kinds: &[&str]) -> Value {
        let frame = self.received().await.expect("a frame");
        let kind = frame["type"].as_str().unwrap();
        assert!(kinds.contains(&kind), "{frame}");
        frame
    }

    /// The code that the socket closes with, past whatever frames.
    pub(in crate::relay::edge) async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.received().await {
                return code;
            }
        }
    }

    async fn received(&mut self) -> Result<Value, u16> {
        loop {
            let message = timeout(PATIENCE, self.socket.next())
                .await
                .expect("in time");
            match message.expect("a message").expect("no broken line") {
                Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                Message::Close(frame) => return Err(frame.map_or(1005, |it| it.code.into())),
                Message::Ping(_) | Message::Pong(_) => {}
                other @ (Message::Binary(_) | Message::Frame(_)) => panic!("{other:?}"),
            }
        }
    }
}
