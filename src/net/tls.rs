//! Whom a TLS client of ours trusts, and what time it is to a certificate.
//!
//! A Pi may believe that it is 1970: then no certificate in the world is valid yet. So certificates are
//! judged by our own clock, which is never earlier than what this box once knew (`clock`).

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};

use crate::clock::Clock;

/// The only application protocol that we speak.
pub(super) const ALPN: &[u8] = b"http/1.1";

/// What time it is to certificates.
#[derive(Clone, Debug)]
pub struct TlsClock(Clock);

impl TlsClock {
    /// The same as on this clock.
    pub const fn new(clock: Clock) -> Self {
        Self(clock)
    }
}

impl TimeProvider for TlsClock {
    fn current_time(&self) -> Option<UnixTime> {
        let ms = u64::try_from(self.0.now().0).ok()?;
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
    use crate::domain::Timestamp;

    #[test]
    fn in_1970_certificates_are_judged_by_the_latest_that_is_known() {
        let clock = Clock::manual(Timestamp(0));
        let time = TlsClock::new(clock.clone());
        let told = || time.current_time().map(|time| u128::from(time.as_secs()));
        let known = || u128::try_from(clock.now().seconds()).ok();
        assert!(known() > Some(0));
        assert_eq!(told(), known());
        clock.advance_ms(clock.now().0 + 20_000);
        assert_eq!(told(), known());
    }

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let time = TlsClock::new(Clock::system());
        assert!(client(&time, Some(file.path())).is_err());
        assert!(client(&time, None).is_ok());
    }
}
