//! A backup a day, also where no timer of the system asks for one (`motoreach-backup.timer`): when the
//! newest attempt is more than a day old, the box makes one itself. A timer that works comes first.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::clock::{Quality, stopwatch};
use crate::domain::Timestamp;
use crate::store::backup::{self, BackupOrder, Backups, Place};
use crate::store::{Store, StoreError, local};

/// How often it is looked whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);
/// An attempt that is older than this makes the next one due, in milliseconds: 25 hours and a half, so
/// that a timer which asks every night, half an hour earlier or later, is never forestalled.
const DUE_AFTER_MS: i64 = (25 * 60 + 30) * 60 * 1_000;
/// A box whose clock nobody has set yet waits so long for somebody to do it.
const TIME_WAIT: Duration = Duration::from_secs(3_600);

/// Looks after it until the box stops.
pub(super) async fn run(store: Store, backups: Backups, shutdown: CancellationToken) {
    let began = stopwatch();
    loop {
        // Not at once: whoever starts a box wants it to answer first.
        if shutdown
            .run_until_cancelled(sleep(LOOK_EVERY))
            .await
            .is_none()
        {
            return;
        }
        let clock = store.clock();
        if clock.quality() != Quality::Sure && began.elapsed() < TIME_WAIT {
            continue;
        }
        match last_attempt(&store).await {
            Ok(Some(last)) if is_due(last, clock.now()) => begin(&backups),
            Ok(Some(_) | None) => {}
            Err(error) => tracing::warn!(%error, "whether a backup is due could not be read"),
        }
    }
}

fn begin(backups: &Backups) {
    let order = BackupOrder {
        place: Place::Settings,
        sealed: true,
    };
    match backups.begin(order) {
        Ok(_) => tracing::info!("the daily backup begins"),
        Err(fault) => tracing::debug!(%fault, "no daily backup now"),
    }
}

/// When the newest attempt was; none where there is no workshop to back up.
async fn last_attempt(store: &Store) -> Result<Option<Option<Timestamp>>, StoreError> {
    store
        .read(|view| {
            if local::workshop_name(view)?.is_none() {
                return Ok(None);
            }
            Ok(Some(backup::last(view)?.map(|last| last.at)))
        })
        .await
}

/// Whether the next one is due. An attempt in the future was made by a clock that was wrong.
fn is_due(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| last > now || now >= last.plus_ms(DUE_AFTER_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_573_800_000);
    const HOUR_MS: i64 = 3_600 * 1_000;

    #[test]
    fn one_is_due_after_a_day_and_never_before() {
        assert!(is_due(None, NOW));
        for (hours, due) in [(0, false), (1, false), (24, false), (25, false), (26, true)] {
            let last = NOW.plus_ms(-hours * HOUR_MS);
            assert_eq!(is_due(Some(last), NOW), due, "{hours}");
        }
    }

    #[test]
    fn an_attempt_in_the_future_holds_nothing_up() {
        assert!(is_due(Some(NOW.plus_ms(HOUR_MS)), NOW));
        let then = NOW.plus_ms(HOUR_MS);
        assert!(!is_due(Some(NOW), then), "once made, the next waits again");
    }
}
