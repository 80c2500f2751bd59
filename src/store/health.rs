//! What the box remembers of its own health, in `local_state`: when its journal was last checked and
//! what came of it, and how full the disk was, a number a day. A backup carries none of it.

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::local::{keep, kept};
use super::proof::{self, Proving};
use super::tx::{View, WriteTx};
use super::{backup, incarnations, journal, local};
use crate::domain::health::{Backups, JournalCheck, Sample};
use crate::domain::{Seq, Timestamp};

/// Everything that is noted of the box's health.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Noted {
    /// Whether the recovery words were written down; `None` before the first run.
    pub words_kept: Option<bool>,
    /// Backups.
    pub backups: Backups,
    /// The newest check of the journal.
    pub journal: Option<JournalCheck>,
    /// How full the disk was, the oldest first.
    pub samples: Vec<Sample>,
}

/// Everything that is noted of the box's health.
pub fn noted(view: &View<'_>) -> Result<Noted, StoreError> {
    let is_set_up = local::workshop_name(view)?.is_some();
    Ok(Noted {
        words_kept: is_set_up.then(|| local::words_kept(view)).transpose()?,
        backups: Backups {
            since: begun(view)?,
            proof: backup::last_proof(view)?,
            last: backup::last(view)?,
        },
        journal: journal_check(view)?,
        samples: samples(view)?,
    })
}

const CHECKED: &str = "journal_checked";
const SAMPLES: &str = "disk_samples";
/// Numbers that are kept, one a day: two months.
pub const SAMPLES_MAX: usize = 60;
/// Entries that are looked at in one step: a view that is held for long keeps the log from being reset.
const STEP_ROWS: i64 = 256;

#[derive(Serialize, Deserialize)]
struct KeptCheck {
    at: i64,
    entries: i64,
    fault: Option<String>,
}

/// When the journal was last checked, and what came of it.
pub fn journal_check(view: &View<'_>) -> Result<Option<JournalCheck>, StoreError> {
    let check: Option<KeptCheck> = kept(view, CHECKED)?;
    Ok(check.map(|check| JournalCheck {
        at: Timestamp(check.at),
        entries: check.entries,
        fault: check.fault,
    }))
}

/// Notes what came of a check.
pub fn note_journal_check(tx: &WriteTx<'_>, check: &JournalCheck) -> Result<(), StoreError> {
    let check = KeptCheck {
        at: check.at.0,
        entries: check.entries,
        fault: check.fault.clone(),
    };
    keep(tx, CHECKED, &check)
}

/// How full the disk was, the oldest first.
pub fn samples(view: &View<'_>) -> Result<Vec<Sample>, StoreError> {
    let samples: Option<Vec<(i64, u64)>> = kept(view, SAMPLES)?;
    let sample = |(at, used)| Sample {
        at: Timestamp(at),
        used,
    };
    Ok(samples
        .unwrap_or_default()
        .into_iter()
        .map(sample)
        .collect())
}

/// Notes how full the disk is. What was noted in a future that a clock put right has not seen yet is
/// forgotten, and so is what is too old.
pub fn note_sample(tx: &WriteTx<'_>, sample: Sample) -> Result<(), StoreError> {
    let mut samples = samples(tx)?;
    samples.retain(|earlier| earlier.at < sample.at);
    samples.push(sample);
    let too_many = samples.len().saturating_sub(SAMPLES_MAX);
    let samples: Vec<_> = samples[too_many..]
        .iter()
        .map(|sample| (sample.at.0, sample.used))
        .collect();
    keep(tx, SAMPLES, &samples)
}

/// When the journal was begun; `None` while it is empty.
pub fn begun(view: &View<'_>) -> Result<Option<Timestamp>, StoreError> {
    let first = journal::after(view.conn, Seq(0), 1)?;
    Ok(first.first().map(|entry| entry.at))
}

/// The whole journal checked in small steps, so that nobody notices: between two of them anything may
/// be written.
pub struct JournalWalk {
    proving: Proving,
    at: Seq,
}

impl Default for JournalWalk {
    fn default() -> Self {
        Self {
            proving: Proving::new(1),
            at: Seq(0),
        }
    }
}

impl JournalWalk {
    /// Looks at the next entries; whether there were any.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn step(&mut self, view: &View<'_>) -> Result<bool, StoreError> {
        let page = journal::after(view.conn, self.at, STEP_ROWS)?;
        let Some(newest) = page.last() else {
            return Ok(false);
        };
        self.at = newest.seq;
        let logs = incarnations::all(view.conn)?;
        for entry in page {
            self.proving.see(&logs, view.keys, &entry);
        }
        Ok(true)
    }

    /// What came of it. A fault counts only if it is found again in one view of the whole: copies of
    /// the journal that were brought together meanwhile move what was looked at already.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn conclude(self, view: &View<'_>) -> Result<JournalCheck, StoreError> {
        let (mut entries, mut faults) = self.proving.conclude();
        if !faults.is_empty() {
            (entries, faults) = proof::faults(view.conn, view.keys, 1)?;
        }
        Ok(JournalCheck {
            at: view.now,
            entries,
            fault: faults.into_iter().next(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::commands::SetUp;
    use crate::domain::{FullName, LogId, Username};
    use crate::seal::RootSecret;
    use crate::store::memory::MemoryStore;

    fn workshop() -> MemoryStore {
        let root = RootSecret::from_bytes([7; 32]);
        let clock = Clock::manual(Timestamp(1_800_000_000_000));
        let store = MemoryStore::new(root, LogId::from_bytes([1; 16]), clock);
        let set_up = SetUp {
            workshop_name: FullName::parse("Nair Motors").unwrap(),
            full_name: FullName::parse("Meera Nair").unwrap(),
            username: Username::parse("meera").unwrap(),
            password_hash: "none".to_owned(),
        };
        store.write(|tx| set_up.run(tx)).unwrap();
        store
    }

    fn walked(store: &MemoryStore) -> JournalCheck {
        let mut walk = JournalWalk::default();
        while store.read(|view| walk.step(view)).unwrap() {}
        store.read(|view| walk.conclude(view)).unwrap()
    }

    #[test]
    fn a_sound_journal_is_proven_and_that_is_remembered() {
        let store = workshop();
        assert_eq!(store.read(journal_check).unwrap(), None);
        let check = walked(&store);
        assert_eq!((check.entries, check.fault.as_deref()), (2, None));
        store
            .write(|tx| Ok(note_journal_check(tx, &check)?))
            .unwrap();
        assert_eq!(store.read(journal_check).unwrap(), Some(check));
        assert_eq!(
            store.read(begun).unwrap(),
            Some(Timestamp(1_800_000_000_000))
        );
    }

    #[test]
    fn an_entry_that_changed_on_the_disk_is_found() {
        let store = workshop();
        store
            .write(|tx| {
                let sql = "update event set body = body || x'00' where seq = 2";
                tx.conn.execute_batch(sql).map_err(StoreError::from)?;
                Ok(())
            })
            .unwrap();
        let fault = walked(&store).fault.unwrap();
        assert!(fault.contains("entry 2"), "{fault}");
    }

    #[test]
    fn a_number_a_day_is_kept_and_the_future_is_forgotten() {
        let store = workshop();
        let note = |at, used| {
            let sample = Sample {
                at: Timestamp(at),
                used,
            };
            store.write(|tx| Ok(note_sample(tx, sample)?)).unwrap();
        };
        for day in 0..70 {
            note(day, 1);
        }
        let kept = store.read(samples).unwrap();
        assert_eq!((kept.len(), kept[0].at), (SAMPLES_MAX, Timestamp(10)));
        note(12, 5);
        let kept = store.read(samples).unwrap();
        assert_eq!(kept.last().map(|it| (it.at.0, it.used)), Some((12, 5)));
        assert_eq!(kept.len(), 3);
    }
}
