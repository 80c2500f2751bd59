//! `motoreach backup`: a backup now, by the running server if there is one, otherwise by this process
//! under the directory's lock. Either way it is followed to its end.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::json;
use tokio::time::sleep;

use super::back_up::{BackupLine, EndedLine, ProvenLine, StepLine};
use super::desk::Desk;
use super::failure::Exit;
use super::figures::{bytes, counted, grouped};
use super::order::{Answer, Request};
use super::serve::minded_signals;
use super::{many_threads, say};
use crate::cli::BackupArgs;
use crate::config::Config;
use crate::store::DataDir;

/// How often it is asked how the backup stands.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// `motoreach backup`.
///
/// # Errors
/// A sentence: no backup was made, or none that was proven.
pub fn run(args: &BackupArgs) -> anyhow::Result<Exit> {
    let config = Config::load(args.at.config.as_deref())?;
    let dir = DataDir::new(args.at.data.clone().unwrap_or(config.data));
    let to = args.to.as_ref().map(std::path::absolute).transpose()?;
    let runtime = many_threads()?;
    let done = runtime.block_on(async {
        let mut signals = minded_signals()?;
        let desk = Desk::open(dir).await?;
        let request = Request::BackUp {
            to,
            plain: args.plain,
        };
        let made = {
            let making = made(&desk, request, args.at.json);
            let mut making = std::pin::pin!(making);
            tokio::select! {
                made = making.as_mut() => made,
                () = signals.next() => {
                    // What this process makes is stopped and swept up.
                    if desk.stop() {
                        making.await
                    } else {
                        Err(anyhow::anyhow!("The running server goes on with the backup."))
                    }
                }
            }
        };
        desk.close().await;
        made
    });
    runtime.shutdown_background();
    tell(&done?, args.at.json);
    Ok(Exit::Done)
}

async fn made(desk: &Desk, request: Request, silent: bool) -> anyhow::Result<EndedLine> {
    let Answer::BackupBegun { ticket } = desk.ask(request).await? else {
        return unexpected();
    };
    let mut told = String::new();
    loop {
        let Answer::Backup(BackupLine { running, ended }) =
            desk.ask(Request::BackupState { ticket }).await?
        else {
            return unexpected();
        };
        if let Some(ended) = ended {
            return match ended.fault {
                Some(fault) => Err(fault.into()),
                None => Ok(ended),
            };
        }
        let Some(StepLine { step, of, .. }) = running else {
            bail!("The backup was lost sight of: look at Box, Backup on the page.");
        };
        if !silent && step != told {
            say(sentence(&step, of));
            told = step;
        }
        sleep(LOOK_EVERY).await;
    }
}

fn sentence(step: &str, of: u64) -> String {
    match step {
        "copying" => "Copying …".to_owned(),
        "sealing" => format!("Writing {} …", bytes(of)),
        _ => "Proving it by restoring it into a scratch place …".to_owned(),
    }
}

fn tell(made: &EndedLine, in_json: bool) {
    let path = made.path.clone().unwrap_or_default();
    let Some(proven) = &made.proven else { return };
    let ProvenLine {
        messages,
        of,
        seconds,
    } = proven;
    if in_json {
        say(json!({
            "file": path,
            "bytes": made.bytes,
            "sealed": made.sealed,
            "messages": messages,
            "of": of,
            "seconds": seconds,
            "removed": made.removed,
        }));
        return;
    }
    let how = if made.sealed {
        "sealed with the recovery words"
    } else {
        "not sealed: whoever has it can read everything in it"
    };
    say(format_args!(
        "Backed up to {} ({}, {how}).",
        path.display(),
        bytes(made.bytes)
    ));
    say(format_args!(
        "Proven: restored {} of {} in {seconds} s.",
        grouped(*messages),
        counted(*of, "message", "messages"),
    ));
    if made.removed > 0 {
        let removed = i64::try_from(made.removed).unwrap_or(i64::MAX);
        say(format_args!(
            "{} gave way to it.",
            counted(removed, "older backup", "older backups")
        ));
    }
}

fn unexpected<T>() -> anyhow::Result<T> {
    Err(anyhow::anyhow!(
        "The running server answered something else: it is of another version. Restart it."
    ))
    .context("No backup was made.")
}
