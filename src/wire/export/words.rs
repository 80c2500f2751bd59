//! What a reader is shown of an entry's body, whatever its kind.

use serde::Deserialize;
use uuid::Uuid;

/// The words in a body, by their names in the journal (`store::event_body`); what a kind does not have
/// is `None`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Words {
    /// Which side wrote: `user` or `workshop`.
    pub side: Option<String>,
    /// A message's words.
    pub content: Option<String>,
    /// Who did it.
    pub by: Option<String>,
    /// The name that the other side sees.
    pub from: Option<String>,
    /// What a message answers.
    pub reply_to: Option<Uuid>,
    /// How far the job is.
    pub status: Option<String>,
    /// What is wrong with the vehicle.
    pub description: Option<String>,
    /// What a device calls itself.
    pub name: Option<String>,
    /// Why a post was refused.
    pub why: Option<String>,
}

impl Words {
    /// Reads a body; `None` where it is no JSON object of texts.
    pub fn of(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }
}
