//! The red dots.

use super::{RequestId, Timestamp};

/// What one person has not read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Unread {
    /// Messages, over all requests.
    pub total: i64,
    /// Requests with something unread, newest message first.
    pub items: Vec<UnreadItem>,
}

/// What one person has not read in one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnreadItem {
    /// The request.
    pub request: RequestId,
    /// Who wrote.
    pub other_party: String,
    /// How many messages.
    pub count: i64,
    /// How the newest of them begins.
    pub excerpt: String,
    /// When it was accepted.
    pub at: Timestamp,
}
