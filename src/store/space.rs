//! Room on the disk: a reserve is put by while there is plenty, and given up when the disk is full,
//! so that people can still sign in and remove things then.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};

use super::data_dir::DataDir;

/// Kept for the day the disk is full, or a sixteenth of a small disk.
const RESERVE_BYTES_MAX: u64 = 8 << 20;
const RESERVE_PART: u64 = 16;
/// More than the reserve must be free before ordinary writing starts again, or it would flap.
const RESUME_MARGIN_BYTES: u64 = 256 << 10;

/// Whether a write may wait for better days.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// Refused while the disk is full.
    Ordinary,
    /// Signing in, reading on, removing: allowed to use the reserve.
    Essential,
}

/// Less free than this is no room to begin with, in bytes: the memory that readers and the writer share
/// is a file, too, of 32 KiB, and what SQLite says when it does not fit sounds like a broken disk.
const BEGIN_BYTES: u64 = 64 << 10;

/// Whether an error may be for want of room.
pub(super) fn has_no_room(directory: &Path) -> bool {
    free(directory) < BEGIN_BYTES
}

fn free(directory: &Path) -> u64 {
    rustix::fs::statvfs(directory).map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// What the writer knows of the room on its disk.
pub(super) struct Space {
    directory: PathBuf,
    reserve: PathBuf,
    reserve_bytes: u64,
    full: bool,
}

impl Space {
    /// Looks at the disk and puts the reserve by if there is plenty.
    pub(super) fn new(dir: &DataDir) -> Self {
        let directory = dir.path().to_owned();
        let total = rustix::fs::statvfs(&directory)
            .map_or(0, |stat| stat.f_blocks.saturating_mul(stat.f_frsize));
        let reserve_bytes = RESERVE_BYTES_MAX.min(total / RESERVE_PART);
        let space = Self {
            directory,
            reserve: dir.reserve(),
            reserve_bytes,
            full: false,
        };
        if fs::metadata(&space.reserve).map_or(0, |file| file.len()) != space.reserve_bytes
            && space.free() > space.reserve_bytes.saturating_mul(2)
        {
            space.put_by();
        }
        space
    }

    /// Whether a command with this need may run now.
    pub(super) fn admits(&mut self, need: Need) -> bool {
        if !self.full || need == Need::Essential {
            return true;
        }
        if self.free() < self.reserve_bytes + RESUME_MARGIN_BYTES {
            return false;
        }
        tracing::info!("the disk has room again");
        self.put_by();
        self.full = false;
        true
    }

    /// The disk said that it is full: gives the reserve up.
    pub(super) fn ran_out(&mut self) {
        if !self.full {
            tracing::error!(directory = %self.directory.display(), "the disk is full");
        }
        self.full = true;
        let _ = fs::remove_file(&self.reserve);
    }

    /// What is put by, or would be.
    pub(super) const fn reserve_bytes(&self) -> u64 {
        self.reserve_bytes
    }

    pub(super) const fn is_full(&self) -> bool {
        self.full
    }

    fn free(&self) -> u64 {
        free(&self.directory)
    }

    /// Blocks are allocated, not written: a file with a hole in it would reserve nothing, and 8 MiB of
    /// zeros would wear the card.
    fn put_by(&self) {
        let kept = File::create(&self.reserve).and_then(|file| {
            fallocate(&file, FallocateFlags::empty(), 0, self.reserve_bytes)?;
            file.sync_all()
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "no reserve could be put by for the day the disk is full");
            let _ = fs::remove_file(&self.reserve);
        }
    }
}
