//! The words of files that prove themselves: making one, and checking one.

use std::path::PathBuf;

use clap::Args;

use super::DataArgs;

const EXPORT_HELP: &str = "\
The file is a page that opens on any phone and prints. It carries its own proof: the words, the chain
that they stand in, and the workshop's signature. Check it anywhere with `motoreach verify FILE`.";

const VERIFY_HELP: &str = "\
A sound file ends with 0, any other with 1. The file alone tells that nothing was changed since it was
signed, and by which key. Whose key that is, only its owner can say: --key compares it, and --data asks
a box's own keys, which then open every seal, too.";

/// `motoreach export`.
#[derive(Debug, Args)]
#[command(after_help = EXPORT_HELP)]
pub struct ExportArgs {
    /// The request with this number
    #[arg(long, value_name = "N", required_unless_present = "owner")]
    pub request: Option<i64>,
    /// Everything of the owner with this number; `motoreach person list --role owner` shows it
    #[arg(long, value_name = "N", conflicts_with = "request")]
    pub owner: Option<i64>,
    /// The file to write; it must not be there yet [default: motoreach-request-N.html or
    /// motoreach-owner-N.html here]
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Where, and how to answer.
    #[command(flatten)]
    pub at: DataArgs,
}

/// `motoreach verify`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
pub struct VerifyArgs {
    /// The file that `motoreach export` or the page made
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The fingerprint that the workshop's key must have (letters and digits; spaces do not matter)
    #[arg(long, value_name = "FINGERPRINT")]
    pub key: Option<String>,
    /// The data directory of the box that it must come from
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}
