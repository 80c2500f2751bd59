//! Backups, as the box's own page shows and orders them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::some;
use crate::domain::{BackupProgress, BackupProof, KeepRules, LastBackup};
use crate::wire::rfc3339;

/// How backups stand.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BackupsBody {
    /// The chosen folder; none: `backups` in the box's data directory.
    #[schema(required)]
    pub folder: Option<String>,
    /// Where backups could go, the box's own disk first.
    pub places: Vec<PlaceBody>,
    /// How many are kept.
    pub keep: KeepBody,
    /// The one that is being made.
    #[schema(required)]
    pub running: Option<BackupStepBody>,
    /// The newest attempt.
    #[schema(required)]
    pub last: Option<LastBackupBody>,
    /// The newest that was proven, whatever came of later ones.
    #[schema(required)]
    pub proven: Option<ProvenBody>,
    /// The backups in the folder, the newest first.
    pub files: Vec<BackupFileBody>,
}

/// A place that backups could go to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlaceBody {
    /// The folder.
    pub path: String,
    /// What people call the disk.
    pub label: String,
    /// Free room on it.
    pub free_bytes: u64,
    /// Room on it altogether.
    pub total_bytes: u64,
    /// Whether it can be unplugged.
    pub removable: bool,
}

/// How many backups are kept: the newest of so many days, weeks and months.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeepBody {
    /// Days, from 1 to 366.
    pub daily: u32,
    /// Weeks, from 0 to 366.
    pub weekly: u32,
    /// Months, from 0 to 366.
    pub monthly: u32,
}

/// How far a backup has come.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct BackupStepBody {
    /// `copying`, `sealing` or `proving`.
    #[schema(example = "proving")]
    pub step: &'static str,
    /// Bytes that are done.
    pub done: u64,
    /// Bytes that there are; 0 while nobody can tell.
    pub of: u64,
}

/// An attempt at a backup.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LastBackupBody {
    /// When it was begun.
    pub at: String,
    /// The file; none where nothing was written.
    #[schema(required)]
    pub file: Option<String>,
    /// Its length.
    pub bytes: u64,
    /// Whether only the recovery words open it.
    pub sealed: bool,
    /// That it was restored into a scratch place.
    #[schema(required)]
    pub proven: Option<ProvenBody>,
    /// Why there is none, or none that was proven.
    #[schema(required)]
    pub fault: Option<BackupFaultBody>,
}

/// That a backup was restored into a scratch place, and what came back.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProvenBody {
    /// When.
    pub at: String,
    /// Messages that came back.
    pub messages: i64,
    /// Messages that there were.
    pub of: i64,
    /// How long it took.
    pub seconds: i64,
    /// The file.
    pub file: String,
}

/// Why there is no backup.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BackupFaultBody {
    /// The word.
    #[schema(example = "folder_gone")]
    pub code: String,
    /// The sentence.
    pub detail: String,
}

/// A backup in the folder.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BackupFileBody {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub at: String,
    /// Its length.
    pub bytes: u64,
    /// Whether only the recovery words open it.
    pub sealed: bool,
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
pub struct BackupEditBody {
    /// The folder, in full; null: the default one.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<String>)]
    pub folder: Option<Option<String>>,
    /// How many are kept.
    #[serde(default)]
    pub keep: Option<KeepBody>,
}

impl From<KeepRules> for KeepBody {
    fn from(rules: KeepRules) -> Self {
        let KeepRules {
            daily,
            weekly,
            monthly,
        } = rules;
        Self {
            daily,
            weekly,
            monthly,
        }
    }
}

impl From<KeepBody> for KeepRules {
    fn from(body: KeepBody) -> Self {
        let KeepBody {
            daily,
            weekly,
            monthly,
        } = body;
        Self {
            daily,
            weekly,
            monthly,
        }
    }
}

impl From<BackupProgress> for BackupStepBody {
    fn from(progress: BackupProgress) -> Self {
        Self {
            step: progress.step.word(),
            done: progress.done,
            of: progress.of,
        }
    }
}

impl From<BackupProof> for ProvenBody {
    fn from(proof: BackupProof) -> Self {
        Self {
            at: rfc3339(proof.at),
            messages: proof.messages,
            of: proof.of,
            seconds: proof.seconds,
            file: proof.file,
        }
    }
}

impl LastBackupBody {
    /// The newest attempt, and the newest proof: they belong together where they name the same file.
    pub fn new(last: LastBackup, proof: Option<&BackupProof>) -> Self {
        let LastBackup {
            at,
            file,
            bytes,
            sealed,
            fault,
        } = last;
        let is_proven =
            |proof: &&BackupProof| fault.is_none() && Some(&proof.file) == file.as_ref();
        let proven = proof.filter(is_proven).cloned().map(ProvenBody::from);
        Self {
            at: rfc3339(at),
            file,
            bytes,
            sealed,
            proven,
            fault: fault.map(|fault| BackupFaultBody {
                code: fault.code,
                detail: fault.detail,
            }),
        }
    }
}
