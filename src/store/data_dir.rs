//! The data directory: who may use it, and the files in it that are not the database.
//!
//! ```text
//! motoreach.db (-wal, -shm)   the database        root.secret   32 bytes, written down by the recovery words
//! lock                        held while in use   reserve       space kept for the day the disk is full
//! high-water                  how far the journal once was; an older database betrays itself by it
//! clock-floor                 how late it was when somebody last looked (`clock`)
//! name                        what the box is called on its network, where another had the name first
//! tls/                        the box's own certificate authority and certificate, with their keys
//! control.sock                the running server's ear for `motoreach person add` and the like
//! restoring/ restored/        what comes back from a relay, until it is put in place (`restore`)
//! backups/                    where backups go unless somebody chose another folder
//! backing-up/                 what making one needs on the way
//! uploaded/                   one that was handed in at the first run, until it was restored
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

use super::error::OpenError;
use super::restore;
use crate::seal::RootSecret;

/// Paths inside a data directory.
#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
}

impl DataDir {
    /// Names a data directory; touches nothing.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.path.join("motoreach.db")
    }

    /// The socket on which a running server takes commands from its operator.
    pub fn control_socket(&self) -> PathBuf {
        self.path.join("control.sock")
    }

    /// What the database's log takes on the disk, in bytes.
    pub fn log_bytes(&self) -> u64 {
        let mut log = self.database().into_os_string();
        log.push("-wal");
        fs::metadata(log).map_or(0, |file| file.len())
    }

    /// How late it was, for the next start.
    pub fn clock_floor(&self) -> PathBuf {
        self.path.join("clock-floor")
    }

    /// The box's own certificate authority, its certificate and their keys.
    pub fn tls(&self) -> PathBuf {
        self.path.join("tls")
    }

    /// The name that the box got on its network, where that is not the one it was to have.
    pub fn name_on_network(&self) -> PathBuf {
        self.path.join("name")
    }

    /// Where backups go unless somebody chose another folder.
    pub fn backups(&self) -> PathBuf {
        self.path.join("backups")
    }

    /// A backup that somebody handed in to have it restored.
    pub fn uploaded(&self) -> PathBuf {
        self.path.join("uploaded")
    }

    pub(super) fn backing_up(&self) -> PathBuf {
        self.path.join("backing-up")
    }

    pub(super) fn high_water(&self) -> PathBuf {
        self.path.join("high-water")
    }

    pub(super) fn reserve(&self) -> PathBuf {
        self.path.join("reserve")
    }

    pub(super) fn root_secret(&self) -> PathBuf {
        self.path.join("root.secret")
    }

    /// Makes the directory if needed (only its owner may look inside) and takes it for this process.
    /// A restore that was decided and then cut off is put in place first: whoever holds the lock finds
    /// one whole box.
    ///
    /// # Errors
    /// Another process has it, or the file system says no.
    pub fn lock(&self) -> Result<DirLock, OpenError> {
        let files = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Files { path, source }
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)
            .map_err(|source| self.refused(&self.path, source))?;
        let path = self.path.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|source| self.refused(&path, source))?;
        match file.try_lock() {
            Ok(()) => {
                restore::put_in_place(self).map_err(files(&self.path))?;
                Ok(DirLock { _file: file })
            }
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(self.path.clone())),
            Err(TryLockError::Error(source)) => Err(OpenError::Files { path, source }),
        }
    }

    fn refused(&self, path: &Path, source: io::Error) -> OpenError {
        let kind = source.kind();
        if matches!(
            kind,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
        ) {
            OpenError::ReadOnly(self.database())
        } else if kind == io::ErrorKind::StorageFull {
            OpenError::Full(self.path.clone())
        } else {
            let path = path.to_owned();
            OpenError::Files { path, source }
        }
    }

    /// Whether there is a root secret, whole or not.
    pub fn has_root_secret(&self) -> bool {
        self.root_secret().exists()
    }

    /// The root secret; made now if neither it nor a database exists.
    ///
    /// # Errors
    /// It is missing or broken although there is a database, or the file system says no.
    pub fn root(&self) -> Result<RootSecret, OpenError> {
        let path = self.root_secret();
        match read_secret(&path) {
            Ok(Some(secret)) => Ok(RootSecret::from_bytes(secret)),
            Ok(None) => Err(OpenError::NoRoot(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.database().exists() {
                    return Err(OpenError::NoRoot(path));
                }
                let mut bytes = [0; 32];
                SystemRandom::new()
                    .fill(&mut bytes)
                    .map_err(|_| io::Error::other("the system has no randomness"))
                    .and_then(|()| self.write_secret(&path, &bytes))
                    .map_err(|source| self.refused(&path, source))?;
                Ok(RootSecret::from_bytes(bytes))
            }
            Err(source) => Err(OpenError::Files { path, source }),
        }
    }

    /// Puts back a root secret that was written down in recovery words; never overwrites one.
    ///
    /// # Errors
    /// There is one already, or the file system says no.
    pub fn put_back_root(&self, root: &RootSecret) -> Result<(), OpenError> {
        let path = self.root_secret();
        if matches!(read_secret(&path), Ok(Some(_))) {
            let source = io::Error::new(
                io::ErrorKind::AlreadyExists,
                "there is a root secret already",
            );
            return Err(OpenError::Files { path, source });
        }
        self.write_secret(&path, root.as_bytes())
            .map_err(|source| OpenError::Files { path, source })
    }

    /// Whole or not at all: written beside, fsynced, renamed, directory fsynced.
    fn write_secret(&self, path: &Path, bytes: &[u8; 32]) -> io::Result<()> {
        let beside = path.with_extension("new");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(&self.path)?.sync_all()
    }
}

/// Exactly 32 bytes, or `None` where the file holds something else.
fn read_secret(path: &Path) -> io::Result<Option<[u8; 32]>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::with_capacity(33);
    Read::take(&mut file, 33).read_to_end(&mut bytes)?;
    Ok(bytes.try_into().ok())
}

/// Keeps the data directory for this process until it is dropped or the process ends, however.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_belongs_to_one_process_at_a_time() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path().join("box"));
        let held = dir.lock().unwrap();
        assert!(matches!(dir.lock(), Err(OpenError::InUse(_))));
        drop(held);
        assert!(dir.lock().is_ok());
    }

    #[test]
    fn the_root_secret_is_made_once_and_kept_private() {
        use std::os::unix::fs::PermissionsExt;
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path());
        let made = dir.root().unwrap();
        assert_eq!(made.as_bytes(), dir.root().unwrap().as_bytes());
        let mode = fs::metadata(dir.root_secret())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_database_without_its_root_secret_is_not_started_over() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path());
        fs::write(dir.database(), b"something").unwrap();
        assert!(matches!(dir.root(), Err(OpenError::NoRoot(_))));
    }
}
