//! From the relay's address to an open link, or to a word for what stands in the way.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

use http::HeaderValue;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::domain::LinkTrouble;
use crate::net::{DialError, Dialer, Line, Target};
use crate::sync::line::{LinkLine, socket_config};
use crate::wire::link::LINK_PROTOCOL;

/// The relay answers the upgrade within this time.
const UPGRADE: Duration = Duration::from_secs(15);
/// Where a relay takes links.
const PATH: &str = "/link/";

/// An open link.
pub(super) struct Connected {
    /// The link.
    pub(super) line: LinkLine<Line<TcpStream>>,
    /// The address of this box on the network that leads to the relay.
    pub(super) local: Option<IpAddr>,
}

/// Opens a link to the relay at this address.
///
/// Anything but a relay's own upgrade means that there is no internet: a page to sign in to a Wi-Fi
/// answers too (`sync.md` §3).
pub(super) async fn connect(dialer: &Dialer, url: &str) -> Result<Connected, LinkTrouble> {
    let mut target = Target::parse(url).map_err(|_| LinkTrouble::Other)?;
    target.path = format!("{}{PATH}", target.path.trim_end_matches('/'));
    let line = dialer.dial(&target).await.map_err(|error| {
        tracing::debug!(%error, "the relay was not reached");
        trouble(&error)
    })?;
    let local = line.local_ip();
    let scheme = if target.tls { "wss" } else { "ws" };
    let mut request = format!("{scheme}://{}{}", target.authority(), target.path)
        .into_client_request()
        .map_err(|_| LinkTrouble::Other)?;
    let protocol = HeaderValue::from_static(LINK_PROTOCOL);
    request
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    let upgrading = client_async_with_config(request, line, Some(socket_config()));
    let upgraded = tokio::time::timeout(UPGRADE, upgrading)
        .await
        .map_err(|_| LinkTrouble::Silent)?;
    let (socket, _) = upgraded.map_err(|error| {
        tracing::debug!(%error, "what answers is no relay");
        let went = matches!(
            error,
            Error::Io(_) | Error::ConnectionClosed | Error::AlreadyClosed
        );
        if went {
            LinkTrouble::NoAnswer
        } else {
            LinkTrouble::NotARelay
        }
    })?;
    Ok(Connected {
        line: LinkLine::new(socket),
        local,
    })
}

fn trouble(error: &DialError) -> LinkTrouble {
    match error {
        DialError::NeedsTls | DialError::NotPublic => LinkTrouble::Other,
        DialError::Name(_) => LinkTrouble::NoNetwork,
        DialError::Connect(error) if leads_nowhere(error.kind()) => LinkTrouble::NoNetwork,
        DialError::Connect(_) => LinkTrouble::NoAnswer,
        DialError::Tls(_) => LinkTrouble::Tls,
    }
}

/// Whether it is this machine that has no way out.
const fn leads_nowhere(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::NetworkDown
    )
}
