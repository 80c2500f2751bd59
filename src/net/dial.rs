//! A connection to somewhere: name looked up, addresses tried, TLS where it is spoken.
//!
//! Every way ends within a named time. What is said over the line is the caller's: a WebSocket
//! (`tokio_tungstenite::client_async`) or one request (`post`).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

use super::address::{Target, is_public};
use super::line::Line;

/// A name is looked up within this time: resolvers of dead networks take half a minute.
const LOOKUP: Duration = Duration::from_secs(10);
/// An address answers within this time.
const CONNECT: Duration = Duration::from_secs(10);
/// The next address is tried when the one before did not answer within this time (RFC 8305 §5).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);
/// Addresses tried at most.
const ADDRESSES_MAX: usize = 8;
/// The TLS handshake is done within this time, on a bad line too.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// What we sent is acknowledged by the peer's kernel within this time, or the line is dead
/// (sync.md §3).
pub const TCP_USER_TIMEOUT: Duration = Duration::from_secs(25);

/// Whether a far place may be spoken to without TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plain {
    /// Only this machine and networks of one's own.
    NearOnly,
    /// Anywhere, because an operator said so.
    Anywhere,
}

/// Which addresses a name may lead to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Any.
    Anywhere,
    /// Only the internet at large: for names that strangers hand in.
    PublicOnly,
}

/// Makes connections; clones share what is trusted.
#[derive(Clone, Debug)]
pub struct Dialer {
    tls: Arc<ClientConfig>,
    plain: Plain,
    reach: Reach,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Plain HTTP to a far place.
    #[error("it has no TLS: the address must begin with https://")]
    NeedsTls,
    /// The name does not exist, or nobody answers who would know.
    #[error("its name cannot be looked up")]
    Name(#[source] io::Error),
    /// Every address of the name is one that must not be spoken to.
    #[error("its name leads to no public address")]
    NotPublic,
    /// No address answers.
    #[error("nobody answers there")]
    Connect(#[source] io::Error),
    /// Somebody answers who is not it: a wrong certificate, a captive portal.
    #[error("its certificate is not trusted, or it speaks no TLS")]
    Tls(#[source] io::Error),
}

impl Dialer {
    /// Trusts what `tls` trusts.
    pub const fn new(tls: Arc<ClientConfig>, plain: Plain, reach: Reach) -> Self {
        Self { tls, plain, reach }
    }

    /// Connects.
    ///
    /// # Errors
    /// Why there is no connection, within half a minute or so.
    pub async fn dial(&self, target: &Target) -> Result<Line<TcpStream>, DialError> {
        if !target.tls && self.plain == Plain::NearOnly && !target.is_near() {
            return Err(DialError::NeedsTls);
        }
        let stream = connect(&self.addresses(target).await?).await?;
        // Neither is worth giving a working line up for.
        if let Err(error) = stream
            .set_nodelay(true)
            .and_then(|()| end_when_dead(&stream))
        {
            tracing::debug!(%error, "a connection could not be tuned");
        }
        if !target.tls {
            return Ok(Line::Plain(stream));
        }
        let name = ServerName::try_from(target.host.clone())
            .map_err(|error| DialError::Name(io::Error::other(error)))?;
        let shaking = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream);
        let tls = timeout(HANDSHAKE, shaking)
            .await
            .map_err(|_| DialError::Tls(io::ErrorKind::TimedOut.into()))?
            .map_err(DialError::Tls)?;
        Ok(Line::Tls(Box::new(tls.into())))
    }

    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, DialError> {
        let found = timeout(LOOKUP, lookup_host((target.host.as_str(), target.port)))
            .await
            .map_err(|_| DialError::Name(io::ErrorKind::TimedOut.into()))?
            .map_err(DialError::Name)?;
        let found: Vec<_> = found.collect();
        if found.is_empty() {
            return Err(DialError::Name(io::ErrorKind::NotFound.into()));
        }
        let allowed = found.into_iter().filter(|address| match self.reach {
            Reach::Anywhere => true,
            Reach::PublicOnly => is_public(address.ip()),
        });
        let allowed = alternating(allowed.collect());
        if allowed.is_empty() {
            return Err(DialError::NotPublic);
        }
        Ok(allowed)
    }
}

/// IPv6 and IPv4 in turn, so that a network on which one of them leads nowhere costs a moment only.
fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let (six, four): (Vec<_>, Vec<_>) = addresses.into_iter().partition(SocketAddr::is_ipv6);
    let (mut six, mut four) = (six.into_iter(), four.into_iter());
    let mut mixed = Vec::new();
    loop {
        let pair = [six.next(), four.next()];
        if pair == [None, None] || mixed.len() >= ADDRESSES_MAX {
            return mixed;
        }
        mixed.extend(pair.into_iter().flatten());
    }
}

/// The first address that answers; each gets a head start of `NEXT_ADDRESS` before the one after it.
async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, DialError> {
    let mut underway = FuturesUnordered::new();
    let mut untried = addresses.iter();
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    let all = async {
        loop {
            if let Some(address) = untried.next() {
                underway.push(TcpStream::connect(*address));
            } else if underway.is_empty() {
                return Err(last);
            }
            let more = untried.len() > 0;
            // Both arms are cancel-safe: attempts stay among those under way.
            tokio::select! {
                Some(tried) = underway.next() => match tried {
                    Ok(stream) => return Ok(stream),
                    Err(error) => last = error,
                },
                () = sleep(NEXT_ADDRESS), if more => {}
            }
        }
    };
    timeout(CONNECT, all)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(DialError::Connect)
}

/// Lets the kernel end a connection whose peer no longer acknowledges anything.
pub fn end_when_dead(stream: &TcpStream) -> io::Result<()> {
    let ms = u32::try_from(TCP_USER_TIMEOUT.as_millis()).unwrap_or(u32::MAX);
    rustix::net::sockopt::set_tcp_user_timeout(stream, ms)?;
    Ok(())
}

impl Line<TcpStream> {
    /// This machine's address on the network that leads there.
    pub fn local_ip(&self) -> Option<IpAddr> {
        let address = self.stream().local_addr();
        address.ok().map(|address| address.ip())
    }
}

#[cfg(test)]
#[path = "dial_test.rs"]
mod tests;
