//! The only place that asks the machine what time it is.
//!
//! A Pi has no battery-backed clock: until the network tells, it may believe that it is 1970, or that
//! it is still the day it was switched off. So time is never earlier than the day this program was
//! built, than the latest that an earlier run knew (`floor`), or than it was a moment ago (`line`); it
//! never orders anything (invariant 9), and how far it can be relied on is told by `quality`.

mod floor;
mod line;
mod machine;

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::domain::Timestamp;
use floor::Floor;
use line::{Known, Line};

/// 2026-11-01T00:00:00Z: this program did not exist before.
const FLOOR_MS: i64 = 1_793_491_200_000;

/// Tells the time; clones tell the same.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    System(Arc<System>),
    Manual(Arc<AtomicI64>),
}

/// The machine's clock, made fit to be used.
#[derive(Debug)]
struct System {
    started: Instant,
    floor: Option<Floor>,
    line: Mutex<Line>,
}

/// How far the time can be relied on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quality {
    /// The network told the machine the time since it was switched on.
    Sure,
    /// Nobody told since it was switched on: right where the machine has a clock with a battery, or was
    /// only restarted.
    NotSure,
    /// The machine believes in a time that cannot be: what is shown is the latest that was known, and
    /// runs on from there.
    Floor,
}

impl Clock {
    /// The machine's clock, for what keeps no data.
    pub fn system() -> Self {
        Self::beginning(None)
    }

    /// The machine's clock, never earlier than what this file says; `keep` writes it. A missing or torn
    /// file says nothing.
    pub fn kept(file: &Path) -> Self {
        Self::beginning(Some(Floor::at(file)))
    }

    fn beginning(floor: Option<Floor>) -> Self {
        let known = floor.as_ref().and_then(Floor::read);
        let line = Line::beginning(known.map_or(Known::Nothing, |at| Known::Before(at.0)));
        let system = System {
            started: stopwatch(),
            floor,
            line: Mutex::new(line),
        };
        Self {
            source: Source::System(Arc::new(system)),
        }
    }

    /// A clock that stands still until it is told to move; for tests and for the sample
    /// workshop, whose conversations lie in the past.
    pub fn manual(start: Timestamp) -> Self {
        Self {
            source: Source::Manual(Arc::new(AtomicI64::new(start.0))),
        }
    }

    /// Moves a manual clock by `ms` milliseconds, either way. The system's clock is not ours to move.
    pub fn advance_ms(&self, ms: i64) {
        match &self.source {
            Source::System(_) => {}
            Source::Manual(now) => {
                now.fetch_add(ms, Ordering::SeqCst);
            }
        }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        match &self.source {
            Source::System(system) => Timestamp(system.told(Line::now)),
            Source::Manual(now) => Timestamp(now.load(Ordering::SeqCst).max(FLOOR_MS)),
        }
    }

    /// How far `now` can be relied on.
    pub fn quality(&self) -> Quality {
        match &self.source {
            Source::System(system) => system.told(Line::quality),
            Source::Manual(now) if now.load(Ordering::SeqCst) > FLOOR_MS => Quality::NotSure,
            Source::Manual(_) => Quality::Floor,
        }
    }

    /// It was already so late when something of our own happened: the newest entry of the journal, say.
    /// Never what a peer claims. Counts only while the machine was not told the time, and only where
    /// it is plausible: a journal that was written while the clock was years ahead must not make every
    /// start as late.
    pub fn was_already(&self, known: Timestamp) {
        if let Source::System(system) = &self.source {
            system.told(|line, moment| line.was_already(known.0, moment));
        }
    }

    /// Writes down how late it is, for the next start. Rarely: once an hour, and at the end.
    pub fn keep(&self) {
        if let Source::System(system) = &self.source
            && let Some(floor) = &system.floor
            && let Some(ms) = system.told(Line::worth_keeping)
        {
            floor.write(Timestamp(ms));
        }
    }
}

impl System {
    /// Asks the line with a fresh look at the machine.
    fn told<T>(&self, ask: impl FnOnce(&mut Line, line::Moment) -> T) -> T {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let run_ms = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let sure = line.is_sure_at(run_ms, machine::is_synchronised);
        let moment = line::Moment {
            machine_ms: machine::now_ms(),
            run_ms,
            sure,
        };
        ask(&mut line, moment)
    }
}

/// A reading of the clock that only measures how long something takes.
#[expect(clippy::disallowed_methods, reason = "this is clock.rs")]
pub fn stopwatch() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_never_earlier_than_the_program() {
        let clock = Clock::manual(Timestamp(0));
        assert_eq!(clock.now(), Timestamp(FLOOR_MS));
        assert_eq!(clock.quality(), Quality::Floor);
        clock.advance_ms(FLOOR_MS + 5);
        assert_eq!(clock.quality(), Quality::NotSure);
        assert_eq!(clock.now(), Timestamp(FLOOR_MS + 5));
    }

    #[test]
    fn a_clock_that_was_kept_is_never_earlier_at_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("clock-floor");
        let first = Clock::kept(&file);
        let ahead = first.now().plus_ms(24 * 3_600 * 1_000);
        first.was_already(ahead);
        assert!(first.now() >= ahead);
        first.keep();
        let next = Clock::kept(&file);
        assert!(next.now() >= ahead);
        std::fs::write(&file, "torn").unwrap();
        assert!(Clock::kept(&file).now() < ahead);
    }
}
