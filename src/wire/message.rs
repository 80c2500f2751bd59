//! The flat message object of the original contract, and what `motoreach.v1` adds to it.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{WORKSHOP_NUMBER, rfc3339, side_word};
use crate::domain::{Content, Delivery, ErasedWhy, Message, Quote, Side};

/// A message exactly as existing front ends know it (`wire.md` §2).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OriginalMessage {
    /// Rises within a request in the order of commit.
    pub id: i64,
    /// The request's number.
    pub service_request: i64,
    /// The request's number, under its other name.
    pub service_request_id: i64,
    /// `USER` (the owner) or `WORKSHOP` (anybody of the staff).
    #[schema(example = "USER")]
    pub sender_type: &'static str,
    /// The owner's number; null for the workshop's messages.
    #[schema(required)]
    pub sender_user: Option<i64>,
    /// The workshop's number; null for the owner's messages.
    #[schema(required)]
    pub sender_workshop: Option<i64>,
    /// The owner's name or the workshop's.
    pub sender_name: String,
    /// What it says; empty once erased.
    pub content: String,
    /// Whether the owner has read it.
    pub read_by_user: bool,
    /// Whether anybody of the staff has read it.
    pub read_by_workshop: bool,
    /// RFC 3339 with milliseconds.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// The message that another one answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuoteBody {
    /// Which message.
    pub id: i64,
    /// Who wrote it.
    pub author_name: String,
    /// Its first 50 characters.
    pub excerpt: String,
}

/// A message with everything that `motoreach.v1` says about it (`wire.md` §6).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChatMessage {
    /// The original contract's fields.
    #[serde(flatten)]
    pub original: OriginalMessage,
    /// The id that its sender gave it.
    pub client_id: Uuid,
    /// Its position in the change feed.
    pub rev: i64,
    /// The number of the person who typed it.
    pub author_id: i64,
    /// The name of the person who typed it.
    pub author_name: String,
    /// Always `message` for now.
    #[schema(example = "message")]
    pub kind: &'static str,
    /// Ids of photos; none yet.
    pub attachments: Vec<String>,
    /// What it answers.
    #[schema(required)]
    pub reply_to: Option<QuoteBody>,
    /// When it erases itself.
    #[schema(required, format = DateTime)]
    pub expires_at: Option<String>,
    /// `sent`, `delivered` or `read`.
    #[schema(example = "delivered")]
    pub delivery: &'static str,
    /// Whether its words were erased.
    pub redacted: bool,
    /// `forgotten` where its owner asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<&'static str>,
    /// Whether what the disk gave back is not what was written; then it is not shown.
    pub damaged: bool,
}

impl From<&Message> for OriginalMessage {
    fn from(message: &Message) -> Self {
        let (sender_user, sender_workshop) = match message.side {
            Side::User => (Some(message.owner.0), None),
            Side::Workshop => (None, Some(WORKSHOP_NUMBER)),
        };
        Self {
            id: message.id.0,
            service_request: message.request.0,
            service_request_id: message.request.0,
            sender_type: side_word(message.side),
            sender_user,
            sender_workshop,
            sender_name: message.sender_name.clone(),
            content: message.content.shown().to_owned(),
            read_by_user: message.read_by_user,
            read_by_workshop: message.read_by_workshop,
            created_at: rfc3339(message.at),
        }
    }
}

impl From<&Message> for ChatMessage {
    fn from(message: &Message) -> Self {
        let (redacted, damaged) = match &message.content {
            Content::Text(_) => (false, false),
            Content::Erased(_) => (true, false),
            Content::Damaged => (false, true),
        };
        Self {
            original: message.into(),
            client_id: message.event.uuid(),
            rev: message.id.0,
            author_id: message.author.0,
            author_name: message.author_name.clone(),
            kind: "message",
            attachments: Vec::new(),
            reply_to: message.reply_to.as_ref().map(QuoteBody::from),
            expires_at: message.expires.map(rfc3339),
            delivery: match message.delivery() {
                Delivery::Sent => "sent",
                Delivery::Delivered => "delivered",
                Delivery::Read => "read",
            },
            redacted,
            removed: match message.content {
                Content::Erased(ErasedWhy::Forgotten) => Some("forgotten"),
                Content::Erased(ErasedWhy::Redacted | ErasedWhy::Expired)
                | Content::Text(_)
                | Content::Damaged => None,
            },
            damaged,
        }
    }
}

impl From<&Quote> for QuoteBody {
    fn from(quote: &Quote) -> Self {
        Self {
            id: quote.id.0,
            author_name: quote.author_name.clone(),
            excerpt: quote.excerpt.clone(),
        }
    }
}
