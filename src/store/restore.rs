//! A restore's place on the disk: what comes back is gathered in a box of its own inside the data
//! directory, and takes the empty box's place once it is whole (`sync.md` §4, "a dead box").
//!
//! ```text
//! DIR/restoring/   gathering: nothing of it counts; the next run with the same words goes on with it
//! DIR/restored/    decided by one rename: whoever takes DIR's lock next moves the files up
//! DIR/             the box
//! ```
//! So a process that ends anywhere leaves the empty box or the restored one, and never half of one.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::data_dir::{DataDir, DirLock};
use super::error::OpenError;
use super::writer::checkpoint;
use super::{reader, told};
use crate::crash;
use crate::seal::RootSecret;

/// Files that the database brings along while it is open.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// What a data directory is to a restore.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// Nothing was ever written here.
    Free,
    /// There is a workshop in it.
    SetUp,
    /// There is a secret without a database: it may be the only copy of another workshop's.
    Secret,
}

/// Whether there is room for a restore with this secret.
///
/// # Errors
/// What is there cannot be read.
pub fn room(dir: &DataDir, root: &RootSecret) -> Result<Room, OpenError> {
    let database = dir.database();
    if !database.exists() {
        let taken = dir.root_secret().exists() && !holds(dir, root);
        return Ok(if taken { Room::Secret } else { Room::Free });
    }
    let looked = reader::open(&database).and_then(|conn| has_entries(&conn));
    match looked {
        Ok(true) => Ok(Room::SetUp),
        Ok(false) => Ok(Room::Free),
        Err(error) => Err(told(&database, OpenError::Store(error.into()))),
    }
}

fn has_entries(conn: &Connection) -> Result<bool, rusqlite::Error> {
    Ok(conn.table_exists(None, "event")?
        && conn.query_row("select exists (select 1 from event)", [], |row| row.get(0))?)
}

/// The box in which what comes back is gathered; one that was begun with other words is dropped.
///
/// # Errors
/// The file system says no.
pub fn begin(dir: &DataDir, root: &RootSecret) -> Result<DataDir, OpenError> {
    let side = gathering(dir);
    if !holds(&side, root) {
        discard(dir)?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(side.path())
            .and_then(|()| sync(dir.path()))
            .map_err(files(side.path()))?;
        side.put_back_root(root)?;
    }
    Ok(side)
}

/// Drops what was gathered.
///
/// # Errors
/// The file system says no.
pub fn discard(dir: &DataDir) -> Result<(), OpenError> {
    let side = gathering(dir);
    remove_folder(side.path()).map_err(files(side.path()))
}

/// What was gathered becomes the box; it must be closed. Whoever calls holds the directory's lock and
/// has looked whether there is room.
///
/// # Errors
/// The file system says no; the restored box may be in place all the same, or will be at the next start.
pub fn take_over(dir: &DataDir, _held: &DirLock) -> Result<(), OpenError> {
    let side = gathering(dir);
    bring_to_rest(&side)?;
    crash::point("restore-at-rest");
    fs::rename(side.path(), decided(dir))
        .and_then(|()| sync(dir.path()))
        .map_err(files(side.path()))?;
    crash::point("restore-decided");
    put_in_place(dir).map_err(files(dir.path()))
}

/// Moves a decided restore up. Every step may have been done before: the next one goes on.
pub(super) fn put_in_place(dir: &DataDir) -> io::Result<()> {
    let decided = DataDir::new(decided(dir));
    if !decided.path().exists() {
        return Ok(());
    }
    if decided.database().exists() {
        // The empty box's. Its log must be gone before another database stands beside it, and what was
        // noted of its journal says nothing of this one.
        for suffix in BESIDE {
            remove_file(&beside(dir, suffix))?;
        }
        remove_file(&dir.high_water())?;
        remove_file(&dir.database())?;
        sync(dir.path())?;
        crash::point("restore-cleared");
        fs::rename(decided.database(), dir.database())?;
        crash::point("restore-database-moved");
    }
    if decided.root_secret().exists() {
        fs::rename(decided.root_secret(), dir.root_secret())?;
        crash::point("restore-secret-moved");
    }
    // What was moved is there for good before its old place is gone.
    sync(dir.path())?;
    remove_folder(decided.path())?;
    sync(dir.path())
}

/// One file is all there is of the database, and it is on the disk.
pub(super) fn bring_to_rest(side: &DataDir) -> Result<(), OpenError> {
    let database = side.database();
    let resting = Connection::open(&database)
        .map_err(Into::into)
        .and_then(|conn| checkpoint(&conn));
    resting.map_err(|error| told(&database, OpenError::Store(error)))?;
    let log = beside(side, "-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Err(OpenError::BeingRead(database));
    }
    File::open(&database)
        .and_then(|file| file.sync_all())
        .and_then(|()| sync(side.path()))
        .map_err(files(side.path()))
}

/// The box in which what comes back is gathered.
pub fn gathering(dir: &DataDir) -> DataDir {
    DataDir::new(dir.path().join("restoring"))
}

fn decided(dir: &DataDir) -> PathBuf {
    dir.path().join("restored")
}

fn holds(dir: &DataDir, root: &RootSecret) -> bool {
    fs::read(dir.root_secret()).is_ok_and(|there| there == root.as_bytes())
}

fn beside(dir: &DataDir, suffix: &str) -> PathBuf {
    let mut path = dir.database().into_os_string();
    path.push(suffix);
    path.into()
}

fn remove_file(path: &Path) -> io::Result<()> {
    gone(fs::remove_file(path))
}

fn remove_folder(path: &Path) -> io::Result<()> {
    gone(fs::remove_dir_all(path))
}

/// What is not there need not be removed.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn files(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Files { path, source }
}

#[cfg(test)]
#[path = "restore_test.rs"]
mod tests;
