//! One program for another. Whatever ends this, one whole program is at its path: the old one or the
//! new one.
//!
//! ```text
//! PROGRAM.new    written and on the disk before anything is decided
//! PROGRAM.old    a second name of the program that runs now; it minds the trial
//! PROGRAM        changes by one rename
//! ```

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::files::{fresh, remove, sync_folder_of};

/// What everybody may run and only its owner may change.
const PROGRAM_MODE: u32 = 0o755;

/// Where the new program waits.
pub fn new_of(program: &Path) -> PathBuf {
    beside(program, ".new")
}

/// Where the old program is kept.
pub fn old_of(program: &Path) -> PathBuf {
    beside(program, ".old")
}

/// Writes the new program beside the one that runs.
///
/// # Errors
/// The file system says no; nothing lies there then.
pub fn stage(program: &Path, mut new: impl io::Read) -> io::Result<PathBuf> {
    let (path, part) = (new_of(program), beside(program, ".part"));
    let written = (|| {
        let mut file = fresh(&part, PROGRAM_MODE)?;
        io::copy(&mut new, &mut file)?;
        file.set_permissions(Permissions::from_mode(PROGRAM_MODE))?;
        file.sync_all()?;
        fs::rename(&part, &path)?;
        sync_folder_of(&path)
    })();
    if written.is_err() {
        let _ = remove(&part);
        let _ = remove(&path);
    }
    written.map(|()| path)
}

/// Drops a new program that waits.
///
/// # Errors
/// The file system says no.
pub fn unstage(program: &Path) -> io::Result<()> {
    remove(&new_of(program))?;
    sync_folder_of(program)
}

/// Gives the program that is in place its second name.
///
/// # Errors
/// The file system says no; the name is what it was.
pub fn keep_old(program: &Path) -> io::Result<()> {
    give_name(program, &old_of(program))
}

/// The new program takes its place. Once it has, this does nothing.
///
/// # Errors
/// The file system says no.
pub fn put_new(program: &Path) -> io::Result<()> {
    let new = new_of(program);
    if new.exists() {
        fs::rename(new, program)?;
    }
    sync_folder_of(program)
}

/// The old program is in its place again, and keeps its second name.
///
/// # Errors
/// The file system says no.
pub fn put_old(program: &Path) -> io::Result<()> {
    unstage(program)?;
    give_name(&old_of(program), program)
}

/// Whether the old program is the one in place.
///
/// # Errors
/// One of them cannot be looked at.
pub fn is_old(program: &Path) -> io::Result<bool> {
    let (here, old) = (fs::metadata(program)?, fs::metadata(old_of(program))?);
    Ok((here.dev(), here.ino()) == (old.dev(), old.ino()))
}

/// `to` becomes another name of `from`, in one step.
fn give_name(from: &Path, to: &Path) -> io::Result<()> {
    let link = beside(to, ".link");
    remove(&link)?;
    fs::hard_link(from, &link)?;
    fs::rename(&link, to)?;
    // Two names of one file: the rename did nothing then.
    remove(&link)?;
    sync_folder_of(to)
}

fn beside(program: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(program);
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_change_places_and_back() {
        let temp = tempfile::tempdir().unwrap();
        let program = temp.path().join("motoreach");
        let reads = |words: &str| assert_eq!(fs::read_to_string(&program).unwrap(), words);
        fs::write(&program, "old").unwrap();
        stage(&program, &b"new"[..]).unwrap();
        keep_old(&program).unwrap();
        keep_old(&program).unwrap();
        assert!(is_old(&program).unwrap());
        reads("old");
        for _ in 0..2 {
            put_new(&program).unwrap();
            reads("new");
            assert!(!is_old(&program).unwrap());
        }
        for _ in 0..2 {
            put_old(&program).unwrap();
            reads("old");
            assert!(is_old(&program).unwrap());
        }
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 2);
    }
}
