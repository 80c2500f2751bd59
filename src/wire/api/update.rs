//! Updates, as the page sees them.

use serde::Serialize;
use utoipa::ToSchema;

/// Which program runs, what waits, and how the last update went.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UpdateBody {
    /// The version that runs.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// The machine that it is for.
    #[schema(example = "aarch64-unknown-linux-musl")]
    pub target: String,
    /// The key that signs updates, as minisign shows it; null: this box knows none.
    #[schema(example = "E7620F1842B4E81F")]
    pub key: Option<String>,
    /// Whether an update can be applied from the page.
    pub by_page: bool,
    /// A program that was brought and not applied yet.
    pub waiting: Option<WaitingBody>,
    /// What is being done.
    pub running: Option<RunningBody>,
    /// How the last update ended.
    pub last: Option<EndedBody>,
}

/// A program that waits.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WaitingBody {
    /// Its version.
    pub version: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// What is being done.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RunningBody {
    /// `checking`, `backing_up`, `testing`, `stopping`, `starting`, `watching` or `going_back`.
    pub step: &'static str,
    /// The new program's version, once it is known.
    pub to: Option<String>,
}

/// How an update ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EndedBody {
    /// When.
    pub at: String,
    /// What ran before.
    pub from: String,
    /// What was tried.
    pub to: String,
    /// `updated`, `in_place`, `went_back`, `stayed` or `refused`.
    pub verdict: &'static str,
    /// Why it ended so, as a sentence, when it is not what was wished for.
    pub why: Option<String>,
}
