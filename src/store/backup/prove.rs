//! Proving a backup: it is restored into a scratch place as it would be on an empty box, and everything
//! in it is looked at.

use std::fs::File;
use std::io;
use std::path::Path;

use rusqlite::Connection;
use rustix::fs::{Advice, fadvise};

use super::file::{self, read_header};
use super::pack::{Unpacking, unpack};
use super::trouble::Trouble;
use super::watch::{self, Watch};
use crate::clock::{Clock, stopwatch};
use crate::domain::{BackupFault, BackupStep, BackupUnreadable, Seq};
use crate::seal::BackupHeader;
use crate::store::error::{OpenError, StoreError};
use crate::store::keys::BoxKeys;
use crate::store::verify::Report;
use crate::store::{incarnations, migrate, verify};

/// What is rebuilt beside the restored database is kept in memory up to so much, in KiB.
const REBUILT_CACHE_KIB: i64 = 16 << 10;

/// What restoring it gave.
pub(super) struct Proven {
    /// Messages that came back.
    pub(super) messages: i64,
    /// How long it took, in whole seconds, at least one.
    pub(super) seconds: i64,
}

/// Restores a backup that was just made into `scratch`, an empty folder.
pub(super) fn prove(
    backup: &Path,
    written: &BackupHeader,
    keys: &BoxKeys,
    scratch: &Path,
    clock: &Clock,
    watch: &Watch<'_>,
) -> Result<Proven, Trouble> {
    let began = stopwatch();
    let restored = scratch.join("restored.db");
    read_back(backup, written, keys, &restored, watch)?;
    let (report, head) =
        look_at(&restored, keys, clock, &scratch.join("rebuilt.db")).map_err(Trouble::of_store)?;
    watch.done(
        BackupStep::Proving,
        written.database_bytes,
        written.database_bytes,
    )?;
    if let Some(fault) = report.faults.first() {
        tracing::error!(fault, "what is in the backup is not sound");
        return Err(BackupFault::Unsound.into());
    }
    if head != written.head.seq || report.messages.unsigned_abs() != written.messages {
        return Err(BackupFault::NotWhatWasWritten.into());
    }
    let took = began.elapsed().as_millis().div_ceil(1_000).max(1);
    Ok(Proven {
        messages: report.messages,
        seconds: i64::try_from(took).unwrap_or(i64::MAX),
    })
}

fn read_back(
    backup: &Path,
    written: &BackupHeader,
    keys: &BoxKeys,
    restored: &Path,
    watch: &Watch<'_>,
) -> Result<(), Trouble> {
    let mut file = File::open(backup).map_err(Trouble::in_folder)?;
    // Read from the disk, not from what memory still has of writing it. Where a file system cannot do
    // that, memory has to do.
    let _ = fadvise(&file, 0, None, Advice::DontNeed);
    match read_header(&mut file) {
        Ok(header) if header == *written => {}
        Ok(_) | Err(_) => return Err(BackupFault::NotWhatWasWritten.into()),
    }
    let of = written.database_bytes;
    let passed = |done: u64| watch.passed(BackupStep::Proving, done.min(of), of);
    unpack(file, keys.root(), written, restored, passed).map_err(|failed| match failed {
        Unpacking::Place(error) => Trouble::at_home(error),
        Unpacking::Backup(error) => unread(error),
    })
}

fn unread(error: io::Error) -> Trouble {
    if let Some(fault) = watch::stopped(&error) {
        return fault.into();
    }
    match file::why(&error) {
        BackupUnreadable::Gone => Trouble::in_folder(error),
        BackupUnreadable::NotABackup
        | BackupUnreadable::CutOff
        | BackupUnreadable::Damaged
        | BackupUnreadable::OtherWords
        | BackupUnreadable::Newer => BackupFault::NotWhatWasWritten.into(),
    }
}

/// Brings a restored database to this program's version and looks at everything in it.
pub(super) fn look_at(
    database: &Path,
    keys: &BoxKeys,
    clock: &Clock,
    rebuilt: &Path,
) -> Result<(Report, Seq), StoreError> {
    let mut conn = Connection::open(database)?;
    conn.pragma_update(None, "synchronous", "off")?;
    migrate::migrate(&mut conn, clock.now()).map_err(OpenError::in_store)?;
    let report = verify::examine_beside(&conn, keys, || {
        let scratch = Connection::open(rebuilt)?;
        scratch.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
        scratch.pragma_update(None, "synchronous", "off")?;
        scratch.pragma_update(None, "cache_size", -REBUILT_CACHE_KIB)?;
        Ok(scratch)
    })?;
    let (head, _) = incarnations::last(&conn)?;
    Ok((report, head))
}
