//! Bringing a workshop back from its relay, as the first-run page asks for it and watches it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{RestoreFault, RestoreState, Restored};

/// Where from, and the proof that it is yours.
#[derive(Deserialize, ToSchema)]
pub struct RestoreBody {
    /// The relay's address; `https://` may be left out.
    #[schema(example = "https://relay.example")]
    pub url: String,
    /// The 24 recovery words in their order, with white space between them.
    pub words: String,
    /// Whether the old box is gone for good: this is the real one.
    #[serde(default)]
    pub claim: bool,
    /// The printed set-up code.
    #[serde(default)]
    pub code: Option<String>,
}

/// How a restore stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RestoreStateBody {
    /// `idle`, `running`, `failed` (nothing was restored; it may be tried again) or `done` (the box
    /// starts again with what came back).
    #[schema(example = "running")]
    pub state: &'static str,
    /// Entries of the journal that came back so far.
    pub entries: i64,
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
}

impl From<RestoreState> for RestoreStateBody {
    fn from(state: RestoreState) -> Self {
        let (word, entries, fault, restored) = match state {
            RestoreState::Idle => ("idle", 0, None, None),
            RestoreState::Running { entries } => ("running", entries, None, None),
            RestoreState::Failed(fault) => ("failed", 0, Some(fault), None),
            RestoreState::Done(restored) => ("done", 0, None, Some(restored.into())),
        };
        Self {
            state: word,
            entries,
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
        }
    }
}
