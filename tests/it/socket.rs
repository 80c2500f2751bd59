//! A WebSocket client that reads and writes frames as JSON.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use uuid::Uuid;

use crate::harness::PATIENCE;

/// The subprotocol of `wire.md` §6.
pub(crate) const V1: &str = "motoreach.v1";

/// One open socket.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
}

impl Socket {
    /// Opens one; `fields` go into the upgrade's head.
    ///
    /// # Errors
    /// The answer was no 101.
    pub(crate) async fn open(
        address: SocketAddr,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Self, Box<Error>> {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::open_on(stream, address, path, fields).await
    }

    /// Opens one on a connection that is there already.
    ///
    /// # Errors
    /// The answer was no 101.
    pub(crate) async fn open_on(
        stream: TcpStream,
        address: SocketAddr,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Self, Box<Error>> {
        let mut request = format!("ws://{address}{path}").into_client_request()?;
        for (name, value) in fields {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let opening = tokio_tungstenite::client_async(request, stream);
        let opened = timeout(PATIENCE, opening)
            .await
            .expect("an answer to an upgrade");
        Ok(Self { stream: opened?.0 })
    }

    /// Says a frame.
    pub(crate) async fn say(&mut self, frame: &Value) {
        self.say_text(&frame.to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, text: &str) {
        self.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn send(&mut self, message: Message) -> Result<(), Box<Error>> {
        let sending = self.stream.send(message);
        Ok(timeout(PATIENCE, sending).await.expect("room to send")?)
    }

    /// Posts a message under a fresh id and returns the id; the answer is for the caller to hear.
    pub(crate) async fn post(&mut self, content: &str) -> Uuid {
        let id = Uuid::new_v4();
        self.post_as(id, content).await;
        id
    }

    pub(crate) async fn post_as(&mut self, id: Uuid, content: &str) {
        self.say(&json!({"type": "chat.message", "client_id": id, "content": content}))
            .await;
    }

    /// The next frame.
    ///
    /// # Errors
    /// The code with which the socket was closed; 1006 when it broke.
    pub(crate) async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let next = timeout(PATIENCE, self.stream.next());
            match next.await.expect("a frame in time") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(close))) => {
                    // Answers it and hangs up, as a browser does, so that the box need not wait.
                    let _ = timeout(PATIENCE, self.stream.flush()).await;
                    let _ = self.stream.get_mut().shutdown().await;
                    return Err(close.map_or(1005, |close| close.code.into()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Binary(_))) => panic!("the box sends text only"),
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    /// The next frame of a socket that must stay open.
    pub(crate) async fn hear(&mut self) -> Value {
        match self.next().await {
            Ok(frame) => frame,
            Err(code) => panic!("closed with {code}"),
        }
    }

    /// The next frame, which must be of this type.
    pub(crate) async fn hear_a(&mut self, kind: &str) -> Value {
        let frame = self.hear().await;
        assert_eq!(frame["type"], kind, "{frame}");
        frame
    }

    /// Reads on until a frame of this type comes.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        self.until_that(|frame| frame["type"] == kind).await
    }

    /// Reads on until a frame comes that is the one.
    pub(crate) async fn until_that(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.hear().await;
            if is_it(&frame) {
                return frame;
            }
        }
    }

    /// Reads on until the socket is closed, and says with which code.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }

    /// Closes it and waits until the box knows.
    pub(crate) async fn close(mut self) {
        let _ = self.send(Message::Close(None)).await;
        self.closed().await;
    }

    /// Breaks the connection without a word.
    pub(crate) fn cut(self) {
        drop(self);
    }

    /// The bare connection, for a test that does not read or writes what is no frame.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream.into_inner()
    }
}
