//! How a command ends: the exit code that scripts read and the sentence that people read.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Error;
use serde_json::json;

use super::order::Refused;
use super::restore::NoRoom;
use super::say;
use crate::appliance::StartError;
use crate::config::ConfigError;
use crate::domain::{Rejection, RestoreFault};
use crate::http::handed::HandedError;
use crate::relay::secrets::SecretError;
use crate::relay::sqlite::RelayOpenError;
use crate::store::OpenError;
use crate::update::Refusal;

/// What the exit code says; `motoreach --help` lists them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Refused or failed.
    Failed = 1,
    /// The command line, the environment or the configuration is not right.
    Usage = 2,
    /// The data directory cannot be used: in use, damaged, read-only, not there.
    DataUnusable = 3,
    /// Doctor found faults.
    FaultsFound = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Tells what went wrong, if anything did, and gives the exit code.
pub fn conclude(done: Result<Exit, Error>, json: bool) -> ExitCode {
    let error = match done {
        Ok(exit) => return exit.into(),
        Err(error) => error,
    };
    let (exit, code) = place(&error);
    if json {
        say(json!({ "error": { "code": code, "detail": sentence(&error) } }));
    }
    let _ = writeln!(io::stderr().lock(), "motoreach: {}", sentence(&error));
    exit.into()
}

/// The error's own sentence, with its cause where it does not name it itself.
fn sentence(error: &Error) -> String {
    let sentence = error.to_string();
    match error.chain().nth(1).map(ToString::to_string) {
        Some(cause) if !sentence.contains(&cause) => format!("{sentence} ({cause})"),
        Some(_) | None => sentence,
    }
}

/// Where an error belongs: its exit code, and the word that programs know it by.
fn place(error: &Error) -> (Exit, &str) {
    for cause in error.chain() {
        if let Some(refused) = cause.downcast_ref::<Refused>() {
            return (Exit::Failed, &refused.code);
        }
        if cause.is::<ConfigError>() || cause.is::<HandedError>() {
            return (Exit::Usage, "configuration");
        }
        if let Some(open) = cause.downcast_ref::<RelayOpenError>() {
            return (Exit::DataUnusable, relay_open_code(open));
        }
        if let Some(secret) = cause.downcast_ref::<SecretError>() {
            return (Exit::DataUnusable, secret_code(secret));
        }
        if let Some(room) = cause.downcast_ref::<NoRoom>() {
            return (Exit::DataUnusable, room.word());
        }
        if let Some(refusal) = cause.downcast_ref::<Refusal>() {
            return (Exit::Failed, refusal.word());
        }
        if let Some(fault) = cause.downcast_ref::<RestoreFault>() {
            return (Exit::Failed, fault.word());
        }
        if cause.is::<Rejection>() {
            return (Exit::Usage, "usage");
        }
        if cause.is::<NoData>() {
            return (Exit::DataUnusable, "no_data");
        }
        if let Some(open) = cause.downcast_ref::<OpenError>() {
            return (Exit::DataUnusable, open_code(open));
        }
        if let Some(StartError::Data(open)) = cause.downcast_ref::<StartError>() {
            return (Exit::DataUnusable, open_code(open));
        }
    }
    (Exit::Failed, "failed")
}

const fn open_code(error: &OpenError) -> &'static str {
    match error {
        OpenError::InUse(_) => "in_use",
        OpenError::Files { .. } => "files",
        OpenError::ReadOnly(_) => "read_only",
        OpenError::Damaged { .. } => "damaged",
        OpenError::NoRoot(_) => "no_root_secret",
        OpenError::Newer { .. } | OpenError::Older { .. } | OpenError::Edited(_) => "other_version",
        OpenError::BeingRead(_) => "being_read",
        OpenError::Full(_) => "disk_full",
        OpenError::Store(_) => "storage_failing",
    }
}

const fn relay_open_code(error: &RelayOpenError) -> &'static str {
    match error {
        RelayOpenError::Disk(open) => open_code(open),
        RelayOpenError::Damaged { .. } => "damaged",
    }
}

const fn secret_code(error: &SecretError) -> &'static str {
    match error {
        SecretError::Files { .. } => "files",
        SecretError::Damaged(_) => "damaged",
        SecretError::Missing(_) => "no_relay_secret",
    }
}

/// There is no data to work on, or it is not ours to touch. Its text is a sentence.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoData {
    /// No database in the directory.
    #[error(
        "There is no MotoReach in {0}: name its data directory with --data, or make one by starting `motoreach serve`."
    )]
    NotThere(String),
    /// No relay's database in the directory.
    #[error(
        "There is no relay in {0}: name its data directory with --data, or make one by starting `motoreach relay`."
    )]
    NoRelay(String),
    /// Nobody listens there.
    #[error(
        "No MotoReach runs on {0}: start it, or name the data directory of the one that runs with --data."
    )]
    NotRunning(String),
    /// Files of ours in it would lock out the server.
    #[error(
        "{directory} belongs to user {owner}: run this as that user (`sudo -u '#{owner}' motoreach …`), or start the server first."
    )]
    Foreign {
        /// The data directory.
        directory: String,
        /// The numeric id of the user who owns it.
        owner: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::anyhow!("no space left").context("x.json cannot be written.");
        assert_eq!(
            sentence(&error),
            "x.json cannot be written. (no space left)"
        );
        let source = io::Error::from(io::ErrorKind::PermissionDenied);
        let files = OpenError::Files {
            path: "/x".into(),
            source,
        };
        assert_eq!(
            sentence(&files.into()).matches("permission denied").count(),
            1
        );
    }

    #[test]
    fn every_end_has_its_exit_code() {
        let refused = Refused {
            code: "taken".into(),
            detail: "Taken.".into(),
        };
        let in_use = OpenError::InUse("/x".into());
        assert_eq!(place(&refused.into()), (Exit::Failed, "taken"));
        assert_eq!(place(&in_use.into()), (Exit::DataUnusable, "in_use"));
        assert_eq!(
            place(&NoData::NotThere("/x".into()).into()).0,
            Exit::DataUnusable
        );
        assert_eq!(place(&anyhow::anyhow!("?")), (Exit::Failed, "failed"));
    }
}
