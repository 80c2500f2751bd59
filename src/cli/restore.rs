//! The words of bringing a workshop back.

use std::path::PathBuf;

use clap::Args;

use super::DataArgs;

const HELP: &str = "\
A dead box needs nothing but a relay that it was connected to and its 24 recovery words:

  motoreach restore --from-relay https://relay.example --data /var/lib/motoreach

With a backup it needs the file and the words; what came after the backup comes back from the relay once
the box runs again:

  motoreach restore /media/stick/motoreach-2026-11-25T0230Z.backup --data /var/lib/motoreach

The words are read from the terminal, or from --words FILE; they are no arguments, because other
programs can see those. Staff sign in with their old passwords afterwards, and owners' links work.
It may be stopped at any time: run again, it goes on or begins anew.";

/// `motoreach restore`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct RestoreArgs {
    /// The backup to restore
    #[arg(value_name = "FILE", required_unless_present = "from_relay")]
    pub file: Option<PathBuf>,
    /// Restore from the workshop's relay instead, such as `https://relay.example`
    #[arg(long, value_name = "URL", conflicts_with = "file")]
    pub from_relay: Option<String>,
    /// Where the 24 recovery words are; `-`: they are typed or piped in
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub words: PathBuf,
    /// The old box is gone for good: this is the real one
    #[arg(long, requires = "from_relay")]
    pub claim: bool,
    /// Where to.
    #[command(flatten)]
    pub at: DataArgs,
}
