//! What can go wrong with the disk, named for what the caller can do about it.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ErrorCode;

use crate::domain::Rejection;

/// The store could not do it. Whatever was asked did not happen, except where `Unknown` says so.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// No space left: reading, signing in and removing go on; free some space and try again.
    #[error("the disk is full")]
    Full,
    /// The disk reported an error: nothing is acknowledged until it has proven itself again.
    #[error("the disk reports errors; nothing is accepted until it works again")]
    Failing(#[source] Option<Arc<rusqlite::Error>>),
    /// The file system does not let us write.
    #[error("the database is read-only")]
    ReadOnly,
    /// What is on disk is not what was written.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The queue of the writer is full; try again in a moment.
    #[error("too much to write at once")]
    Busy,
    /// The writer did not answer in time: it may still happen. Ask again with the same id.
    #[error("the disk is too slow to answer")]
    Unknown,
    /// The box is stopping.
    #[error("the box is stopping")]
    Stopped,
    /// A fault of ours: the command panicked or its SQL is wrong. Nothing was changed.
    #[error("internal error")]
    Fault(#[source] Option<Arc<rusqlite::Error>>),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error_code();
        match code {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => {
                Self::Failing(Some(Arc::new(error)))
            }
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged(error.to_string())
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            // A value of another kind than was written, or text that is none.
            None if matches!(
                error,
                rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::Utf8Error(..)
            ) =>
            {
                Self::Damaged(error.to_string())
            }
            Some(_) | None => Self::Fault(Some(Arc::new(error))),
        }
    }
}

/// A command did not happen: refused, or the store could not.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommandError {
    /// The workshop says no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The disk says no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for CommandError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The data directory cannot be used. Its text is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{} is in use by another MotoReach; stop that one first, or choose another directory with --data.", .0.display())]
    InUse(PathBuf),
    /// The file system says no.
    #[error("Cannot use {}: {source}. Check that it exists, that this user owns it and that it is writable.", path.display())]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Only reading is allowed there.
    #[error("The database {} is read-only. Make the file and its directory writable for this user (a full or worn-out card can turn read-only by itself), then start again.", .0.display())]
    ReadOnly(PathBuf),
    /// The file is not what we wrote.
    #[error("The database {path} is damaged ({why}). Nothing was changed. Keep a copy of the whole directory, then run `motoreach doctor --data <directory>`, or restore a backup into a new directory.", path = path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The root secret is gone or broken while the database is there.
    #[error("{} is missing or damaged, but there is a database that it belongs to. Put the file back from a backup, or write it again with `motoreach doctor --recovery-words`.", .0.display())]
    NoRoot(PathBuf),
    /// Written by a newer program.
    #[error(
        "The database is of version {found}, and this program knows versions up to {known}: it was written by a newer MotoReach. Install that one, or restore a backup made by this one."
    )]
    Newer {
        /// The database's version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The database was last opened by an older program, and only the box brings it up to date.
    #[error(
        "The database is of version {found}, and this program's are of version {known}: start the box once, and it is brought up to date."
    )]
    Older {
        /// The database's version.
        found: i64,
        /// What this program makes of it.
        known: i64,
    },
    /// A migration that was applied is not the one in this program.
    #[error(
        "Migration {0} of this database differs from the one in this program: one of the two was changed after the fact. Use the program that wrote the database."
    )]
    Edited(i64),
    /// Another program holds on to an old state of it.
    #[error("The database {} is being read by another program (doctor, a backup). Let that finish, then start again.", .0.display())]
    BeingRead(PathBuf),
    /// The disk has no room to start.
    #[error("The disk that holds {} is full. Free some space, then start again.", .0.display())]
    Full(PathBuf),
    /// Something else.
    #[error("The database cannot be opened: {0}")]
    Store(#[source] StoreError),
}

impl OpenError {
    /// The same of a database that is only looked at: what is not the disk's is the database's fault.
    pub(super) fn in_store(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Full(_) => StoreError::Full,
            Self::ReadOnly(_) => StoreError::ReadOnly,
            Self::BeingRead(_) => StoreError::Busy,
            Self::InUse(_)
            | Self::Files { .. }
            | Self::Damaged { .. }
            | Self::NoRoot(_)
            | Self::Newer { .. }
            | Self::Older { .. }
            | Self::Edited(_) => StoreError::Damaged(self.to_string()),
        }
    }
}
