//! How long to wait before the next try: `rand(0, min(longest, 1 s · 2^n))` (`sync.md` §3), where the
//! longest depends on who would feel it.

use std::time::Duration;

use crate::domain::{LinkRefusal, LinkTrouble};

const FIRST_MS: u64 = 1_000;
/// While this machine itself has no way out, a try reaches nobody: it is back within seconds of its
/// network (quality.md R15).
const NO_WAY_OUT_MS: u64 = 4_000;
/// The longest pause in the first minutes of a trouble, when it is most likely to pass.
const AT_FIRST_MS: u64 = 10_000;
/// So many tries are the first minutes.
const AT_FIRST_TRIES: u32 = 40;
/// The longest pause.
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
    pub(super) fn next(&mut self, why: LinkTrouble, random: u32) -> Duration {
        let longest = match why {
            LinkTrouble::NoNetwork => NO_WAY_OUT_MS,
            LinkTrouble::NoAnswer
            | LinkTrouble::NotARelay
            | LinkTrouble::Tls
            | LinkTrouble::Silent
            | LinkTrouble::RelayRestarting
            | LinkTrouble::Rewound
            | LinkTrouble::Other => {
                if self.failed < AT_FIRST_TRIES {
                    AT_FIRST_MS
                } else {
                    LONGEST_MS
                }
            }
        };
        let most = FIRST_MS
            .saturating_mul(1 << self.failed.min(16))
            .min(longest);
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
    fn waits_grow_and_are_spread_from_nothing() {
        let mut backoff = Backoff::default();
        let why = LinkTrouble::NoAnswer;
        let mut longest = || backoff.next(why, u32::MAX).as_secs();
        let first: Vec<_> = (0..6).map(|_| longest()).collect();
        assert_eq!(first, [1, 2, 4, 8, 10, 10]);
        let later = (0..AT_FIRST_TRIES).map(|_| longest()).last();
        assert_eq!(later, Some(60));
        assert_eq!(backoff.next(why, 0), Duration::ZERO);
        backoff.reset();
        assert_eq!(backoff.next(why, u32::MAX), Duration::from_secs(1));
    }

    #[test]
    fn a_machine_that_has_no_way_out_looks_for_one_every_few_seconds() {
        let mut backoff = Backoff::default();
        let waits = (0..100).map(|_| backoff.next(LinkTrouble::NoNetwork, u32::MAX));
        assert_eq!(waits.last(), Some(Duration::from_secs(4)));
    }
}
