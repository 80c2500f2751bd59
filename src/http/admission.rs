//! Who may hold how many connections, and the stream that carries the place it takes.
//!
//! Called by `listen` for every accepted connection. It never waits: a connection is admitted or
//! refused at once, and no lock is held over an `.await`.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;

use super::limits::Limits;

/// Why a connection is closed without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the box holds as many connections as it may")]
    BoxFull,
    #[error("this address holds as many connections as it may")]
    AddressFull,
}

/// The count of open connections, shared by all listeners.
#[derive(Debug)]
pub(crate) struct Admission {
    limits: Limits,
    places: Arc<Semaphore>,
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

impl Admission {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            places: Arc::new(Semaphore::new(limits.connections_max)),
            by_address: Mutex::new(HashMap::new()),
        })
    }

    /// Takes a place for a connection from `remote`: one of the box's, held as long as its stream
    /// lives, and one of its address's, held while it speaks plain HTTP.
    pub(crate) fn admit(
        self: &Arc<Self>,
        remote: IpAddr,
    ) -> Result<(Place, AddressPlace), Refusal> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| Refusal::BoxFull)?;
        let address = remote.to_canonical();
        let most = if address.is_loopback() {
            self.limits.connections_loopback_max
        } else {
            self.limits.connections_per_address_max
        };
        let mut by_address = self
            .by_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let held = by_address.entry(address).or_insert(0);
        if *held >= most {
            return Err(Refusal::AddressFull);
        }
        *held += 1;
        Ok((
            Place(place),
            AddressPlace {
                admission: Arc::clone(self),
                address,
            },
        ))
    }
}

/// One of the box's places.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "held, then dropped")] OwnedSemaphorePermit);

/// One of an address's places, given back when dropped.
#[derive(Debug)]
pub(crate) struct AddressPlace {
    admission: Arc<Admission>,
    address: IpAddr,
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut by_address = self
            .admission
            .by_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = by_address.get_mut(&self.address) {
            *held -= 1;
            if *held == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

/// A TCP connection that fails when its peer takes nothing for the write limit, and that keeps its
/// place in the box through an upgrade.
pub(crate) struct AdmittedStream {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    _place: Place,
}

impl AdmittedStream {
    pub(crate) fn new(stream: TcpStream, place: Place, limits: &Limits) -> Self {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.write));
        Self {
            stream: Box::pin(stream),
            _place: place,
        }
    }

    /// Makes the close that follows drop what the kernel still holds for this peer: a reader that
    /// takes nothing would keep those bytes for minutes.
    pub(crate) fn forget_unsent(&self) {
        // A socket that is already gone has nothing to forget.
        let _ = self.stream.as_ref().get_ref().get_ref().set_zero_linger();
    }

    fn watch<T>(&self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &written
            && error.kind() == io::ErrorKind::TimedOut
        {
            self.forget_unsent();
        }
        written
    }
}

impl AsyncRead for AdmittedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(cx, buffer)
    }
}

impl AsyncWrite for AdmittedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream.as_mut().poll_write(cx, bytes);
        self.watch(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream.as_mut().poll_flush(cx);
        self.watch(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream.as_mut().poll_write_vectored(cx, bytes);
        self.watch(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
