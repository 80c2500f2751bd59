//! Listening sockets that the service manager opened for us (sd_listen_fds(3)): a low port without a
//! privilege, and no moment in a restart at which a browser is refused.
//!
//! `ops` takes them once, before the first thread starts; they replace `--listen`. They stay open for
//! the life of the process, so that a box that starts again in place finds them again.

use std::env;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use listenfd::ListenFd;
use rustix::net::sockopt::{set_socket_send_buffer_size, socket_acceptconn};

use super::bind::{BindError, Listener};
use super::limits::SEND_BUFFER_BYTES;

/// `FileDescriptorName=` of the socket on which TLS is spoken; every other one is plain.
const TLS_NAME: &str = "https";

/// Sockets that were handed to this process; clones are the same sockets.
#[derive(Clone, Debug, Default)]
pub struct Handed(Arc<Vec<HandedSocket>>);

#[derive(Debug)]
struct HandedSocket {
    socket: TcpListener,
    tls: bool,
}

impl Handed {
    /// Takes what the environment names; none where nobody handed anything over.
    ///
    /// Clears the variables that name them: a child process must not take them for its own.
    ///
    /// # Errors
    /// One of them is no TCP socket that listens.
    pub fn take() -> Result<Self, HandedError> {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut given = ListenFd::from_env();
        let mut sockets = Vec::with_capacity(given.len());
        for number in 0..given.len() {
            let tls = names.next() == Some(TLS_NAME);
            let told = |source| HandedError { number, source };
            if let Some(socket) = given.take_tcp_listener(number).map_err(told)? {
                make_ready(&socket).map_err(told)?;
                sockets.push(HandedSocket { socket, tls });
            }
        }
        Ok(Self(Arc::new(sockets)))
    }

    /// Listens for plain HTTP on what was handed over, or on `addresses` where nothing was.
    ///
    /// # Errors
    /// As `Listener::bind`.
    pub fn listen_or(
        &self,
        addresses: &[std::net::SocketAddr],
    ) -> Result<Vec<Listener>, BindError> {
        let handed = self.listeners(|socket| !socket.tls)?;
        if handed.is_empty() {
            Listener::bind(addresses)
        } else {
            Ok(handed)
        }
    }

    /// Listens on what was handed over for TLS; nothing where nothing was.
    ///
    /// # Errors
    /// The process has no descriptors left.
    pub fn listen_for_tls(&self) -> Result<Vec<Listener>, BindError> {
        self.listeners(|socket| socket.tls)
    }

    /// Listens on everything that was handed over, or on `addresses` where nothing was: for a relay,
    /// which speaks TLS on all of its sockets or on none.
    ///
    /// # Errors
    /// As `Listener::bind`.
    pub fn listen_on_all_or(
        &self,
        addresses: &[std::net::SocketAddr],
    ) -> Result<Vec<Listener>, BindError> {
        if self.0.is_empty() {
            Listener::bind(addresses)
        } else {
            self.listeners(|_| true)
        }
    }

    fn listeners(
        &self,
        wanted: impl Fn(&HandedSocket) -> bool,
    ) -> Result<Vec<Listener>, BindError> {
        let wanted = self.0.iter().filter(|socket| wanted(socket));
        wanted.map(|handed| Listener::on(&handed.socket)).collect()
    }
}

/// What `Listener::bind` does to its own sockets.
fn make_ready(socket: &TcpListener) -> io::Result<()> {
    if !socket_acceptconn(socket)? {
        return Err(io::Error::other("it does not listen"));
    }
    // tokio asks for it.
    socket.set_nonblocking(true)?;
    // Inherited by every accepted connection.
    set_socket_send_buffer_size(socket, SEND_BUFFER_BYTES as usize)?;
    Ok(())
}

/// A socket that was handed over is of no use.
#[derive(Debug, thiserror::Error)]
#[error(
    "Socket {} of those that the service manager opened cannot be used: {source}. Look at the lines with Listen in the .socket unit: only ListenStream= with a port is understood.",
    number + 1
)]
pub struct HandedError {
    number: usize,
    source: io::Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_handed_over_replaces_the_addresses_and_can_be_listened_on_again() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        make_ready(&socket).unwrap();
        let address = socket.local_addr().unwrap();
        let handed = Handed(Arc::new(vec![HandedSocket { socket, tls: false }]));
        let elsewhere = ["192.0.2.1:1".parse().unwrap()];
        for _ in 0..2 {
            let listeners = handed.listen_or(&elsewhere).unwrap();
            assert_eq!(listeners.len(), 1);
            assert_eq!(listeners[0].address(), address);
        }
        assert!(handed.listen_for_tls().unwrap().is_empty());
        let none = Handed::default();
        assert!(none.listen_or(&elsewhere).is_err(), "the address counts");
    }

    #[test]
    fn a_socket_that_does_not_listen_is_refused_with_a_sentence() {
        use rustix::net::{AddressFamily, SocketType, socket};
        let deaf: TcpListener = socket(AddressFamily::INET, SocketType::STREAM, None)
            .unwrap()
            .into();
        let source = make_ready(&deaf).unwrap_err();
        let told = HandedError { number: 0, source }.to_string();
        assert!(told.starts_with("Socket 1 of those"), "{told}");
        assert!(told.contains("it does not listen"), "{told}");
    }
}
