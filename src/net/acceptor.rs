//! Our own certificate: TLS for a listener, with files that are read again when they change.
//!
//! A certificate is renewed every few weeks, by another program, while we serve. A pair that does not
//! fit (half of it was written) is not taken: the one before stays, and the log says so.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use rustls::crypto::ring::Ticketer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::server::TlsStream;

use super::tls::{ALPN, TlsClock, certificates, provider};
use crate::clock::{Clock, stopwatch};

/// The files are looked at no more often than this.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Accepts TLS with the newest sound certificate.
#[derive(Debug)]
pub struct TlsAcceptor {
    certificate: PathBuf,
    key: PathBuf,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    /// What the files were when they were last read, whether that did any good or not.
    seen: Option<Marks>,
    looked: Instant,
}

/// Enough of a file's metadata to tell that it is another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Mark {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

type Marks = [Mark; 2];

impl TlsAcceptor {
    /// Reads certificate chain and private key, both PEM.
    ///
    /// # Errors
    /// A sentence: a file cannot be read, holds none, or the two do not belong together.
    pub fn open(certificate: PathBuf, key: PathBuf) -> io::Result<Self> {
        // Taken first: a change between the two is found at the next look.
        let seen = marks(&certificate, &key);
        let config = load(&certificate, &key)?;
        Ok(Self {
            certificate,
            key,
            current: Mutex::new(Current {
                config,
                seen: seen.ok(),
                looked: stopwatch(),
            }),
        })
    }

    /// The handshake with a peer. It has no deadline of its own.
    ///
    /// # Errors
    /// The peer speaks no TLS, or the line broke.
    pub async fn accept<S>(self: &Arc<Self>, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if self.is_due(stopwatch()) {
            let this = Arc::clone(self);
            // Reads files. Whoever comes meanwhile goes on with what there is.
            if let Err(error) = tokio::task::spawn_blocking(move || this.look()).await {
                tracing::error!(%error, "looking for a new certificate failed");
            }
        }
        let config = Arc::clone(&self.current().config);
        tokio_rustls::TlsAcceptor::from(config).accept(stream).await
    }

    /// Whether it is time to look at the files; only one caller is told so.
    fn is_due(&self, now: Instant) -> bool {
        let mut current = self.current();
        let due = now.duration_since(current.looked) >= LOOK_EVERY;
        if due {
            current.looked = now;
        }
        due
    }

    /// Takes a new pair if there is a sound one.
    fn look(&self) {
        let seen = match marks(&self.certificate, &self.key) {
            Ok(seen) => seen,
            Err(error) => {
                tracing::warn!(%error, "the certificate's files cannot be looked at");
                return;
            }
        };
        if self.current().seen == Some(seen) {
            return;
        }
        let loaded = load(&self.certificate, &self.key);
        let mut current = self.current();
        current.seen = Some(seen);
        match loaded {
            Ok(config) => {
                current.config = config;
                tracing::info!(file = %self.certificate.display(), "a new certificate is in use");
            }
            Err(error) => {
                tracing::warn!(%error, "a new certificate was not taken; the one before stays in use");
            }
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn load(certificate: &Path, key: &Path) -> io::Result<Arc<ServerConfig>> {
    let chain = certificates(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| io::Error::other(format!("{}: {error}", key.display())))?;
    let time = TlsClock::new(Clock::system());
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(time))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| io::Error::other(format!("{}: {error}", certificate.display())))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Thousands of phones come back at once after a restart of their network; tickets spare both
    // sides most of the handshake and us a table of sessions.
    config.ticketer = Ticketer::new().map_err(io::Error::other)?;
    Ok(Arc::new(config))
}

fn marks(certificate: &Path, key: &Path) -> io::Result<Marks> {
    Ok([mark(certificate)?, mark(key)?])
}

fn mark(path: &Path) -> io::Result<Mark> {
    let data = fs::metadata(path)?;
    Ok(Mark {
        inode: data.ino(),
        bytes: data.size(),
        modified: (data.mtime(), data.mtime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::testing::Authority;

    fn certificate_of(acceptor: &TlsAcceptor) -> Arc<ServerConfig> {
        Arc::clone(&acceptor.current().config)
    }

    #[test]
    fn a_new_pair_is_taken_and_a_broken_one_is_not() {
        let temp = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let (chain, key) = authority.write(temp.path(), "localhost");
        let acceptor = TlsAcceptor::open(chain.clone(), key.clone()).unwrap();
        let first = certificate_of(&acceptor);
        acceptor.look();
        assert!(Arc::ptr_eq(&first, &certificate_of(&acceptor)));

        let other = tempfile::tempdir().unwrap();
        let (other_chain, other_key) = authority.write(other.path(), "localhost");
        fs::rename(&other_chain, &chain).unwrap();
        acceptor.look();
        assert!(
            Arc::ptr_eq(&first, &certificate_of(&acceptor)),
            "a chain with another's key"
        );
        fs::rename(&other_key, &key).unwrap();
        acceptor.look();
        assert!(!Arc::ptr_eq(&first, &certificate_of(&acceptor)));
    }

    #[test]
    fn the_files_are_not_looked_at_all_the_time() {
        let temp = tempfile::tempdir().unwrap();
        let (chain, key) = Authority::new().write(temp.path(), "localhost");
        let acceptor = TlsAcceptor::open(chain, key).unwrap();
        let now = stopwatch();
        assert!(!acceptor.is_due(now));
        assert!(acceptor.is_due(now + LOOK_EVERY));
        assert!(!acceptor.is_due(now + LOOK_EVERY));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = TlsAcceptor::open("/nowhere/chain.pem".into(), "/nowhere/key.pem".into());
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("/nowhere/chain.pem")
        );
    }
}
