//! The words of a relay's command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::address;
use super::log::LogWhat;
use crate::config;

/// `motoreach relay`.
#[derive(Debug, Args)]
pub struct RelayArgs {
    /// Where it is.
    #[command(flatten)]
    pub at: RelayAt,
    /// Where to listen, such as 0.0.0.0:8443; may be given several times [default: with a certificate
    /// `[::]:443` for root, otherwise `[::]:8443`; without one `[::]:80`, otherwise `[::]:8080`]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub listen: Vec<SocketAddr>,
    /// What owners' links begin with, such as `https://relay.example`
    #[arg(long, value_name = "URL", value_parser = config::parse_public_url)]
    pub public_url: Option<String>,
    /// Speak TLS with this certificate chain (PEM); read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Also trust the certificate authorities in this file (PEM), for push services
    #[arg(long, value_name = "FILE")]
    pub extra_roots: Option<PathBuf>,
    /// Let browsers name push services on private networks; for tests
    #[arg(long, hide = true)]
    pub push_allow_private: bool,
    /// Stop when standard input ends: how a sample's relay goes with its sample, however that ends
    #[arg(long, hide = true)]
    pub stop_with_stdin: bool,
    /// What to do instead of running.
    #[command(subcommand)]
    pub command: Option<RelayCommand>,
}

/// Where a relay's data is.
#[derive(Clone, Debug, Args)]
pub struct RelayAt {
    /// The data directory, made if it is not there [default: $STATE_DIRECTORY,
    /// /var/lib/motoreach-relay for root, otherwise ~/.local/share/motoreach-relay]
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// The configuration file
    #[arg(
        long,
        value_name = "FILE",
        env = "MOTOREACH_RELAY_CONFIG",
        hide_env = true,
        global = true
    )]
    pub config: Option<PathBuf>,
}

/// `motoreach relay …`, beside a relay that may be running.
#[derive(Debug, Subcommand)]
pub enum RelayCommand {
    /// Print a code by which one box may use this relay; good for an hour, once
    Pair(PairArgs),
    /// List the workshops and what is kept for them
    Status(StatusArgs),
    /// Show or change what the running relay logs
    Log(RelayLogArgs),
}

/// `motoreach relay log`.
#[derive(Debug, Args)]
pub struct RelayLogArgs {
    /// What to log.
    #[command(flatten)]
    pub what: LogWhat,
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `motoreach relay pair`.
#[derive(Clone, Copy, Debug, Args)]
pub struct PairArgs {
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `motoreach relay status`.
#[derive(Clone, Copy, Debug, Args)]
pub struct StatusArgs {
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}
