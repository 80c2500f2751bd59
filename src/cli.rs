//! The command line: every command, option and word of help. `ops` carries them out.
//!
//! Nothing here opens a file or knows a default that depends on the machine; those are in `config`.

mod backup;
mod export;
mod install;
mod log;
mod operator;
mod relay;
mod restore;
mod tls;
mod update;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use backup::BackupArgs;
pub use export::{ExportArgs, VerifyArgs};
pub use install::{InstallArgs, UninstallArgs, UsbCommand, WhereArgs};
pub use log::{LogArgs, LogWhat};
pub use operator::{
    AddPersonArgs, AddRequestArgs, DataArgs, DoctorArgs, EraseArgs, ListPeopleArgs, PasswordArgs,
    PersonCommand, RequestCommand, RoleArg, TokenArgs,
};

pub use relay::{PairArgs, RelayArgs, RelayAt, RelayCommand, RelayLogArgs, StatusArgs};
pub use restore::RestoreArgs;
pub use tls::{TlsArgs, TlsWish};
pub use update::{CopyArgs, CopyWhat, SelfTestArgs, UpdateArgs};

use crate::ops::Ttl;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused or failed
  2  the command line, the environment or the configuration is not right
  3  the data directory cannot be used: in use, damaged, read-only, not there
  4  doctor found faults

Environment:
  MOTOREACH_LOG     what is logged, such as `motoreach=debug`
  MOTOREACH_CONFIG  the configuration file";

/// MotoReach: a vehicle workshop's own chat box.
#[derive(Debug, Parser)]
#[command(name = "motoreach", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Log")]
    pub verbose: u8,
    /// Log less; twice for nothing but errors
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Log")]
    pub quiet: u8,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the box
    Serve(ServeArgs),
    /// Run a relay, by which owners reach their workshops from anywhere; pair boxes with it
    Relay(Box<RelayArgs>),
    /// Run a sample workshop, to look at and to test against
    Demo(DemoArgs),
    /// Add people, list them, give them new passwords
    #[command(subcommand)]
    Person(PersonCommand),
    /// Open service requests
    #[command(subcommand)]
    Request(RequestCommand),
    /// Print an access token for somebody, for scripts
    Token(TokenArgs),
    /// Check the data and say what is wrong and what to do
    Doctor(DoctorArgs),
    /// Make a backup now, and prove it
    Backup(BackupArgs),
    /// Bring a workshop back from a backup or from its relay, on a new card or a new machine
    Restore(RestoreArgs),
    /// Write one request or one owner into a file that proves itself
    Export(ExportArgs),
    /// Check a file that `motoreach export` or the page made
    Verify(VerifyArgs),
    /// Show or change what the running box logs
    Log(LogArgs),
    /// Install this program on this machine: user, units, started now and with the machine
    Install(InstallArgs),
    /// Take the installation back; the data stays
    Uninstall(UninstallArgs),
    /// Say where a browser finds what runs here, and the set-up code while there is one
    Where(WhereArgs),
    /// Disks that are plugged in; for the system's own use
    #[command(subcommand, hide = true)]
    Usb(UsbCommand),
    /// Put a newer program in the place of this one, and take it back if it is no good
    Update(Box<UpdateArgs>),
    /// Show on a copy of a box's data that this program can take it over
    #[command(hide = true)]
    SelfTest(SelfTestArgs),
    /// What an update does to a box's data
    #[command(hide = true)]
    Copy(CopyArgs),
    /// Measure what this machine can do
    Bench(BenchArgs),
}

/// `motoreach serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The data directory, made if it is not there [default: $STATE_DIRECTORY, /var/lib/motoreach
    /// for root, otherwise ~/.local/share/motoreach]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to listen, such as 0.0.0.0:8080; may be given several times [default: `[::]:80` for
    /// root, otherwise `[::]:8080`]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub listen: Vec<SocketAddr>,
    /// The configuration file
    #[arg(long, value_name = "FILE", env = "MOTOREACH_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,
    /// Whether and how TLS is spoken beside plain HTTP.
    #[command(flatten)]
    pub tls: TlsArgs,
}

/// `motoreach demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Keep the sample workshop in this directory, and go on with the one that is in it [default: a
    /// temporary directory, removed at the end]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8080, or a free port if that one is taken]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub listen: Option<SocketAddr>,
    /// How many service requests the workshop has
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub requests: u32,
    /// How long the access tokens live, such as 15m, 24h, 7d; at most 30 days
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub token_ttl: Ttl,
    /// Once it listens, write addresses, people, tokens and links to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Run the box alone, without a relay
    #[arg(long)]
    pub no_relay: bool,
    /// Where the relay listens [default: a free port of this machine]
    #[arg(long, value_name = "ADDR", value_parser = address, conflicts_with = "no_relay")]
    pub relay_listen: Option<SocketAddr>,
    /// Take the line between box and relay of a sample that runs down, or up again; found by --data,
    /// or without it where only one runs
    #[arg(long, conflicts_with_all = ["listen", "relay_listen", "no_relay", "json"])]
    pub cut: bool,
}

/// `motoreach bench`.
#[derive(Clone, Copy, Debug, Args)]
pub struct BenchArgs {
    /// Measure only this [default: both]
    #[arg(value_name = "PART")]
    pub part: Option<BenchPart>,
    /// How long to measure each thing of the box
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// Messages that a box has when it meets its relay
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub entries: u64,
    /// Boxes on the line of one relay
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = count)]
    pub boxes: usize,
    /// Owners' pages open at one relay
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = count)]
    pub owners: usize,
    /// Also let a line go silent, and wait until that is noticed: more than a minute
    #[arg(long)]
    pub silent_line: bool,
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What `motoreach bench` measures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum BenchPart {
    /// A box by itself
    Box,
    /// A relay, and the link to it
    Relay,
}

/// How many of something a relay takes: as many as it has connections.
fn count(text: &str) -> Result<usize, &'static str> {
    let count = text
        .parse()
        .ok()
        .filter(|count| (2..=10_000).contains(count));
    count.ok_or("write a number from 2 to 10,000")
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "write an address and a port, such as 127.0.0.1:8080 or [::]:8080")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_relay_runs_unless_it_is_asked_for_something() {
        let relay = |line: &[&str]| {
            let line = ["motoreach", "relay"].iter().chain(line);
            match Cli::try_parse_from(line).map(|cli| cli.command) {
                Ok(Command::Relay(args)) => Some(args),
                Ok(_) | Err(_) => None,
            }
        };
        assert!(relay(&["--listen", "[::]:443"]).unwrap().command.is_none());
        let pair = relay(&["pair", "--data", "/x", "--json"]).unwrap();
        assert!(matches!(
            pair.command,
            Some(RelayCommand::Pair(PairArgs { json: true }))
        ));
        assert_eq!(pair.at.data, Some("/x".into()));
        assert!(
            relay(&["--tls-cert", "/x"]).is_none(),
            "a certificate needs its key"
        );
        assert!(relay(&["--public-url", "relay.example"]).is_none());
    }

    #[test]
    fn staff_need_a_username_and_owners_do_not() {
        let parse = |role: &str, more: &[&str]| {
            let line = ["motoreach", "person", "add", "--name", "A", "--role", role];
            Cli::try_parse_from(line.iter().chain(more)).is_ok()
        };
        assert!(!parse("admin", &[]) && !parse("mechanic", &[]));
        assert!(parse("admin", &["--username", "a"]) && parse("owner", &[]));
        assert!(!parse("chief", &["--username", "a"]));
    }
}
