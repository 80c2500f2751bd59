//! The facts. Each is one entry of the journal; everything else in the database follows from them.
//!
//! Events name people, requests and messages by their permanent keys, never by the box's small
//! numbers: numbers may change when two copies of a journal are brought together (`sync.md` §4).

use super::{
    DeviceId, EventId, Extent, InviteId, PersonKey, RequestKey, Role, Side, Status, Timestamp,
    Vehicle,
};

/// Who a person is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PersonDetails {
    /// What they are to the workshop.
    pub role: Role,
    /// Their name.
    pub full_name: String,
    /// What they sign in with; owners have none.
    pub username: Option<String>,
    /// Their telephone number.
    pub phone: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their password's argon2id hash in PHC form; owners have none.
    pub password_hash: Option<String>,
}

/// What of a person changes; `None` leaves it as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PersonEdit {
    /// A new name.
    pub full_name: Option<String>,
    /// A new role.
    pub role: Option<Role>,
    /// A new sign-in name.
    pub username: Option<String>,
    /// A new telephone number, or none any more.
    pub phone: Option<Option<String>>,
    /// A new e-mail address, or none any more.
    pub email: Option<Option<String>>,
    /// Whether they may sign in.
    pub active: Option<bool>,
    /// A new password's hash.
    pub password_hash: Option<String>,
}

impl PersonEdit {
    /// Whether sign-ins made before this change must end with it.
    pub const fn ends_sessions(&self) -> bool {
        self.password_hash.is_some() || self.role.is_some() || matches!(self.active, Some(false))
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Something that happened, in the past tense.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The workshop got its name.
    WorkshopNamed {
        /// The name.
        name: String,
    },
    /// Somebody joined; the event's id is their key.
    PersonAdded {
        /// The number that they had on the box where it happened.
        number: i64,
        /// Who they are.
        details: PersonDetails,
    },
    /// Something about a person changed.
    PersonChanged {
        /// Who.
        person: PersonKey,
        /// What.
        edit: PersonEdit,
    },
    /// A vehicle was taken in; the event's id is the request's key.
    RequestOpened {
        /// The number that it had on the box where it happened.
        number: i64,
        /// Whose it is.
        owner: PersonKey,
        /// The vehicle.
        vehicle: Vehicle,
        /// What is wrong.
        description: String,
    },
    /// The job moved on.
    StatusChanged {
        /// Which request.
        request: RequestKey,
        /// Where to.
        status: Status,
    },
    /// The job is somebody's, or nobody's.
    RequestAssigned {
        /// Which request.
        request: RequestKey,
        /// Whose job it is now.
        to: Option<PersonKey>,
    },
    /// The description was corrected.
    RequestDescribed {
        /// Which request.
        request: RequestKey,
        /// What it says now.
        description: String,
    },
    /// The owner of a request got a link.
    InviteGranted {
        /// Which request.
        request: RequestKey,
        /// The link.
        invite: InviteId,
        /// Until when it opens the thread.
        expires: Timestamp,
    },
    /// A link opens nothing any more, and the thread's key is renewed.
    InviteRevoked {
        /// Which request.
        request: RequestKey,
        /// The link.
        invite: InviteId,
    },
    /// Somebody wrote; the event's id is the message's `client_id`.
    MessagePosted {
        /// In which request.
        request: RequestKey,
        /// On which side.
        side: Side,
        /// What.
        content: String,
        /// In answer to which message.
        reply_to: Option<EventId>,
        /// When it erases itself.
        expires: Option<Timestamp>,
    },
    /// Somebody took a message back: its body is gone.
    MessageRedacted {
        /// In which request.
        request: RequestKey,
        /// Which message.
        message: EventId,
    },
    /// A message's time was up: its body is gone.
    MessageExpired {
        /// In which request.
        request: RequestKey,
        /// Which message.
        message: EventId,
    },
    /// One side has seen everything up to a message.
    MessagesRead {
        /// In which request.
        request: RequestKey,
        /// Which side.
        side: Side,
        /// The newest message that they have seen.
        up_to: EventId,
    },
    /// A device opened a link at the relay, or has another name now; the event's id is its post's.
    DeviceLinked {
        /// Which request the link opens.
        request: RequestKey,
        /// The link.
        invite: InviteId,
        /// The device.
        device: DeviceId,
        /// What it calls itself.
        name: String,
    },
    /// An owner asked to be forgotten: who they are is gone, and what belongs to them goes with it, an
    /// `EventErased` each.
    PersonErased {
        /// Who.
        person: PersonKey,
        /// How much.
        extent: Extent,
    },
    /// What an earlier event said is gone for ever, because whom it is about asked for it.
    EventErased {
        /// The thread of that event; none: it was the workshop's own.
        request: Option<RequestKey>,
        /// Which event.
        event: EventId,
        /// What stays of it: the same event without what was personal. Nothing stays of a message.
        remains: Option<Box<Self>>,
    },
    /// What an owner sent over the relay could not be done; the event's id is its post's, so that
    /// they learn of it as they would have learned of the deed.
    PostRefused {
        /// In which request.
        request: RequestKey,
        /// A word: `Rejection::code`.
        why: String,
    },
}

impl Event {
    /// The event's name in the journal: part of the chain, so it never changes.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::WorkshopNamed { .. } => "workshop_named",
            Self::PersonAdded { .. } => "person_added",
            Self::PersonChanged { .. } => "person_changed",
            Self::RequestOpened { .. } => "request_opened",
            Self::StatusChanged { .. } => "status_changed",
            Self::RequestAssigned { .. } => "request_assigned",
            Self::RequestDescribed { .. } => "request_described",
            Self::InviteGranted { .. } => "invite_granted",
            Self::InviteRevoked { .. } => "invite_revoked",
            Self::MessagePosted { .. } => "message_posted",
            Self::MessageRedacted { .. } => "message_redacted",
            Self::MessageExpired { .. } => "message_expired",
            Self::MessagesRead { .. } => "messages_read",
            Self::DeviceLinked { .. } => "device_linked",
            Self::PersonErased { .. } => "person_erased",
            Self::EventErased { .. } => "event_erased",
            Self::PostRefused { .. } => "post_refused",
        }
    }

    /// The thread that the event belongs to, if any.
    pub const fn request(&self) -> Option<RequestKey> {
        match self {
            Self::WorkshopNamed { .. }
            | Self::PersonAdded { .. }
            | Self::PersonChanged { .. }
            | Self::PersonErased { .. } => None,
            Self::EventErased { request, .. } => *request,
            // A request's opening belongs to the thread that it opens: `store::journal` fills it in.
            Self::RequestOpened { .. } => None,
            Self::StatusChanged { request, .. }
            | Self::RequestAssigned { request, .. }
            | Self::RequestDescribed { request, .. }
            | Self::InviteGranted { request, .. }
            | Self::InviteRevoked { request, .. }
            | Self::MessagePosted { request, .. }
            | Self::MessageRedacted { request, .. }
            | Self::MessageExpired { request, .. }
            | Self::MessagesRead { request, .. }
            | Self::DeviceLinked { request, .. }
            | Self::PostRefused { request, .. } => Some(*request),
        }
    }

    /// Whether the event is sealed under the key that no owner ever gets.
    pub const fn is_staff_only(&self) -> bool {
        match self {
            Self::WorkshopNamed { .. }
            | Self::PersonAdded { .. }
            | Self::PersonChanged { .. }
            | Self::RequestAssigned { .. }
            | Self::InviteGranted { .. }
            | Self::InviteRevoked { .. }
            | Self::PersonErased { .. } => true,
            Self::EventErased { request, .. } => request.is_none(),
            Self::RequestOpened { .. }
            | Self::StatusChanged { .. }
            | Self::RequestDescribed { .. }
            | Self::MessagePosted { .. }
            | Self::MessageRedacted { .. }
            | Self::MessageExpired { .. }
            | Self::MessagesRead { .. }
            | Self::DeviceLinked { .. }
            | Self::PostRefused { .. } => false,
        }
    }

    /// Whether an owner's words are in it: the relay pushes nothing to them for what they wrote.
    pub const fn is_from_owner(&self) -> bool {
        matches!(
            self,
            Self::MessagePosted {
                side: Side::User,
                ..
            }
        )
    }
}
