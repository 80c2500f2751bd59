//! Forgetting an owner.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whom to forget, once more in words.
#[derive(Deserialize, ToSchema)]
pub struct EraseBody {
    /// The owner's name exactly as the box shows it: a wrong number must forget nobody.
    pub name: String,
    /// Also what the workshop wrote to them and noted of the work.
    #[serde(default)]
    pub everything: bool,
}

/// What was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErasedBody {
    /// Requests that were theirs; they stay, without the owner.
    pub requests: usize,
    /// Links that open nothing any more.
    pub links: usize,
    /// Entries of the journal that lost what they said.
    pub entries: usize,
}
