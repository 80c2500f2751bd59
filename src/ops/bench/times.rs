//! Times of many attempts, told by their middle and by all but the slowest one in a hundred.

use std::time::Duration;

use serde::Serialize;

/// How long it took.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Times {
    /// Half were done within so many milliseconds.
    pub(super) p50_ms: f64,
    /// All but one in a hundred were.
    pub(super) p99_ms: f64,
}

impl Times {
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self {
            p50_ms: at(&times, 0.50),
            p99_ms: at(&times, 0.99),
        }
    }
}

/// In milliseconds.
pub(super) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn at(times: &[Duration], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let index = (times.len() as f64 * share) as usize;
    let last = times.len().saturating_sub(1);
    times.get(index.min(last)).map_or(0.0, |time| ms(*time))
}
