//! A relay's configuration: a TOML file that nobody needs, and the defaults for everybody else.
//!
//! `ops::relay` loads it and lets the command line win. It must never hold a secret: the metrics' token
//! is in a file of its own.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::{self, ConfigError};

/// What can be set. Everything has a default.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RelayConfig {
    /// Where the database and the secret are.
    pub data: PathBuf,
    /// Where to listen; empty: by what there is, see [`RelayConfig::addresses`].
    pub listen: Vec<SocketAddr>,
    /// What owners' links begin with.
    #[serde(deserialize_with = "config::public_url")]
    pub public_url: Option<String>,
    /// The certificate chain; none: plain HTTP, behind a proxy.
    pub tls_cert: Option<PathBuf>,
    /// Its private key.
    pub tls_key: Option<PathBuf>,
    /// Machines that speak for others (reverse proxies), besides this one.
    pub proxies: Vec<IpAddr>,
    /// Whom push services may write to, `mailto:` or `https:`; none: the public address.
    pub push_contact: Option<String>,
    /// The file with the token that opens the metrics from elsewhere.
    pub metrics_token_file: Option<PathBuf>,
    /// Certificate authorities that are trusted besides the world's.
    pub extra_roots: Option<PathBuf>,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            data: config::default_data("motoreach-relay"),
            listen: Vec::new(),
            public_url: None,
            tls_cert: None,
            tls_key: None,
            proxies: Vec::new(),
            push_contact: None,
            metrics_token_file: None,
            extra_roots: None,
        }
    }
}

impl RelayConfig {
    /// Every key that a file may set.
    pub const KEYS: [&str; 9] = [
        "data",
        "listen",
        "public_url",
        "tls_cert",
        "tls_key",
        "proxies",
        "push_contact",
        "metrics_token_file",
        "extra_roots",
    ];

    /// The configuration of this file, or the defaults without one.
    ///
    /// # Errors
    /// A sentence that names the file and, where there is one, the key.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        config::load_keys(file, &Self::KEYS)
    }

    /// Where to listen: as configured, or on the port that browsers take for granted where we may.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        if !self.listen.is_empty() {
            return self.listen.clone();
        }
        let port = match (self.tls_cert.is_some(), config::may_open_low_ports()) {
            (true, true) => 443,
            (true, false) => 8443,
            (false, true) => 80,
            (false, false) => 8080,
        };
        vec![SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_may_be_set_and_no_other() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "data = '/x'\nlisten = ['[::]:443']\npublic_url = 'https://relay.example/'\n\
                    tls_cert = '/c'\ntls_key = '/k'\nproxies = ['192.0.2.1']\n\
                    push_contact = 'mailto:a@b.example'\nmetrics_token_file = '/m'\n\
                    extra_roots = '/r'\n";
        assert_eq!(text.matches(" = ").count(), RelayConfig::KEYS.len());
        std::fs::write(file.path(), text).unwrap();
        let config = RelayConfig::load(Some(file.path())).unwrap();
        assert_eq!(config.public_url.as_deref(), Some("https://relay.example"));
        assert_eq!(config.addresses(), ["[::]:443".parse().unwrap()]);
        std::fs::write(file.path(), "listens = []\n").unwrap();
        let refused = RelayConfig::load(Some(file.path())).unwrap_err();
        assert!(refused.to_string().contains("`listens`"), "{refused}");
    }
}
