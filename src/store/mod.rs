//! Every line of SQL of the box. `Store` is its one door: `write` runs a command in the writer's
//! transaction, `read` gives a consistent view.
//!
//! Nothing outside this module sees a connection, and nothing in it knows HTTP or sockets.

pub mod backup;
mod card;
pub mod copy;
mod data_dir;
mod describe;
pub mod erasure;
pub mod erasure_list;
mod error;
mod event_body;
pub mod export;
pub mod health;
mod high_water;
mod incarnations;
pub mod inspect;
pub mod invites;
mod journal;
mod keys;
mod latency;
pub mod link;
pub mod local;
#[cfg(test)]
pub(crate) mod memory;
pub mod messages;
pub(crate) mod migrate;
pub mod people;
mod project;
mod proof;
mod pulse;
pub(crate) mod reader;
pub mod receipts;
pub mod requests;
pub mod restore;
pub mod sessions;
mod space;
mod tx;
pub mod unread;
#[cfg(test)]
mod upgrade_test;
pub mod verify;
mod words;
pub(crate) mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, mpsc, oneshot};
use uuid::Uuid;

pub use data_dir::{DataDir, DirLock};
pub use error::{CommandError, OpenError, StoreError};
pub use journal::{Head, Known, head, known, newest_at};
pub use keys::BoxKeys;
pub use latency::{BOUNDS_MS, Commits};
pub use space::Need;
pub use tx::{CommandResult, View, WriteTx};
pub use writer::{Condition, Health, Publish};

use crate::clock::Clock;
use crate::domain::LogId;
use high_water::HighWater;
use pulse::LongWork;
use space::Space;
use writer::{Job, QUEUE_COMMANDS_MAX, Work, Writer};

/// Longest wait for the writer's answer. Past it nobody knows yet: ask again with the same id.
const ANSWER_WAIT: Duration = Duration::from_secs(15);

/// The box's database, open and held for this process.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    dir: DataDir,
    keys: Arc<BoxKeys>,
    clock: Clock,
    readers: reader::Pool,
    reading: Arc<Semaphore>,
    health: Arc<Health>,
    long_work: LongWork,
    queue: Mutex<Option<mpsc::Sender<Box<dyn Work>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    _lock: DirLock,
}

impl Store {
    /// Opens the database, or makes one; migrates it; proves that the disk takes a write.
    ///
    /// `publish` is called after every commit with what was recorded, in order, on the writer's
    /// thread.
    ///
    /// # Errors
    /// A sentence for the person at the terminal: in use, read-only, damaged, newer, full.
    pub fn open(dir: DataDir, clock: Clock, publish: Publish) -> Result<Self, OpenError> {
        let lock = dir.lock()?;
        let fresh = !dir.database().exists();
        let keys = Arc::new(BoxKeys::new(dir.root()?));
        let database = dir.database();
        let conn = open_writer(&dir, &clock).map_err(|error| told(&database, error))?;
        let high_water = HighWater::begin(&dir, &conn)
            .map_err(|error| told(&database, OpenError::Store(error.into())))?;
        let space = Space::new(&dir);
        card::keep_log_below_half_of(&conn, space.reserve_bytes())
            .map_err(|error| told(&database, OpenError::Store(error.into())))?;
        if fresh {
            tracing::info!(database = %database.display(), "a new database was made");
        }
        let readers = reader::pool(database).map_err(OpenError::Store)?;
        let health = Arc::new(Health::default());
        let (queue, commands) = mpsc::channel(QUEUE_COMMANDS_MAX);
        let writer = Writer {
            conn,
            keys: Arc::clone(&keys),
            clock: clock.clone(),
            space,
            high_water,
            health: Arc::clone(&health),
            publish,
        };
        let thread = writer.spawn(commands).map_err(|source| OpenError::Files {
            path: dir.path().to_owned(),
            source,
        })?;
        let inner = Inner {
            keys,
            clock,
            readers,
            reading: Arc::new(Semaphore::new(reader::READERS as usize)),
            health,
            long_work: LongWork::default(),
            queue: Mutex::new(Some(queue)),
            writer: Mutex::new(Some(thread)),
            _lock: lock,
            dir,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Runs a command in the writer's transaction; returns after the commit.
    ///
    /// # Errors
    /// What the command refused, or what the disk said. Either way nothing was changed, except after
    /// `Unknown`.
    pub async fn write<T, F>(&self, command: F) -> CommandResult<T>
    where
        F: FnOnce(&mut WriteTx<'_>) -> CommandResult<T> + Send + 'static,
        T: Send + 'static,
    {
        self.write_needed(Need::Ordinary, command).await
    }

    /// Like `write`, for what must work on a full disk too: signing in, reading on, removing.
    ///
    /// # Errors
    /// As `write`.
    pub async fn write_needed<T, F>(&self, need: Need, command: F) -> CommandResult<T>
    where
        F: FnOnce(&mut WriteTx<'_>) -> CommandResult<T> + Send + 'static,
        T: Send + 'static,
    {
        self.submit(need, command).await
    }

    /// Queues a command at once and gives its answer later: commands submitted one after the other
    /// run in that order, and share commits.
    pub fn submit<T, F>(
        &self,
        need: Need,
        command: F,
    ) -> impl Future<Output = CommandResult<T>> + Send + use<T, F>
    where
        F: FnOnce(&mut WriteTx<'_>) -> CommandResult<T> + Send + 'static,
        T: Send + 'static,
    {
        let done = self.queue(need, command);
        async move {
            match tokio::time::timeout(ANSWER_WAIT, done).await {
                Ok(result) => result,
                Err(_) => Err(StoreError::Unknown.into()),
            }
        }
    }

    /// Like `submit`, for the one command that may take minutes: it is waited for as long as it takes,
    /// because whoever asked again meanwhile would do it twice.
    pub fn submit_long<T, F>(
        &self,
        need: Need,
        command: F,
    ) -> impl Future<Output = CommandResult<T>> + Send + use<T, F>
    where
        F: FnOnce(&mut WriteTx<'_>) -> CommandResult<T> + Send + 'static,
        T: Send + 'static,
    {
        self.queue(need, self.inner.long_work.counted(command))
    }

    fn queue<T, F>(
        &self,
        need: Need,
        command: F,
    ) -> impl Future<Output = CommandResult<T>> + Send + use<T, F>
    where
        F: FnOnce(&mut WriteTx<'_>) -> CommandResult<T> + Send + 'static,
        T: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let work: Box<dyn Work> = Box::new(Job::new(command, need, answer));
        let queued = match self.queue_slot().as_ref() {
            None => Err(StoreError::Stopped),
            Some(queue) => queue.try_send(work).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => StoreError::Busy,
                mpsc::error::TrySendError::Closed(_) => StoreError::Stopped,
            }),
        };
        async move {
            queued?;
            answered
                .await
                .unwrap_or_else(|_| Err(StoreError::Stopped.into()))
        }
    }

    /// Reads one consistent state on a thread where waiting for the disk harms nobody.
    ///
    /// # Errors
    /// What `look` returns, or that the disk could not be read.
    pub async fn read<T, E, F>(&self, look: F) -> Result<T, E>
    where
        F: FnOnce(&View<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let turn = Arc::clone(&inner.reading).acquire_owned().await;
        let turn = turn.map_err(|_| StoreError::Stopped)?;
        let looked = tokio::task::spawn_blocking(move || {
            // The turn goes with the work: whoever asked may hang up meanwhile.
            let _turn = turn;
            let conn = inner.readers.get().map_err(|_| StoreError::Busy)?;
            let snapshot = conn.unchecked_transaction().map_err(StoreError::from)?;
            look(&View {
                conn: &snapshot,
                keys: &inner.keys,
                now: inner.clock.now(),
            })
        });
        looked
            .await
            .unwrap_or_else(|_| Err(StoreError::Fault(None).into()))
    }

    /// Proof that the writer lives and the disk takes writes: a real write, unless there was one within
    /// the last minute. Asking often wears no card.
    ///
    /// # Errors
    /// What the disk said.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let health = Arc::clone(&self.inner.health);
        let probed = self
            .write(move |tx| {
                if health.is_proven_within(card::PROBE_LIFE) {
                    return Ok(());
                }
                local::probe(tx).map_err(CommandError::from)
            })
            .await;
        match probed {
            Ok(()) => Ok(()),
            Err(CommandError::Store(error)) => Err(error),
            Err(CommandError::Rejected(_)) => Err(StoreError::Fault(None)),
        }
    }

    /// How the writer fares.
    pub fn condition(&self) -> Condition {
        self.inner.health.condition()
    }

    /// How long commits took since this program started.
    pub fn commits(&self) -> Commits {
        self.inner.health.commits.read()
    }

    /// The box's keys.
    pub fn keys(&self) -> &BoxKeys {
        &self.inner.keys
    }

    /// The box's clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Where the data is.
    pub fn dir(&self) -> &DataDir {
        &self.inner.dir
    }

    /// Takes no more commands, finishes those that are queued and waits for the writer to end.
    pub async fn close(&self) {
        self.queue_slot().take();
        let writer = self
            .inner
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }

    fn queue_slot(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<Box<dyn Work>>>> {
        self.inner
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the only connection that writes, and brings the database to this program's version.
fn open_writer(dir: &DataDir, clock: &Clock) -> Result<Connection, OpenError> {
    let store = |error: rusqlite::Error| OpenError::Store(StoreError::from(error));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(dir.database(), flags).map_err(store)?;
    writer::prepare(&conn).map_err(store)?;
    // Whatever the last run could not prove to be on disk is written again before anything is
    // acknowledged; see `Writer::prove_disk`.
    writer::empty_log(&conn)?;
    migrate::migrate(&mut conn, clock.now())?;
    incarnations::begin(&conn, LogId::new(Uuid::new_v4())).map_err(store)?;
    only_owner_may_read(&dir.database());
    Ok(conn)
}

/// Old copies made with a lax umask are tightened too.
pub(crate) fn only_owner_may_read(database: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for suffix in ["", "-wal", "-shm"] {
        let mut path = database.as_os_str().to_owned();
        path.push(suffix);
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
    }
}

/// The sentence for what went wrong while opening.
fn told(database: &Path, error: OpenError) -> OpenError {
    let OpenError::Store(cause) = error else {
        return error;
    };
    let path = database.to_owned();
    match cause {
        StoreError::ReadOnly => OpenError::ReadOnly(path),
        StoreError::Damaged(why) => OpenError::Damaged { path, why },
        StoreError::Full => OpenError::Full(path),
        StoreError::Busy => OpenError::BeingRead(path),
        StoreError::Failing(_)
            if std::fs::OpenOptions::new()
                .write(true)
                .open(database)
                .is_err_and(|error| {
                    matches!(
                        error.kind(),
                        std::io::ErrorKind::PermissionDenied
                            | std::io::ErrorKind::ReadOnlyFilesystem
                    )
                }) =>
        {
            OpenError::ReadOnly(path)
        }
        StoreError::Failing(_) if database.parent().is_some_and(space::has_no_room) => {
            OpenError::Full(path)
        }
        cause @ (StoreError::Failing(_)
        | StoreError::Unknown
        | StoreError::Stopped
        | StoreError::Fault(_)) => OpenError::Store(cause),
    }
}
