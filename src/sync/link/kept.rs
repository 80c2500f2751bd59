//! What the relay's end of a link asks of whatever keeps its copy, and what it is answered. The rules
//! are with `relay::store::RelayStore`, which every store of a relay fulfils.

use crate::domain::{Timestamp, WorkshopKey};
use crate::seal::{Lineage, Position};
use crate::wire::link::{Incarnation, Verdict};

/// What a verified hello asks for.
#[derive(Clone, Debug)]
pub struct SessionAsked {
    /// The workshop.
    pub workshop: WorkshopKey,
    /// The key that signed the hello. A known workshop's never changes.
    pub public_key: [u8; 32],
    /// The grant that it shows.
    pub lineage: Option<Lineage>,
    /// Where its journal ends and which incarnations it has: told to operators, decides nothing.
    pub head: Position,
    /// Its incarnations.
    pub history: Vec<Incarnation>,
    /// Whether an admin declared this copy the real one.
    pub claim: bool,
    /// May the workshop be entered if it is not known? (It showed a membership, or a pairing code.)
    pub admit: Admit,
    /// Where the box is found on its own network.
    pub doors: Vec<String>,
    /// The relay's clock.
    pub now: Timestamp,
    /// Random, for the next grant.
    pub grant_nonce: [u8; 16],
}

/// On what grounds a workshop that is not known may be entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admit {
    /// None: it must be known already.
    Known,
    /// It showed this relay's own proof of membership, which was checked.
    Member,
    /// It proved to know a pairing code; the code with this id is used up with it, unless the same
    /// workshop used it before.
    Code(i64),
}

/// What a hello got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whether to go on. `Resume` and `Restored` do; everything else changed nothing but what the
    /// verdict itself says.
    pub verdict: Verdict,
    /// The new grant, when the verdict is to go on. Its generation fences older sessions.
    pub lineage: Option<Lineage>,
    /// Where the copy ends.
    pub position: Option<Position>,
    /// How many orphans wait to be seen again.
    pub orphans: u32,
}

/// What a write is fenced with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The workshop.
    pub workshop: WorkshopKey,
    /// The generation of the session's grant.
    pub generation: u64,
}

/// What came of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is on disk; the copy ends here now.
    Applied(Position),
    /// It does not follow from where the copy ends: nothing was changed.
    Rewind(Option<Position>),
    /// Its chain, a body's hash or its signature is wrong: nothing was changed.
    Forged,
}

/// A pairing code as it is kept: never the code itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairingCode {
    /// Its row.
    pub id: i64,
    /// `sync::link::handshake::pairing_key` of it.
    pub key: [u8; 32],
    /// When it ends, in milliseconds since 1970.
    pub expires_ms: i64,
    /// Who used it, if anybody.
    pub used_by: Option<WorkshopKey>,
}
