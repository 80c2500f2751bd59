//! How long to wait before the next try (`sync.md` §3): `rand(0, min(60 s, 1 s · 2^n))`.

use std::time::Duration;

use crate::domain::LinkRefusal;

const FIRST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 60_000;
/// A relay that said no is asked again after so long, in case its operator mended something.
const REFUSED: Duration = Duration::from_secs(10 * 60);

/// Tries that failed in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    failed: u32,
}

impl Backoff {
    /// It worked: the next trouble begins anew.
    pub(super) fn reset(&mut self) {
        self.failed = 0;
    }

    /// How long to wait now; `random` is a fraction of 2^32.
    pub(super) fn next(&mut self, random: u32) -> Duration {
        let most = FIRST_MS
            .saturating_mul(1 << self.failed.min(16))
            .min(LONGEST_MS);
        self.failed = self.failed.saturating_add(1);
        Duration::from_millis(most * u64::from(random) / u64::from(u32::MAX))
    }

    /// How long to wait after a no.
    pub(super) const fn refused(why: LinkRefusal) -> Duration {
        match why {
            LinkRefusal::Quarantined
            | LinkRefusal::Superseded
            | LinkRefusal::UnknownHere
            | LinkRefusal::BadCode
            | LinkRefusal::OtherRelay
            | LinkRefusal::NotOurs => REFUSED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_minute_and_are_spread_from_nothing() {
        let mut backoff = Backoff::default();
        let longest: Vec<_> = (0..9).map(|_| backoff.next(u32::MAX).as_secs()).collect();
        assert_eq!(longest, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff.next(0), Duration::ZERO);
        backoff.reset();
        assert_eq!(backoff.next(u32::MAX), Duration::from_secs(1));
    }
}
