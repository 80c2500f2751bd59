//! What a committed event means to whoever listens: everything a frame says, already looked up in
//! the transaction that stored it, so that the hub needs no database.

use super::{InviteId, Message, MessageId, PersonId, Receipt, Request, RequestId, Seq};

/// Why a message has no words any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErasedWhy {
    /// Somebody took it back.
    Redacted,
    /// Its time was up.
    Expired,
    /// Its owner asked to be forgotten.
    Forgotten,
}

/// What of a request changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestAspect {
    /// It was opened.
    Opened,
    /// How far the job is.
    Status,
    /// Whose job it is.
    Assignment,
    /// What is wrong with the vehicle.
    Description,
}

/// The meaning of one event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A message was posted.
    Posted(Box<Message>),
    /// A message lost its words.
    Erased {
        /// Which.
        message: MessageId,
        /// Why.
        why: ErasedWhy,
        /// Who did it.
        by: String,
    },
    /// One side read on.
    Read(Receipt),
    /// A request was opened or changed.
    Request(RequestAspect, Box<Request>),
    /// Sign-ins that this person made before are over.
    PersonSignedOut(PersonId),
    /// A link opens nothing any more.
    InviteRevoked(InviteId),
    /// Two copies of the journal were brought together: whoever listens begins anew.
    Merged {
        /// What the workshop is called now.
        workshop: String,
    },
    /// Nobody on a socket needs to know.
    Quiet,
}

/// Whom a change concerns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audience {
    /// The request that it happened in.
    pub request: RequestId,
    /// Its owner.
    pub owner: PersonId,
    /// The mechanics whose red dots it may move: whose job it is, and whose it was until now.
    pub mechanics: Vec<PersonId>,
}

/// One event after its commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committed {
    /// Its place in the journal.
    pub seq: Seq,
    /// Whom it concerns; nobody in particular when it belongs to no request.
    pub audience: Option<Audience>,
    /// What it means.
    pub change: Change,
}
