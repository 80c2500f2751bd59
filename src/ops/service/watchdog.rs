//! What feeds the service manager's watchdog: a real look at whether we live.
//!
//! A runtime that is stuck, a writer that does not answer and a disk that reports errors feed nothing;
//! the manager kills the process then and starts it again. A full disk is alive: people still read,
//! sign in and remove things.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::Manager;
use crate::clock::stopwatch;

/// Between two looks, at most: a condition is told within this time.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// Looks within the manager's limit: some may be late.
const LOOKS_PER_LIMIT: u32 = 4;
/// Between two looks that write to the disk: a hundred a day wear no card.
const THOROUGH_EVERY: Duration = Duration::from_secs(15 * 60);
/// What may take minutes may not take longer.
const LONG_WORK_MAX: Duration = Duration::from_secs(2 * 3_600);

/// How closely to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ops) enum Depth {
    /// Whether the writer answers.
    Quick,
    /// Whether the disk takes a write.
    Thorough,
}

/// What a look found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ops) enum Pulse {
    /// All is well.
    Sound,
    /// Alive, on a full disk.
    Full,
    /// Not well enough to be fed.
    Sick,
}

impl Pulse {
    /// What `systemctl status` shows; `usual` when all is well.
    const fn status(self, usual: &str) -> &str {
        match self {
            Self::Sound => usual,
            Self::Full => "The disk is full: nothing new is taken. Free some space",
            Self::Sick => "The disk does not take writes: look at the log and at the disk",
        }
    }
}

/// Looks and feeds, for as long as it is polled.
///
/// `look` runs on the runtime's own threads, not on the one that waits here: where those are stuck
/// nobody answers. `is_at_long_work` excuses an answer that is late. Cancel-safe: it only looks.
pub(in crate::ops) async fn feed<F, L>(
    manager: Manager,
    usual: &str,
    look: F,
    is_at_long_work: impl Fn() -> bool,
) -> Infallible
where
    F: Fn(Depth) -> L,
    L: Future<Output = Pulse> + Send + 'static,
{
    if !manager.listens {
        return std::future::pending().await;
    }
    let pause = manager
        .watchdog
        .map_or(PAUSE_MAX, |limit| (limit / LOOKS_PER_LIMIT).min(PAUSE_MAX));
    let mut told = Pulse::Sound;
    let mut wrote = stopwatch();
    loop {
        let depth = depth(wrote, told);
        if depth == Depth::Thorough {
            wrote = stopwatch();
        }
        let asked = stopwatch();
        let mut looking = JoinSet::new();
        looking.spawn(look(depth));
        let found = loop {
            tokio::select! {
                found = looking.join_next() => break found,
                () = tokio::time::sleep(pause) => {}
            }
            if is_at_long_work() && asked.elapsed() < LONG_WORK_MAX {
                manager.alive();
            }
        };
        // A look that panicked found nothing good.
        let pulse = found.and_then(Result::ok).unwrap_or(Pulse::Sick);
        match pulse {
            Pulse::Sound | Pulse::Full => manager.alive(),
            Pulse::Sick => tracing::warn!("not well: the service manager's watchdog is not fed"),
        }
        if pulse != told {
            manager.status(pulse.status(usual));
            told = pulse;
        }
        tokio::time::sleep(pause).await;
    }
}

/// Writes seldom while all is well, and each time while it is not: getting well shows at once.
fn depth(wrote: Instant, told: Pulse) -> Depth {
    match told {
        Pulse::Sound if wrote.elapsed() < THOROUGH_EVERY => Depth::Quick,
        Pulse::Sound | Pulse::Full | Pulse::Sick => Depth::Thorough,
    }
}
