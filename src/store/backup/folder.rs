//! The folder that backups go to: what is in it, and whether it is there at all.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::file::read_header;
use super::record::{Chosen, Settings};
use super::trouble::Trouble;
use crate::domain::{BackupFault, Timestamp, WorkshopKey};
use crate::store::data_dir::DataDir;

/// What a backup's name ends with.
pub(super) const ENDING: &str = ".backup";
/// What it ends with until it is whole.
pub(super) const UNFINISHED: &str = ".backup.part";
/// Files of a folder that are looked at; whoever keeps more than these keeps them elsewhere.
const FILES_MAX: usize = 2_000;

/// A backup of this workshop, as its header tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its name in the folder.
    pub name: String,
    /// When it was made, by the clock of that box.
    pub made: Timestamp,
    /// Whether that clock had been told the time.
    pub clock_was_sure: bool,
    /// The newest entry of the journal that it has.
    pub seq: i64,
    /// Its length.
    pub bytes: u64,
    /// Whether only the recovery words open it.
    pub sealed: bool,
}

/// Where backups go by these settings.
pub fn folder_of(dir: &DataDir, settings: &Settings) -> PathBuf {
    match &settings.folder {
        Some(chosen) => PathBuf::from(&chosen.path),
        None => dir.backups(),
    }
}

/// The same, once it is sure that it is there. Only the default is made when it is missing: a folder on
/// a disk that is not plugged in must not be made on the card.
pub(super) fn ready(dir: &DataDir, settings: &Settings) -> Result<PathBuf, Trouble> {
    let folder = folder_of(dir, settings);
    match &settings.folder {
        None => make(&folder).map_err(Trouble::in_folder)?,
        Some(chosen) => {
            let there = fs::metadata(&folder).map_err(Trouble::in_folder)?;
            let home = fs::metadata(dir.path()).map_err(Trouble::at_home)?;
            if !there.is_dir() || (chosen.other_disk && there.dev() == home.dev()) {
                return Err(BackupFault::FolderGone.into());
            }
        }
    }
    Ok(folder)
}

/// Takes a folder as the one that backups go to: made if its parent is there, and tried.
///
/// # Errors
/// It cannot be made or written to.
pub fn choose(dir: &DataDir, folder: &Path) -> Result<Chosen, Trouble> {
    make(folder).map_err(Trouble::in_folder)?;
    let trial = folder.join(".motoreach-trial");
    File::create(&trial)
        .and_then(|_| fs::remove_file(&trial))
        .map_err(Trouble::in_folder)?;
    let there = fs::metadata(folder).map_err(Trouble::in_folder)?;
    let home = fs::metadata(dir.path()).map_err(Trouble::at_home)?;
    let path = folder.to_str().ok_or(BackupFault::FolderGone)?;
    Ok(Chosen {
        path: path.to_owned(),
        other_disk: there.dev() != home.dev(),
    })
}

fn make(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// This workshop's backups in a folder, in no order. What is not one is passed over.
///
/// # Errors
/// The folder cannot be read.
pub fn found(folder: &Path, workshop: WorkshopKey) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)?.take(FILES_MAX) {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.ends_with(ENDING)
            && let Some(file) = look(&entry.path(), &name)
            && file.1 == workshop
        {
            found.push(file.0);
        }
    }
    Ok(found)
}

fn look(path: &Path, name: &str) -> Option<(Found, WorkshopKey)> {
    let mut file = open_plain(path).ok()?;
    let bytes = file.metadata().ok()?.len();
    let header = read_header(&mut file).ok()?;
    let found = Found {
        name: name.to_owned(),
        made: Timestamp(header.made_ms),
        clock_was_sure: header.clock_was_sure,
        seq: header.head.seq.0,
        bytes,
        sealed: header.sealed,
    };
    Some((found, header.workshop))
}

/// Opens a file that is one: no pipe that nobody writes to, no device.
pub fn open_plain(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let no_wait = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options()
        .read(true)
        .custom_flags(no_wait)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(file)
}

/// Removes what backups of this workshop that were cut off left behind.
pub(super) fn sweep(folder: &Path, workshop: WorkshopKey) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten().take(FILES_MAX) {
        let path = entry.path();
        let is_unfinished = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with("motoreach-") && name.ends_with(UNFINISHED));
        if is_unfinished && is_left_behind(&path, workshop) {
            tracing::info!(file = %path.display(), "a backup that was cut off is removed");
            let _ = fs::remove_file(&path);
        }
    }
}

/// Ours, or so short-lived that it has no header yet.
fn is_left_behind(path: &Path, workshop: WorkshopKey) -> bool {
    let Ok(mut file) = open_plain(path) else {
        return false;
    };
    let is_empty = file.metadata().is_ok_and(|file| file.len() == 0);
    is_empty || read_header(&mut file).is_ok_and(|header| header.workshop == workshop)
}

/// What was done in a folder is on its disk. Some file systems of USB disks cannot be asked that.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        done => done,
    }
}
