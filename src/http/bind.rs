//! Listening sockets, and the sentences for when one cannot be had.
//!
//! `appliance` binds before anything else starts, so that a taken port is said at once; `listen`
//! accepts. It never retries: a port that is taken stays taken.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};

use super::limits::{LISTEN_BACKLOG, SEND_BUFFER_BYTES};
use crate::net::TlsAcceptor;

/// A bound listening socket.
#[derive(Debug)]
pub struct Listener {
    pub(super) inner: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) tls: Option<Arc<TlsAcceptor>>,
}

impl Listener {
    /// Listens on every one of `addresses`. `0.0.0.0` beside `[::]` with the same port is one
    /// socket: Linux serves both through the second.
    ///
    /// # Errors
    /// The first address that cannot be had; nothing stays bound then.
    pub fn bind(addresses: &[SocketAddr]) -> Result<Vec<Self>, BindError> {
        let both = |v4: &SocketAddr| {
            v4.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED)
                && addresses.contains(&SocketAddr::new(
                    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
                    v4.port(),
                ))
        };
        let wanted = addresses.iter().filter(|address| !both(address));
        wanted.map(|address| Self::bind_one(*address)).collect()
    }

    /// The same, speaking TLS and nothing else.
    #[must_use]
    pub fn with_tls(self, acceptor: Arc<TlsAcceptor>) -> Self {
        Self {
            tls: Some(acceptor),
            ..self
        }
    }

    /// Where it listens, with the port that port 0 became.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens on a socket that is bound and listens already; the socket itself stays its owner's.
    pub(super) fn on(socket: &std::net::TcpListener) -> Result<Self, BindError> {
        let unknown = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);
        let address = socket.local_addr().unwrap_or(unknown);
        let inner = socket.try_clone().and_then(TcpListener::from_std);
        let inner = inner.map_err(|source| BindError::new(address, source))?;
        Ok(Self {
            inner,
            address,
            tls: None,
        })
    }

    fn bind_one(address: SocketAddr) -> Result<Self, BindError> {
        let bound = || -> io::Result<Self> {
            let socket = if address.is_ipv4() {
                TcpSocket::new_v4()
            } else {
                TcpSocket::new_v6()
            }?;
            // A restart must not wait for the old connections' TIME_WAIT.
            socket.set_reuseaddr(true)?;
            // Inherited by every accepted connection.
            socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
            socket.bind(address)?;
            let inner = socket.listen(LISTEN_BACKLOG)?;
            let address = inner.local_addr()?;
            Ok(Self {
                inner,
                address,
                tls: None,
            })
        };
        bound().map_err(|source| BindError::new(address, source))
    }
}

/// Why an address cannot be listened on, as a sentence for whoever starts the box.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program, or another MotoReach, has it.
    #[error(
        "port {} on {} is already in use: stop the program that uses it, or choose another port",
        address.port(), address.ip()
    )]
    PortTaken {
        /// The address asked for.
        address: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// Ports below 1024 need a privilege.
    #[error(
        "port {} may only be opened with the right to do so (CAP_NET_BIND_SERVICE): \
         choose a port above 1023, or start the box from its systemd unit",
        address.port()
    )]
    PortForbidden {
        /// The address asked for.
        address: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// The address is not one of this machine's.
    #[error("this machine has no address {}", address.ip())]
    NoSuchAddress {
        /// The address asked for.
        address: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// Anything else.
    #[error("cannot listen on {address}")]
    Failed {
        /// The address asked for.
        address: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
}

impl BindError {
    fn new(address: SocketAddr, source: io::Error) -> Self {
        let kind = source.kind();
        if kind == io::ErrorKind::AddrInUse {
            Self::PortTaken { address, source }
        } else if kind == io::ErrorKind::PermissionDenied {
            Self::PortForbidden { address, source }
        } else if kind == io::ErrorKind::AddrNotAvailable {
            Self::NoSuchAddress { address, source }
        } else {
            Self::Failed { address, source }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_told_in_a_sentence() {
        let first = Listener::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let taken = first[0].address();
        let error = Listener::bind(&[taken]).unwrap_err();
        assert!(matches!(error, BindError::PortTaken { address, .. } if address == taken));
        assert!(error.to_string().contains("is already in use"), "{error}");
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_told_in_a_sentence() {
        let error = Listener::bind(&["192.0.2.1:0".parse().unwrap()]).unwrap_err();
        assert_eq!(error.to_string(), "this machine has no address 192.0.2.1");
    }
}
