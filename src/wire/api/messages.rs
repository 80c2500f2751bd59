//! Messages over HTTP.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A message over HTTP.
#[derive(Deserialize, ToSchema)]
pub struct NewMessageBody {
    /// What it says; at most 8,000 characters after trimming.
    #[schema(min_length = 1, max_length = 8000, pattern = r"\S")]
    pub content: String,
    /// A UUID that makes a retry harmless.
    #[serde(default)]
    pub client_id: Option<Uuid>,
    /// The message of the same request that it answers.
    #[serde(default)]
    pub reply_to: Option<i64>,
    /// Erase it by itself after so many seconds.
    #[serde(default)]
    #[schema(minimum = 5, maximum = 31622400)]
    pub expires_in: Option<i64>,
}

/// Up to where somebody has read.
#[derive(Default, Deserialize, ToSchema)]
pub struct MarkReadBody {
    /// The newest message that they have seen; left out: all.
    #[serde(default)]
    pub up_to: Option<i64>,
}

/// How many messages were unread until now.
#[derive(Serialize, ToSchema)]
pub struct MarkedBody {
    /// A sentence.
    #[schema(example = "Marked 3 messages as read")]
    pub message: String,
    /// The number.
    pub updated_count: i64,
}
