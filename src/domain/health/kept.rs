//! Whether what the workshop wrote will still be there: backups, the journal, and the words that open
//! both.

use super::words::{DAY_MS, ago, count, counted};
use super::{Area, Finding};
use crate::domain::{BackupProof, LastBackup, Timestamp};

/// A backup that was proven longer ago is worth a look, in milliseconds.
const BACKUP_OLD_MS: i64 = 2 * DAY_MS;
/// A backup that was proven longer ago is none, in milliseconds.
const BACKUP_TOO_OLD_MS: i64 = 8 * DAY_MS;
/// A new box has so long to make its first backup, in milliseconds.
const FIRST_BACKUP_MS: i64 = 2 * DAY_MS;
/// The journal is checked every week; past this, in milliseconds, that does not happen.
const CHECK_OLD_MS: i64 = 21 * DAY_MS;

/// What is known of backups.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Backups {
    /// When the journal was begun; `None` before the first run.
    pub since: Option<Timestamp>,
    /// The newest that was proven.
    pub proof: Option<BackupProof>,
    /// The newest attempt.
    pub last: Option<LastBackup>,
}

/// Whether there is a backup that can be relied on.
pub fn backup(backups: &Backups, now: Timestamp) -> Finding {
    const ADVICE: &str = "Plug in the disk for backups and press “Back up now” under Box > Backup.";
    let age_ms = |at: Timestamp| now.0.saturating_sub(at.0).max(0);
    let fault = backups.last.as_ref().and_then(|last| {
        let newer = backups
            .proof
            .as_ref()
            .is_none_or(|proof| last.at >= proof.at);
        last.fault.as_ref().filter(|_| newer)
    });
    let (mut what, old_ms) = match &backups.proof {
        None => ("No backup has been proven yet.".to_owned(), None),
        Some(proof) => (proven(proof, age_ms(proof.at)), Some(age_ms(proof.at))),
    };
    if let Some(fault) = fault {
        what.push_str(&format!(" The newest try brought none: {}", fault.detail));
    }
    let is_new = backups
        .since
        .is_none_or(|since| age_ms(since) < FIRST_BACKUP_MS);
    match old_ms {
        Some(BACKUP_TOO_OLD_MS..) => Finding::act(Area::Backup, what, ADVICE),
        Some(BACKUP_OLD_MS..) => Finding::look(Area::Backup, what, ADVICE),
        Some(_) if fault.is_some() => Finding::look(Area::Backup, what, ADVICE),
        Some(_) => Finding::well(Area::Backup, what),
        None if is_new => Finding::look(Area::Backup, what, ADVICE),
        None => Finding::act(Area::Backup, what, ADVICE),
    }
}

/// "restored 1,204 of 1,204 messages in 8 s".
fn proven(proof: &BackupProof, age_ms: i64) -> String {
    format!(
        "Last proven {}: restored {} of {} in {} s.",
        ago(age_ms),
        count(proof.messages),
        counted(proof.of, "message", "messages"),
        count(proof.seconds)
    )
}

/// What came of checking the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalCheck {
    /// When.
    pub at: Timestamp,
    /// Entries that were read.
    pub entries: i64,
    /// What is wrong with it; nothing in a sound one.
    pub fault: Option<String>,
}

/// Whether what was written is still what is on the disk.
pub fn journal(check: Option<&JournalCheck>, now: Timestamp) -> Finding {
    let Some(check) = check else {
        return Finding::well(
            Area::Journal,
            "Every entry is checked once a week; the first time is soon.",
        );
    };
    let age_ms = now.0.saturating_sub(check.at.0).max(0);
    if let Some(fault) = &check.fault {
        return Finding::act(
            Area::Journal,
            format!(
                "Something on the disk is not what was written, found {}: {fault}.",
                ago(age_ms)
            ),
            "Keep a copy of the whole data directory. Then restore the newest backup onto a new card \
             or disk: this one is likely worn out.",
        );
    }
    let what = format!(
        "{} read and sound, {}.",
        counted(check.entries, "entry was", "entries were"),
        ago(age_ms)
    );
    if age_ms > CHECK_OLD_MS {
        return Finding::look(
            Area::Journal,
            format!("{what} It should be checked every week."),
            "Leave the box on for an hour: the check runs by itself.",
        );
    }
    Finding::well(Area::Journal, what)
}

/// Whether somebody confirmed to have written the recovery words down.
pub fn recovery_words(kept: bool) -> Finding {
    if kept {
        return Finding::well(
            Area::Words,
            "Somebody confirmed that the 24 recovery words were written down.",
        );
    }
    Finding::act(
        Area::Words,
        "Nobody has confirmed yet that the 24 recovery words were written down. Without them no \
         backup can be opened.",
        "An admin writes them on paper, confirms it, and keeps the paper away from the box.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::Level;
    use crate::domain::{BackupFault, Seq};

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn days_ago(days: i64) -> Timestamp {
        Timestamp(NOW.0 - days * DAY_MS)
    }

    fn proof(days: i64) -> BackupProof {
        BackupProof {
            at: days_ago(days),
            seq: Seq(9),
            messages: 1_204,
            of: 1_204,
            seconds: 8,
            file: "motoreach.backup".to_owned(),
        }
    }

    fn judged(since_days: i64, proof: Option<BackupProof>, last: Option<LastBackup>) -> Finding {
        let backups = Backups {
            since: Some(days_ago(since_days)),
            proof,
            last,
        };
        backup(&backups, NOW)
    }

    #[test]
    fn a_backup_counts_for_as_long_as_it_is_new() {
        assert_eq!(judged(90, Some(proof(0)), None).level, Level::Well);
        assert_eq!(judged(90, Some(proof(3)), None).level, Level::Look);
        assert_eq!(judged(90, Some(proof(9)), None).level, Level::Act);
        assert_eq!(judged(90, None, None).level, Level::Act);
        assert_eq!(judged(1, None, None).level, Level::Look, "a new box");
        assert_eq!(
            judged(90, Some(proof(1)), None).what,
            "Last proven 24 hours ago: restored 1,204 of 1,204 messages in 8 s."
        );
    }

    #[test]
    fn a_try_that_failed_is_told_although_the_one_before_is_still_good() {
        let failed = |days| LastBackup {
            at: days_ago(days),
            file: None,
            bytes: 0,
            sealed: true,
            fault: Some(BackupFault::FolderGone.into()),
        };
        let told = judged(90, Some(proof(1)), Some(failed(0)));
        assert_eq!(told.level, Level::Look);
        assert!(told.what.contains("plug that in"), "{}", told.what);
        let overcome = judged(90, Some(proof(0)), Some(failed(1)));
        assert_eq!(overcome.level, Level::Well);
    }

    #[test]
    fn a_journal_is_sound_until_it_was_found_not_to_be() {
        let check = |days, fault: Option<&str>| JournalCheck {
            at: days_ago(days),
            entries: 3_120,
            fault: fault.map(str::to_owned),
        };
        let level = |check: &JournalCheck| journal(Some(check), NOW).level;
        assert_eq!(journal(None, NOW).level, Level::Well);
        assert_eq!(level(&check(2, None)), Level::Well);
        assert_eq!(level(&check(30, None)), Level::Look);
        assert_eq!(level(&check(2, Some("entry 7 is missing"))), Level::Act);
        let what = journal(Some(&check(2, None)), NOW).what;
        assert_eq!(what, "3,120 entries were read and sound, 2 days ago.");
    }

    #[test]
    fn words_that_nobody_kept_are_worth_an_alarm() {
        assert_eq!(recovery_words(true).level, Level::Well);
        assert_eq!(recovery_words(false).level, Level::Act);
    }
}
