//! A relay of our own that signs as a relay does, and then says what it likes.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use motoreach::clock::Clock;
use motoreach::seal::{Lineage, Position, RootSecret, SigningKey};
use motoreach::sync::link::handshake::pairing_key;
use motoreach::sync::link::kept::{PairingCode, Session as Welcomed};
use motoreach::sync::link::{RelayAnswer, RelayEnd, RelayFacts, RelayOrder, RelayWish};
use motoreach::wire::link::{Frame, Verdict};

use super::SOON;

/// What the relay pretends to have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pretence {
    pub position: Option<Position>,
    pub orphans: u32,
}

/// It listens; a box may be paired with it by `CODE`.
pub struct HostileRelay {
    listener: TcpListener,
    identity: Arc<SigningKey>,
    sessions: u64,
}

/// The code that the hostile relay takes, always.
pub const CODE: &str = "AAAAA-AAAAA";

/// A box on the line that believes it talks with its relay.
pub struct HostileSession {
    socket: WebSocketStream<TcpStream>,
    /// Every frame of the handshake that was sent to the box.
    pub said: Vec<Frame>,
}

impl HostileRelay {
    pub async fn new() -> Self {
        let root = RootSecret::from_bytes(super::random::bytes());
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            identity: Arc::new(SigningKey::derive(&root, "hostile")),
            sessions: 0,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// What it signs with.
    pub fn identity(&self) -> &SigningKey {
        &self.identity
    }

    /// Waits for the box and lets it in, pretending to have this.
    pub async fn lets_in(&mut self, pretence: Pretence) -> HostileSession {
        loop {
            let socket = self.is_dialled().await;
            if let Some(session) = self.shakes_hands(socket, pretence).await {
                return session;
            }
        }
    }

    /// Waits until somebody opens the link's WebSocket, and says nothing yet.
    pub async fn is_dialled(&mut self) -> WebSocketStream<TcpStream> {
        let dialled = async {
            loop {
                let (stream, _) = self.listener.accept().await.unwrap();
                if let Ok(socket) = accept_hdr_async(stream, takes_protocol).await {
                    return socket;
                }
            }
        };
        tokio::time::timeout(4 * SOON, dialled)
            .await
            .expect("the box comes back")
    }

    async fn shakes_hands(
        &mut self,
        mut socket: WebSocketStream<TcpStream>,
        pretence: Pretence,
    ) -> Option<HostileSession> {
        self.sessions += 1;
        let mut end = RelayEnd::new(RelayFacts {
            identity: Arc::clone(&self.identity),
            membership: [7; 32],
            public_url: "http://relay.example".to_owned(),
            now: Clock::system().now(),
            nonce: super::random::bytes(),
            grant_nonce: super::random::bytes(),
        });
        let mut said = Vec::new();
        loop {
            let mut confirmed = false;
            let wishes = end.wishes();
            let none = wishes.is_empty();
            for wish in wishes {
                match wish {
                    RelayWish::Send(frame) => {
                        said.push(frame.clone());
                        let message = Message::binary(frame.encode());
                        socket.send(message).await.ok()?;
                    }
                    RelayWish::Store(order) => {
                        confirmed |= matches!(order, RelayOrder::Confirm(_));
                        end.answer(self.answers(&order, pretence));
                    }
                    RelayWish::Tell(_) => {}
                    RelayWish::End(_) => return None,
                }
            }
            if confirmed {
                return Some(HostileSession { socket, said });
            }
            if none {
                end.frame(receive(&mut socket).await?);
            }
        }
    }

    fn answers(&self, order: &RelayOrder, pretence: Pretence) -> RelayAnswer {
        match order {
            RelayOrder::Codes => RelayAnswer::Codes(vec![PairingCode {
                id: 1,
                key: pairing_key(CODE).unwrap(),
                expires_ms: i64::MAX,
                used_by: None,
            }]),
            RelayOrder::Open(_) => RelayAnswer::Session(Welcomed {
                verdict: Verdict::Resume,
                lineage: Some(Lineage {
                    generation: self.sessions,
                    nonce: super::random::bytes(),
                }),
                position: pretence.position,
                orphans: pretence.orphans,
            }),
            RelayOrder::Confirm(_)
            | RelayOrder::Append(..)
            | RelayOrder::Chains(..)
            | RelayOrder::GiveBack(..)
            | RelayOrder::Fork(..)
            | RelayOrder::Retain(..)
            | RelayOrder::Watch(..)
            | RelayOrder::Posts(..)
            | RelayOrder::Refuse(..) => RelayAnswer::Done,
        }
    }
}

impl HostileSession {
    /// Says anything. False once the box has had enough.
    pub async fn says(&mut self, frame: &Frame) -> bool {
        self.says_bytes(frame.encode()).await
    }

    /// Says bytes that need be no frame.
    pub async fn says_bytes(&mut self, bytes: Vec<u8>) -> bool {
        self.socket.send(Message::binary(bytes)).await.is_ok()
    }

    /// The next frame of the box; none once it has had enough.
    pub async fn hears(&mut self) -> Option<Frame> {
        receive(&mut self.socket).await
    }

    /// Waits until the box has had enough; what it says until then is passed over.
    pub async fn waits_until_left(mut self) {
        let left = async { while self.hears().await.is_some() {} };
        let left = tokio::time::timeout(4 * SOON, left).await;
        assert!(left.is_ok(), "the box goes on with a hostile relay");
    }
}

async fn receive(socket: &mut WebSocketStream<TcpStream>) -> Option<Frame> {
    loop {
        match socket.next().await? {
            Ok(Message::Binary(bytes)) => {
                if let Some(frame) = Frame::decode(&bytes).expect("the box sends frames") {
                    return Some(frame);
                }
            }
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

#[expect(
    clippy::result_large_err,
    clippy::unnecessary_wraps,
    reason = "the shape that tungstenite asks for"
)]
fn takes_protocol(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    if let Some(protocol) = request.headers().get("sec-websocket-protocol") {
        let headers = response.headers_mut();
        headers.insert("sec-websocket-protocol", protocol.clone());
    }
    Ok(response)
}
