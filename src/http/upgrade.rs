//! From an HTTP request to a WebSocket, and from a WebSocket to its end (RFC 6455).
//!
//! The socket handlers call [`upgrade`], send its response and await its socket in a task of their
//! own; they end every socket with [`close`]. Frames, tokens and rooms are none of its business.

use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::BoxFuture;
use futures_util::{SinkExt, StreamExt};
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Version};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::fields::{listed, the_only};
use super::limits::{
    CLOSE_REASON_BYTES_MAX, SOCKET_CLOSE, SOCKET_MESSAGE_BYTES_MAX, SOCKET_READ_BUFFER_BYTES,
    SOCKET_WRITE_BUFFER_BYTES, SOCKET_WRITE_BUFFER_BYTES_MAX,
};
use super::line;
use super::problem::Problem;

/// An open WebSocket of ours.
pub type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// An upgrade that was granted.
pub struct Upgrading {
    /// The 101 to answer with; the socket opens only once it was sent.
    pub response: Response,
    /// The subprotocol agreed on, if any.
    pub protocol: Option<&'static str>,
    /// The socket, once the client has the answer; an error when it left before.
    pub socket: BoxFuture<'static, Result<WebSocket, hyper::Error>>,
}

/// Grants the upgrade that `request` asks for, to a socket of a browser. See [`upgrade_with`].
///
/// # Errors
/// 405, 426 or 400, with the headers RFC 6455 §4.2.2 and §4.4 ask for.
pub fn upgrade<B>(
    request: &mut Request<B>,
    protocols: &[&'static str],
) -> Result<Upgrading, Problem> {
    upgrade_with(request, protocols, browsers_config())
}

/// Grants the upgrade that `request` asks for. Of `protocols`, in our order of preference, the first
/// that the client offers is agreed on; none is fine too.
///
/// # Errors
/// 405, 426 or 400, with the headers RFC 6455 §4.2.2 and §4.4 ask for.
pub fn upgrade_with<B>(
    request: &mut Request<B>,
    protocols: &[&'static str],
    config: WebSocketConfig,
) -> Result<Upgrading, Problem> {
    if request.method() != Method::GET {
        return Err(Problem::method_not_allowed_but("GET"));
    }
    let headers = request.headers();
    if !lists(headers, &CONNECTION, "upgrade") || !lists(headers, &UPGRADE, "websocket") {
        return Err(upgrade_required("This address speaks WebSocket only."));
    }
    if request.version() != Version::HTTP_11 {
        return Err(Problem::malformed("A WebSocket starts from HTTP/1.1."));
    }
    if the_only(headers, &SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(upgrade_required(
            "This box speaks version 13 of the WebSocket protocol.",
        ));
    }
    let key = the_only(headers, &SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
    let key = key.ok_or_else(|| Problem::malformed("Sec-WebSocket-Key must be 16 bytes."))?;

    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    answer.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .expect("base64 has letters a header may hold");
    answer.insert(SEC_WEBSOCKET_ACCEPT, accept);
    let offered = |protocol: &&'static str| {
        listed(headers, &SEC_WEBSOCKET_PROTOCOL).any(|offer| offer == *protocol)
    };
    let protocol = protocols.iter().copied().find(offered);
    if let Some(protocol) = protocol {
        answer.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    }

    let upgrading = hyper::upgrade::on(request);
    let socket = Box::pin(async move {
        let stream = TokioIo::new(upgrading.await?);
        Ok(WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await)
    });
    Ok(Upgrading {
        response,
        protocol,
        socket,
    })
}

/// Why we end a socket: the code a page reads, and a word for whoever debugs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseReason {
    /// RFC 6455 §7.4, or ours from 4000 on (wire.md §2, §6).
    pub code: u16,
    /// At most [`CLOSE_REASON_BYTES_MAX`].
    pub text: &'static str,
}

impl CloseReason {
    /// The peer broke the protocol's rules.
    pub const PROTOCOL: Self = Self {
        code: 1002,
        text: "protocol error",
    };
    /// A binary frame where text is spoken.
    pub const BINARY: Self = Self {
        code: 1003,
        text: "text only",
    };
    /// Text that is not UTF-8.
    pub const NOT_UTF8: Self = Self {
        code: 1007,
        text: "not UTF-8",
    };
    /// A message or frame above [`SOCKET_MESSAGE_BYTES_MAX`].
    pub const TOO_BIG: Self = Self {
        code: 1009,
        text: "at most 64 KiB",
    };
    /// The box stops or restarts; come back.
    pub const RESTARTING: Self = Self {
        code: 1012,
        text: "restarting",
    };
    /// Copies of the journal were brought together; come back and read anew.
    pub const START_OVER: Self = Self {
        code: 1012,
        text: "copies were brought together",
    };
    /// Something is wrong with the box at the moment.
    pub const TRY_AGAIN_LATER: Self = Self {
        code: 1013,
        text: "try again later",
    };
    /// No token, or one that is not valid (any more).
    pub const SIGN_IN_AGAIN: Self = Self {
        code: 4401,
        text: "sign in again",
    };
    /// Not a party to this request, or no such request.
    pub const NOT_YOURS: Self = Self {
        code: 4403,
        text: "not yours",
    };
    /// The reader fell behind; it resumes.
    pub const TOO_SLOW: Self = Self {
        code: 4408,
        text: "too slow, resume",
    };

    /// What to tell a peer whose socket failed so; `None` when there is nobody left to tell.
    pub fn after(error: &Error) -> Option<Self> {
        if matches!(error, Error::Capacity(_)) {
            Some(Self::TOO_BIG)
        } else if matches!(error, Error::Utf8(_)) {
            Some(Self::NOT_UTF8)
        } else if matches!(error, Error::WriteBufferFull(_)) {
            Some(Self::TOO_SLOW)
        } else if matches!(error, Error::Protocol(_) | Error::AttackAttempt) {
            Some(Self::PROTOCOL)
        } else {
            None
        }
    }

    /// Ends `socket` for this reason; see [`close`].
    pub async fn close(self, socket: WebSocket) {
        close(socket, self.code, self.text).await;
    }
}

/// Ends a socket: says why, then waits for the peer to say so too, for at most [`SOCKET_CLOSE`].
/// What the peer still sends is read and thrown away: closing over unread bytes would reset the
/// connection, and the peer might never see the code. A peer that does not take the Close frame in
/// time is cut.
pub async fn close(mut socket: WebSocket, code: u16, reason: &str) {
    let cut_at = reason.floor_char_boundary(CLOSE_REASON_BYTES_MAX);
    let frame = CloseFrame {
        code: code.into(),
        reason: reason[..cut_at].into(),
    };
    let farewell = async {
        // A peer that closed first, or is gone, is found so below.
        let _ = socket.send(Message::Close(Some(frame))).await;
        while let Some(Ok(_)) = socket.next().await {}
        // Closed on both sides, or broken: after an error tungstenite reads no more. What follows
        // is no frame of ours; wait for the peer's end of the connection.
        let stream = socket.get_mut();
        let mut thrown_away = [0; 1024];
        if stream.shutdown().await.is_ok() {
            while matches!(stream.read(&mut thrown_away).await, Ok(1..)) {}
        }
    };
    // Boxed: an idle socket's task keeps no room for its farewell.
    if tokio::time::timeout(SOCKET_CLOSE, Box::pin(farewell))
        .await
        .is_err()
    {
        line::cut(socket.into_inner().into_inner());
    }
}

/// The same socket with buffers of its usual size again: what was written before, such as a long
/// history, leaves buffers as long as itself. Only before anything was read: what a socket has read
/// and not yet given out would be lost.
pub async fn with_fresh_buffers(socket: WebSocket) -> WebSocket {
    WebSocketStream::from_raw_socket(socket.into_inner(), Role::Server, Some(browsers_config()))
        .await
}

/// How a browser's socket is set up: small buffers (R17), short frames (R23).
pub fn browsers_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(SOCKET_READ_BUFFER_BYTES)
        .write_buffer_size(SOCKET_WRITE_BUFFER_BYTES)
        .max_write_buffer_size(SOCKET_WRITE_BUFFER_BYTES_MAX)
        .max_message_size(Some(SOCKET_MESSAGE_BYTES_MAX))
        .max_frame_size(Some(SOCKET_MESSAGE_BYTES_MAX))
}

fn upgrade_required(detail: &'static str) -> Problem {
    Problem::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", detail)
        .with_header(UPGRADE, HeaderValue::from_static("websocket"))
        .with_header(CONNECTION, HeaderValue::from_static("upgrade"))
        .with_header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
}

fn is_key(key: &str) -> bool {
    BASE64_STANDARD
        .decode(key)
        .is_ok_and(|bytes| bytes.len() == 16)
}

fn lists(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    listed(headers, name).any(|listed| listed.eq_ignore_ascii_case(token))
}
