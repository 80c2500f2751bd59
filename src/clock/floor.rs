//! How late it was when somebody last looked, kept beside the database: the earliest that the next
//! start may believe in.
//!
//! ```text
//! clock-floor   <milliseconds since 1970>
//! ```
//!
//! Not in the database: it is read before anything else, and a card is not to be woken for it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::domain::Timestamp;

#[derive(Debug)]
pub(super) struct Floor {
    path: PathBuf,
}

impl Floor {
    pub(super) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// What the file says; nothing when it is missing or torn.
    pub(super) fn read(&self) -> Option<Timestamp> {
        let text = fs::read_to_string(&self.path).ok()?;
        text.strip_suffix('\n')?.parse().ok().map(Timestamp)
    }

    /// Whole or not at all, but not forced to disk: an older one serves too. It never stops a box.
    pub(super) fn write(&self, now: Timestamp) {
        let written = || -> io::Result<()> {
            let beside = self.path.with_extension("new");
            OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&beside)?
                .write_all(format!("{}\n", now.0).as_bytes())?;
            fs::rename(&beside, &self.path)
        };
        if let Err(error) = written() {
            tracing::debug!(%error, "how late it is was not written down");
        }
    }
}
