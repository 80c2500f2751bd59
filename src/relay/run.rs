//! The relay put together: store → presence → pushes → edge; stopped in reverse, so that nothing
//! acknowledged is lost and every page and box is told to come back.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::alarm;
use super::config::RelayConfig;
use super::edge::{self, Relay};
use super::presence::Presence;
use super::push::{self, Pusher};
use super::secrets::Secrets;
use super::store::RelayStore;
use super::upkeep::keep_up;
use super::watch::watch;
use crate::clock::Clock;
use crate::http::bind::{BindError, Listener};
use crate::http::guard::{Guard, GuardConfig, GuardConfigError};
use crate::http::handed::Handed;
use crate::http::limits::Limits;
use crate::http::listen;
use crate::net::tls::{self, TlsClock};
use crate::net::{Dialer, Plain, Reach, Target, TlsAcceptor};

/// How long sockets get to say good-bye when the relay stops.
const SOCKETS_CLOSE: Duration = Duration::from_secs(6);
/// The longest token that opens the metrics, in bytes.
const TOKEN_BYTES_MAX: usize = 1_024;
/// The shortest one: nobody guesses it.
const TOKEN_BYTES_MIN: usize = 16;
/// The file in the data directory that tells commands beside us what we are called.
const ADDRESS_FILE: &str = "relay.url";

/// How to run.
pub struct Options<S> {
    /// Who this relay is.
    pub secrets: Secrets,
    /// What is kept, opened already.
    pub store: S,
    /// The configuration, with the command line's part in it.
    pub config: RelayConfig,
    /// Sockets that the service manager opened; where there are any, they replace the configured ones.
    pub handed: Handed,
    /// Which push services browsers may name.
    pub reach: Reach,
    /// What time it is.
    pub clock: Clock,
}

/// Why the relay could not start. Its text is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The certificate cannot be had.
    #[error("The certificate cannot be used: {0}.")]
    Certificate(#[source] io::Error),
    /// A certificate without its key, or the other way round.
    #[error("A certificate and its key go together: name both, or neither behind a proxy.")]
    HalfCertificate,
    /// The authorities to trust cannot be had.
    #[error("The certificate authorities to trust cannot be used: {0}.")]
    Roots(#[source] io::Error),
    /// The metrics' token cannot be had.
    #[error("The metrics' token cannot be used: {0}.")]
    Token(#[source] io::Error),
    /// The address cannot be listened on.
    #[error(transparent)]
    Address(#[from] BindError),
    /// The public address names no host.
    #[error(transparent)]
    Name(#[from] GuardConfigError),
}

/// A relay that runs.
pub struct Running {
    addresses: Vec<SocketAddr>,
    public_url: String,
    shutdown: CancellationToken,
    tracker: TaskTracker,
    serving: JoinHandle<()>,
    ended: CancellationToken,
}

/// Starts everything and listens.
///
/// # Errors
/// A sentence for the person at the terminal.
pub fn start<S: RelayStore>(options: Options<S>) -> Result<Running, StartError> {
    let Options {
        secrets,
        store,
        config,
        handed,
        reach,
        clock,
    } = options;
    let metrics_token = config
        .metrics_token_file
        .as_deref()
        .map(token)
        .transpose()?;
    let tls = acceptor(&config)?.map(Arc::new);
    let trusted = tls::client(&TlsClock::new(clock.clone()), config.extra_roots.as_deref());
    let dialer = Dialer::new(trusted.map_err(StartError::Roots)?, Plain::NearOnly, reach);
    let listeners = handed.listen_on_all_or(&config.addresses())?;
    let addresses: Vec<_> = listeners.iter().map(Listener::address).collect();
    let public_url = match &config.public_url {
        Some(url) => url.clone(),
        None => own_address(&addresses, tls.is_some()),
    };
    let guard = guard(&public_url)?;
    remember_address(&config.data, &public_url);

    let (shutdown, tracker) = (CancellationToken::new(), TaskTracker::new());
    let presence = Presence::new(clock.clone());
    let contact = config.push_contact.as_ref().unwrap_or(&public_url);
    let pusher = Pusher::new(push::Parts {
        store: store.clone(),
        presence: presence.clone(),
        vapid: Arc::clone(&secrets.vapid),
        dialer,
        contact: contact.clone(),
        pauses: push::PAUSES,
        clock: clock.clone(),
        shutdown: shutdown.clone(),
        tracker: tracker.clone(),
    });
    tracker.spawn(watch(store.clone(), presence.clone(), shutdown.clone()));
    tracker.spawn(keep_up(store.clone(), clock.clone(), shutdown.clone()));
    tracker.spawn(alarm::mind(
        store.clone(),
        pusher.clone(),
        clock.clone(),
        shutdown.clone(),
    ));
    let relay = Relay::new(edge::Parts {
        store,
        presence,
        pusher,
        secrets,
        public_url: public_url.clone(),
        proxies: config.proxies,
        metrics_token,
        clock,
        shutdown: shutdown.clone(),
        tracker: tracker.clone(),
    });
    let listeners = listeners.into_iter().map(|listener| match &tls {
        Some(tls) => listener.with_tls(Arc::clone(tls)),
        None => listener,
    });
    let serve = listen::serve(
        listeners.collect(),
        edge::router(relay, guard),
        shutdown.clone(),
        tracker.clone(),
        Limits::default(),
    );
    let ended = CancellationToken::new();
    let end = ended.clone().drop_guard();
    let serving = tokio::spawn(async move {
        let _end = end;
        serve.await;
    });
    Ok(Running {
        addresses,
        public_url,
        shutdown,
        tracker,
        serving,
        ended,
    })
}

impl Running {
    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What owners' links begin with.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Waits until the relay serves nobody any more although it was not told to stop.
    pub async fn failed(&self) {
        self.ended.cancelled().await;
    }

    /// Stops: takes no more connections, tells pages and boxes to come back, finishes what was begun.
    /// The store is its opener's to close.
    pub async fn stop(self) {
        self.shutdown.cancel();
        let _ = self.serving.await;
        self.tracker.close();
        if tokio::time::timeout(SOCKETS_CLOSE, self.tracker.wait())
            .await
            .is_err()
        {
            tracing::warn!("some sockets did not close in time");
        }
        tracing::info!("stopped");
    }
}

/// What the relay that runs, or ran, in a data directory says that it is called.
pub fn remembered_address(data: &Path) -> Option<String> {
    let text = fs::read_to_string(data.join(ADDRESS_FILE)).ok()?;
    crate::config::parse_public_url(&text).ok()
}

/// Only ever shown to people: not being able to write it is no reason not to run.
fn remember_address(data: &Path, url: &str) {
    if let Err(error) = fs::write(data.join(ADDRESS_FILE), format!("{url}\n")) {
        tracing::warn!(%error, "the relay's address cannot be noted for `motoreach relay pair`");
    }
}

fn acceptor(config: &RelayConfig) -> Result<Option<TlsAcceptor>, StartError> {
    match (&config.tls_cert, &config.tls_key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => TlsAcceptor::open(certificate.clone(), key.clone())
            .map(Some)
            .map_err(StartError::Certificate),
        (Some(_), None) | (None, Some(_)) => Err(StartError::HalfCertificate),
    }
}

/// Whatever the configuration does not say: what a browser on this machine would type.
fn own_address(addresses: &[SocketAddr], tls: bool) -> String {
    let (scheme, usual) = if tls { ("https", 443) } else { ("http", 80) };
    match addresses.first().map_or(usual, SocketAddr::port) {
        port if port == usual => format!("{scheme}://localhost"),
        port => format!("{scheme}://localhost:{port}"),
    }
}

/// Lets in who asks for the public name, for this machine, or for the address itself.
fn guard(public_url: &str) -> Result<Guard, GuardConfigError> {
    let names = match Target::parse(public_url) {
        Ok(target) if target.host.contains(':') => vec![format!("[{}]", target.host)],
        Ok(target) => vec![target.host],
        Err(_) => Vec::new(),
    };
    Guard::new(
        &GuardConfig {
            names,
            origins: Vec::new(),
            ..GuardConfig::default()
        },
        None,
    )
}

fn token(path: &Path) -> Result<String, StartError> {
    let read = || -> io::Result<String> {
        let text = fs::read_to_string(path)?;
        let token = text.trim();
        if (TOKEN_BYTES_MIN..=TOKEN_BYTES_MAX).contains(&token.len()) {
            Ok(token.to_owned())
        } else {
            Err(io::Error::other("it must have 16 to 1,024 characters"))
        }
    };
    read().map_err(|error| {
        let path: PathBuf = path.to_owned();
        StartError::Token(io::Error::other(format!("{}: {error}", path.display())))
    })
}
