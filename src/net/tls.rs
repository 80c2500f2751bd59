//! Whom a TLS client of ours trusts, and what time it is to a certificate.
//!
//! A Pi may believe that it is 1970: then no certificate in the world is valid yet. Until the machine
//! was told the time, it is the later of the day this program was built and the latest that is known.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};

use crate::clock::Clock;
use crate::domain::Timestamp;

/// The only application protocol that we speak.
pub(super) const ALPN: &[u8] = b"http/1.1";

/// What time it is to certificates; clones share it.
#[derive(Clone, Debug)]
pub struct TlsClock {
    clock: Clock,
    known_ms: Arc<AtomicI64>,
}

impl TlsClock {
    /// The machine's time, never earlier than the day this program was built.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            known_ms: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// It was already so late when something trustworthy happened: the newest entry of our own journal,
    /// say. Never what a peer claims.
    pub fn was_already(&self, known: Timestamp) {
        self.known_ms.fetch_max(known.0, Ordering::Relaxed);
    }

    /// A clock that was told the time is believed, also when it went back: a journal that was written
    /// while it was years ahead must not make every certificate look old from then on.
    fn now_ms(&self) -> i64 {
        let now = self.clock.now().0;
        if self.clock.was_told() {
            now
        } else {
            now.max(self.known_ms.load(Ordering::Relaxed))
        }
    }
}

impl TimeProvider for TlsClock {
    fn current_time(&self) -> Option<UnixTime> {
        let ms = u64::try_from(self.now_ms()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(ms)))
    }
}

/// Trusts the world's certificate authorities, those of this machine, and those in a PEM file.
///
/// # Errors
/// The file cannot be read, or holds no certificate.
pub fn client(time: &TlsClock, extra_roots: Option<&Path>) -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    // A machine without a list of its own is fine: the world's is compiled in.
    let (_, odd) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if odd > 0 {
        tracing::debug!(
            odd,
            "some of this machine's certificate authorities are no use"
        );
    }
    if let Some(path) = extra_roots {
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(io::Error::other)?;
        }
    }
    let mut config = ClientConfig::builder_with_details(provider(), Arc::new(time.clone()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

/// ring, because it cross-compiles with gcc alone.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

/// The certificates of a PEM file, at least one.
pub(super) fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let named =
        |why: &dyn std::fmt::Display| io::Error::other(format!("{}: {why}", path.display()));
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(|error| named(&error))?
        .collect();
    let found = found.map_err(|error| named(&error))?;
    if found.is_empty() {
        return Err(named(&"no certificate in it"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_not_told_the_time_is_as_late_as_what_is_known() {
        let clock = Clock::manual(Timestamp(0));
        let time = TlsClock::new(clock.clone());
        let floor = clock.now().0;
        assert_eq!(time.now_ms(), floor);
        time.was_already(Timestamp(floor + 9));
        time.was_already(Timestamp(floor + 5));
        assert_eq!(time.now_ms(), floor + 9);
        clock.advance_ms(floor + 20);
        assert_eq!(time.now_ms(), floor + 20);
        // Twenty years ahead and back again.
        time.was_already(Timestamp(floor + 1_000_000));
        assert_eq!(time.now_ms(), floor + 20);
    }

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let time = TlsClock::new(Clock::system());
        assert!(client(&time, Some(file.path())).is_err());
        assert!(client(&time, None).is_ok());
    }
}
