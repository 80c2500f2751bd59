//! When a disk is full, from how full it was on the days before.

use super::words::DAY_MS;
use crate::domain::Timestamp;

/// How full the disk was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// What was used, in bytes.
    pub used: u64,
}

/// Fewer numbers say nothing.
const SAMPLES_MIN: usize = 4;
/// Numbers of fewer days say nothing, in milliseconds.
const WATCHED_MS_MIN: i64 = 3 * DAY_MS;

/// In how many milliseconds the rest is used up at the pace of these days; `None` where it is not
/// filling, or was not watched for long enough.
///
/// The pace is the median of the paces between every two days (Theil and Sen): one large file that
/// came or went does not change it.
pub fn full_in_ms(samples: &[Sample], free: u64) -> Option<i64> {
    let (first, last) = (samples.first()?, samples.last()?);
    if samples.len() < SAMPLES_MIN || last.at.0.saturating_sub(first.at.0) < WATCHED_MS_MIN {
        return None;
    }
    let mut paces = Vec::with_capacity(samples.len() * samples.len() / 2);
    for (at, early) in samples.iter().enumerate() {
        for late in &samples[at + 1..] {
            let ms = i128::from(late.at.0.saturating_sub(early.at.0));
            if ms > 0 {
                let grown = i128::from(late.used) - i128::from(early.used);
                paces.push(grown * i128::from(DAY_MS) / ms);
            }
        }
    }
    paces.sort_unstable();
    let bytes_a_day = *paces.get(paces.len() / 2)?;
    if bytes_a_day <= 0 {
        return None;
    }
    i64::try_from(i128::from(free) * i128::from(DAY_MS) / bytes_a_day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(used: &[u64]) -> Vec<Sample> {
        let sample = |(day, used): (usize, &u64)| Sample {
            at: Timestamp(i64::try_from(day).unwrap() * DAY_MS),
            used: *used,
        };
        used.iter().enumerate().map(sample).collect()
    }

    #[test]
    fn a_disk_that_fills_is_full_one_day() {
        let steady = days(&[100, 110, 120, 130, 140]);
        assert_eq!(full_in_ms(&steady, 200), Some(20 * DAY_MS));
        // One large file does not change the pace.
        let jump = days(&[100, 1_110, 1_120, 1_130, 1_140, 1_150, 1_160, 1_170]);
        assert_eq!(full_in_ms(&jump, 200), Some(20 * DAY_MS));
    }

    #[test]
    fn a_disk_that_does_not_fill_or_was_not_watched_says_nothing() {
        assert_eq!(full_in_ms(&days(&[140, 130, 120, 110, 100]), 200), None);
        assert_eq!(full_in_ms(&days(&[100, 100, 100, 100]), 200), None);
        assert_eq!(full_in_ms(&days(&[100, 110, 120]), 200), None);
        assert_eq!(full_in_ms(&[], 200), None);
        let mut at_once = days(&[100, 110, 120, 130]);
        for sample in &mut at_once {
            sample.at = Timestamp(5);
        }
        assert_eq!(full_in_ms(&at_once, 200), None);
    }
}
