//! What the box's end of a link wants done, and what it is told in return.

use super::End;
use crate::domain::Seq;
use crate::seal::{Chain, Lineage, Position, SealedPost};
use crate::wire::link::{Entries, Frame, Given, Incarnation, Moment, Verdict};

/// What the box is at the moment of dialing.
#[derive(Clone, Debug)]
pub struct BoxFacts {
    /// Where its journal ends.
    pub head: Position,
    /// Its incarnations, oldest first.
    pub history: Vec<Incarnation>,
    /// The newest grant that it has stored.
    pub lineage: Option<Lineage>,
    /// The relay's proof of membership.
    pub membership: Option<Vec<u8>>,
    /// Which relay it belongs to; none before the first welcome.
    pub relay: Option<[u8; 32]>,
    /// The key of the pairing code that an admin typed.
    pub code: Option<[u8; 32]>,
    /// Whether an admin said: this is the real one.
    pub claim: bool,
    /// Where it is found on the workshop's own network.
    pub doors: Vec<String>,
}

/// What a welcome gave, to be stored before the next frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The new grant.
    pub lineage: Lineage,
    /// The relay's proof of membership.
    pub membership: Option<Vec<u8>>,
    /// Which relay gave it.
    pub relay: [u8; 32],
    /// What owners' links begin with.
    pub public_url: String,
}

/// A wish of the box's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoxWish {
    /// Send this.
    Send(Frame),
    /// Do this in the store and answer, in order.
    Store(BoxOrder),
    /// Somebody may want to know.
    Tell(BoxNews),
    /// The session is over.
    End(End),
}

/// Something to be done in the box's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoxOrder {
    /// Store the grant. Answered `Done`.
    Grant(Grant),
    /// Remember that the relay said no. Not answered.
    Refused(Verdict),
    /// The journal's chain values at these positions. Answered `Chains`.
    Chains(Vec<Seq>),
    /// Forget what an earlier session staged. Answered `Done`.
    Clear,
    /// Verify and stage what was given back. Answered `Done` or `NotOurs`.
    Stage(Box<Given>),
    /// Adopt what was staged. Answered `Adopted`.
    Adopt {
        /// The last position that both copies have.
        common: Seq,
        /// Where the relay's copy ends.
        relay_head: Seq,
    },
    /// Entries after a position, sealed and signed. Answered `Batch`.
    Batch(Seq),
    /// The relay has everything up to here and no more; whoever waits for that may be told once it
    /// is noted. Not answered.
    Applied(Position),
    /// Take an owner's post in. Answered `Post`.
    Accept(Box<SealedPost>),
}

/// What the store said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoxAnswer {
    /// It is on disk.
    Done,
    /// What was given back is not this box's own writing.
    NotOurs,
    /// The chain's values, in the order of the question.
    Chains(Vec<Option<Chain>>),
    /// What became of the adoption.
    Adopted(Adopted),
    /// The next entries, if there are any.
    Batch(Option<Box<Entries>>),
    /// What became of a post.
    Post(SealedPostFate),
    /// The store could not do it.
    Failed,
}

/// What became of an adoption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// Everything was known and nothing had to move: the relay's position is on the journal.
    Kept,
    /// The relay's tail was taken over as it stands: its position is on the journal.
    FastForward,
    /// A new incarnation begins after this position.
    Forked(Position),
}

/// What became of a post, with its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedPostFate {
    /// Which post.
    pub id: crate::domain::EventId,
    /// What became of it.
    pub fate: PostFate,
}

/// What became of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostFate {
    /// The journal contains its id, now or since an earlier time.
    InJournal,
    /// It is not what an owner wrote: never journalled.
    NotAuthentic(&'static str),
    /// Not now: it stays in the mailbox and comes again.
    Later,
}

/// What somebody may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoxNews {
    /// Both ends agree; from here on everything flows.
    Online,
    /// The relay acknowledged what it was sent in this session.
    Progress,
    /// Two copies of the journal were brought together.
    Merged(Adopted),
    /// The owner of a thread came, went or types.
    Moment(Moment),
    /// The relay handed over something that no owner wrote.
    BadPost(&'static str),
}
