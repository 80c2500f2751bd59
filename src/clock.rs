//! The only place that asks the machine what time it is.
//!
//! A Pi has no battery-backed clock: until the network tells, it may believe that it is 1970. Time
//! is therefore never earlier than the day this program was built, and never orders anything
//! (invariant 9).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::Timestamp;

/// 2026-11-01T00:00:00Z: this program did not exist before.
const FLOOR_MS: i64 = 1_793_491_200_000;

/// Tells the time; clones tell the same.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub const fn system() -> Self {
        Self {
            source: Source::System,
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
            Source::System => {}
            Source::Manual(now) => {
                now.fetch_add(ms, Ordering::SeqCst);
            }
        }
    }

    /// Now, not earlier than the day this program was built.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.reading_ms().max(FLOOR_MS))
    }

    /// Whether the machine was told the time at all: it is past the day this program was built.
    pub fn was_told(&self) -> bool {
        self.reading_ms() > FLOOR_MS
    }

    fn reading_ms(&self) -> i64 {
        match &self.source {
            Source::System => system_ms(),
            Source::Manual(now) => now.load(Ordering::SeqCst),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is clock.rs")]
fn system_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
        .saturating_add(shift_ms())
}

/// How far a test puts this process's clock off: `MOTOREACH_CLOCK_SHIFT_S`, in seconds. Only builds
/// with debug assertions look.
#[cfg(debug_assertions)]
fn shift_ms() -> i64 {
    static SHIFT_MS: std::sync::OnceLock<i64> = std::sync::OnceLock::new();
    *SHIFT_MS.get_or_init(|| {
        let asked = std::env::var("MOTOREACH_CLOCK_SHIFT_S").ok();
        let seconds = asked.and_then(|text| text.parse::<i64>().ok());
        seconds.unwrap_or(0).saturating_mul(1_000)
    })
}

#[cfg(not(debug_assertions))]
const fn shift_ms() -> i64 {
    0
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
        assert!(!clock.was_told());
        clock.advance_ms(FLOOR_MS + 5);
        assert!(clock.was_told());
        assert_eq!(clock.now(), Timestamp(FLOOR_MS + 5));
    }
}
