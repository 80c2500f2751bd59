//! The one thread that writes (invariant 2).
//!
//! It takes what queued while the last commit was being written to disk, gives each command a
//! savepoint of its own, commits once, publishes, and only then answers (invariant 1). A command
//! that is refused or panics is undone alone. If the thread itself dies, the process ends: a box
//! that cannot write must not look alive.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::card::LOCK_WAIT;
pub(crate) use super::card::{checkpoint, empty_log, prepare};
use super::error::{CommandError, StoreError};
use super::high_water::HighWater;
use super::keys::BoxKeys;
use super::latency::Latency;
use super::space::{Need, Space};
use super::tx::{CommandResult, View, WriteTx};
use crate::clock::{Clock, stopwatch};
use crate::domain::Committed;

/// Commands that share one commit.
const BATCH_COMMANDS_MAX: usize = 256;
/// Commands that wait for the writer; more are answered "busy".
pub(super) const QUEUE_COMMANDS_MAX: usize = 1_024;
/// Longest wait for a reader while the disk proves itself.
const PROOF_WAIT: Duration = Duration::from_millis(200);
/// The exit status of a process whose writer died (`EX_SOFTWARE` of sysexits.h).
pub(crate) const EXIT_WRITER_DIED: i32 = 70;

/// Hands what was just committed to whoever listens; called on the writer's thread, so it may only
/// queue and never wait.
pub type Publish = Box<dyn Fn(&[Committed]) + Send>;

/// How the writer fares, for everybody to see.
#[derive(Debug, Default)]
pub struct Health {
    condition: AtomicU8,
    /// When the disk last took a write.
    written: Mutex<Option<Instant>>,
    /// How long commits that wrote something took.
    pub(super) commits: Latency,
}

/// What `Health` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Everything that is asked is written.
    Sound,
    /// No room: only what is essential is written.
    Full,
    /// The disk reported an error: nothing is written until it has proven itself again.
    Failing,
}

impl Health {
    /// How the writer fares.
    pub fn condition(&self) -> Condition {
        match self.condition.load(Ordering::Relaxed) {
            0 => Condition::Sound,
            1 => Condition::Full,
            _ => Condition::Failing,
        }
    }

    /// Whether the disk took a write within this time, and nothing speaks against it since.
    pub(super) fn is_proven_within(&self, life: Duration) -> bool {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        self.condition() == Condition::Sound && written.is_some_and(|at| at.elapsed() < life)
    }

    fn wrote(&self) {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = Some(stopwatch());
    }

    fn set(&self, condition: Condition) {
        let code = match condition {
            Condition::Sound => 0,
            Condition::Full => 1,
            Condition::Failing => 2,
        };
        self.condition.store(code, Ordering::Relaxed);
    }
}

/// A command on its way through the writer.
pub(super) trait Work: Send {
    fn need(&self) -> Need;
    /// Runs the command; `Err` undoes what it did.
    fn run(&mut self, tx: &mut WriteTx<'_>) -> Result<(), Undo>;
    /// Answers whoever asked: after the commit, or with the reason why there was none.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// Why a command's savepoint is undone.
pub(super) enum Undo {
    Refused,
    Failed(StoreError),
}

/// A command with the place where its answer is awaited.
pub(super) struct Job<F, T> {
    command: Option<F>,
    need: Need,
    result: Option<CommandResult<T>>,
    answer: oneshot::Sender<CommandResult<T>>,
}

impl<F, T> Job<F, T> {
    pub(super) const fn new(
        command: F,
        need: Need,
        answer: oneshot::Sender<CommandResult<T>>,
    ) -> Self {
        Self {
            command: Some(command),
            need,
            result: None,
            answer,
        }
    }
}

impl<F, T> Work for Job<F, T>
where
    F: FnOnce(&mut WriteTx<'_>) -> CommandResult<T> + Send,
    T: Send,
{
    fn need(&self) -> Need {
        self.need
    }

    fn run(&mut self, tx: &mut WriteTx<'_>) -> Result<(), Undo> {
        let Some(command) = self.command.take() else {
            return Ok(());
        };
        let result = catch_unwind(AssertUnwindSafe(|| command(tx))).unwrap_or_else(|_| {
            tracing::error!("a command panicked; it was undone");
            Err(CommandError::Store(StoreError::Fault(None)))
        });
        let undo = match &result {
            Ok(_) => Ok(()),
            Err(CommandError::Rejected(_)) => Err(Undo::Refused),
            Err(CommandError::Store(error)) => Err(Undo::Failed(error.clone())),
        };
        self.result = Some(result);
        undo
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let result = match (outcome, self.result) {
            (Err(error), _) => Err(CommandError::Store(error)),
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(CommandError::Store(StoreError::Fault(None))),
        };
        // Whoever asked may have gone; the commit stands all the same.
        let _ = self.answer.send(result);
    }
}

pub(super) struct Writer {
    pub(super) conn: Connection,
    pub(super) keys: Arc<BoxKeys>,
    pub(super) clock: Clock,
    pub(super) space: Space,
    pub(super) high_water: HighWater,
    pub(super) health: Arc<Health>,
    pub(super) publish: Publish,
}

impl Writer {
    /// Starts the thread; it ends when the queue is closed and empty.
    pub(super) fn spawn(
        mut self,
        mut queue: mpsc::Receiver<Box<dyn Work>>,
    ) -> std::io::Result<thread::JoinHandle<()>> {
        thread::Builder::new().name("writer".into()).spawn(move || {
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
                self.high_water.write(&self.conn);
                // Best effort: the log is read at the next start either way.
                let _ = checkpoint(&self.conn);
            }));
            if outcome.is_err() {
                tracing::error!("the writer died; the process ends so that it can be restarted");
                std::process::exit(EXIT_WRITER_DIED);
            }
        })
    }

    /// One batch from queue to answers.
    fn serve(&mut self, batch: Vec<Box<dyn Work>>) {
        if self.health.condition() == Condition::Failing
            && let Err(error) = self.prove_disk()
        {
            answer_all(batch, &Err(error));
            return;
        }
        let (mut admitted, refused): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .partition(|work| self.space.admits(work.need()));
        answer_all(refused, &Err(StoreError::Full));
        if admitted.is_empty() {
            return;
        }
        let outcome = match self.commit(&mut admitted) {
            Ok(recorded) => {
                if !recorded.is_empty() {
                    (self.publish)(&recorded);
                    self.high_water.grown(&self.conn);
                }
                Ok(())
            }
            Err(error) => {
                self.abandon();
                self.note(&error);
                Err(error)
            }
        };
        self.health
            .set(match (self.health.condition(), self.space.is_full()) {
                (Condition::Failing, _) => Condition::Failing,
                (Condition::Sound | Condition::Full, true) => Condition::Full,
                (Condition::Sound | Condition::Full, false) => Condition::Sound,
            });
        answer_all(admitted, &outcome);
    }

    /// Runs every command in a savepoint of its own and commits once.
    fn commit(&mut self, batch: &mut [Box<dyn Work>]) -> Result<Vec<Committed>, StoreError> {
        let Self {
            conn,
            keys,
            clock,
            health,
            ..
        } = self;
        let changes = conn.total_changes();
        conn.prepare_cached("begin immediate")?.execute([])?;
        let mut recorded = Vec::new();
        for work in batch {
            conn.prepare_cached("savepoint command")?.execute([])?;
            let mut tx = WriteTx::new(View {
                conn,
                keys,
                now: clock.now(),
            });
            match work.run(&mut tx) {
                Ok(()) => {
                    recorded.append(&mut tx.into_recorded());
                    conn.prepare_cached("release command")?.execute([])?;
                }
                // SQLite gave the whole transaction up: nothing in it can be acknowledged.
                Err(Undo::Failed(error)) if conn.is_autocommit() => return Err(error),
                Err(undo) => {
                    conn.prepare_cached("rollback to command")?.execute([])?;
                    conn.prepare_cached("release command")?.execute([])?;
                    if let Undo::Failed(error @ (StoreError::Full | StoreError::Failing(_))) = undo
                    {
                        return Err(error);
                    }
                }
            }
        }
        let begun = stopwatch();
        conn.prepare_cached("commit")?.execute([])?;
        if conn.total_changes() != changes {
            health.wrote();
            health.commits.add(begun.elapsed());
        }
        Ok(recorded)
    }

    /// Undoes what a failed batch left open. If even that fails, nothing can be known of this
    /// connection any more: the process ends, and starts again with a fresh one.
    fn abandon(&self) {
        if !self.conn.is_autocommit() && self.conn.execute_batch("rollback").is_err() {
            tracing::error!(
                "a batch could not be undone; the process ends so that it can be restarted"
            );
            std::process::exit(EXIT_WRITER_DIED);
        }
    }

    /// Learns from a failed batch.
    fn note(&mut self, error: &StoreError) {
        match error {
            StoreError::Full => {
                self.space.ran_out();
                // Moves what the log holds into the database and gives its room back, if it can.
                let _ = checkpoint(&self.conn);
            }
            StoreError::Failing(cause) => {
                tracing::error!(?cause, "the disk reports errors; nothing is acknowledged");
                self.health.set(Condition::Failing);
            }
            StoreError::ReadOnly | StoreError::Damaged(_) => {
                tracing::error!(%error, "nothing can be written");
                self.health.set(Condition::Failing);
            }
            StoreError::Busy | StoreError::Unknown | StoreError::Stopped | StoreError::Fault(_) => {
                tracing::error!(?error, "a batch of commands failed");
            }
        }
    }

    /// After an error the page cache may claim that pages are on disk which are not. A checkpoint
    /// that empties the log reads and writes them all again; before it succeeds nothing may be
    /// acknowledged (measured: without it, later messages were lost at the next power cut).
    fn prove_disk(&mut self) -> Result<(), StoreError> {
        // A reader of another process, such as doctor, may hold the log: ask again with the next
        // batch instead of keeping this one waiting.
        let _ = self.conn.busy_timeout(PROOF_WAIT);
        let proven = checkpoint(&self.conn);
        let _ = self.conn.busy_timeout(LOCK_WAIT);
        proven.map_err(|error| match error {
            StoreError::Busy => StoreError::Failing(None),
            StoreError::Full
            | StoreError::Failing(_)
            | StoreError::ReadOnly
            | StoreError::Damaged(_)
            | StoreError::Unknown
            | StoreError::Stopped
            | StoreError::Fault(_) => error,
        })?;
        tracing::info!("the disk works again");
        self.health.set(Condition::Sound);
        Ok(())
    }
}

fn answer_all(batch: Vec<Box<dyn Work>>, outcome: &Result<(), StoreError>) {
    for work in batch {
        work.answer(outcome.clone());
    }
}
