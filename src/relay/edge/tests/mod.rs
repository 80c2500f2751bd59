//! The relay's edge as pages and boxes meet it: real sockets on port 0, SQLite in memory.

mod alarm;
mod doors;
mod owners;
mod page;
mod posts;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use web_push_native::p256;

use super::{Parts, Relay, router};
use crate::clock::Clock;
use crate::domain::{EventId, Timestamp};
use crate::http::bind::Listener;
use crate::http::guard::{Guard, GuardConfig};
use crate::http::limits::Limits;
use crate::http::listen::serve;
use crate::net::tls::{TlsClock, client};
use crate::net::{Dialer, Plain, Reach};
use crate::relay::conformance::pen::{self, Draft, NOW, Pen, invite, thread, wrap};
use crate::relay::presence::Presence;
use crate::relay::push::{self, Pusher};
use crate::relay::secrets::Secrets;
use crate::relay::sqlite::SqliteRelay;
use crate::relay::watch::watch;
use crate::seal::{Clear, auth_sha};
pub(super) use page::Page;

/// How long a test waits for what must happen.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A relay that runs, and how to reach into it.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    pub(super) relay: Relay<SqliteRelay>,
    pub(super) clock: Clock,
    _serving: JoinHandle<()>,
    _files: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.relay.shutdown.cancel();
    }
}

impl Running {
    pub(super) fn start() -> Self {
        Self::start_with(Some("a token that is long".to_owned()))
    }

    fn start_with(metrics_token: Option<String>) -> Self {
        let files = tempfile::tempdir().unwrap();
        let clock = Clock::manual(NOW);
        let (shutdown, tracker) = (CancellationToken::new(), TaskTracker::new());
        let store = SqliteRelay::in_memory();
        let presence = Presence::new(clock.clone());
        let secrets = Secrets::open(files.path()).unwrap();
        let trusted = client(&TlsClock::new(clock.clone()), None).unwrap();
        let pusher = Pusher::new(push::Parts {
            store: store.clone(),
            presence: presence.clone(),
            vapid: Arc::clone(&secrets.vapid),
            dialer: Dialer::new(trusted, Plain::NearOnly, Reach::PublicOnly),
            contact: "mailto:nobody@relay.example".into(),
            pauses: push::PAUSES,
            clock: clock.clone(),
            shutdown: shutdown.clone(),
            tracker: tracker.clone(),
        });
        tracker.spawn(watch(store.clone(), presence.clone(), shutdown.clone()));
        let relay = Relay::new(Parts {
            store,
            presence,
            pusher,
            secrets,
            public_url: "https://relay.example".into(),
            proxies: Vec::new(),
            metrics_token,
            clock: clock.clone(),
            shutdown: shutdown.clone(),
            tracker: tracker.clone(),
        });
        let guard = GuardConfig {
            names: vec!["relay.example".into()],
            ..GuardConfig::default()
        };
        let routes = router(relay.clone(), Guard::new(&guard, None).unwrap());
        let listeners = Listener::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let address = listeners[0].address();
        let serving = serve(listeners, routes, shutdown, tracker, Limits::default());
        Self {
            address,
            relay,
            clock,
            _serving: tokio::spawn(serving),
            _files: files,
        }
    }

    /// A workshop whose box gave out links to its first thread; more entries may follow.
    pub(super) async fn workshop(&self, number: u64, links: &[u64]) -> Pen {
        let mut pen = Pen::new(number);
        pen.enter(&self.relay.store, 1).await;
        for link in links {
            pen.write(granted(number * 1_000 + link, *link));
        }
        self.sync(&pen, 0).await;
        pen
    }

    /// Brings what a box wrote after a position to the relay.
    pub(super) async fn sync(&self, pen: &Pen, after: usize) {
        pen.send(&self.relay.store, after, 64).await;
    }
}

/// What a link's holder shows.
pub(super) fn auth(link: u64) -> [u8; 32] {
    let mut auth = [3; 32];
    auth[..8].copy_from_slice(&link.to_be_bytes());
    auth
}

/// The event that gives out a link; owners do not see it.
pub(super) fn granted(event: u64, link: u64) -> Draft {
    Draft::of(event, Some(thread(1)))
        .staff_only()
        .saying(Clear::Granted {
            invite: invite(link),
            auth_sha: auth_sha(&auth(link)),
            expires_ms: NOW.0 + 1_000_000,
            wraps: vec![wrap(invite(link), 0, 1)],
        })
}

pub(super) fn event(number: u64) -> EventId {
    pen::event(number)
}

pub(super) fn secret_key(n: u8) -> p256::SecretKey {
    p256::SecretKey::from_slice(&[n; 32]).unwrap()
}

pub(super) const LATER: Timestamp = Timestamp(NOW.0 + 2_000_000);
