//! Carries one connection: bytes until the upgrade is answered, whole frames from then on, each as
//! the line's orders will have it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};

use super::frames::{Front, front, is_data};
use super::{Deed, Shared, Way};

/// Read at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// Nobody sends a longer frame: the link's are 256 KiB at most.
const HELD_BYTES_MAX: usize = 1024 * 1024;
/// A throttled line passes this much, then waits for as long as it should have taken.
const SIP_BYTES: usize = 1_024;

/// Carries both ways until either ends or is cut, then ends both.
pub(super) async fn both<N, F>(near: N, far: F, orders: Shared)
where
    N: AsyncRead + AsyncWrite,
    F: AsyncRead + AsyncWrite,
{
    let (near_reads, near_writes) = split(near);
    let (far_reads, far_writes) = split(far);
    let up = Pump::new(near_reads, far_writes, Way::Up, Arc::clone(&orders));
    let down = Pump::new(far_reads, near_writes, Way::Down, orders);
    // Both halves of a connection go together: the first to end ends the other.
    tokio::select! {
        _ = up.run() => {}
        _ = down.run() => {}
    }
}

struct Pump<R, W> {
    from: ReadHalf<R>,
    to: WriteHalf<W>,
    way: Way,
    orders: Shared,
    held: Vec<u8>,
}

impl<R, W> Pump<R, W>
where
    R: AsyncRead,
    W: AsyncWrite,
{
    fn new(from: ReadHalf<R>, to: WriteHalf<W>, way: Way, orders: Shared) -> Self {
        Self {
            from,
            to,
            way,
            orders,
            held: Vec::new(),
        }
    }

    async fn run(mut self) -> io::Result<()> {
        let is_socket = self.head().await?;
        if !is_socket {
            return self.bytes().await;
        }
        loop {
            match front(&self.held) {
                Front::Part => {
                    assert!(self.held.len() <= HELD_BYTES_MAX, "a frame without an end");
                    self.read().await?;
                }
                Front::Whole { bytes, kind } => {
                    let frame: Vec<u8> = self.held.drain(..bytes).collect();
                    let deed = match is_data(&frame) {
                        true => self.orders.lock().unwrap().judge(self.way, kind),
                        false => None,
                    };
                    self.pass(&frame, deed).await?;
                }
            }
        }
    }

    /// Passes the head of the request or of the answer; says whether WebSocket frames follow.
    async fn head(&mut self) -> io::Result<bool> {
        const END: &[u8] = b"\r\n\r\n";
        loop {
            let end = self.held.windows(END.len()).position(|it| it == END);
            if let Some(end) = end {
                let head: Vec<u8> = self.held.drain(..end + END.len()).collect();
                let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
                self.write(&head).await?;
                return Ok(text.contains("\r\nupgrade: websocket"));
            }
            assert!(self.held.len() <= HELD_BYTES_MAX, "a head without an end");
            self.read().await?;
        }
    }

    /// Passes whatever comes.
    async fn bytes(&mut self) -> io::Result<()> {
        loop {
            let held = std::mem::take(&mut self.held);
            self.write(&held).await?;
            self.read().await?;
        }
    }

    async fn pass(&mut self, frame: &[u8], deed: Option<Deed>) -> io::Result<()> {
        let cut = || io::Error::other("cut as ordered");
        match deed {
            None => self.write(frame).await,
            Some(Deed::Drop) => Ok(()),
            Some(Deed::Twice) => {
                self.write(frame).await?;
                self.write(frame).await
            }
            Some(Deed::CutBefore) => Err(cut()),
            Some(Deed::CutMid) => {
                self.write(&frame[..frame.len() / 2]).await?;
                Err(cut())
            }
            Some(Deed::CutAfter) => {
                self.write(frame).await?;
                Err(cut())
            }
            Some(Deed::Delay(time)) => {
                tokio::time::sleep(time).await;
                self.write(frame).await
            }
            Some(Deed::Stall) => std::future::pending().await,
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        let mut chunk = [0; CHUNK_BYTES];
        match self.from.read(&mut chunk).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.held.extend_from_slice(&chunk[..read]);
                Ok(())
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let bytes_per_s = self.orders.lock().unwrap().bytes_per_s;
        let Some(bytes_per_s) = bytes_per_s else {
            self.to.write_all(bytes).await?;
            return self.to.flush().await;
        };
        for sip in bytes.chunks(SIP_BYTES) {
            self.to.write_all(sip).await?;
            self.to.flush().await?;
            let share = sip.len() as f64 / f64::from(bytes_per_s);
            tokio::time::sleep(Duration::from_secs_f64(share)).await;
        }
        Ok(())
    }
}
