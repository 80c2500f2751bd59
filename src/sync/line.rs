//! A link's frames over a WebSocket: written by a task of their own, so that an end which is busy
//! writing still reads; given up when the other end does not take them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::wire::link::{FRAME_BYTES_MAX, Frame};

/// A frame is taken by the other end's kernel within this time, or the line is dead.
const WRITE: Duration = Duration::from_secs(20);
/// What is still to be written when a session ends gets so long.
const GOODBYE: Duration = Duration::from_secs(2);
/// Frames that wait to be written. The protocol's own windows stay far below it.
const FRAMES_WAITING_MAX: usize = 1_024;
/// Bytes that wait to be written: all that the protocol's windows allow, several times over. Whoever
/// asks and asks and does not read costs no more.
const BYTES_WAITING_MAX: usize = 4 << 20;
/// Read buffer of a link's socket, in bytes.
const READ_BUFFER_BYTES: usize = 16 * 1024;

/// How a link's WebSocket is set up, at both ends.
pub fn socket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * FRAME_BYTES_MAX)
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX))
}

/// An open link: frames in, frames out.
pub struct LinkLine<T> {
    incoming: SplitStream<WebSocketStream<T>>,
    outgoing: mpsc::Sender<Vec<u8>>,
    /// Bytes in the queue.
    waiting: Arc<AtomicUsize>,
    writer: JoinHandle<()>,
}

/// The line is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The other end closed it, or the network did.
    Closed,
    /// The other end sent what is no frame.
    Garbage,
    /// The other end does not take what we write.
    Stuck,
}

impl<T> LinkLine<T>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// Takes a socket that was just opened.
    pub fn new(socket: WebSocketStream<T>) -> Self {
        let (sink, incoming) = socket.split();
        let (outgoing, frames) = mpsc::channel(FRAMES_WAITING_MAX);
        let waiting = Arc::new(AtomicUsize::new(0));
        Self {
            incoming,
            outgoing,
            writer: tokio::spawn(write(sink, frames, Arc::clone(&waiting))),
            waiting,
        }
    }

    /// Queues a frame.
    ///
    /// # Errors
    /// `Stuck` when too many wait, `Closed` when the writer gave up.
    pub fn send(&self, frame: Frame) -> Result<(), Broken> {
        let frame = frame.encode();
        // Only this end adds to it, so that it cannot pass the limit in between.
        if self.waiting.load(Ordering::Relaxed) + frame.len() > BYTES_WAITING_MAX {
            return Err(Broken::Stuck);
        }
        self.waiting.fetch_add(frame.len(), Ordering::Relaxed);
        self.outgoing.try_send(frame).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Broken::Stuck,
            mpsc::error::TrySendError::Closed(_) => Broken::Closed,
        })
    }

    /// The next frame; `None` for one that this version does not know, which is a sign of life all
    /// the same. Cancel-safe.
    ///
    /// # Errors
    /// The line is over.
    pub async fn receive(&mut self) -> Result<Option<Frame>, Broken> {
        match self.incoming.next().await {
            Some(Ok(Message::Binary(bytes))) => Frame::decode(&bytes).map_err(|_| Broken::Garbage),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
            Some(Ok(Message::Text(_))) => Err(Broken::Garbage),
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Broken::Closed),
        }
    }

    /// Writes what is queued, for a moment, and closes.
    pub async fn close(self) {
        let Self {
            outgoing,
            mut writer,
            ..
        } = self;
        drop(outgoing);
        if tokio::time::timeout(GOODBYE, &mut writer).await.is_err() {
            writer.abort();
        }
    }
}

async fn write<T>(
    mut sink: SplitSink<WebSocketStream<T>, Message>,
    mut frames: mpsc::Receiver<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
) where
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(frame) = frames.recv().await {
        waiting.fetch_sub(frame.len(), Ordering::Relaxed);
        let message = Message::Binary(frame.into());
        match tokio::time::timeout(WRITE, sink.send(message)).await {
            Ok(Ok(())) => {}
            // Dropping the receiver tells whoever sends; dropping the sink ends the line.
            Ok(Err(_)) | Err(_) => return,
        }
    }
    let _ = tokio::time::timeout(GOODBYE, sink.close()).await;
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;
    use crate::wire::link::Goaway;

    #[tokio::test]
    async fn whoever_does_not_read_costs_a_few_megabytes_and_no_more() {
        let (near, _far) = tokio::io::duplex(1_024);
        let socket = WebSocketStream::from_raw_socket(near, Role::Server, Some(socket_config()));
        let line = LinkLine::new(socket.await);
        let long = Frame::Goaway(Goaway {
            reconnect_in_ms: 0,
            why: "x".repeat(64 * 1024),
        });
        let mut sent = 0;
        while line.send(long.clone()).is_ok() {
            sent += long.encode().len();
        }
        assert!(sent <= BYTES_WAITING_MAX, "{sent}");
        assert!(sent > BYTES_WAITING_MAX / 2, "{sent}");
        assert_eq!(line.send(long), Err(Broken::Stuck));
    }
}
