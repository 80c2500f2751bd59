//! What an owner's page and the relay say to each other: `motoreach-owner.v1` (`wire.md` §7). JSON text
//! frames; sealed bytes are base64url without padding.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::rfc3339;
use crate::domain::{InviteId, RequestKey, Timestamp, WorkshopKey};

/// The subprotocol of an owner's socket at the relay.
pub const OWNER_PROTOCOL: &str = "motoreach-owner.v1";
/// Entries in one `entries` frame.
pub const ENTRIES_PER_FRAME_MAX: u32 = 100;
/// Bytes of sealed bodies in one `entries` frame, unless a single one is longer.
pub const ENTRY_BYTES_PER_FRAME_MAX: usize = 96 * 1024;

/// What the page says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the contract describes each field")]
pub enum OwnerFrame {
    /// First, within 5 s. `auth` is the link's `HKDF(secret, "auth")`; `log` and `after` say what the
    /// page has.
    #[serde(rename = "auth")]
    Auth {
        auth: String,
        device: Uuid,
        #[serde(default)]
        log: Option<Uuid>,
        #[serde(default)]
        after: i64,
    },
    /// A sealed post; offered again on every connect until the journal contains it.
    #[serde(rename = "post")]
    Post {
        id: Uuid,
        kind: String,
        epoch: u16,
        sealed: String,
    },
    #[serde(rename = "typing")]
    Typing {},
    /// Push to this browser (a `PushSubscription`'s JSON).
    #[serde(rename = "push.subscribe")]
    PushSubscribe {
        endpoint: String,
        p256dh: String,
        auth: String,
    },
    #[serde(rename = "push.unsubscribe")]
    PushUnsubscribe { endpoint: String },
    /// Send a test notification to this browser.
    #[serde(rename = "push.test")]
    PushTest { endpoint: String },
    /// The person has read up to here on this device: notifications elsewhere may go.
    #[serde(rename = "seen")]
    Seen { up_to: i64 },
    #[serde(rename = "ping")]
    Ping {},
}

/// One journal entry as the page gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as in the journal")]
pub struct OwnerEntry {
    pub seq: i64,
    pub id: Uuid,
    pub kind: String,
    /// Whose words they were shows also when they are gone (`FROM_OWNER`).
    pub from_owner: bool,
    pub epoch: u16,
    /// Null once erased or trimmed.
    pub body: Option<String>,
}

/// A wrapped thread key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as in the journal")]
pub struct OwnerWrap {
    pub epoch: u16,
    pub wrapped: String,
}

/// What the relay says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the contract describes each field")]
pub enum RelayFrame {
    /// The answer to `auth`. If `log` is not the page's, or `after` is beyond `head`, the page forgets
    /// what it has: entries follow from the beginning.
    #[serde(rename = "hello")]
    Hello {
        workshop: Uuid,
        thread: Uuid,
        invite: Uuid,
        log: Option<Uuid>,
        head: i64,
        /// Where the entries that follow begin: the page's own `after`, or 0.
        from: i64,
        workshop_online: bool,
        /// RFC 3339; null while it is online or was never seen.
        offline_since: Option<String>,
        expires_at: String,
        wraps: Vec<OwnerWrap>,
        /// The relay's VAPID public key (65 bytes), for `pushManager.subscribe`.
        vapid: String,
        /// Where the box is found on the workshop's Wi-Fi, such as `http://motoreach.local`.
        doors: Vec<String>,
        /// The relay's time, RFC 3339: how long ago `offline_since` was must not depend on the
        /// phone's clock.
        now: String,
    },
    /// Entries of the thread in rising order. `more`: the next frame goes on. When `more` is false
    /// the page is up to `head`.
    #[serde(rename = "entries")]
    Entries {
        log: Option<Uuid>,
        head: i64,
        entries: Vec<OwnerEntry>,
        more: bool,
    },
    /// New thread keys (after a link was taken back).
    #[serde(rename = "wraps")]
    Wraps { wraps: Vec<OwnerWrap> },
    /// The post is on disk at the relay (one tick).
    #[serde(rename = "stored")]
    Stored { id: Uuid },
    /// The box will not take the post: `unreadable`, `unknown_link`, `revoked`, `expired`, `too_many`.
    #[serde(rename = "refused")]
    Refused { id: Uuid, why: String },
    #[serde(rename = "presence")]
    Presence {
        workshop_online: bool,
        offline_since: Option<String>,
    },
    /// Somebody of the staff has the thread open, or not any more, or types in it.
    #[serde(rename = "moment")]
    Moment { what: &'static str },
    /// The person has read up to here on another device.
    #[serde(rename = "seen")]
    Seen { up_to: i64 },
    /// `id` names the post that it concerns.
    #[serde(rename = "error")]
    Error {
        code: &'static str,
        detail: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Uuid>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u64>,
    },
    /// The link opens nothing (any more): `revoked`, `expired`, `invalid`; then the socket closes
    /// with 4401.
    #[serde(rename = "gone")]
    Gone { why: &'static str },
    #[serde(rename = "pong")]
    Pong {},
}

/// What a push carries to an owner's service worker, as JSON; encrypted to the browser (RFC 8291).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as in the journal")]
pub struct PushPayload {
    pub thread: Uuid,
    pub invite: Uuid,
    /// Where the entry stands; for `clear`, what was read up to.
    pub seq: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    pub kind: String,
    pub epoch: u16,
    /// Sealed; left out when it is too long for a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The person has read on another device: what is shown of the thread may go.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub clear: bool,
    /// Asked for by `push.test`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

impl PushPayload {
    /// One that says which thread it is about, for the holder of this link, and nothing else yet.
    pub const fn new(thread: RequestKey, invite: InviteId) -> Self {
        Self {
            thread: thread.uuid(),
            invite: invite.uuid(),
            seq: 0,
            id: None,
            kind: String::new(),
            epoch: 0,
            body: None,
            clear: false,
            test: false,
        }
    }

    /// The payload as text.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers always have a JSON form")
    }
}

/// What a push carries to an admin's phone when a box is silent, or heard again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlarmPayload {
    /// Whose box.
    pub alarm: Uuid,
    /// Since when it is silent, RFC 3339; none: it is back, or this is a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent_since: Option<String>,
    /// Asked for by whoever has the phone in hand.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

impl AlarmPayload {
    /// The box is silent.
    pub fn silent(workshop: WorkshopKey, since: Timestamp) -> Self {
        Self {
            silent_since: Some(rfc3339(since)),
            ..Self::back(workshop)
        }
    }

    /// The box is heard again.
    pub const fn back(workshop: WorkshopKey) -> Self {
        Self {
            alarm: workshop.uuid(),
            silent_since: None,
            test: false,
        }
    }

    /// Says nothing: whether it comes is the question.
    pub fn test(workshop: WorkshopKey) -> Self {
        Self {
            test: true,
            ..Self::back(workshop)
        }
    }

    /// The payload as text.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("texts always have a JSON form")
    }
}

impl RelayFrame {
    /// The frame as text.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("frames of texts and numbers always have a JSON form")
    }
}
