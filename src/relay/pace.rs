//! How fast somebody may go on for ever, and how much at once: one point in time a key (GCRA), however
//! many tries it stands for.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Keys remembered at once; past it those that owe nothing any more are forgotten, then any.
const KEYS_MAX: usize = 65_536;

/// So many at once, then one in every stretch of time, for each key.
#[derive(Debug)]
pub(super) struct Pace<K> {
    every: Duration,
    burst: Duration,
    /// When everything that was taken will have been worth its time.
    owed_until: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash + Clone> Pace<K> {
    /// `burst` at once, then one `every` so often.
    pub(super) fn new(burst: u32, every: Duration) -> Self {
        Self {
            every,
            burst: every * burst,
            owed_until: Mutex::default(),
        }
    }

    /// Takes one.
    ///
    /// # Errors
    /// Too fast: how long until there is one again. Nothing was taken.
    pub(super) fn take(&self, key: &K, now: Instant) -> Result<(), Duration> {
        let mut owed = self.owed_until();
        let until = owed.get(key).copied().unwrap_or(now).max(now) + self.every;
        let ahead = until.duration_since(now);
        if ahead > self.burst {
            return Err(ahead - self.burst);
        }
        if owed.len() >= KEYS_MAX && !owed.contains_key(key) {
            owed.retain(|_, until| *until > now);
            if owed.len() >= KEYS_MAX {
                owed.clear();
            }
        }
        owed.insert(key.clone(), until);
        Ok(())
    }

    fn owed_until(&self) -> MutexGuard<'_, HashMap<K, Instant>> {
        self.owed_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::stopwatch;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn so_many_at_once_then_one_by_one() {
        let pace = Pace::new(3, SECOND);
        let now = stopwatch();
        for _ in 0..3 {
            assert_eq!(pace.take(&1, now), Ok(()));
        }
        assert_eq!(pace.take(&1, now), Err(SECOND));
        assert_eq!(pace.take(&2, now), Ok(()));
        assert_eq!(pace.take(&1, now + SECOND), Ok(()));
        assert_eq!(pace.take(&1, now + SECOND), Err(SECOND));
        for _ in 0..3 {
            assert_eq!(pace.take(&1, now + SECOND * 9), Ok(()));
        }
    }

    #[test]
    fn memory_is_bounded_whoever_comes() {
        let pace = Pace::new(1, SECOND);
        let now = stopwatch();
        for key in 0..=KEYS_MAX {
            assert_eq!(pace.take(&key, now), Ok(()));
        }
        assert!(pace.owed_until().len() <= KEYS_MAX);
    }
}
