//! What the relay keeps secret: 32 random bytes in a file of their own, and every key that comes of
//! them.
//!
//! They lie beside the database and not in it: a relay whose database was lost is still the same relay
//! to its boxes and to the browsers that subscribed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use web_push_native::p256;

use super::push::Vapid;
use crate::seal::{RootSecret, SigningKey};

/// The file's name in the data directory.
const FILE: &str = "relay.secret";

/// The database's name there.
const DATABASE: &str = "relay.db";

/// The relay's secret cannot be used. Its text is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file system says no.
    #[error("Cannot use {}: {source}. Check that this user owns it and that it is writable.", path.display())]
    Files {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It does not hold 32 bytes.
    #[error("{} is damaged: put it back from a backup.", .0.display())]
    Damaged(PathBuf),
    /// There is a database that it belongs to.
    #[error("{} is missing, but there is a database that it belongs to. Put the file back from a backup. Without it boxes take this for another relay: then move relay.db away too, and pair every box again.", .0.display())]
    Missing(PathBuf),
}

/// Every key of a relay.
#[derive(Debug)]
pub struct Secrets {
    /// Signs challenges' answers: who the relay is, whatever its address.
    pub identity: Arc<SigningKey>,
    /// Signs what pushes are authorised by (RFC 8292).
    pub vapid: Arc<Vapid>,
    root: RootSecret,
}

impl Secrets {
    /// Reads the secret of a data directory, or makes one if there is nothing in it yet. To be called
    /// before the database is opened: one without its secret belongs to another relay.
    ///
    /// # Errors
    /// The file cannot be read or written, is none of ours, or is missing beside a database.
    pub fn open(directory: &Path) -> Result<Self, SecretError> {
        let path = directory.join(FILE);
        let files = |source| SecretError::Files {
            path: path.clone(),
            source,
        };
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if directory.join(DATABASE).exists() {
                    return Err(SecretError::Missing(path));
                }
                make(directory, &path).map_err(files)?
            }
            Err(error) => return Err(files(error)),
        };
        bytes
            .map(Self::from_bytes)
            .ok_or(SecretError::Damaged(path))
    }

    fn from_bytes(bytes: [u8; 32]) -> Self {
        let root = RootSecret::from_bytes(bytes);
        Self {
            identity: Arc::new(SigningKey::derive(&root, "relay-identity")),
            vapid: Arc::new(Vapid::new(&scalar(&root))),
            root,
        }
    }

    /// The key of proofs that a workshop was admitted.
    pub fn membership(&self) -> [u8; 32] {
        *self.root.derive("relay-membership", &[]).as_bytes()
    }
}

/// A P-256 key out of the secret. One in 2^32 values is none: then the next is taken.
fn scalar(root: &RootSecret) -> p256::SecretKey {
    (0..=u8::MAX)
        .find_map(|n| {
            let bytes = root.derive("relay-vapid", &[&[n]]);
            p256::SecretKey::from_slice(bytes.as_bytes()).ok()
        })
        .expect("256 values of which none is a key do not occur")
}

fn read(path: &Path) -> io::Result<Option<[u8; 32]>> {
    let mut bytes = Vec::with_capacity(33);
    File::open(path)?.take(33).read_to_end(&mut bytes)?;
    Ok(bytes.try_into().ok())
}

/// Whole or not at all, and never over another one: written beside, fsynced, linked to its name,
/// directory fsynced. Of two relays that start at once both get the one that was first.
fn make(directory: &Path, path: &Path) -> io::Result<Option<[u8; 32]>> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| io::Error::other("the system has no randomness"))?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let beside = path.with_extension(std::process::id().to_string());
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    File::open(directory)?.sync_all()?;
    read(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_relay_stays_who_it_is() {
        let temp = tempfile::tempdir().unwrap();
        let directory = temp.path().join("relay");
        let made = Secrets::open(&directory).unwrap();
        let again = Secrets::open(&directory).unwrap();
        assert_eq!(made.identity.public_key(), again.identity.public_key());
        assert_eq!(made.membership(), again.membership());
        assert_eq!(made.vapid.public_key(), again.vapid.public_key());
        let mode = fs::metadata(directory.join(FILE)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    #[test]
    fn of_two_that_start_at_once_both_are_the_same_relay() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join(FILE);
        let first = make(temp.path(), &path).unwrap();
        assert!(first.is_some());
        assert_eq!(make(temp.path(), &path).unwrap(), first);
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_database_without_its_secret_is_not_taken_over() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(DATABASE), b"something").unwrap();
        let error = Secrets::open(temp.path()).unwrap_err();
        assert!(matches!(error, SecretError::Missing(_)), "{error}");
    }

    #[test]
    fn a_damaged_secret_is_not_written_over() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(FILE), b"short").unwrap();
        let error = Secrets::open(temp.path()).unwrap_err();
        assert!(matches!(error, SecretError::Damaged(_)), "{error}");
        assert_eq!(fs::read(temp.path().join(FILE)).unwrap(), b"short");
    }
}
