//! What is noted of an update: on the disk before each step that a power cut could break off, so that
//! whoever looks next knows how to go on.
//!
//! A trial is minded by the old program, which is kept as `PROGRAM.old` for that: a new one that is
//! broken cannot take itself back.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::version::Version;

/// A new program that takes the old one's place, until it has proven itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// The program's path; the new one waits beside it as `.new`, the old one stays as `.old`.
    pub program: PathBuf,
    /// The data directory.
    pub data: PathBuf,
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// What ran before.
    pub from: Version,
    /// What is tried.
    pub to: Version,
    /// Whether the new program changes the database, so that the old one cannot read it any more.
    pub migrates: bool,
    /// So long the new program must serve without a fault, in milliseconds.
    pub stays_up_ms: u64,
    /// By then it must have begun to serve, in milliseconds.
    pub limit_ms: u64,
    /// The service manager's command, when it is not the system's `systemctl`.
    pub service_manager: Option<PathBuf>,
    /// How far it is.
    pub phase: Phase,
}

/// How far a trial is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Phase {
    /// The new program passed its test; nothing has been changed yet.
    Decided,
    /// The database is kept as it was; the new program is put in place, started and watched.
    Trying {
        /// How often this was begun again, after a power cut or because whoever minded it was ended.
        resumed: u32,
    },
    /// The old program is put back.
    GoingBack {
        /// Why, as a sentence.
        why: String,
    },
}

/// How an update ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// When, in RFC 3339.
    pub at: String,
    /// What ran before.
    pub from: Version,
    /// What was tried.
    pub to: Version,
    /// How it ended.
    pub verdict: Verdict,
    /// Why it ended so, as a sentence, when it is not what was wished for.
    pub why: Option<String>,
}

/// How an update ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The new program serves.
    Updated,
    /// The new program is in place, and whoever runs the server has to start it again.
    InPlace,
    /// The new one failed, and the old one serves again.
    WentBack,
    /// The new one failed, and going back would have lost what people wrote with it.
    Stayed,
    /// Nothing was changed.
    Refused,
}

impl Verdict {
    /// The word that programs know it by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::InPlace => "in_place",
            Self::WentBack => "went_back",
            Self::Stayed => "stayed",
            Self::Refused => "refused",
        }
    }
}

/// What is being done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The signature is checked.
    Checking,
    /// The database is backed up.
    BackingUp,
    /// The new program is tested on a copy of the data.
    Testing,
    /// The box stops, and its database is kept.
    Stopping,
    /// The new program starts.
    Starting,
    /// The new program serves, and is watched for a while.
    Watching,
    /// The old program is put back.
    GoingBack,
}

impl Step {
    /// The word that programs know it by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::BackingUp => "backing_up",
            Self::Testing => "testing",
            Self::Stopping => "stopping",
            Self::Starting => "starting",
            Self::Watching => "watching",
            Self::GoingBack => "going_back",
        }
    }
}

/// What is being done, and to which version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Progress {
    /// What.
    pub step: Step,
    /// The new program's version, once it is known.
    pub to: Option<Version>,
}
