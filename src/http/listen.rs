//! The box's front door: our own accept loop, one hyper connection per peer.
//!
//! `appliance` runs [`serve`] with bound listeners and the finished router. It must never use a default of hyper's or axum's where
//! `limits` has a number: `axum::serve` has no header timeout at all (quality.md §1.4).

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::FORWARDED;
use http::{HeaderMap, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt};
use tracing::{Instrument, debug, debug_span, warn};

use super::admission::{Admission, AdmittedStream, Refusal};
use super::bind::Listener;
use super::body::PacedBody;
use super::host::Scheme;
use super::limits::{ACCEPT_BACKOFF, Limits, REQUEST_BUFFER_BYTES_MAX, REQUEST_HEADERS_MAX};
use crate::net::dial::end_when_dead;
use crate::net::{Line, TlsAcceptor};

/// Both ends of the connection a request came in on; in every request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Who is asking.
    pub remote: SocketAddr,
    /// Which of this machine's addresses was asked.
    pub local: SocketAddr,
}

impl Peer {
    /// Whether the connection comes from this machine itself.
    pub fn is_loopback(&self) -> bool {
        self.remote.ip().to_canonical().is_loopback()
    }

    /// Whether whoever asks sits at this machine: a proxy on it speaks for others, and says so.
    pub fn is_this_machine(&self, headers: &HeaderMap) -> bool {
        let forwarded = headers.contains_key(FORWARDED) || headers.contains_key("x-forwarded-for");
        !forwarded && (self.is_loopback() || self.remote.ip() == self.local.ip())
    }
}

/// Serves `service` (an axum `Router`) on `listeners` until `shutdown`, then stops accepting, lets
/// running requests finish within `limits.shutdown` and returns. Every task is in `tracker`.
///
/// Upgraded sockets are no longer ours: whoever took them closes them.
pub async fn serve<S>(
    listeners: Vec<Listener>,
    service: S,
    shutdown: CancellationToken,
    tracker: TaskTracker,
    limits: Limits,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let ours = TaskTracker::new();
    let door = Door {
        admission: Admission::new(limits),
        limits,
        service,
        shutdown: shutdown.clone(),
        tracker,
        ours: ours.clone(),
    };
    let door = Arc::new(door);
    for listener in listeners {
        let span = debug_span!("listener", address = %listener.address);
        let accepting = Arc::clone(&door).accept_until_shutdown(listener);
        let accepting = accepting.instrument(span);
        door.tracker.spawn(ours.track_future(accepting));
    }
    shutdown.cancelled().await;
    ours.close();
    ours.wait().await;
}

/// What all listeners share.
struct Door<S> {
    admission: Arc<Admission>,
    limits: Limits,
    service: S,
    shutdown: CancellationToken,
    tracker: TaskTracker,
    /// Our part of `tracker`: listeners and plain HTTP connections.
    ours: TaskTracker,
}

impl<S> Door<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    async fn accept_until_shutdown(self: Arc<Self>, listener: Listener) {
        // Trouble is told when it begins, not ten times a second.
        let mut in_trouble = false;
        loop {
            // Both arms are cancel-safe: an unfinished `accept` has taken nothing.
            let accepted = tokio::select! {
                accepted = listener.inner.accept() => accepted,
                () = self.shutdown.cancelled() => return,
            };
            let trouble = match accepted {
                Ok((stream, remote)) => {
                    self.admit(stream, remote, listener.tls.clone()) == Err(Refusal::BoxFull)
                }
                Err(error) if is_about_one_peer(&error) => continue,
                Err(error) => {
                    if !in_trouble {
                        warn!(%error, "cannot accept connections for now");
                    }
                    tokio::time::sleep(ACCEPT_BACKOFF).await;
                    true
                }
            };
            if in_trouble && !trouble {
                debug!("accepting connections again");
            }
            in_trouble = trouble;
        }
    }

    fn admit(
        self: &Arc<Self>,
        stream: TcpStream,
        remote: SocketAddr,
        tls: Option<Arc<TlsAcceptor>>,
    ) -> Result<(), Refusal> {
        let (place, address_place) = self.admission.admit(remote.ip()).inspect_err(|refusal| {
            debug!(%remote, %refusal, "connection refused");
        })?;
        // A peer that is gone already has no local end; there is nobody to serve then.
        let Ok(local) = stream.local_addr() else {
            return Ok(());
        };
        // Without them it is slower or dies later, and works.
        let tuned = stream.set_nodelay(true);
        if let Err(error) = tuned.and_then(|()| end_when_dead(&stream)) {
            debug!(%remote, %error, "a connection could not be tuned");
        }
        let stream = AdmittedStream::new(stream, place, &self.limits);
        let door = Arc::clone(self);
        let connection = async move {
            let peer = Peer { remote, local };
            match tls {
                None => door.converse(Line::Plain(stream), peer, Scheme::Http).await,
                Some(tls) => {
                    if let Some(line) = door.shake_hands(stream, &tls).await {
                        door.converse(line, peer, Scheme::Https).await;
                    }
                }
            }
            // Ended or upgraded: either way no plain HTTP connection any more.
            drop(address_place);
        };
        let connection = connection.instrument(debug_span!("connection", %remote));
        self.tracker.spawn(self.ours.track_future(connection));
        Ok(())
    }

    /// Begins TLS with a peer that was admitted already: half-done handshakes have places too.
    async fn shake_hands(
        &self,
        stream: AdmittedStream,
        tls: &Arc<TlsAcceptor>,
    ) -> Option<Line<AdmittedStream>> {
        // Need not be cancel-safe: what is begun is dropped with its connection.
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(self.limits.handshake, tls.accept(stream)) => shaken,
            () = self.shutdown.cancelled() => return None,
        };
        match shaken {
            Ok(Ok(stream)) => Some(Line::Tls(Box::new(stream.into()))),
            Ok(Err(error)) => {
                debug!(%error, "no TLS with this peer");
                None
            }
            Err(_) => {
                debug!("a handshake took too long");
                None
            }
        }
    }

    /// Answers one peer's requests until it leaves, upgrades, or the box stops.
    async fn converse(&self, line: Line<AdmittedStream>, peer: Peer, scheme: Scheme) {
        let answer = hyper::service::service_fn(|request: Request<Incoming>| {
            self.service
                .clone()
                .oneshot(self.prepare(request, peer, scheme))
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_read)
            .max_headers(REQUEST_HEADERS_MAX)
            .max_buf_size(REQUEST_BUFFER_BYTES_MAX)
            .keep_alive(true)
            .serve_connection(TokioIo::new(line), answer)
            .with_upgrades();
        let mut connection = pin!(connection);
        // Cancel-safe: the connection is borrowed and goes on below.
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                match tokio::time::timeout(self.limits.shutdown, connection).await {
                    Ok(ended) => ended,
                    Err(_) => return debug!("connection cut at shutdown"),
                }
            }
        };
        if let Err(error) = ended {
            debug!(%error, "connection ended early");
        }
    }

    fn prepare(&self, request: Request<Incoming>, peer: Peer, scheme: Scheme) -> Request {
        let (mut parts, body) = request.into_parts();
        if let Some(uri) = with_trailing_slash(&parts.uri) {
            parts.uri = uri;
        }
        parts.extensions.insert(peer);
        parts.extensions.insert(scheme);
        Request::from_parts(parts, Body::new(PacedBody::new(body, self.limits)))
    }
}

/// Whether `accept` failed because of the peer it was about to hand over; the next may be fine.
fn is_about_one_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// The address that wire.md writes for one under `/api/` or `/ws/` that lacks its last slash.
fn with_trailing_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let ours = path.starts_with("/api/") || path.starts_with("/ws/");
    if !ours || path.ends_with('/') || path == "/api/openapi.json" {
        return None;
    }
    let rewritten = match uri.query() {
        Some(query) => format!("{path}/?{query}"),
        None => format!("{path}/"),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rewritten.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_last_slash_is_added_only_to_our_own_calls() {
        let rewritten = |path: &str| {
            let uri: Uri = path.parse().unwrap();
            with_trailing_slash(&uri).map(|uri| uri.to_string())
        };
        assert_eq!(rewritten("/api/me"), Some("/api/me/".into()));
        assert_eq!(
            rewritten("/ws/notifications?token=a/b"),
            Some("/ws/notifications/?token=a/b".into())
        );
        assert_eq!(
            rewritten("http://box/api/me"),
            Some("http://box/api/me/".into())
        );
        for fine in [
            "/api/me/",
            "/api/openapi.json",
            "/healthz",
            "/assets/a.js",
            "/",
            "*",
        ] {
            assert_eq!(rewritten(fine), None, "{fine}");
        }
    }
}
