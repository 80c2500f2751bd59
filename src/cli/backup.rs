//! The words of making a backup.

use std::path::PathBuf;

use clap::Args;

use super::DataArgs;

const HELP: &str = "\
Without --to the backup goes where the box's settings say (Box, Backup on the page; at first the folder
`backups` in the data directory), and older ones give way to it by the keep-rules. It is proven by
restoring it into a scratch place before that. A running server makes it itself and goes on serving.

It is sealed with the recovery words, which nobody has to type for it: `motoreach restore FILE` asks for
them. A plain one can be opened by anybody who has the file:

  tail -c +4097 FILE | tar -xz

Neither has the root secret in it, so both need the words when a box is restored.";

/// `motoreach backup`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct BackupArgs {
    /// Another folder, or the new file itself; nothing else there is touched
    #[arg(long, value_name = "DIR|FILE")]
    pub to: Option<PathBuf>,
    /// Do not seal it: whoever has the file can read everything in it
    #[arg(long)]
    pub plain: bool,
    /// Where the data is, and how to answer.
    #[command(flatten)]
    pub at: DataArgs,
}
