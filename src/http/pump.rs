//! Moving frames between a WebSocket and its place in the hub: sending with a reader that may not
//! read, pings, silence, and how a socket ends. Shared by chat and notification sockets, and by
//! owners' sockets at a relay.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

use super::upgrade::{CloseReason, WebSocket, with_fresh_buffers};
use crate::hub::{Cut, Place, Subscriber};

/// The server pings a quiet socket this often (`wire.md` §6).
const PING_EVERY: Duration = Duration::from_secs(25);
/// A peer that was not heard of for so long is gone (`wire.md` §6).
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A long text is sent in fragments of so many bytes.
const FRAGMENT_BYTES: usize = 1024;

/// Why a socket's loop ends.
#[derive(Debug)]
pub(crate) enum End {
    /// Say why and close.
    Close(CloseReason),
    /// There is nobody left to tell.
    Gone,
}

/// What came in.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A text frame.
    Text(Utf8Bytes),
    /// A sign of life, and nothing else.
    Alive,
}

/// A socket's place among others, which may be taken from it at any time.
pub(crate) trait Seat: Sync {
    /// Waits until the socket is to be closed, and says how.
    fn until_cut(&self) -> impl Future<Output = CloseReason> + Send;
}

impl Seat for Place {
    async fn until_cut(&self) -> CloseReason {
        reason(Subscriber::until_cut(self).await)
    }
}

/// One socket and how long its peer was silent.
pub(crate) struct Pump {
    socket: WebSocket,
    heard: Instant,
    ping_at: Instant,
}

impl Pump {
    pub(crate) fn new(socket: WebSocket) -> Self {
        let now = Instant::now();
        Self {
            socket,
            heard: now,
            ping_at: now + PING_EVERY,
        }
    }

    /// The same with small buffers, after a long beginning and before the first `receive`.
    pub(crate) async fn begun(self) -> Self {
        let socket = with_fresh_buffers(self.socket).await;
        Self { socket, ..self }
    }

    /// Waits for the next frame, or until it is time to ping. Cancel-safe: a frame is taken whole or
    /// not at all.
    pub(crate) async fn receive(&mut self) -> Result<Incoming, End> {
        tokio::select! {
            frame = self.socket.next() => self.received(frame),
            () = tokio::time::sleep_until(self.ping_at.min(self.heard + SILENCE_MAX)) => Ok(Incoming::Alive),
        }
    }

    fn received(
        &mut self,
        frame: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
    ) -> Result<Incoming, End> {
        self.heard = Instant::now();
        match frame {
            Some(Ok(Message::Text(text))) => Ok(Incoming::Text(text)),
            Some(Ok(Message::Binary(_))) => Err(End::Close(CloseReason::BINARY)),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                Ok(Incoming::Alive)
            }
            // The answer to the peer's Close is sent while the rest is read.
            Some(Ok(Message::Close(_))) | None => Err(End::Gone),
            Some(Err(error)) => {
                tracing::debug!(%error, "a socket failed");
                Err(CloseReason::after(&error).map_or(End::Gone, End::Close))
            }
        }
    }

    /// Pings if it is time, and gives a silent peer up.
    pub(crate) async fn keep_alive(&mut self, place: &impl Seat) -> Result<(), End> {
        let now = Instant::now();
        if now.duration_since(self.heard) >= SILENCE_MAX {
            tracing::debug!("a silent socket was given up");
            return Err(End::Gone);
        }
        if now < self.ping_at {
            return Ok(());
        }
        self.ping_at = now + PING_EVERY;
        self.send_message(Message::Ping(Bytes::new()), place).await
    }

    /// Sends a text frame; a reader that does not take it is given up as soon as its seat is cut.
    pub(crate) async fn send(&mut self, text: Utf8Bytes, place: &impl Seat) -> Result<(), End> {
        self.send_message(Message::Text(text), place).await
    }

    /// The same in fragments (RFC 6455 §5.4): what a long text leaves behind is a buffer of
    /// `FRAGMENT_BYTES`, whoever has read already and so cannot have `begun` any more.
    pub(crate) async fn send_long(
        &mut self,
        text: Utf8Bytes,
        place: &impl Seat,
    ) -> Result<(), End> {
        if text.len() <= FRAGMENT_BYTES {
            return self.send(text, place).await;
        }
        let mut rest = Bytes::from(text);
        let mut opcode = Data::Text;
        while !rest.is_empty() {
            let fragment = rest.split_to(rest.len().min(FRAGMENT_BYTES));
            let frame = Frame::message(fragment, OpCode::Data(opcode), rest.is_empty());
            self.send_message(Message::Frame(frame), place).await?;
            opcode = Data::Continue;
        }
        Ok(())
    }

    async fn send_message(&mut self, message: Message, place: &impl Seat) -> Result<(), End> {
        tokio::select! {
            sent = self.socket.send(message) => sent.map_err(|error| {
                tracing::debug!(%error, "a frame could not be sent");
                CloseReason::after(&error).map_or(End::Gone, End::Close)
            }),
            why = place.until_cut() => Err(End::Close(why)),
        }
    }

    /// Ends the socket.
    pub(crate) async fn end(self, end: End) {
        match end {
            End::Close(reason) => {
                tracing::debug!(code = reason.code, why = reason.text, "a socket was closed");
                reason.close(self.socket).await;
            }
            End::Gone => {
                let mut socket = self.socket;
                // Answers the peer's own Close, if that is how it ended.
                let _ = tokio::time::timeout(Duration::from_secs(1), socket.close(None)).await;
            }
        }
    }
}

/// What a peer is told when the hub cuts it.
pub(super) const fn reason(why: Cut) -> CloseReason {
    match why {
        Cut::TooSlow => CloseReason::TOO_SLOW,
        Cut::SignedOut => CloseReason::SIGN_IN_AGAIN,
        Cut::StartOver => CloseReason::START_OVER,
    }
}
