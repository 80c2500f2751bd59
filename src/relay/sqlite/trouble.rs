//! What can go wrong inside this store, and how it is told.

use std::path::PathBuf;

use crate::relay::store::RelayStoreError;
use crate::store::{OpenError, StoreError};

/// A command or a look did not happen; nothing was changed.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// A newer session is open, or the workshop is not known.
    Fenced,
    /// What the disk or the database says.
    Disk(StoreError),
    /// Something in the database cannot be read as what it should be.
    Unreadable(&'static str),
    /// The caller asked with a cursor that this store did not give.
    Cursor,
}

/// What everything in here returns.
pub(super) type Done<T> = Result<T, Trouble>;

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Disk(error.into())
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Disk(error)
    }
}

impl Trouble {
    /// Whether the disk itself is at fault, so that no command of the same batch can be acknowledged.
    pub(super) const fn is_of_the_disk(&self) -> bool {
        match self {
            Self::Disk(
                StoreError::Full
                | StoreError::Failing(_)
                | StoreError::ReadOnly
                | StoreError::Damaged(_),
            ) => true,
            Self::Disk(
                StoreError::Busy | StoreError::Unknown | StoreError::Stopped | StoreError::Fault(_),
            )
            | Self::Fenced
            | Self::Unreadable(_)
            | Self::Cursor => false,
        }
    }
}

impl From<Trouble> for RelayStoreError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Fenced => Self::Fenced,
            Trouble::Disk(StoreError::Full) => Self::Full,
            Trouble::Disk(StoreError::Stopped) => Self::Failed("the relay is stopping".into()),
            Trouble::Disk(StoreError::Fault(Some(cause))) => Self::Failed(cause.to_string()),
            Trouble::Disk(
                error @ (StoreError::Failing(_)
                | StoreError::ReadOnly
                | StoreError::Damaged(_)
                | StoreError::Busy
                | StoreError::Unknown
                | StoreError::Fault(None)),
            ) => Self::Failed(error.to_string()),
            Trouble::Unreadable(what) => Self::Failed(format!("{what} cannot be read")),
            Trouble::Cursor => Self::Failed("a cursor that was not given here".into()),
        }
    }
}

/// The relay's data directory cannot be used. Its text is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum RelayOpenError {
    /// What goes for every database.
    #[error(transparent)]
    Disk(OpenError),
    /// The file is not what we wrote.
    #[error("The relay's database {path} is damaged ({why}). Nothing was changed. Keep a copy of the whole directory and move relay.db, relay.db-wal and relay.db-shm away (not relay.secret): the boxes know this relay by its secret and bring their journals again. What owners wrote and no box has seen yet waits on their phones.", path = path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}
