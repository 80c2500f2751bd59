//! Bringing two copies of the journal together (`sync.md` §4): what the relay gives back is verified and
//! staged as it comes, and then adopted in one transaction. Nothing is overwritten: what either copy has
//! is in the journal afterwards, each entry once, at its own id.
//!
//! Memory is a page, whatever comes back: pages wait in tables.

#[cfg(test)]
mod any_branches_test;
#[cfg(test)]
mod by_hand_test;
mod empty;
mod erased;
#[cfg(test)]
mod erased_test;
mod finish;
mod flagged;
mod place;
mod stage;
#[cfg(test)]
mod test_world;

pub use finish::finish;
pub use stage::{Staged, clear, stage, staged};

use crate::domain::RequestId;
use crate::seal::Position;

/// What an adoption made of the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Adopted {
    /// Everything was known: nothing changed, and the relay's copy is a part of the journal.
    Kept,
    /// The journal went on with the relay's entries as they stand, and with a new incarnation after
    /// them.
    FastForward {
        /// Where it ends now.
        head: Position,
        /// What came back.
        recovered: Recovered,
    },
    /// A new incarnation begins after `common`: what came back, then what was here.
    Forked {
        /// The last position that both copies have.
        common: Position,
        /// Where it ends now.
        head: Position,
        /// What came back; nothing when an earlier session had adopted it already.
        recovered: Recovered,
    },
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovered {
    /// Entries.
    pub entries: i64,
    /// Messages among them.
    pub messages: i64,
    /// Requests whose status moved on both copies, to different ends: somebody should look.
    pub flagged: Vec<RequestId>,
}
