//! What the box does for its health by itself: once an hour it looks at the clock, notes once a day how
//! full the disk is, and once a week reads its whole journal, slowly.

use std::sync::PoisonError;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Watch;
use crate::clock::Quality;
use crate::domain::Timestamp;
use crate::domain::health::{JournalCheck, Sample};
use crate::store::health::{self, JournalWalk};
use crate::store::{CommandError, Condition, Need, StoreError};

/// A box that was just started has better things to do.
const FIRST_ROUND: Duration = Duration::from_secs(10 * 60);
const ROUND: Duration = Duration::from_secs(60 * 60);
/// Between two numbers of the disk, in milliseconds: a write a day wears no card.
const SAMPLE_MS: i64 = 24 * 3_600 * 1_000;
/// Between two checks of the journal, in milliseconds.
const CHECK_MS: i64 = 7 * 24 * 3_600 * 1_000;
/// Between two steps through the journal: a hundred thousand entries take about a minute and a half,
/// and a Pi has nine tenths of its time for people.
const STEP_PAUSE: Duration = Duration::from_millis(200);

impl Watch {
    /// Goes its rounds until the box stops.
    pub async fn rounds(self, shutdown: CancellationToken) {
        let mut pause = FIRST_ROUND;
        loop {
            // Cancel-safe: both only wait.
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = ROUND;
            self.begin_hour();
            // Dropped half-way, nothing was noted, and the next start begins anew.
            if let Some(Err(error)) = shutdown.run_until_cancelled(self.round()).await {
                tracing::warn!(%error, "the box could not look after its health; it tries again");
            }
        }
    }

    fn begin_hour(&self) {
        let commits = self.inner.store.commits();
        let mut hours = self
            .inner
            .hours
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *hours = (hours.1, commits);
    }

    async fn round(&self) -> Result<(), CommandError> {
        // A date that is made up would spoil what is noted by date.
        let store = &self.inner.store;
        if store.condition() != Condition::Sound || store.clock().quality() == Quality::Floor {
            return Ok(());
        }
        self.note_room().await?;
        self.check_journal().await
    }

    /// Notes how full the disk is, unless that was done today.
    async fn note_room(&self) -> Result<(), CommandError> {
        let store = &self.inner.store;
        let now = store.clock().now();
        let samples = store.read(health::samples).await?;
        let newest = samples.last().map(|sample| sample.at);
        let Some(room) = self.inner.machine.room(store.dir().path()) else {
            return Ok(());
        };
        if newest.is_some_and(|at| is_within(at, now, SAMPLE_MS)) {
            return Ok(());
        }
        let used = room.total.saturating_sub(room.free);
        let sample = Sample { at: now, used };
        store
            .write_needed(Need::Ordinary, move |tx| {
                Ok(health::note_sample(tx, sample)?)
            })
            .await
    }

    /// Reads the whole journal, unless that was done this week.
    async fn check_journal(&self) -> Result<(), CommandError> {
        let store = &self.inner.store;
        let checked = store.read(health::journal_check).await?;
        let now = store.clock().now();
        if checked.is_some_and(|check| is_within(check.at, now, CHECK_MS)) {
            return Ok(());
        }
        let check = self.walk(STEP_PAUSE).await?;
        match &check.fault {
            None => tracing::info!(entries = check.entries, "the journal is sound"),
            Some(fault) => tracing::error!(%fault, "the journal is not what was written"),
        }
        store
            .write_needed(Need::Ordinary, move |tx| {
                Ok(health::note_journal_check(tx, &check)?)
            })
            .await
    }

    /// Reads the whole journal in steps, with a pause between two.
    async fn walk(&self, pause: Duration) -> Result<JournalCheck, StoreError> {
        let store = &self.inner.store;
        let mut walk = JournalWalk::default();
        loop {
            let (back, more) = store
                .read(move |view| -> Result<_, StoreError> {
                    let more = walk.step(view)?;
                    Ok((walk, more))
                })
                .await?;
            walk = back;
            if !more {
                return store.read(move |view| walk.conclude(view)).await;
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// What was noted in a future that a clock put right has not seen yet counts as long ago.
fn is_within(at: Timestamp, now: Timestamp, ms: i64) -> bool {
    at <= now && now.0.saturating_sub(at.0) < ms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::commands::SetUp;
    use crate::discovery::Board;
    use crate::domain::health::{Area, Level};
    use crate::domain::{FullName, Username};
    use crate::hub::Hub;
    use crate::machine::Machine;
    use crate::store::{DataDir, Store};

    const HOUR_MS: i64 = 3_600 * 1_000;

    #[tokio::test]
    async fn a_week_of_rounds_notes_a_number_a_day_and_checks_the_journal_once() {
        let temp = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp(1_800_000_000_000));
        let dir = DataDir::new(temp.path());
        let store = Store::open(dir, clock.clone(), Box::new(|_| {})).unwrap();
        let set_up = SetUp {
            workshop_name: FullName::parse("Nair Motors").unwrap(),
            full_name: FullName::parse("Meera Nair").unwrap(),
            username: Username::parse("meera").unwrap(),
            password_hash: "none".to_owned(),
        };
        store.write(|tx| set_up.run(tx)).await.unwrap();
        let watch = watch_of(&store);
        let of = async |area: Area| {
            let checkup = watch.checkup().await.unwrap();
            let mut found = checkup.findings.into_iter();
            found.find(|finding| finding.area == area).unwrap()
        };
        assert!(of(Area::Journal).await.what.contains("the first time"));
        for _hour in 0..6 * 24 {
            watch.begin_hour();
            watch.round().await.unwrap();
            clock.advance_ms(HOUR_MS);
        }
        assert_eq!(store.read(health::samples).await.unwrap().len(), 6);
        let check = store.read(health::journal_check).await.unwrap().unwrap();
        assert_eq!(check.at, Timestamp(1_800_000_000_000), "once a week");
        assert_eq!(of(Area::Journal).await.level, Level::Well);
        assert_eq!(of(Area::Words).await.level, Level::Act);
        clock.advance_ms(2 * 24 * HOUR_MS);
        watch.round().await.unwrap();
        let check = store.read(health::journal_check).await.unwrap().unwrap();
        assert!(check.at > Timestamp(1_800_000_000_000));
    }

    #[tokio::test]
    async fn a_box_that_was_not_told_the_time_notes_nothing_by_date() {
        let temp = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp(0));
        let dir = DataDir::new(temp.path());
        let store = Store::open(dir, clock, Box::new(|_| {})).unwrap();
        let watch = watch_of(&store);
        watch.round().await.unwrap();
        assert_eq!(store.read(health::samples).await.unwrap(), []);
        assert_eq!(store.read(health::journal_check).await.unwrap(), None);
    }

    fn watch_of(store: &Store) -> Watch {
        let board = Board::still("127.0.0.1:80".parse().unwrap());
        Watch::new(store.clone(), Hub::new(8).link(), board, Machine::this())
    }
}
