//! The words of putting a new program in the old one's place.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::DataArgs;

const HELP: &str = "\
A program and its signature, as they are published:

  sudo motoreach update motoreach-0.2.0-aarch64-unknown-linux-musl
  sudo motoreach update https://example.org/motoreach-0.2.0-aarch64-unknown-linux-musl

The signature is looked for beside it, under the same name with .minisig at its end. It must be by the
key that this program was built with, or by `update_key` of the configuration.

The database is backed up first and the new program tested on a copy of it. Then it takes the old one's
place, is started, and watched; when it does not serve well, the old one comes back by itself. A power
cut at any moment leaves one whole program and all data, and the next start goes on.";

/// `motoreach update`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
#[group(id = "what", required = true, multiple = false, args = ["from", "roll_back", "apply", "trial", "from_package"])]
pub struct UpdateArgs {
    /// The new program: a file, or an address to download it from
    #[arg(value_name = "FILE|URL")]
    pub from: Option<String>,
    /// Its signature [default: the same with .minisig at its end]
    #[arg(long, value_name = "FILE|URL", requires = "from")]
    pub signature: Option<String>,
    /// Also an older version, or the same again
    #[arg(long, requires = "from")]
    pub allow_older: bool,
    /// Only check and test it; change nothing
    #[arg(long, requires = "from")]
    pub check: bool,
    /// Make no backup first
    #[arg(long)]
    pub without_backup: bool,
    /// Go back to the program that the last update replaced
    #[arg(long)]
    pub roll_back: bool,
    /// Apply what the page brought; for the service manager
    #[arg(long, hide = true)]
    pub apply: bool,
    /// Go on with a trial; for the service manager
    #[arg(long, hide = true)]
    pub trial: bool,
    /// The package manager put the new program in place already
    #[arg(long, hide = true)]
    pub from_package: bool,
    /// Where an update's own files are [default: /var/lib/motoreach-update, or in the data directory]
    #[arg(
        long,
        value_name = "DIR",
        env = "MOTOREACH_UPDATE_STATE",
        hide_env = true,
        hide = true
    )]
    pub state: Option<PathBuf>,
    /// The program to replace [default: this one]
    #[arg(long, value_name = "FILE", hide = true)]
    pub program: Option<PathBuf>,
    /// A command that speaks as systemctl does [default: systemctl, where systemd runs the box]
    #[arg(long, value_name = "FILE", hide = true)]
    pub service_manager: Option<PathBuf>,
    /// How long the new program must serve without a fault before it is trusted, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600), hide = true)]
    pub stays_up: u64,
    /// By when it must have begun to serve, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 180, value_parser = clap::value_parser!(u64).range(1..=7_200), hide = true)]
    pub limit: u64,
    /// Of which box.
    #[command(flatten)]
    pub at: DataArgs,
}

/// `motoreach self-test`.
#[derive(Debug, Args)]
pub struct SelfTestArgs {
    /// A copy of a data directory; it is changed
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

/// `motoreach copy`: what an update does to the data, as the user who owns it.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// What to do
    #[arg(value_enum)]
    pub what: CopyWhat,
    /// The data directory
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The folder of the copy
    #[arg(long, value_name = "DIR")]
    pub folder: PathBuf,
}

/// What to do with a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum CopyWhat {
    /// Make one to test on, beside a running server
    Make,
    /// Keep the database of a stopped server
    Keep,
    /// Say what going back to this program would mean
    Weigh,
    /// Put the kept database back
    PutBack,
}
