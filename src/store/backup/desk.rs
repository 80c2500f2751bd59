//! Backups of a box that is open: one at a time, on a thread of its own that gives way to everybody
//! else. Whoever asks for one (the page, the command line, the clockwork) gets a ticket to follow it by.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::folder::{Found, found};
use super::keep::{Present, too_many};
use super::make::{Made, Place, Work, make, remove};
use super::trouble::Trouble;
use super::watch::Watch;
use super::{folder, name, record};
use crate::clock::Quality;
use crate::crash;
use crate::domain::{BackupFault, BackupProgress, BackupProof, BackupStep, LastBackup, Timestamp};
use crate::store::error::{CommandError, StoreError};
use crate::store::{Condition, Need, Store};

/// How much a backup gives way to others (nice(2)).
const POLITENESS: i32 = 10;

/// What somebody asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackupOrder {
    /// Where to.
    pub place: Place,
    /// Whether only the recovery words may open it.
    pub sealed: bool,
}

/// What came of a backup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackupOutcome {
    /// The attempt.
    pub last: LastBackup,
    /// Where the file is, in full.
    pub path: Option<PathBuf>,
    /// That it was restored, if it was.
    pub proof: Option<BackupProof>,
    /// Older ones that gave way to it.
    pub removed: usize,
}

/// The desk; clones are the same one.
#[derive(Clone)]
pub struct Backups {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    state: watch::Sender<State>,
    stop: CancellationToken,
    tracker: TaskTracker,
}

#[derive(Clone, Default)]
struct State {
    /// The newest ticket.
    ticket: u64,
    running: Option<BackupProgress>,
    ended: Option<BackupOutcome>,
}

impl Backups {
    /// A desk for an open box; `stop` ends what is under way, `tracker` owns it.
    pub fn new(store: Store, stop: CancellationToken, tracker: TaskTracker) -> Self {
        if let Err(error) = remove(&store.dir().backing_up()) {
            tracing::warn!(%error, "what a backup left behind could not be removed");
        }
        let inner = Inner {
            store,
            state: watch::Sender::new(State::default()),
            stop,
            tracker,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Begins a backup.
    ///
    /// # Errors
    /// `UnderWay`, or the system has no thread for it.
    pub fn begin(&self, order: BackupOrder) -> Result<u64, BackupFault> {
        let mut ticket = 0;
        let free = self.inner.state.send_if_modified(|state| {
            if state.running.is_some() {
                return false;
            }
            state.ticket += 1;
            ticket = state.ticket;
            state.ended = None;
            state.running = Some(BackupProgress {
                step: BackupStep::Copying,
                done: 0,
                of: 0,
            });
            true
        });
        if !free {
            return Err(BackupFault::UnderWay);
        }
        let desk = self.clone();
        self.inner.tracker.spawn(async move {
            let outcome = desk.carry_out(order).await;
            desk.inner.state.send_modify(|state| {
                state.running = None;
                state.ended = Some(outcome);
            });
        });
        Ok(ticket)
    }

    /// How far the one under way has come.
    pub fn running(&self) -> Option<BackupProgress> {
        self.inner.state.borrow().running
    }

    /// What came of the newest one that ended, with its ticket.
    pub fn ended(&self) -> Option<(u64, BackupOutcome)> {
        let state = self.inner.state.borrow();
        state.ended.clone().map(|ended| (state.ticket, ended))
    }

    /// Waits for what comes of it; `told` follows it. None when the box stopped first. Cancel-safe.
    pub async fn outcome(
        &self,
        ticket: u64,
        mut told: impl FnMut(BackupProgress),
    ) -> Option<BackupOutcome> {
        let mut states = self.inner.state.subscribe();
        loop {
            let state = states.borrow_and_update().clone();
            if state.ticket != ticket {
                return None;
            }
            if let Some(progress) = state.running {
                told(progress);
            }
            if state.ended.is_some() {
                return state.ended;
            }
            states.changed().await.ok()?;
        }
    }

    async fn carry_out(&self, order: BackupOrder) -> BackupOutcome {
        let store = &self.inner.store;
        let at = store.clock().now();
        let settings = store.read(record::settings).await;
        let made = match settings {
            Ok(settings) => {
                let made = self.made(order.clone(), settings.clone()).await;
                made.map(|made| (made, settings))
            }
            Err(error) => Err(Trouble::of_store(error)),
        };
        match made {
            Ok((made, settings)) => self.conclude(made, &order, &settings, at).await,
            Err(trouble) => {
                tell(&trouble);
                let last = LastBackup {
                    at,
                    file: None,
                    bytes: 0,
                    sealed: order.sealed,
                    fault: Some(trouble.fault.into()),
                };
                self.note(last.clone()).await;
                BackupOutcome {
                    last,
                    path: None,
                    proof: None,
                    removed: 0,
                }
            }
        }
    }

    /// Makes it on a thread of its own.
    async fn made(&self, order: BackupOrder, settings: record::Settings) -> Result<Made, Trouble> {
        let inner = Arc::clone(&self.inner);
        let (answer, answered) = tokio::sync::oneshot::channel();
        let spawned = thread::Builder::new().name("backup".into()).spawn(move || {
            // Linux counts this for the thread alone. Without it the backup is made all the same.
            let _ = rustix::process::nice(POLITENESS);
            let store = &inner.store;
            let work = Work {
                dir: store.dir(),
                keys: store.keys(),
                clock: store.clock(),
                settings: &settings,
                place: &order.place,
                sealed: order.sealed,
            };
            let watch = Watch {
                told: &|progress| {
                    inner
                        .state
                        .send_modify(|state| state.running = Some(progress));
                },
                stop: &|| inner.why_to_stop(),
            };
            let _ = answer.send(make(&work, &watch));
        });
        if let Err(error) = spawned {
            return Err(Trouble::at_home(error));
        }
        // A thread that panicked answers nothing.
        answered
            .await
            .unwrap_or_else(|_| Err(Trouble::of_store(StoreError::Fault(None))))
    }

    /// Notes what came of it; only what was proven lets older ones go.
    async fn conclude(
        &self,
        made: Made,
        order: &BackupOrder,
        settings: &record::Settings,
        at: Timestamp,
    ) -> BackupOutcome {
        let Made {
            path,
            bytes,
            header,
            proven,
        } = made;
        let file = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let mut last = LastBackup {
            at,
            file: file.clone(),
            bytes,
            sealed: header.sealed,
            fault: None,
        };
        let proven = match proven {
            Ok(proven) => proven,
            Err(trouble) => {
                tell(&trouble);
                if trouble.fault == BackupFault::NotWhatWasWritten {
                    last.file = None;
                }
                last.fault = Some(trouble.fault.into());
                self.note(last.clone()).await;
                return BackupOutcome {
                    path: last.file.is_some().then_some(path),
                    last,
                    proof: None,
                    removed: 0,
                };
            }
        };
        let proof = BackupProof {
            at: self.inner.store.clock().now(),
            seq: header.head.seq,
            messages: proven.messages,
            of: i64::try_from(header.messages).unwrap_or(i64::MAX),
            seconds: proven.seconds,
            file: file.unwrap_or_default(),
        };
        let noted = {
            let (proof, last, chain) = (proof.clone(), last.clone(), header.head.chain);
            let write = self.inner.store.write_needed(Need::Essential, move |tx| {
                record::note_last(tx, &last)?;
                Ok(record::note_proof(tx, &proof, chain)?)
            });
            write.await
        };
        tracing::info!(file = %path.display(), bytes, messages = proof.messages, "a backup was proven");
        crash::point("backup-proven");
        // What is not noted as proven makes nobody give way.
        let removed = match (noted, &order.place) {
            (Ok(()), Place::Settings) => self.make_room(&path, settings).await,
            (Ok(()), Place::At(_)) => 0,
            (Err(error), _) => {
                not_noted(&error);
                0
            }
        };
        BackupOutcome {
            last,
            path: Some(path),
            proof: Some(proof),
            removed,
        }
    }

    async fn note(&self, last: LastBackup) {
        let noted = self
            .inner
            .store
            .write_needed(Need::Essential, move |tx| Ok(record::note_last(tx, &last)?));
        if let Err(error) = noted.await {
            not_noted(&error);
        }
    }

    /// Removes those that the keep-rules do not keep; says how many.
    async fn make_room(&self, proven: &Path, settings: &record::Settings) -> usize {
        let inner = Arc::clone(&self.inner);
        let (proven, rules) = (proven.to_owned(), settings.keep);
        let removing = tokio::task::spawn_blocking(move || {
            let (Some(folder), Some(newest)) = (proven.parent(), proven.file_name()) else {
                return 0;
            };
            let clock = inner.store.clock();
            let present = Present {
                now: clock.now(),
                is_sure: clock.quality() == Quality::Sure,
            };
            let files = match found(folder, inner.store.keys().workshop()) {
                Ok(files) => files,
                Err(error) => {
                    tracing::warn!(%error, "the folder for backups could not be looked through");
                    return 0;
                }
            };
            let ours: Vec<Found> = files
                .into_iter()
                .filter(|file| name::is_ours(&file.name))
                .collect();
            let many = too_many(&ours, &newest.to_string_lossy(), rules, present);
            let removed = many
                .iter()
                .filter(|name| removed(&folder.join(name)))
                .count();
            if removed > 0 {
                let _ = folder::sync(folder);
            }
            removed
        });
        removing.await.unwrap_or(0)
    }
}

impl Inner {
    fn why_to_stop(&self) -> Option<BackupFault> {
        if self.stop.is_cancelled() {
            return Some(BackupFault::Stopped);
        }
        // A disk that has to prove itself needs everybody to let go of the log.
        (self.store.condition() == Condition::Failing).then_some(BackupFault::BoxFails)
    }
}

fn removed(path: &Path) -> bool {
    let gone = fs::remove_file(path);
    crash::point("backup-older-removed");
    match gone {
        Ok(()) => {
            tracing::info!(file = %path.display(), "an older backup gave way");
            true
        }
        Err(error) => {
            tracing::warn!(file = %path.display(), %error, "an older backup could not be removed");
            false
        }
    }
}

fn tell(trouble: &Trouble) {
    let cause = std::error::Error::source(trouble).map(ToString::to_string);
    let cause = cause.as_deref().unwrap_or("-");
    tracing::warn!(fault = trouble.fault.word(), cause, "no backup was proven");
}

fn not_noted(error: &CommandError) {
    tracing::warn!(%error, "what came of a backup could not be noted");
}
