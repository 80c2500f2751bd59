//! What the relay keeps secret: 32 random bytes in a file of their own, and every key that comes of
//! them.
//!
//! They lie beside the database and not in it: a relay whose database was lost is still the same relay
//! to its boxes and to the browsers that subscribed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use web_push_native::p256;

use super::push::Vapid;
use crate::seal::{RootSecret, SigningKey};

/// The file's name in the data directory.
const FILE: &str = "relay.secret";

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
    /// Reads the secret of a data directory, or makes one if there is none.
    ///
    /// # Errors
    /// The file cannot be read or written, or is none of ours: a sentence that names it.
    pub fn open(directory: &Path) -> io::Result<Self> {
        let path = directory.join(FILE);
        let named = |error: &dyn std::fmt::Display| {
            io::Error::other(format!("{}: {error}", path.display()))
        };
        let bytes = match read(&path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                return Err(named(
                    &"it does not hold 32 bytes; put it back from a backup",
                ));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(directory, &path).map_err(|error| named(&error))?
            }
            Err(error) => return Err(named(&error)),
        };
        Ok(Self::from_bytes(bytes))
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

/// Whole or not at all: written beside, fsynced, renamed, directory fsynced.
fn make(directory: &Path, path: &Path) -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| io::Error::other("the system has no randomness"))?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(directory)?.sync_all()?;
    Ok(bytes)
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
    fn a_damaged_secret_is_not_written_over() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(FILE), b"short").unwrap();
        let error = Secrets::open(temp.path()).unwrap_err();
        assert!(error.to_string().contains(FILE), "{error}");
        assert_eq!(fs::read(temp.path().join(FILE)).unwrap(), b"short");
    }
}
