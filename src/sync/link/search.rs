//! Finding the last position that two copies of a journal share: the newest first, then in even steps.
//!
//! A chain's value stands for everything before it, so copies agree up to some position and nowhere
//! after it.

use crate::domain::Seq;
use crate::seal::Chain;
use crate::wire::link::PROBE_POSITIONS_MAX;

/// A search that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Search {
    /// The copies agree here.
    low: Seq,
    /// They do not agree after here.
    high: Seq,
    asked: Vec<Seq>,
    first: bool,
}

impl Search {
    /// Both copies reach at least to `high`.
    pub(super) const fn new(high: Seq) -> Self {
        Self {
            low: Seq(0),
            high,
            asked: Vec::new(),
            first: true,
        }
    }

    /// Positions to compare next, rising; none once the answer is known.
    pub(super) fn ask(&mut self) -> &[Seq] {
        let (low, high) = (self.low.0, self.high.0);
        let mut asked: Vec<i64> = if self.first {
            // Copies mostly part near their ends: head, −1, −2, −4, … (`sync.md` §3).
            (0..PROBE_POSITIONS_MAX)
                .map(|step| high - if step == 0 { 0 } else { 1_i64 << (step - 1) })
                .take_while(|seq| *seq > low)
                .collect()
        } else {
            let steps = i64::try_from(PROBE_POSITIONS_MAX).unwrap_or(1);
            let wide = high - low;
            (1..=steps).map(|step| low + wide * step / steps).collect()
        };
        self.first = false;
        asked.retain(|seq| *seq > low && *seq <= high);
        asked.sort_unstable();
        asked.dedup();
        self.asked = asked.into_iter().map(Seq).collect();
        &self.asked
    }

    /// Takes both copies' values at the positions that were asked about.
    pub(super) fn compare(&mut self, ours: &[Option<Chain>], theirs: &[Option<Chain>]) {
        for (index, seq) in self.asked.iter().enumerate() {
            let (our, their) = (ours.get(index), theirs.get(index));
            let agrees = matches!((our, their), (Some(Some(a)), Some(Some(b))) if a == b);
            if agrees {
                self.low = self.low.max(*seq);
            } else {
                self.high = self.high.min(Seq(seq.0 - 1));
            }
        }
        // A copy that contradicts itself (agrees after it disagreed) must not send us round for ever.
        self.low = self.low.min(self.high);
    }

    /// The last position that both have, once it is known.
    pub(super) fn found(&self) -> Option<Seq> {
        (self.low == self.high).then_some(self.low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(seq: i64, branch: u8) -> Chain {
        let mut bytes = [branch; 32];
        bytes[..8].copy_from_slice(&seq.to_be_bytes());
        Chain::from_bytes(bytes)
    }

    #[test]
    fn every_border_is_found_in_few_rounds() {
        for high in [0_i64, 1, 2, 31, 32, 33, 1_000, 1_000_000] {
            for common in [0, 1, 2, 5, high / 3, high / 2, high - 2, high - 1, high] {
                if !(0..=high).contains(&common) {
                    continue;
                }
                let mut search = Search::new(Seq(high));
                let mut rounds = 0;
                while search.found().is_none() {
                    rounds += 1;
                    let asked = search.ask().to_vec();
                    assert!(!asked.is_empty() && asked.len() <= PROBE_POSITIONS_MAX);
                    let of = |branch: u8| -> Vec<_> {
                        let value = |seq: &Seq| {
                            Some(chain(seq.0, if seq.0 <= common { 0 } else { branch }))
                        };
                        asked.iter().map(value).collect()
                    };
                    search.compare(&of(1), &of(2));
                    assert!(rounds <= 8, "high {high} common {common}");
                }
                assert_eq!(search.found(), Some(Seq(common)), "high {high}");
            }
        }
    }

    #[test]
    fn a_copy_that_contradicts_itself_ends_the_search() {
        let mut search = Search::new(Seq(1_000));
        for round in 0..64 {
            if search.found().is_some() {
                return;
            }
            let asked = search.ask().to_vec();
            let ours: Vec<_> = asked.iter().map(|seq| Some(chain(seq.0, 0))).collect();
            let theirs: Vec<_> = asked
                .iter()
                .enumerate()
                .map(|(index, seq)| Some(chain(seq.0, u8::from((index + round) % 2 == 0))))
                .collect();
            search.compare(&ours, &theirs);
        }
        panic!("it goes on for ever");
    }
}
