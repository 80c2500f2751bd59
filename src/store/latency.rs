//! How long commits take, counted in buckets: the writer adds, the box's health and `/metrics` read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets, in milliseconds; what takes longer falls into one more.
pub const BOUNDS_MS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];
/// What is said of a commit that took longer than the last bound, in milliseconds.
const BEYOND_MS: u64 = 10_000;
const BUCKETS: usize = BOUNDS_MS.len() + 1;

/// Counts commits; one thread adds, everybody reads.
#[derive(Debug, Default)]
pub(super) struct Latency {
    counts: [AtomicU64; BUCKETS],
    total_us: AtomicU64,
}

impl Latency {
    /// One more commit.
    pub(super) fn add(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MS.partition_point(|bound| bound.saturating_mul(1_000) < us);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.total_us.fetch_add(us, Ordering::Relaxed);
    }

    /// How it stands.
    pub(super) fn read(&self) -> Commits {
        Commits {
            counts: std::array::from_fn(|bucket| self.counts[bucket].load(Ordering::Relaxed)),
            total_us: self.total_us.load(Ordering::Relaxed),
        }
    }
}

/// Commits so far, by how long they took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Commits {
    counts: [u64; BUCKETS],
    /// What they took together, in microseconds.
    pub total_us: u64,
}

impl Commits {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many took at most each of [`BOUNDS_MS`].
    pub fn up_to(&self) -> [u64; BOUNDS_MS.len()] {
        let mut sum = 0;
        std::array::from_fn(|bucket| {
            sum += self.counts[bucket];
            sum
        })
    }

    /// Those that came after `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            counts: std::array::from_fn(|bucket| {
                self.counts[bucket].saturating_sub(before.counts[bucket])
            }),
            total_us: self.total_us.saturating_sub(before.total_us),
        }
    }

    /// What so many of a hundred took at most, in milliseconds, rounded up to a bound.
    pub fn percentile_ms(&self, of_100: u64) -> u64 {
        let wanted = (self.count() * of_100).div_ceil(100);
        let mut sum = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            sum += count;
            if sum >= wanted {
                return BOUNDS_MS.get(bucket).copied().unwrap_or(BEYOND_MS);
            }
        }
        BEYOND_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_counted_by_how_long_they_took() {
        let latency = Latency::default();
        for _ in 0..98 {
            latency.add(Duration::from_micros(1_500));
        }
        let before = latency.read();
        latency.add(Duration::from_millis(20));
        latency.add(Duration::from_secs(60));
        let all = latency.read();
        assert_eq!(all.count(), 100);
        assert_eq!(all.percentile_ms(50), 2);
        assert_eq!(all.percentile_ms(99), 20, "a bound belongs to its bucket");
        assert_eq!(all.percentile_ms(100), BEYOND_MS);
        assert_eq!(all.up_to()[0], 0);
        assert_eq!(all.up_to()[BOUNDS_MS.len() - 1], 99);
        let late = all.since(&before);
        assert_eq!((late.count(), late.total_us), (2, 60_020_000));
        assert_eq!(Commits::default().count(), 0);
    }
}
