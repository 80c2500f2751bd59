//! Copies of the database for an update (`ops::update`): one to test a new program on, and one of the
//! moment before a new program changes it, so that the old one can be put back.
//!
//! These are no backups: they are on the same disk, and are dropped when the update is over.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OptionalExtension};

use super::data_dir::DataDir;
use super::error::{OpenError, StoreError};
use super::restore::bring_to_rest;
use super::{migrate, reader, told};
use crate::crash;

/// The database in the folder where it is kept.
const KEPT: &str = "motoreach.db";

/// What going back to this program would mean for the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// This program reads the database as it is.
    Readable,
    /// It does not, and nothing was written since the database was kept: the kept one is as good.
    KeptIsAsGood,
    /// It does not, and so many entries were written since.
    WouldLose(i64),
    /// It does not, and none was kept.
    NothingKept,
}

/// What an update must have room for, in bytes: the database and its log.
pub fn bytes(dir: &DataDir) -> u64 {
    let path = dir.database();
    let wal = path.with_extension("db-wal");
    [path, wal]
        .iter()
        .map(|file| fs::metadata(file).map_or(0, |file| file.len()))
        .sum()
}

/// Copies the database, beside a running server or without one, and what is needed to open it.
///
/// # Errors
/// One of them cannot be read or written.
pub fn copy(dir: &DataDir, to: &DataDir) -> Result<(), OpenError> {
    let path = dir.database();
    let store = |error: rusqlite::Error| told(&path, OpenError::Store(error.into()));
    let from = reader::open(&path).map_err(store)?;
    let mut into = Connection::open(to.database()).map_err(store)?;
    // One step is one consistent state; the writer goes on beside it.
    let copied = Backup::new(&from, &mut into).and_then(|backup| backup.step(-1));
    match copied.map_err(store)? {
        StepResult::Done => {}
        StepResult::Busy | StepResult::Locked | _ => return Err(OpenError::BeingRead(path)),
    }
    to.put_back_root(&dir.root()?)
}

/// Keeps the database as it is now; the server must be stopped.
///
/// # Errors
/// Somebody uses it, or one of the two cannot be read or written; what was kept before stays then.
pub fn keep(dir: &DataDir, folder: &Path) -> Result<(), OpenError> {
    let _held = dir.lock()?;
    if !dir.database().exists() {
        return Ok(());
    }
    bring_to_rest(dir)?;
    let kept = folder.join(KEPT);
    duplicate(&dir.database(), &kept).map_err(files(&kept))
}

/// What going back to this program would mean.
///
/// # Errors
/// The database cannot be read.
pub fn weigh(dir: &DataDir, folder: &Path) -> Result<Weight, OpenError> {
    let path = dir.database();
    if !path.exists() {
        return Ok(Weight::Readable);
    }
    let (version, now) = seen(&path)?;
    if version <= migrate::newest() {
        return Ok(Weight::Readable);
    }
    let kept = folder.join(KEPT);
    if !kept.exists() {
        return Ok(Weight::NothingKept);
    }
    let (version, then) = seen(&kept)?;
    if version > migrate::newest() {
        return Ok(Weight::NothingKept);
    }
    Ok(if now == then {
        Weight::KeptIsAsGood
    } else {
        Weight::WouldLose((now.seq - then.seq).max(1))
    })
}

/// Puts the kept database back; the server must be stopped.
///
/// # Errors
/// Something was written since, or one of them cannot be read or written.
pub fn put_back(dir: &DataDir, folder: &Path) -> Result<(), OpenError> {
    let held = dir.lock()?;
    bring_to_rest(dir)?;
    if weigh(dir, folder)? != Weight::KeptIsAsGood {
        return Ok(());
    }
    let database = dir.database();
    // The log is empty; it must be gone before another database stands beside it.
    for suffix in ["db-wal", "db-shm"] {
        gone(fs::remove_file(database.with_extension(suffix))).map_err(files(&database))?;
    }
    crash::point("update-log-removed");
    duplicate(&folder.join(KEPT), &database).map_err(files(&database))?;
    drop(held);
    Ok(())
}

/// Where a journal ends.
#[derive(PartialEq, Eq)]
struct End {
    seq: i64,
    chain: Option<Vec<u8>>,
}

/// The newest migration and the journal's end, as every version of the database has them.
fn seen(database: &Path) -> Result<(i64, End), OpenError> {
    let looked = reader::open(database).and_then(|conn| {
        let version = "select coalesce(max(number), 0) from migration";
        let version = conn.query_row(version, [], |row| row.get(0))?;
        let end = "select seq, chain from event order by seq desc limit 1";
        let end = conn
            .query_row(end, [], |row| {
                Ok(End {
                    seq: row.get(0)?,
                    chain: row.get(1)?,
                })
            })
            .optional()?;
        let empty = End {
            seq: 0,
            chain: None,
        };
        Ok((version, end.unwrap_or(empty)))
    });
    looked.map_err(|error| told(database, OpenError::Store(StoreError::from(error))))
}

/// One file for another, whole: written beside, on the disk, renamed.
fn duplicate(from: &Path, to: &Path) -> io::Result<()> {
    let beside: PathBuf = to.with_extension("part");
    gone(fs::remove_file(&beside))?;
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&beside)?;
    let copied = io::copy(&mut File::open(from)?, &mut file).and_then(|_| file.sync_all());
    if let Err(error) = copied {
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    fs::rename(&beside, to)?;
    match to.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn files(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| {
        if source.kind() == io::ErrorKind::StorageFull {
            OpenError::Full(path)
        } else {
            OpenError::Files { path, source }
        }
    }
}

#[cfg(test)]
#[path = "copy_test.rs"]
mod tests;
