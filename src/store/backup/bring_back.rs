//! A backup becomes a box again, in the place that `store::restore` keeps for what comes back: nothing
//! of it counts before it is whole and everything in it was looked at.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, params};

use super::file::{self, read_header};
use super::folder::open_plain;
use super::pack::{Unpacking, unpack};
use super::prove::look_at;
use super::watch::{must_fit, stopped};
use crate::clock::Clock;
use crate::crash;
use crate::domain::{
    BackupFault, BackupUnreadable, RestoreFault, RestoreStep, Restored, Timestamp,
};
use crate::seal::{BackupHeader, RootSecret};
use crate::store::data_dir::DataDir;
use crate::store::error::{OpenError, StoreError};
use crate::store::keys::BoxKeys;
use crate::store::{erasure_list, high_water, inspect, local, restore};

/// Nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BringBackError {
    /// In words for people.
    #[error(transparent)]
    Fault(#[from] RestoreFault),
    /// The place where it is gathered cannot be used.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// Its disk says no.
    #[error("What came back could not be kept: {0}")]
    Store(#[from] StoreError),
    /// It was told to stop.
    #[error("The restore was stopped. Nothing was changed.")]
    Stopped,
}

impl From<BackupUnreadable> for BringBackError {
    fn from(why: BackupUnreadable) -> Self {
        Self::Fault(RestoreFault::Backup(why))
    }
}

/// What a backup says of itself.
///
/// # Errors
/// It cannot be read, or is no backup.
pub fn header(backup: &Path) -> Result<BackupHeader, BackupUnreadable> {
    let mut file = open_plain(backup).map_err(|_| BackupUnreadable::Gone)?;
    read_header(&mut file)
}

/// Whether a backup is of the workshop that this secret belongs to.
pub fn belongs_to(header: &BackupHeader, root: &RootSecret) -> bool {
    BoxKeys::new(copy_of(root)).workshop() == header.workshop
}

/// Gathers a backup beside the empty box, and looks at everything in it. `told` follows it, and `stop`
/// is asked whether to end.
///
/// # Errors
/// Nothing was restored; nothing of it is left.
pub fn bring_back(
    dir: &DataDir,
    backup: &Path,
    root: &RootSecret,
    clock: &Clock,
    told: &dyn Fn(RestoreStep, u64, u64),
    stop: &dyn Fn() -> bool,
) -> Result<Restored, BringBackError> {
    let mut file = open_plain(backup).map_err(|_| BackupUnreadable::Gone)?;
    let header = read_header(&mut file)?;
    if !belongs_to(&header, root) {
        return Err(BackupUnreadable::OtherWords.into());
    }
    // What another try had gathered, from wherever, is of another journal.
    restore::discard(dir)?;
    let side = restore::begin(dir, root)?;
    let gathered = gather(&side, file, &header, root, clock, told, stop).and_then(|restored| {
        let folder = backup.parent().unwrap_or(Path::new("."));
        let keys = BoxKeys::new(copy_of(root));
        Connection::open(side.database())
            .and_then(|conn| erasure_list::take_along(&conn, folder, &keys))
            .map_err(|error| BringBackError::Store(error.into()))?;
        Ok(restored)
    });
    if gathered.is_err() {
        restore::discard(dir)?;
    }
    gathered
}

fn gather(
    side: &DataDir,
    file: File,
    header: &BackupHeader,
    root: &RootSecret,
    clock: &Clock,
    told: &dyn Fn(RestoreStep, u64, u64),
    stop: &dyn Fn() -> bool,
) -> Result<Restored, BringBackError> {
    must_fit(side.path(), header.database_bytes).map_err(|_| RestoreFault::Storage)?;
    let of = header.database_bytes;
    let passed = |done: u64| {
        told(RestoreStep::Unpacking, done.min(of), of);
        if stop() {
            return Err(std::io::Error::other(BackupFault::Stopped));
        }
        Ok(())
    };
    unpack(file, root, header, &side.database(), passed).map_err(|failed| match failed {
        Unpacking::Place(error) => {
            tracing::warn!(%error, "what came out of the backup could not be written");
            RestoreFault::Storage.into()
        }
        Unpacking::Backup(error) if stopped(&error).is_some() => BringBackError::Stopped,
        Unpacking::Backup(error) => file::why(&error).into(),
    })?;
    crash::point("restore-unpacked");
    told(RestoreStep::Checking, 0, header.messages);
    let keys = BoxKeys::new(copy_of(root));
    check(side, header, &keys, clock)?;
    told(RestoreStep::Checking, header.messages, header.messages);
    if stop() {
        return Err(BringBackError::Stopped);
    }
    let facts = inspect::facts(side)?;
    Ok(Restored {
        workshop: facts.workshop.ok_or(BackupUnreadable::Damaged)?,
        messages: facts.messages,
        requests: facts.requests,
        people: facts.staff,
        as_of: Some(Timestamp(header.made_ms)),
    })
}

fn check(
    side: &DataDir,
    header: &BackupHeader,
    keys: &BoxKeys,
    clock: &Clock,
) -> Result<(), BringBackError> {
    let rebuilt = side.path().join("rebuilt.db");
    let looked = look_at(&side.database(), keys, clock, &rebuilt);
    let _ = std::fs::remove_file(&rebuilt);
    let (report, head) = looked.map_err(|error| match error {
        StoreError::Damaged(_) => newer_or_damaged(side),
        StoreError::Full
        | StoreError::Failing(_)
        | StoreError::ReadOnly
        | StoreError::Busy
        | StoreError::Unknown
        | StoreError::Stopped
        | StoreError::Fault(_) => BringBackError::Store(error),
    })?;
    if let Some(fault) = report.faults.first() {
        tracing::error!(fault, "what is in the backup is not sound");
        return Err(BackupUnreadable::Damaged.into());
    }
    if head != header.head.seq || report.messages.unsigned_abs() != header.messages {
        return Err(BackupUnreadable::Damaged.into());
    }
    keep_as_restored(side).map_err(|error| BringBackError::Store(error.into()))
}

/// A database that this program cannot bring to its version was brought further by a newer one.
fn newer_or_damaged(side: &DataDir) -> BringBackError {
    let newest = |conn: Connection| {
        conn.query_row("select max(number) from migration", [], |row| row.get(0))
    };
    let found: Result<i64, _> = Connection::open(side.database()).and_then(newest);
    let known = crate::store::migrate::newest();
    if found.is_ok_and(|found| found > known) {
        BackupUnreadable::Newer.into()
    } else {
        BackupUnreadable::Damaged.into()
    }
}

/// Whoever restores has the words; and the restored journal must begin a new incarnation, whatever made
/// the backup (`high_water`).
fn keep_as_restored(side: &DataDir) -> Result<(), rusqlite::Error> {
    let conn = Connection::open(side.database())?;
    for name in [local::WORDS_KEPT, high_water::IS_BACKUP] {
        conn.execute(
            "insert or replace into local_state (name, value) values (?1, ?2)",
            params![name, "yes"],
        )?;
    }
    Ok(())
}

fn copy_of(root: &RootSecret) -> RootSecret {
    RootSecret::from_bytes(*root.as_bytes())
}
