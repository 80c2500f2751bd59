//! The relay as staff see it and admins set it up.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{LinkReport, LinkState};
use crate::wire::rfc3339;

/// Which relay to connect to.
#[derive(Deserialize, ToSchema)]
pub struct ConnectBody {
    /// Its address; `https://` may be left out.
    #[schema(example = "https://relay.example")]
    pub url: String,
    /// The pairing code that its operator gave out.
    #[schema(example = "7K2QX-M4RTV")]
    pub code: String,
}

/// Two copies of this box that were brought together.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MergeBody {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Entries that came back.
    pub entries: i64,
    /// Messages among them.
    pub messages: i64,
    /// Requests whose status was changed on both: somebody should look.
    pub flagged: Vec<i64>,
}

/// How the link to the relay stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RelayBody {
    /// `unpaired`, `connecting`, `online`, `waiting` (it is tried again) or `stopped` (the relay said
    /// no).
    #[schema(example = "online")]
    pub state: &'static str,
    /// What stands in the way, in a word.
    #[schema(required, example = "no_answer")]
    pub why: Option<&'static str>,
    /// What stands in the way, in a sentence.
    #[schema(required)]
    pub detail: Option<String>,
    /// Since when it stands so.
    #[schema(format = DateTime)]
    pub since: String,
    /// When it is tried next.
    #[schema(required, format = DateTime)]
    pub retry_at: Option<String>,
    /// The relay's address; null when none is set up.
    #[schema(required)]
    pub url: Option<String>,
    /// What owners' links begin with; null until the relay has said so.
    #[schema(required)]
    pub public_url: Option<String>,
    /// Entries of the journal that the relay does not have yet.
    pub waiting_entries: i64,
    /// Messages among them.
    pub waiting_messages: i64,
    /// When the oldest of these messages was accepted; of the entries, where no message waits.
    #[schema(required, format = DateTime)]
    pub waiting_since: Option<String>,
    /// Posts that owners' devices counted and that never came here.
    pub post_gaps: i64,
    /// Each time that copies of this box were brought together, the newest first; at most 10.
    pub merges: Vec<MergeBody>,
}

impl RelayBody {
    /// Of a report and of what is on disk; without merges.
    pub fn new(report: &LinkReport, url: Option<String>, public_url: Option<String>) -> Self {
        // Settings that were changed a moment ago win over a driver that has not said so yet.
        let state = match (&url, report.state) {
            (None, _) => LinkState::Unpaired,
            (Some(_), LinkState::Unpaired) => LinkState::Connecting,
            (Some(_), state) => state,
        };
        let (detail, retry_at) = match state {
            LinkState::Unpaired | LinkState::Connecting | LinkState::Online => (None, None),
            LinkState::Waiting { retry_at, why } => (Some(why.to_string()), Some(retry_at)),
            LinkState::Stopped(why) => (Some(why.to_string()), None),
        };
        Self {
            state: state.word(),
            why: state.why(),
            detail,
            since: rfc3339(report.since),
            retry_at: retry_at.map(rfc3339),
            url,
            public_url,
            waiting_entries: report.waiting_entries,
            waiting_messages: report.waiting_messages,
            waiting_since: report.oldest_waiting.map(rfc3339),
            post_gaps: i64::try_from(report.post_gaps).unwrap_or(i64::MAX),
            merges: Vec::new(),
        }
    }
}
