//! The limits of connections and frames, each with its unit: how long, how many, how large.
//!
//! Read by the other files of `http`. A limit that means something in one file only (guesses, pages,
//! pings) is named there, next to its use (invariant 6). quality.md §1.3, §1.4 and §2 (R17, R18) are the sources.

use std::time::Duration;

/// How long a client may take for a request's whole head, and how long an idle kept-alive
/// connection stays open (quality.md §1.4: without it, slowloris holds every connection).
pub const HEADER_READ: Duration = Duration::from_secs(5);

/// How long a client may take for the TLS handshake: two or three journeys to and fro on a bad line.
pub const HANDSHAKE: Duration = Duration::from_secs(8);

/// The stretch of time in which a request's body must make progress by [`BODY_PROGRESS_BYTES_MIN`].
pub const BODY_PROGRESS: Duration = Duration::from_secs(10);

/// Bytes of body that count as progress: about 3 kbit/s, slower than any phone on a bad day and
/// faster than the drips of a slow-body attack.
pub const BODY_PROGRESS_BYTES_MIN: usize = 4 * 1024;

/// How long a peer may take nothing of what we write before it is cut (R17: closed ≤ 10 s).
pub const WRITE: Duration = Duration::from_secs(10);

/// How long running requests get to finish once the box is told to stop.
pub const SHUTDOWN: Duration = Duration::from_secs(5);

/// Pause after `accept` failed for want of descriptors or memory (R19: no busy loop, normal again
/// within a second of the release).
pub const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Connections open at once, sockets included: twice what R17 promises.
pub const CONNECTIONS_MAX: usize = 20_000;

/// Plain HTTP connections one address may hold at once (R18: one host holds ≤ 64). A connection
/// that became a WebSocket no longer counts.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 64;

/// The same for this machine itself, which may carry a reverse proxy or a test.
pub const CONNECTIONS_LOOPBACK_MAX: usize = 1_024;

/// Connections the kernel may queue before we accept them.
pub const LISTEN_BACKLOG: u32 = 1_024;

/// Kernel send buffer of a connection, in bytes (Linux doubles it): what a slow reader may cost.
pub const SEND_BUFFER_BYTES: u32 = 64 * 1024;

/// Header fields in a request; more are answered 431.
pub const REQUEST_HEADERS_MAX: usize = 64;

/// A request's head, and hyper's buffer for reading and writing, in bytes; longer heads get 431.
pub const REQUEST_BUFFER_BYTES_MAX: usize = 16 * 1024;

/// A JSON body, in bytes: 8,000 characters of which each may be twelve bytes of escapes, and the
/// fields around them.
pub const JSON_BODY_BYTES_MAX: usize = 128 * 1024;

/// Read buffer of a WebSocket, in bytes (R17: tungstenite's default cost 134 kB per idle socket).
pub const SOCKET_READ_BUFFER_BYTES: usize = 2 * 1024;

/// Frames a WebSocket collects before writing, in bytes: none, each goes out at once.
pub const SOCKET_WRITE_BUFFER_BYTES: usize = 0;

/// Encoded frames that may wait in a WebSocket for a slow reader, in bytes.
pub const SOCKET_WRITE_BUFFER_BYTES_MAX: usize = 256 * 1024;

/// Messages in one `chat.history` frame, in bytes: a frame must fit into
/// [`SOCKET_WRITE_BUFFER_BYTES_MAX`] whole. The longest message is a quarter of it.
pub const HISTORY_BYTES_MAX: usize = 192 * 1024;

/// A WebSocket message or frame from a client, in bytes (R23: one more is 1009).
pub const SOCKET_MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// How long we wait for a peer to answer our Close frame.
pub const SOCKET_CLOSE: Duration = Duration::from_secs(5);

/// Reason text in a Close frame, in bytes (RFC 6455 §5.5: 125 with the code).
pub const CLOSE_REASON_BYTES_MAX: usize = 123;

/// The limits of a listening edge that tests shorten. `Default` is what ships.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// See [`HEADER_READ`].
    pub header_read: Duration,
    /// See [`HANDSHAKE`].
    pub handshake: Duration,
    /// See [`BODY_PROGRESS`].
    pub body_progress: Duration,
    /// See [`BODY_PROGRESS_BYTES_MIN`].
    pub body_progress_bytes_min: usize,
    /// See [`WRITE`].
    pub write: Duration,
    /// See [`SHUTDOWN`].
    pub shutdown: Duration,
    /// See [`CONNECTIONS_MAX`].
    pub connections_max: usize,
    /// See [`CONNECTIONS_PER_ADDRESS_MAX`].
    pub connections_per_address_max: usize,
    /// See [`CONNECTIONS_LOOPBACK_MAX`].
    pub connections_loopback_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_read: HEADER_READ,
            handshake: HANDSHAKE,
            body_progress: BODY_PROGRESS,
            body_progress_bytes_min: BODY_PROGRESS_BYTES_MIN,
            write: WRITE,
            shutdown: SHUTDOWN,
            connections_max: CONNECTIONS_MAX,
            connections_per_address_max: CONNECTIONS_PER_ADDRESS_MAX,
            connections_loopback_max: CONNECTIONS_LOOPBACK_MAX,
        }
    }
}
