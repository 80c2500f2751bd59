//! What the box says on a `motoreach.v1` socket, and the one object of the notification socket.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::api::{RequestBody, UserBody};
use super::message::ChatMessage;
use super::{rfc3339, side_word};
use crate::domain::{ErasedWhy, LinkReport, MessageId, Receipt, RequestAspect, Seq, Side, Unread};

/// Who is in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Peer {
    /// Their name.
    pub name: String,
    /// Their side.
    pub side: &'static str,
}

/// How far a side has read.
#[derive(Clone, Debug, Serialize)]
pub struct ReceiptBody {
    /// Which side.
    pub side: &'static str,
    /// Who.
    pub name: String,
    /// Up to which message.
    pub up_to: i64,
    /// When.
    pub at: String,
}

/// The person at the other end of this socket.
#[derive(Clone, Debug, Serialize)]
pub struct You {
    /// Who they are.
    #[serde(flatten)]
    pub user: UserBody,
    /// Their side.
    pub side: &'static str,
}

/// One frame. `type` is always there.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "wire.md §6 describes each field")]
pub enum ServerFrame {
    #[serde(rename = "chat.hello")]
    Hello {
        log: Uuid,
        rev: i64,
        you: You,
        peers: Vec<Peer>,
        workshop_online: bool,
        receipts: Vec<ReceiptBody>,
        request: Box<RequestBody>,
    },
    #[serde(rename = "chat.history")]
    History {
        messages: Vec<ChatMessage>,
        has_more: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<i64>,
    },
    #[serde(rename = "chat.message")]
    Message(Box<ChatMessage>),
    #[serde(rename = "chat.ack")]
    Ack { client_id: Uuid, id: i64, rev: i64 },
    #[serde(rename = "chat.read")]
    Read {
        #[serde(flatten)]
        receipt: ReceiptBody,
        rev: i64,
    },
    #[serde(rename = "chat.typing")]
    Typing { name: String, side: &'static str },
    #[serde(rename = "chat.presence")]
    Presence {
        side: &'static str,
        online: bool,
        name: String,
    },
    #[serde(rename = "chat.redacted")]
    Redacted {
        id: i64,
        rev: i64,
        by: String,
        why: &'static str,
    },
    #[serde(rename = "chat.changed")]
    Changed {
        what: &'static str,
        rev: i64,
        request: Box<RequestBody>,
    },
    #[serde(rename = "chat.error")]
    Error {
        code: &'static str,
        detail: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<Uuid>,
    },
    #[serde(rename = "requests.changed")]
    RequestsChanged { service_request_id: i64 },
    #[serde(rename = "chat.delivered")]
    Delivered { up_to: i64 },
    #[serde(rename = "link.state")]
    Link(LinkBody),
}

/// How the link to the relay stands, as staff's pages are told whenever it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkBody {
    /// `unpaired`, `connecting`, `online`, `waiting` or `stopped`.
    pub state: &'static str,
    /// What stands in the way; null when nothing does.
    pub why: Option<&'static str>,
    /// Since when it stands so.
    pub since: String,
    /// Messages that the relay does not have yet.
    pub waiting_messages: i64,
    /// When the oldest of what it does not have was accepted.
    pub waiting_since: Option<String>,
}

impl ServerFrame {
    /// The frame as text.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("frames of texts and numbers always have a JSON form")
    }

    /// One side read on.
    pub fn read(receipt: &Receipt) -> Self {
        Self::Read {
            rev: receipt.rev.0,
            receipt: receipt.into(),
        }
    }

    /// A message lost its words.
    pub fn redacted(id: MessageId, rev: Seq, by: &str, why: ErasedWhy) -> Self {
        let why = match why {
            ErasedWhy::Redacted => "redacted",
            ErasedWhy::Expired => "expired",
            ErasedWhy::Forgotten => "forgotten",
        };
        Self::Redacted {
            id: id.0,
            rev: rev.0,
            by: by.to_owned(),
            why,
        }
    }

    /// Something about the request changed; `None` for what a chat need not say.
    pub fn changed(aspect: RequestAspect, rev: Seq, request: RequestBody) -> Option<Self> {
        let what = match aspect {
            RequestAspect::Opened => return None,
            RequestAspect::Status => "status",
            RequestAspect::Assignment => "assignment",
            RequestAspect::Description => "description",
        };
        Some(Self::Changed {
            what,
            rev: rev.0,
            request: Box::new(request),
        })
    }

    /// Somebody types.
    pub fn typing(name: &str, side: Side) -> Self {
        Self::Typing {
            name: name.to_owned(),
            side: side_word(side),
        }
    }
}

impl From<&Receipt> for ReceiptBody {
    fn from(receipt: &Receipt) -> Self {
        Self {
            side: side_word(receipt.side),
            name: receipt.name.clone(),
            up_to: receipt.up_to.0,
            at: rfc3339(receipt.at),
        }
    }
}

impl From<&LinkReport> for LinkBody {
    fn from(report: &LinkReport) -> Self {
        Self {
            state: report.state.word(),
            why: report.state.why(),
            since: rfc3339(report.since),
            waiting_messages: report.waiting_messages,
            waiting_since: report.oldest_waiting.map(rfc3339),
        }
    }
}

/// The object of the notification socket (`wire.md` §3).
#[derive(Clone, Debug, Serialize)]
pub struct Notification {
    event: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    data: UnreadBody,
}

/// What somebody has not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnreadBody {
    /// Messages, over all requests.
    pub total_unread_count: i64,
    /// Requests with something unread, newest first; at most 200.
    pub items: Vec<UnreadItemBody>,
}

/// What somebody has not read in one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnreadItemBody {
    /// The request's number.
    pub service_request_id: i64,
    /// Who wrote.
    pub other_party_name: String,
    /// How many messages.
    pub unread_count: i64,
    /// The first 50 characters of the newest, plus `...` when cut.
    pub last_message_excerpt: String,
    /// When it was accepted.
    #[schema(format = DateTime)]
    pub last_message_time: String,
}

impl Notification {
    /// The object with these numbers.
    pub const fn new(data: UnreadBody) -> Self {
        Self {
            event: "notifications.update",
            kind: "notification.message",
            data,
        }
    }

    /// The object as text.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers always have a JSON form")
    }
}

impl From<Unread> for UnreadBody {
    fn from(unread: Unread) -> Self {
        let items = unread.items.into_iter().map(|item| UnreadItemBody {
            service_request_id: item.request.0,
            other_party_name: item.other_party,
            unread_count: item.count,
            last_message_excerpt: item.excerpt,
            last_message_time: rfc3339(item.at),
        });
        Self {
            total_unread_count: unread.total,
            items: items.collect(),
        }
    }
}
