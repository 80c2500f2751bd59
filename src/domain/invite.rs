//! An owner's link to the thread of one request.

use super::{InviteId, PersonId, RequestId, RequestKey, Timestamp};

/// An owner's link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invite {
    /// Its id: the part of the link that servers see.
    pub id: InviteId,
    /// The request that it opens.
    pub request: RequestId,
    /// That request's key.
    pub request_key: RequestKey,
    /// The owner whose request it is.
    pub owner: PersonId,
    /// When it was given out.
    pub created: Timestamp,
    /// Until when it opens the thread.
    pub expires: Timestamp,
    /// When it was taken back.
    pub revoked: Option<Timestamp>,
}
