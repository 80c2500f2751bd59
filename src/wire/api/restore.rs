//! Bringing a workshop back from its relay or from a backup, as the first-run page asks for it and watches it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::{RestoreFault, RestoreState, RestoreStep, Restored};
use crate::wire::rfc3339;

/// Where from, and the proof that it is yours.
#[derive(Deserialize, ToSchema)]
pub struct RestoreBody {
    /// The relay's address; `https://` may be left out. Not with `from`.
    #[serde(default)]
    #[schema(example = "https://relay.example")]
    pub url: String,
    /// A backup instead of the relay.
    #[serde(default)]
    pub from: Option<RestoreFromBody>,
    /// The 24 recovery words in their order, with white space between them.
    pub words: String,
    /// Whether the old box is gone for good: this is the real one.
    #[serde(default)]
    pub claim: bool,
    /// The printed set-up code.
    #[serde(default)]
    pub code: Option<String>,
}

/// The backup to restore: one that was handed in, or one that was found on a disk.
#[derive(Deserialize, ToSchema)]
pub struct RestoreFromBody {
    /// As handing it in named it.
    #[serde(default)]
    pub upload: Option<Uuid>,
    /// As `GET /api/setup/backups/` found it.
    #[serde(default)]
    pub path: Option<String>,
}

/// A backup that lies on a disk of this box.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BackupOnDiskBody {
    /// Where it is.
    pub path: String,
    /// What people call the disk.
    pub label: String,
    /// When it was made.
    pub at: String,
    /// Its length.
    pub bytes: u64,
    /// Whether only the recovery words open it.
    pub sealed: bool,
}

/// Backups that lie on disks of this box, the newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BackupsOnDisksBody {
    /// They.
    pub found: Vec<BackupOnDiskBody>,
}

/// A backup that was handed in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UploadedBody {
    /// Its name for restoring it.
    pub upload: Uuid,
    /// When it was made.
    pub at: String,
    /// Its length.
    pub bytes: u64,
    /// Whether only the recovery words open it.
    pub sealed: bool,
}

/// How a restore stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RestoreStateBody {
    /// `idle`, `running`, `failed` (nothing was restored; it may be tried again) or `done` (the box
    /// starts again with what came back).
    #[schema(example = "running")]
    pub state: &'static str,
    /// Entries of the journal that came back from the relay so far.
    pub entries: i64,
    /// What it is busy with: `gathering` (from the relay), `unpacking` or `checking` (a backup).
    #[schema(required, example = "unpacking")]
    pub step: Option<&'static str>,
    /// How much of the step is done: entries, bytes or messages.
    pub done: u64,
    /// How much there is; 0 while nobody can tell.
    pub of: u64,
    /// Why nothing was restored, in a word.
    #[schema(required, example = "no_answer")]
    pub why: Option<&'static str>,
    /// Why nothing was restored, in a sentence.
    #[schema(required)]
    pub detail: Option<String>,
    /// What came back.
    #[schema(required)]
    pub restored: Option<RestoredBody>,
}

/// What came back.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RestoredBody {
    /// What the workshop is called.
    pub workshop_name: String,
    /// Messages.
    pub messages: i64,
    /// The requests that they belong to.
    pub requests: i64,
    /// People who may sign in, with the passwords that they had.
    pub people: i64,
    /// When the backup was made that it came from; none: it came from the relay.
    #[schema(required)]
    pub as_of: Option<String>,
}

impl From<RestoreState> for RestoreStateBody {
    fn from(state: RestoreState) -> Self {
        let (word, fault, restored) = match &state {
            RestoreState::Idle => ("idle", None, None),
            RestoreState::Running { .. } => ("running", None, None),
            RestoreState::Failed(fault) => ("failed", Some(*fault), None),
            RestoreState::Done(restored) => ("done", None, Some(restored.clone().into())),
        };
        let (step, done, of) = match state {
            RestoreState::Running { step, done, of } => (Some(step), done, of),
            RestoreState::Idle | RestoreState::Failed(_) | RestoreState::Done(_) => (None, 0, 0),
        };
        let entries = match step {
            Some(RestoreStep::Gathering) => i64::try_from(done).unwrap_or(i64::MAX),
            Some(RestoreStep::Unpacking | RestoreStep::Checking) | None => 0,
        };
        Self {
            state: word,
            entries,
            step: step.map(RestoreStep::word),
            done,
            of,
            why: fault.map(RestoreFault::word),
            detail: fault.map(|fault| fault.to_string()),
            restored,
        }
    }
}

impl From<Restored> for RestoredBody {
    fn from(restored: Restored) -> Self {
        Self {
            workshop_name: restored.workshop,
            messages: restored.messages,
            requests: restored.requests,
            people: restored.people,
            as_of: restored.as_of.map(rfc3339),
        }
    }
}
