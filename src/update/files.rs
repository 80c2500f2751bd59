//! Whole files or none: written beside, on the disk, then renamed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// The file is there whole, or as it was before.
pub(super) fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let beside = path.with_extension("part");
    let mut file = fresh(&beside, mode)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    sync_folder_of(path)
}

/// A file of our own making: whatever lay there under this name is gone, a link is not followed.
pub(super) fn fresh(path: &Path, mode: u32) -> io::Result<File> {
    remove(path)?;
    OpenOptions::new()
        .create_new(true)
        .read(true)
        .write(true)
        .mode(mode)
        .open(path)
}

/// A folder, made if it is not there.
pub(super) fn folder(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(path)
}

/// What is renamed, linked or removed in it is so for good.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Whether there was something to remove.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removed {
    /// It was there.
    Yes,
    /// It was not.
    WasNot,
}

/// Removes a file; one that is not there need not be removed.
///
/// # Errors
/// The file system says no.
pub fn remove(path: &Path) -> io::Result<Removed> {
    match fs::remove_file(path) {
        Ok(()) => Ok(Removed::Yes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Removed::WasNot),
        Err(error) => Err(error),
    }
}
