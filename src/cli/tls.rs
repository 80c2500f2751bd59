//! How a box is asked to speak TLS.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::config::{Config, Tls};

/// Whether and how TLS is spoken beside plain HTTP.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// Speak TLS as well, beside plain HTTP: `auto` makes a certificate authority for this box, which
    /// the workshop's devices are told to trust once (see the page Box, Addresses)
    #[arg(long, value_name = "HOW", conflicts_with_all = ["tls_cert", "tls_key"])]
    pub tls: Option<TlsWish>,
    /// Where to listen for TLS; may be given several times [default: port 443 beside port 80,
    /// otherwise 8443]
    #[arg(long, value_name = "ADDR", value_parser = super::address)]
    pub tls_listen: Vec<SocketAddr>,
    /// Speak TLS with this certificate (PEM, with those that vouch for it); read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

/// Whether TLS is spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum TlsWish {
    /// With a certificate authority of the box's own
    Auto,
    /// Plain HTTP only
    Off,
}

impl TlsArgs {
    /// The command line wins over the file.
    pub fn apply(self, config: &mut Config) {
        if let Some(wish) = self.tls {
            config.tls = match wish {
                TlsWish::Auto => Tls::Auto,
                TlsWish::Off => Tls::Off,
            };
            (config.tls_cert, config.tls_key) = (None, None);
        }
        if self.tls_cert.is_some() {
            (config.tls_cert, config.tls_key) = (self.tls_cert, self.tls_key);
        }
        if !self.tls_listen.is_empty() {
            config.tls_listen = self.tls_listen;
        }
    }
}
