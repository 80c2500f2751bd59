//! How a backup under way is followed, stopped, and kept from filling the card.

use std::io;
use std::path::Path;

use super::trouble::Trouble;
use crate::domain::{BackupFault, BackupProgress, BackupStep};

/// Room that a backup leaves on the box's own disk for messages, in bytes, or an eighth of a small one.
const LEFT_BYTES: u64 = 32 << 20;
const LEFT_PART: u64 = 8;

/// Told how far it has come; asked whether to go on.
pub(super) struct Watch<'w> {
    /// Takes each step forward.
    pub(super) told: &'w dyn Fn(BackupProgress),
    /// Why it is to end at once, if it is.
    pub(super) stop: &'w dyn Fn() -> Option<BackupFault>,
}

impl Watch<'_> {
    /// So much is done.
    ///
    /// # Errors
    /// It is to stop.
    pub(super) fn done(&self, step: BackupStep, done: u64, of: u64) -> Result<(), BackupFault> {
        (self.told)(BackupProgress { step, done, of });
        (self.stop)().map_or(Ok(()), Err)
    }

    /// The same in the middle of reading and writing.
    pub(super) fn passed(&self, step: BackupStep, done: u64, of: u64) -> io::Result<()> {
        self.done(step, done, of).map_err(io::Error::other)
    }
}

/// The fault that `Watch::passed` put into an error, if it was that.
pub(super) fn stopped(error: &io::Error) -> Option<BackupFault> {
    error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<BackupFault>())
        .copied()
}

/// Whether so many bytes more fit onto the disk that holds `place`, with room left for messages.
pub(super) fn must_fit(place: &Path, bytes: u64) -> Result<(), Trouble> {
    let stat = rustix::fs::statvfs(place).map_err(|error| Trouble::at_home(error.into()))?;
    let total = stat.f_blocks.saturating_mul(stat.f_frsize);
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if free < bytes.saturating_add(LEFT_BYTES.min(total / LEFT_PART)) {
        return Err(BackupFault::BoxFull.into());
    }
    Ok(())
}
