//! `motoreach copy`: what an update does to a box's data. It runs as the user who owns the data, also
//! when root updates, so that nothing in the data directory becomes root's and no link in it leads root
//! astray.

use serde_json::json;

use super::failure::Exit;
use super::say;
use crate::cli::{CopyArgs, CopyWhat};
use crate::store::DataDir;
use crate::store::copy::{self, Weight};

/// `motoreach copy`.
///
/// # Errors
/// The data cannot be read or written.
pub fn run(args: &CopyArgs) -> anyhow::Result<Exit> {
    let dir = DataDir::new(&args.data);
    match args.what {
        CopyWhat::Make => {
            if dir.database().exists() {
                copy::copy(&dir, &DataDir::new(&args.folder))?;
            }
            say(json!({}));
        }
        CopyWhat::Keep => {
            copy::keep(&dir, &args.folder)?;
            say(json!({}));
        }
        CopyWhat::Weigh => say(weighed(copy::weigh(&dir, &args.folder)?)),
        CopyWhat::PutBack => {
            copy::put_back(&dir, &args.folder)?;
            say(json!({}));
        }
    }
    Ok(Exit::Done)
}

fn weighed(weight: Weight) -> serde_json::Value {
    match weight {
        Weight::Readable => json!({ "going_back": "free" }),
        Weight::KeptIsAsGood => json!({ "going_back": "put_back" }),
        Weight::WouldLose(entries) => json!({ "going_back": "would_lose", "entries": entries }),
        Weight::NothingKept => json!({ "going_back": "nothing_kept" }),
    }
}
