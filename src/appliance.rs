//! `serve`: the box put together. Store → hub → HTTP → the operator's socket; stopped in reverse, so
//! that nothing acknowledged is lost and every page is told to come back.

mod clockwork;
mod found;
mod nightly;
mod restoring;
mod secure;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::config::Config;
use crate::discovery::Board;
use crate::domain::{Change, Committed};
use crate::health::Watch;
use crate::http::bind::{BindError, Listener};
pub use crate::http::edge::MessageLimits;
use crate::http::edge::{Edge, Parts};
use crate::http::guard::GuardConfigError;
use crate::http::handed::Handed;
use crate::http::limits::Limits;
use crate::http::restore_desk;
use crate::http::token::{TOKEN_KEY_PURPOSE, TokenKeys};
use crate::http::{self, listen};
use crate::hub::{Hub, LinkBoard, SOCKETS_PER_PERSON_MAX};
use crate::machine::Machine;
use crate::net::tls::TlsClock;
use crate::net::{self, Dialer, Plain, Reach};
use crate::ops::control;
use crate::ops::ear::{self, Ear, Front};
use crate::store::backup::Backups;
use crate::store::{self, DataDir, OpenError, Store, StoreError, local};
use crate::sync;
use crate::sync::dial::LinkParts;
use crate::update::desk::Desk;
use restoring::Restoring;

/// How long sockets get to say good-bye when the box stops.
const SOCKETS_CLOSE: Duration = Duration::from_secs(6);

/// How to serve.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the data is.
    pub data: DataDir,
    /// Where to listen.
    pub listen: Vec<SocketAddr>,
    /// Sockets that the service manager opened; where there are any, they replace `listen`.
    pub handed: Handed,
    /// The configuration file's part.
    pub config: Config,
    /// Whether messages are limited.
    pub message_limits: MessageLimits,
    /// Whom it speaks to by itself.
    pub outside: Outside,
}

/// Whom a box speaks to by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outside {
    /// Its relay, and the workshop's network.
    Everybody,
    /// Nobody: it is a copy that is tested, and the real one is alive.
    Nobody,
}

/// Why the box could not start. Its text is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// The address cannot be listened on.
    #[error(transparent)]
    Address(#[from] BindError),
    /// The configuration names something that cannot be.
    #[error(transparent)]
    Config(#[from] GuardConfigError),
    /// The database cannot be read.
    #[error("The database cannot be read: {0}. Run `motoreach doctor`.")]
    Store(#[from] StoreError),
    /// The certificates to trust cannot be read.
    #[error("{path} cannot be used as the certificates to trust: {source}.")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: std::io::Error,
    },
    /// The system has no randomness.
    #[error("The system gives no random numbers; nothing secret can be made.")]
    Random,
}

/// A box that serves.
pub struct Running {
    addresses: Vec<SocketAddr>,
    store: Store,
    link: LinkBoard,
    board: Board,
    tokens: Arc<TokenKeys>,
    set_up_code: Option<String>,
    shutdown: CancellationToken,
    tracker: TaskTracker,
    serving: JoinHandle<()>,
    ended: CancellationToken,
    restored: CancellationToken,
}

/// Opens the database, migrates it, and only then listens.
///
/// # Errors
/// A sentence for the person at the terminal.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let Options {
        data,
        listen,
        handed,
        config,
        message_limits,
        outside,
    } = options;
    let guard = found::guard(&config)?;
    let clock = Clock::kept(&data.clock_floor());
    let tls_time = TlsClock::new(clock.clone());
    let dialer = dialer(config.relay_ca.as_deref(), &tls_time)?;
    let hub = Hub::new(match message_limits {
        MessageLimits::On => SOCKETS_PER_PERSON_MAX,
        MessageLimits::Off => usize::MAX,
    });
    let expiring = Arc::new(Notify::new());
    let grown = watch::Sender::new(0);
    let store = {
        let (hub, expiring, grown) = (hub.clone(), Arc::clone(&expiring), grown.clone());
        let publish: store::Publish = Box::new(move |committed| {
            hub.publish(committed);
            grown.send_modify(|commits| *commits += 1);
            if committed.iter().any(erases_itself) {
                expiring.notify_one();
            }
        });
        let clock = clock.clone();
        // Opening may wait for the disk.
        tokio::task::spawn_blocking(move || Store::open(data, clock, publish))
            .await
            .map_err(|_| StoreError::Fault(None))??
    };
    if let Some(known) = store.read(store::newest_at).await? {
        clock.was_already(known);
    }
    let workshop = store.read(local::workshop_name).await?;
    let set_up_code = match &workshop {
        Some(_) => None,
        None => Some(set_up_code()?),
    };
    forget_uploaded(&store).await;
    if workshop.is_some() {
        forget_restoring(&store).await;
    }
    hub.name_workshop(workshop.unwrap_or_default());
    let signing = store.keys().signing_key(TOKEN_KEY_PURPOSE);
    let tokens = Arc::new(TokenKeys::new(&signing, store.keys().workshop().uuid()));
    let listeners = handed.listen_or(&listen)?;
    let addresses: Vec<_> = listeners.iter().map(Listener::address).collect();
    let shutdown = CancellationToken::new();
    let tracker = TaskTracker::new();
    let restored = CancellationToken::new();
    let discovery = found::discovery(&config, store.dir(), &addresses, &hub);
    let board = discovery.board();
    let mut secure = secure::open(&config, store.dir(), &handed, &addresses, &board, &clock);
    let (desk, orders) = restore_desk::desk();
    let backups = Backups::new(store.clone(), shutdown.clone(), tracker.clone());
    let health = Watch::new(store.clone(), hub.link(), board.clone(), Machine::this());
    let edge = Edge::new(Parts {
        store: store.clone(),
        hub: hub.clone(),
        tokens: Arc::clone(&tokens),
        public_url: config.public_url.clone(),
        set_up_code: set_up_code.clone(),
        restore: desk,
        backups: backups.clone(),
        board: board.clone(),
        health: health.clone(),
        updates: Desk::new(store.dir().path(), config.update_key.as_ref()),
        message_limits,
        shutdown: shutdown.clone(),
        tracker: tracker.clone(),
    });
    tracker.spawn(clockwork::run(
        store.clone(),
        hub.clone(),
        expiring,
        shutdown.clone(),
    ));
    tracker.spawn(health.clone().rounds(shutdown.clone()));
    tracker.spawn(control::listen(
        store.dir().control_socket(),
        Ear::of_box(
            store.clone(),
            Arc::clone(&tokens),
            backups.clone(),
            health,
            front(board.clone(), set_up_code.clone()),
        ),
        shutdown.clone(),
    ));
    tracker.spawn(discovery.mind(shutdown.clone()));
    tracker.spawn(ear::mind_log(shutdown.clone()));
    tracker.spawn(secure.upkeep(shutdown.clone()));
    tracker.spawn(nightly::run(store.clone(), backups, shutdown.clone()));
    let restoring = Restoring {
        orders,
        dir: store.dir().clone(),
        dialer: dialer.clone(),
        shutdown: shutdown.clone(),
        restored: restored.clone(),
    };
    tracker.spawn(restoring.mind());
    let link = sync::dial::run(LinkParts {
        store: store.clone(),
        board: hub.link(),
        dialer,
        grown: grown.subscribe(),
        addresses: addresses.clone(),
        shutdown: shutdown.clone(),
    });
    match outside {
        Outside::Everybody => drop(tracker.spawn(link)),
        Outside::Nobody => drop(link),
    }
    let ended = CancellationToken::new();
    let end = ended.clone().drop_guard();
    let serve = listen::serve(
        listeners.into_iter().chain(secure.listeners).collect(),
        http::router(edge, guard),
        shutdown.clone(),
        tracker.clone(),
        Limits::default(),
    );
    let serving = tokio::spawn(async move {
        let _end = end;
        serve.await;
    });
    Ok(Running {
        addresses,
        store,
        link: hub.link(),
        board,
        tokens,
        set_up_code,
        shutdown,
        tracker,
        serving,
        ended,
        restored,
    })
}

impl Running {
    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Its database.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Where it is found.
    pub const fn board(&self) -> &Board {
        &self.board
    }

    /// How its link to the relay stands.
    pub const fn link(&self) -> &LinkBoard {
        &self.link
    }

    /// What signs its access tokens.
    pub fn tokens(&self) -> &TokenKeys {
        &self.tokens
    }

    /// The code that the first run asks for when it does not come from this machine; none once the
    /// box is set up.
    pub fn set_up_code(&self) -> Option<&str> {
        self.set_up_code.as_deref()
    }

    /// Waits until the box serves nobody any more although it was not told to stop.
    pub async fn failed(&self) {
        self.ended.cancelled().await;
    }

    /// Waits until a workshop that was brought back waits to be put in place (`store::restore`): this
    /// box is to be stopped, and started again with it. Cancel-safe.
    pub async fn restored(&self) {
        self.restored.cancelled().await;
    }

    /// Stops: takes no more connections, closes sockets with 1012, finishes what was begun, and
    /// leaves the database at rest.
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
        self.store.close().await;
        self.store.clock().keep();
        tracing::info!("stopped");
    }
}

/// A backup that was handed in was restored by now, or its name is known to nobody any more.
async fn forget_uploaded(store: &Store) {
    let folder = store.dir().uploaded();
    let forgotten = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(folder)).await;
    if let Ok(Err(error)) = forgotten
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "a backup that was handed in could not be removed");
    }
}

/// What a restore had gathered that nobody went on with: another secret must not lie about.
async fn forget_restoring(store: &Store) {
    let dir = store.dir().clone();
    let forgotten = tokio::task::spawn_blocking(move || store::restore::discard(&dir)).await;
    if let Ok(Err(error)) = forgotten {
        tracing::warn!(%error, "a restore that was not finished could not be removed");
    }
}

/// Makes connections to the relay; trusts what the world does and what the configuration names.
pub(crate) fn dialer(relay_ca: Option<&Path>, time: &TlsClock) -> Result<Dialer, StartError> {
    let tls = net::tls::client(time, relay_ca).map_err(|source| StartError::Certificates {
        path: relay_ca.unwrap_or_else(|| Path::new("")).to_owned(),
        source,
    })?;
    Ok(Dialer::new(tls, Plain::NearOnly, Reach::Anywhere))
}

/// Where a browser on the network finds this box, by name and without, at the moment it is asked.
fn front(board: Board, set_up_code: Option<String>) -> impl Fn() -> Front + Send + Sync + 'static {
    move || {
        let standing = board.now();
        let urls = std::iter::once(standing.url()).chain(standing.plain_urls());
        Front {
            urls: urls.collect(),
            set_up_code: set_up_code.clone(),
        }
    }
}

/// Six digits, printed where the box was started.
fn set_up_code() -> Result<String, StartError> {
    let mut bytes = [0; 8];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| StartError::Random)?;
    let number = u64::from_be_bytes(bytes) % 1_000_000;
    Ok(format!("{:03}-{:03}", number / 1_000, number % 1_000))
}

/// Whether this is a message that the clockwork has to erase one day.
fn erases_itself(committed: &Committed) -> bool {
    matches!(&committed.change, Change::Posted(message) if message.expires.is_some())
}
