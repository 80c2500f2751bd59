//! What the relay's end of a link wants done, and what it is told in return.

use std::sync::Arc;

use super::End;
use super::kept::{Appended, Fence, PairingCode, Session, SessionAsked};
use crate::domain::{EventId, RequestKey, Seq, Timestamp, WorkshopKey};
use crate::seal::{Chain, Position, SealedPost, SigningKey};
use crate::wire::link::{Alarm, Entries, Frame, GiveBack, Given, Moment};

/// What the relay is, and what is random in one session.
#[derive(Clone)]
pub struct RelayFacts {
    /// Its identity.
    pub identity: Arc<SigningKey>,
    /// The key of its proofs of membership.
    pub membership: [u8; 32],
    /// What owners' links begin with.
    pub public_url: String,
    /// Its clock.
    pub now: Timestamp,
    /// Random, for the challenge.
    pub nonce: [u8; 16],
    /// Random, for the next grant.
    pub grant_nonce: [u8; 16],
}

/// A wish of the relay's end.
#[derive(Clone, Debug)]
pub enum RelayWish {
    /// Send this.
    Send(Frame),
    /// Do this in the store and answer, in order.
    Store(RelayOrder),
    /// Somebody may want to know.
    Tell(RelayNews),
    /// The session is over.
    End(End),
}

/// Something to be done in the relay's store; each is answered once, in order.
#[derive(Clone, Debug)]
pub enum RelayOrder {
    /// Which pairing codes may be used. Answered `Codes`.
    Codes,
    /// Open a session. Answered `Session`.
    Open(Box<SessionAsked>),
    /// The grant is stored at the box. Answered `Done`.
    Confirm(Fence),
    /// Apply a batch. Answered `Appended`.
    Append(Fence, Box<Entries>),
    /// The chain's values. Answered `Chains`.
    Chains(WorkshopKey, Vec<Seq>),
    /// A stretch of what is wanted back. Answered `Given`.
    GiveBack(WorkshopKey, GiveBack),
    /// Move the tail aside. Answered `Forked`.
    Fork(Fence, Position),
    /// Note what may be trimmed. Answered `Done`.
    Retain(Fence, Seq, Vec<RequestKey>),
    /// Note whether the admin's phones are told when the box is silent. Answered `Done`.
    Watch(Fence, Option<Alarm>),
    /// Posts after a place in the mailbox. Answered `Posts`.
    Posts(WorkshopKey, i64, u32),
    /// The box will not take a post. Answered `Done`.
    Refuse(Fence, EventId, String),
}

/// What the relay's store said.
#[derive(Clone, Debug)]
pub enum RelayAnswer {
    /// It is on disk.
    Done,
    /// The codes.
    Codes(Vec<PairingCode>),
    /// The session, or why there is none.
    Session(Session),
    /// What came of a batch.
    Appended(Appended),
    /// The chain's values, in the order of the question.
    Chains(Vec<Option<Chain>>),
    /// The stretch.
    Given(Box<Given>),
    /// Where the copy ends now; none: it has no such position.
    Forked(Option<Position>),
    /// Posts with their places.
    Posts(Vec<(i64, SealedPost)>),
    /// A newer session is open.
    Fenced,
    /// The store could not do it.
    Failed,
}

/// What somebody may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayNews {
    /// A workshop's box is on the line.
    Up(WorkshopKey),
    /// Something of the moment for a thread's owner.
    Moment(WorkshopKey, Moment),
}
