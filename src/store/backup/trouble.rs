//! What went wrong with a backup: what people are told, and the cause for the log.

use std::io;

use crate::domain::BackupFault;
use crate::store::error::StoreError;

/// A fault with its cause.
#[derive(Debug, thiserror::Error)]
#[error("{fault}")]
pub struct Trouble {
    /// What people are told.
    pub fault: BackupFault,
    /// What the system or SQLite said, if it was one of them.
    #[source]
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl From<BackupFault> for Trouble {
    fn from(fault: BackupFault) -> Self {
        Self { fault, cause: None }
    }
}

impl Trouble {
    fn new(fault: BackupFault, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            fault,
            cause: Some(Box::new(cause)),
        }
    }

    /// Something failed in the folder that backups go to.
    pub(super) fn in_folder(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        const FAULTS: [(BackupFault, &[Kind]); 4] = [
            (
                BackupFault::FolderFull,
                &[Kind::StorageFull, Kind::QuotaExceeded, Kind::FileTooLarge],
            ),
            (
                BackupFault::FolderGone,
                &[Kind::NotFound, Kind::NotADirectory],
            ),
            (
                BackupFault::FolderReadOnly,
                &[Kind::PermissionDenied, Kind::ReadOnlyFilesystem],
            ),
            (BackupFault::FileExists, &[Kind::AlreadyExists]),
        ];
        let fault = FAULTS
            .iter()
            .find(|(_, kinds)| kinds.contains(&error.kind()))
            .map_or(BackupFault::FolderFails, |(fault, _)| *fault);
        Self::new(fault, error)
    }

    /// Something failed on the box's own disk.
    pub(super) fn at_home(error: io::Error) -> Self {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        let fault = if full.contains(&error.kind()) {
            BackupFault::BoxFull
        } else {
            BackupFault::BoxFails
        };
        Self::new(fault, error)
    }

    /// The database, or its copy, on the box's own disk.
    pub(super) fn of_store(error: StoreError) -> Self {
        let fault = match error {
            StoreError::Full => BackupFault::BoxFull,
            StoreError::Damaged(_) => BackupFault::Unsound,
            StoreError::Stopped => BackupFault::Stopped,
            StoreError::Failing(_)
            | StoreError::ReadOnly
            | StoreError::Busy
            | StoreError::Unknown
            | StoreError::Fault(_) => BackupFault::BoxFails,
        };
        Self::new(fault, error)
    }

    /// The same of SQLite itself.
    pub(super) fn of_sql(error: rusqlite::Error) -> Self {
        Self::of_store(error.into())
    }
}
