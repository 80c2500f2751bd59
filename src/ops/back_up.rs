//! The operator's side of backups: what goes over the control socket about one, the same whether a
//! running server makes it or this process.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::order::{Answer, Refused};
use crate::domain::{BackupFault, BackupProgress};
use crate::store::backup::{BackupOrder, BackupOutcome, Backups, Place};

/// How a backup stands.
#[derive(Serialize, Deserialize)]
pub(super) struct BackupLine {
    /// What it is busy with, while it is.
    pub running: Option<StepLine>,
    /// What came of it, once it is over.
    pub ended: Option<EndedLine>,
}

/// How far it has come.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StepLine {
    /// `copying`, `sealing` or `proving`.
    pub step: String,
    /// Bytes that are done.
    pub done: u64,
    /// Bytes that there are.
    pub of: u64,
}

/// What came of it.
#[derive(Serialize, Deserialize)]
pub(super) struct EndedLine {
    /// Where the file is.
    pub path: Option<PathBuf>,
    /// Its length.
    pub bytes: u64,
    /// Whether it is sealed.
    pub sealed: bool,
    /// That it was restored.
    pub proven: Option<ProvenLine>,
    /// Older ones that gave way.
    pub removed: usize,
    /// Why there is none, or none that was proven.
    pub fault: Option<Refused>,
}

/// What restoring it gave.
#[derive(Serialize, Deserialize)]
pub(super) struct ProvenLine {
    /// Messages that came back.
    pub messages: i64,
    /// Messages that there were.
    pub of: i64,
    /// How long it took.
    pub seconds: i64,
}

/// Begins one.
pub(super) fn begin(
    backups: &Backups,
    to: Option<PathBuf>,
    plain: bool,
) -> Result<Answer, Refused> {
    let order = BackupOrder {
        place: to.map_or(Place::Settings, Place::At),
        sealed: !plain,
    };
    let ticket = backups.begin(order)?;
    Ok(Answer::BackupBegun { ticket })
}

/// How the one with this ticket stands.
pub(super) fn state(backups: &Backups, ticket: u64) -> Answer {
    let ended = backups.ended().filter(|(ended, _)| *ended == ticket);
    Answer::Backup(BackupLine {
        running: backups.running().map(StepLine::from),
        ended: ended.map(|(_, outcome)| outcome.into()),
    })
}

impl From<BackupProgress> for StepLine {
    fn from(progress: BackupProgress) -> Self {
        Self {
            step: progress.step.word().to_owned(),
            done: progress.done,
            of: progress.of,
        }
    }
}

impl From<BackupOutcome> for EndedLine {
    fn from(outcome: BackupOutcome) -> Self {
        let BackupOutcome {
            last,
            path,
            proof,
            removed,
        } = outcome;
        Self {
            path,
            bytes: last.bytes,
            sealed: last.sealed,
            proven: proof.map(|proof| ProvenLine {
                messages: proof.messages,
                of: proof.of,
                seconds: proof.seconds,
            }),
            removed,
            fault: last.fault.map(|fault| Refused {
                code: fault.code,
                detail: fault.detail,
            }),
        }
    }
}

impl From<BackupFault> for Refused {
    fn from(fault: BackupFault) -> Self {
        Self {
            code: fault.word().to_owned(),
            detail: fault.to_string(),
        }
    }
}
