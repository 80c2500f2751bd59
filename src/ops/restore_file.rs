//! `motoreach restore FILE`: a workshop comes back from a backup onto an empty card.
//!
//! As with the relay, the directory's lock is held all the while, what comes back is gathered beside,
//! and whatever ends this process leaves the directory as empty as it was, or the whole workshop in it.

use std::cell::Cell;
use std::path::Path;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::restore::{in_place, must_be_free, root_of};
use super::say;
use crate::cli::RestoreArgs;
use crate::clock::Clock;
use crate::domain::{RestoreFault, RestoreStep, Restored};
use crate::seal::{BackupHeader, RootSecret};
use crate::store::DataDir;
use crate::store::backup::{self, BringBackError};
use crate::wire::rfc3339;

/// Brings the workshop in `file` back into `dir`.
pub(super) async fn restored(
    args: &RestoreArgs,
    dir: DataDir,
    file: &Path,
    shutdown: CancellationToken,
) -> anyhow::Result<Restored> {
    let header = backup::header(file).map_err(RestoreFault::Backup)?;
    let root = secret_for(args, &dir, &header)?;
    let held = dir.lock()?;
    must_be_free(&dir, &root)?;
    let silent = args.at.json;
    let (place, from) = (dir.clone(), file.to_owned());
    let gathered = tokio::task::spawn_blocking(move || {
        let told = Cell::new(None);
        let tell = |step: RestoreStep, _: u64, of: u64| {
            if !silent && told.replace(Some(step)) != Some(step) {
                say(sentence(step, of));
            }
        };
        let stop = || shutdown.is_cancelled();
        backup::bring_back(&place, &from, &root, &Clock::system(), &tell, &stop)
    });
    let back = gathered
        .await
        .context("Nothing was restored; try again.")?
        .map_err(in_words)?;
    in_place(dir, held).await?;
    Ok(back)
}

/// The secret that is there already, if it fits, or the words.
fn secret_for(
    args: &RestoreArgs,
    dir: &DataDir,
    header: &BackupHeader,
) -> anyhow::Result<RootSecret> {
    // Asking for the secret of an empty directory would make one.
    if dir.has_root_secret()
        && let Ok(root) = dir.root()
        && backup::belongs_to(header, &root)
    {
        if !args.at.json {
            say("The root.secret that is there already belongs to this backup.");
        }
        return Ok(root);
    }
    root_of(&args.words, args.at.json)
}

/// From when the backup is.
pub(super) fn as_of(back: &Restored) -> Option<String> {
    back.as_of.map(rfc3339)
}

fn sentence(step: RestoreStep, of: u64) -> String {
    match step {
        RestoreStep::Gathering => "Gathering …".to_owned(),
        RestoreStep::Unpacking => format!("Unpacking {} …", super::figures::bytes(of)),
        RestoreStep::Checking => "Checking everything in it …".to_owned(),
    }
}

fn in_words(error: BringBackError) -> anyhow::Error {
    match error {
        BringBackError::Fault(fault) => {
            let nothing = format!("Nothing was changed: {fault}");
            anyhow::Error::from(fault).context(nothing)
        }
        BringBackError::Store(error) => {
            tracing::warn!(%error, "nothing was restored");
            in_words(RestoreFault::Storage.into())
        }
        BringBackError::Data(error) => error.into(),
        error @ BringBackError::Stopped => error.into(),
    }
}
