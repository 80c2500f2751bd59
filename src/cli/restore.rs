//! The words of bringing a workshop back.

use std::path::PathBuf;

use clap::Args;

use super::DataArgs;

const HELP: &str = "\
A dead box needs nothing but a relay that it was connected to and its 24 recovery words:

  motoreach restore --from-relay https://relay.example --data /var/lib/motoreach

The words are read from the terminal, or from --words FILE; they are no arguments, because other
programs can see those. Staff sign in with their old passwords afterwards, and owners' links work.
It may be stopped at any time: run again, it goes on or begins anew.";

/// `motoreach restore`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct RestoreArgs {
    /// The relay's address, such as `https://relay.example`
    #[arg(long, value_name = "URL")]
    pub from_relay: String,
    /// Where the 24 recovery words are; `-`: they are typed or piped in
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub words: PathBuf,
    /// The old box is gone for good: this is the real one
    #[arg(long)]
    pub claim: bool,
    /// Where to.
    #[command(flatten)]
    pub at: DataArgs,
}
