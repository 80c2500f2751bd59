//! How commands and looks reach the database: one thread writes and commits in groups, a few
//! connections read on threads where waiting harms nobody (invariants 1, 2).
//!
//! A command has a savepoint of its own; its hints (`Wake`) are sent after the commit that holds it,
//! and only then is it answered.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};

use super::trouble::{Done, Trouble};
use crate::relay::store::{Kept, Wake};
use crate::store::StoreError;
use crate::store::reader::{Pool, READERS};
use crate::store::writer::{EXIT_WRITER_DIED, checkpoint};

/// Commands that share one commit.
const BATCH_COMMANDS_MAX: usize = 256;
/// Commands that wait for the writer; more are told to come again.
const QUEUE_COMMANDS_MAX: usize = 4_096;
/// Longest wait for the writer's answer. Past it nobody knows yet: whoever asked asks again.
const ANSWER_WAIT: Duration = Duration::from_secs(15);

/// The writer's transaction, lent to one command.
pub(super) struct Tx<'c> {
    pub(super) conn: &'c Connection,
    wakes: Vec<Wake>,
}

impl<'c> Tx<'c> {
    const fn new(conn: &'c Connection) -> Self {
        Self {
            conn,
            wakes: Vec::new(),
        }
    }

    /// Leaves a hint, to be given after the commit.
    pub(super) fn wake(&mut self, wake: Wake) {
        if !self.wakes.contains(&wake) {
            self.wakes.push(wake);
        }
    }
}

/// A command on its way through the writer.
trait Work: Send {
    /// Runs it; an error undoes what it did.
    fn run(&mut self, tx: &mut Tx<'_>) -> Done<()>;
    /// Answers whoever asked: after the commit, or with the reason why there was none.
    fn answer(self: Box<Self>, outcome: Done<()>);
}

/// A command with the place where its answer is awaited.
struct Job<F, T> {
    command: Option<F>,
    result: Option<Done<T>>,
    answer: oneshot::Sender<Done<T>>,
}

impl<F, T> Work for Job<F, T>
where
    F: FnOnce(&mut Tx<'_>) -> Done<T> + Send,
    T: Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Done<()> {
        let Some(command) = self.command.take() else {
            return Ok(());
        };
        let result = catch_unwind(AssertUnwindSafe(|| command(tx))).unwrap_or_else(|_| {
            tracing::error!("a command panicked; it was undone");
            Err(StoreError::Fault(None).into())
        });
        let undo = result.as_ref().map(|_| ()).map_err(Trouble::clone);
        self.result = Some(result);
        undo
    }

    fn answer(self: Box<Self>, outcome: Done<()>) {
        let result = match outcome {
            Err(trouble) => Err(trouble),
            Ok(()) => self
                .result
                .unwrap_or_else(|| Err(StoreError::Fault(None).into())),
        };
        // Whoever asked may have gone; the commit stands all the same.
        let _ = self.answer.send(result);
    }
}

/// Runs commands and looks.
pub(super) enum Engine {
    /// For a relay: a thread that writes and a pool of readers.
    Threads(Threads),
    /// For tests with thousands of relays: everything on the caller's thread.
    #[cfg(test)]
    Direct(Mutex<Connection>, broadcast::Sender<Wake>),
}

/// What a relay's engine holds.
pub(super) struct Threads {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Work>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    readers: Pool,
    reading: Arc<Semaphore>,
}

impl Engine {
    /// Starts the writer.
    pub(super) fn start(
        conn: Connection,
        readers: Pool,
        wakes: broadcast::Sender<Wake>,
    ) -> std::io::Result<Self> {
        let (queue, commands) = mpsc::channel(QUEUE_COMMANDS_MAX);
        let writer = Writer {
            conn,
            wakes,
            failing: false,
        };
        let thread = writer.spawn(commands)?;
        Ok(Self::Threads(Threads {
            queue: Mutex::new(Some(queue)),
            writer: Mutex::new(Some(thread)),
            readers,
            reading: Arc::new(Semaphore::new(READERS as usize)),
        }))
    }

    /// Runs a command in a transaction; returns after the commit.
    pub(super) async fn write<T, F>(&self, command: F) -> Kept<T>
    where
        F: FnOnce(&mut Tx<'_>) -> Done<T> + Send + 'static,
        T: Send + 'static,
    {
        let (answer, mut answered) = oneshot::channel();
        self.submit(Box::new(Job {
            command: Some(command),
            result: None,
            answer,
        }))?;
        if let Ok(result) = answered.try_recv() {
            return Ok(result?);
        }
        match tokio::time::timeout(ANSWER_WAIT, answered).await {
            Ok(Ok(result)) => Ok(result?),
            Ok(Err(_)) => Err(Trouble::Disk(StoreError::Stopped).into()),
            Err(_) => Err(Trouble::Disk(StoreError::Unknown).into()),
        }
    }

    /// Queues a command; or, without threads, runs it.
    fn submit(&self, work: Box<dyn Work>) -> Done<()> {
        match self {
            Self::Threads(threads) => threads.queue(work),
            #[cfg(test)]
            Self::Direct(conn, wakes) => serve(&held(conn), wakes, vec![work]).map_or(Ok(()), Err),
        }
    }

    /// Looks at one consistent state.
    pub(super) async fn read<T, F>(&self, look: F) -> Kept<T>
    where
        F: FnOnce(&Connection) -> Done<T> + Send + 'static,
        T: Send + 'static,
    {
        match self {
            Self::Threads(threads) => threads.read(look).await,
            #[cfg(test)]
            Self::Direct(conn, _) => Ok(look(&held(conn))?),
        }
    }

    /// Takes no more commands, finishes those that are queued and waits for the writer to end.
    pub(super) async fn close(&self) {
        match self {
            Self::Threads(threads) => {
                held(&threads.queue).take();
                let writer = held(&threads.writer).take();
                if let Some(writer) = writer {
                    let _ = tokio::task::spawn_blocking(move || writer.join()).await;
                }
            }
            #[cfg(test)]
            Self::Direct(..) => {}
        }
    }
}

impl Threads {
    fn queue(&self, work: Box<dyn Work>) -> Done<()> {
        let slot = held(&self.queue);
        let queue = slot.as_ref().ok_or(StoreError::Stopped)?;
        queue.try_send(work).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy.into(),
            mpsc::error::TrySendError::Closed(_) => StoreError::Stopped.into(),
        })
    }

    async fn read<T, F>(&self, look: F) -> Kept<T>
    where
        F: FnOnce(&Connection) -> Done<T> + Send + 'static,
        T: Send + 'static,
    {
        let turn = Arc::clone(&self.reading).acquire_owned().await;
        let turn = turn.map_err(|_| Trouble::Disk(StoreError::Stopped))?;
        let readers = self.readers.clone();
        let looked = tokio::task::spawn_blocking(move || {
            // The turn goes with the work: whoever asked may hang up meanwhile.
            let _turn = turn;
            let conn = readers.get().map_err(|_| StoreError::Busy)?;
            let snapshot = conn.unchecked_transaction()?;
            look(&snapshot)
        });
        let looked = looked
            .await
            .unwrap_or_else(|_| Err(StoreError::Fault(None).into()));
        Ok(looked?)
    }
}

/// Nothing in here panics while it holds a lock, and if it did, the value would still be whole.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The one thread that writes.
struct Writer {
    conn: Connection,
    wakes: broadcast::Sender<Wake>,
    /// The disk reported an error: nothing is acknowledged until it has proven itself.
    failing: bool,
}

impl Writer {
    /// Starts the thread; it ends when the queue is closed and empty.
    fn spawn(
        mut self,
        mut queue: mpsc::Receiver<Box<dyn Work>>,
    ) -> std::io::Result<JoinHandle<()>> {
        thread::Builder::new()
            .name("relay-writer".into())
            .spawn(move || {
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    while let Some(first) = queue.blocking_recv() {
                        let mut batch = vec![first];
                        while batch.len() < BATCH_COMMANDS_MAX
                            && let Ok(next) = queue.try_recv()
                        {
                            batch.push(next);
                        }
                        self.serve(batch);
                    }
                    // Best effort: the log is read at the next start either way.
                    let _ = checkpoint(&self.conn);
                }));
                if outcome.is_err() {
                    tracing::error!(
                        "the writer died; the process ends so that it can be restarted"
                    );
                    std::process::exit(EXIT_WRITER_DIED);
                }
            })
    }

    fn serve(&mut self, batch: Vec<Box<dyn Work>>) {
        // After an error the page cache may claim that pages are on disk which are not; emptying the
        // log writes them all again (see `store::writer`).
        if self.failing {
            if let Err(error) = checkpoint(&self.conn) {
                answer_all(batch, &Err(error.into()));
                return;
            }
            tracing::info!("the disk works again");
            self.failing = false;
        }
        if let Some(trouble) = serve(&self.conn, &self.wakes, batch) {
            tracing::error!(?trouble, "a batch of commands failed");
            self.failing = trouble.is_of_the_disk();
        }
    }
}

/// One batch from queue to answers; what went wrong with all of it, if anything.
fn serve(
    conn: &Connection,
    wakes: &broadcast::Sender<Wake>,
    mut batch: Vec<Box<dyn Work>>,
) -> Option<Trouble> {
    match commit(conn, &mut batch) {
        Ok(left) => {
            for wake in left {
                // Nobody listening is no mistake.
                let _ = wakes.send(wake);
            }
            answer_all(batch, &Ok(()));
            None
        }
        Err(trouble) => {
            abandon(conn);
            answer_all(batch, &Err(trouble.clone()));
            Some(trouble)
        }
    }
}

/// Runs every command in a savepoint of its own and commits once; gives the hints of those that stay.
fn commit(conn: &Connection, batch: &mut [Box<dyn Work>]) -> Done<Vec<Wake>> {
    conn.prepare_cached("begin immediate")?.execute([])?;
    let mut left = Vec::new();
    for work in batch {
        conn.prepare_cached("savepoint command")?.execute([])?;
        let mut tx = Tx::new(conn);
        match work.run(&mut tx) {
            Ok(()) => {
                left.append(&mut tx.wakes);
                conn.prepare_cached("release command")?.execute([])?;
            }
            // SQLite gave the whole transaction up: nothing in it can be acknowledged.
            Err(trouble) if conn.is_autocommit() => return Err(trouble),
            Err(trouble) => {
                conn.prepare_cached("rollback to command")?.execute([])?;
                conn.prepare_cached("release command")?.execute([])?;
                if trouble.is_of_the_disk() {
                    return Err(trouble);
                }
            }
        }
    }
    conn.prepare_cached("commit")?.execute([])?;
    Ok(left)
}

/// Undoes what a failed batch left open. If even that fails, nothing can be known of this connection
/// any more: the process ends, and starts again with a fresh one.
fn abandon(conn: &Connection) {
    if !conn.is_autocommit() && conn.execute_batch("rollback").is_err() {
        tracing::error!(
            "a batch could not be undone; the process ends so that it can be restarted"
        );
        std::process::exit(EXIT_WRITER_DIED);
    }
}

fn answer_all(batch: Vec<Box<dyn Work>>, outcome: &Done<()>) {
    for work in batch {
        work.answer(outcome.clone());
    }
}
