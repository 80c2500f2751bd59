//! What box and relay say to each other (`sync.md` §3): one CBOR array `[type, body]` a frame, bodies
//! with integer keys. Keys and frame types that a reader does not know are passed over.
//!
//! `sync::link` decides what to say; `sync::dial` and `sync::accept` carry it.

mod frame;

use minicbor::{Decode, Encode};

pub use frame::{Frame, FrameError};

use crate::domain::{EventId, LogId, RequestKey, Seq, WorkshopKey};
use crate::seal::{Chain, Lineage, Position, SealedEntry, SignedHead};

/// The subprotocol of the link's WebSocket.
pub const LINK_PROTOCOL: &str = "motoreach-link.v1";
/// The version spoken; both say a range.
pub const PROTO: u16 = 1;
/// Longest frame, in bytes.
pub const FRAME_BYTES_MAX: usize = 256 * 1024;
/// Entries in one frame.
pub const BATCH_ENTRIES_MAX: usize = 64;
/// Bytes of entries in one frame, unless a single one is longer.
pub const BATCH_BYTES_MAX: usize = 64 * 1024;
/// Bytes of entries that may be under way unacknowledged.
pub const UNACKNOWLEDGED_BYTES_MAX: usize = 512 * 1024;
/// Posts that may be under way to the box.
pub const POST_CREDIT: u32 = 32;
/// Positions asked about in one `Probe`.
pub const PROBE_POSITIONS_MAX: usize = 32;

/// The relay begins: who it is, and something fresh to sign.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Challenge {
    /// The relay's Ed25519 public key: its identity, whatever its address.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub relay: [u8; 32],
    /// Random, of this session.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
    /// The oldest version spoken.
    #[n(2)]
    pub proto_min: u16,
    /// The newest version spoken.
    #[n(3)]
    pub proto_max: u16,
    /// The relay's clock, in milliseconds since 1970; nothing is decided by it.
    #[n(4)]
    pub time_ms: i64,
}

/// Who the box is and where its journal ends.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HelloBody {
    /// The workshop.
    #[n(0)]
    pub workshop: WorkshopKey,
    /// The key that signs its heads and this hello.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub public_key: [u8; 32],
    /// Random, of this session.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
    /// The version chosen.
    #[n(3)]
    pub proto: u16,
    /// The newest grant that the box has stored.
    #[n(4)]
    pub lineage: Option<Lineage>,
    /// Where its journal ends.
    #[n(5)]
    pub head: Position,
    /// Its incarnations with their first positions, oldest first.
    #[n(6)]
    pub history: Vec<Incarnation>,
    /// An admin said: this is the real one.
    #[n(7)]
    pub claim: bool,
    /// The relay's own proof that this workshop may use it, from an earlier welcome.
    #[cbor(n(8), with = "minicbor::bytes")]
    pub membership: Option<Vec<u8>>,
    /// `pairing_proof`, when the admin typed a pairing code.
    #[cbor(n(9), with = "minicbor::bytes")]
    pub pairing: Option<Vec<u8>>,
    /// Where the box is found on the workshop's own network, for owners who are on site.
    #[n(10)]
    pub doors: Vec<String>,
}

/// One incarnation of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Incarnation {
    /// Its id.
    #[n(0)]
    pub log: LogId,
    /// Its first position.
    #[n(1)]
    pub first: Seq,
}

/// Bytes and a signature over them, so that what was signed is what was sent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Signed {
    /// The encoded `HelloBody` or `WelcomeBody`.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub body: Vec<u8>,
    /// Ed25519 over the transcript; `sync::link::handshake` says which.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// What the relay thinks of a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Verdict {
    /// Go on.
    #[n(0)]
    Resume,
    /// An older copy of the box speaks: taken for a restore; go on.
    #[n(1)]
    Restored,
    /// Two copies are alive: nobody may go on until an admin says which is real.
    #[n(2)]
    Quarantined,
    /// Another copy was declared the real one.
    #[n(3)]
    Superseded,
    /// The relay does not know this workshop: pair again.
    #[n(4)]
    Unknown,
    /// The pairing code is wrong, used up or too old.
    #[n(5)]
    BadCode,
}

/// The relay's answer to a hello.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct WelcomeBody {
    /// Whether to go on.
    #[n(0)]
    pub verdict: Verdict,
    /// The new grant; the box stores it before its next frame.
    #[n(1)]
    pub lineage: Option<Lineage>,
    /// Where the relay's copy ends; none: it has nothing.
    #[n(2)]
    pub position: Option<Position>,
    /// Entries that the relay once held at the end of its copy and has not seen again.
    #[n(3)]
    pub orphans: u32,
    /// The relay's proof of membership, to be shown in later hellos.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub membership: Option<Vec<u8>>,
    /// What owners' links begin with, such as `https://relay.example`.
    #[n(5)]
    pub public_url: String,
    /// The relay's proof that it knows the pairing code which the hello proved to know.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub pairing: Option<Vec<u8>>,
}

/// Entries in order, from one incarnation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Entries {
    /// What they follow; `log` is the incarnation of the entry at `seq`.
    #[n(0)]
    pub prev: Position,
    /// The incarnation that all of them belong to.
    #[n(1)]
    pub log: LogId,
    /// The entries, dense.
    #[n(2)]
    pub entries: Vec<SealedEntry>,
    /// The position after the last of them, signed.
    #[n(3)]
    pub head: SignedHead,
}

/// Where the relay's copy ends now, durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Applied {
    /// The position.
    #[n(0)]
    pub position: Option<Position>,
    /// The last frame did not fit there: go back to this position.
    #[n(1)]
    pub rewind: bool,
}

/// Which chain values the relay has at some positions.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Probe {
    /// At most `PROBE_POSITIONS_MAX`.
    #[n(0)]
    pub seqs: Vec<Seq>,
}

/// The answer to a probe, in its order; none where the relay's copy has no such position.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Chains {
    /// One a position.
    #[n(0)]
    pub chains: Vec<Option<Chain>>,
}

/// The box wants back what it does not have: first the orphans' runs, then the tail after `common`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GiveBack {
    /// The last position that both copies have.
    #[n(0)]
    pub common: Seq,
    /// Where to go on: what the last `Given` said; none at first.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub cursor: Option<Vec<u8>>,
}

/// One entry that is given back, with the incarnation that it was written in.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GivenEntry {
    /// Its incarnation.
    #[n(0)]
    pub log: LogId,
    /// The entry. In an orphans' run those that came back already have no body.
    #[n(1)]
    pub entry: SealedEntry,
    /// Whether it came back already and is here for the chain alone.
    #[n(2)]
    pub settled: bool,
}

/// A stretch of one run.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Given {
    /// A new run begins: the chain's value before its first entry.
    #[n(0)]
    pub begins: Option<Chain>,
    /// Entries in order; at most `BATCH_ENTRIES_MAX` and about `BATCH_BYTES_MAX`.
    #[n(1)]
    pub entries: Vec<GivenEntry>,
    /// Where the run ends: the box's own signature over its last position, on every page that has
    /// entries. Whoever is not shown it takes nothing, so that a relay cannot make a box store more
    /// than the box once wrote; and nothing of the run is believed before its chain arrives there.
    #[n(2)]
    pub ends: Option<SignedHead>,
    /// What to ask for next; none: that was all.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub next: Option<Vec<u8>>,
}

/// The box began a new incarnation: everything after `common` becomes orphans, in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Fork {
    /// The last position that both copies have.
    #[n(0)]
    pub common: Position,
}

/// Why a post will not enter the journal although nothing is wrong with the box.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Refused {
    /// Which post.
    #[n(0)]
    pub id: EventId,
    /// A word: `unreadable`, `unknown_link`, `revoked`, `expired`, `too_many`.
    #[n(1)]
    pub why: String,
}

/// What is of the moment in a thread.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Moment {
    /// The thread.
    #[n(0)]
    pub thread: RequestKey,
    /// What.
    #[n(1)]
    pub what: MomentKind,
}

/// What of the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum MomentKind {
    /// The first device of the owner (or somebody of the staff) has the thread open.
    #[n(0)]
    Online,
    /// The last one has not any more.
    #[n(1)]
    Offline,
    /// Somebody types.
    #[n(2)]
    Typing,
}

/// What the relay may forget the words of.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Retain {
    /// Everything up to here is in a backup that was proven.
    #[n(0)]
    pub line: Seq,
    /// Threads that were closed long enough ago.
    #[n(1)]
    pub closed: Vec<RequestKey>,
}

/// Whether, and how, the admin's phones are told when the box is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Watch {
    /// None: nobody is told (any more).
    #[n(0)]
    pub alarm: Option<Alarm>,
}

/// Tell the phones that show the secret of the admin's link when the box is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Alarm {
    /// SHA-256 of the secret in the admin's link. With another one the phones of the old link are
    /// forgotten.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub secret_sha: [u8; 32],
    /// How long the box must be silent, in milliseconds.
    #[n(1)]
    pub after_ms: u32,
}

/// The line is about to go.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Goaway {
    /// When to come back, in milliseconds.
    #[n(0)]
    pub reconnect_in_ms: u32,
    /// A word: `restarting`, `fenced`, `too_many`, `protocol`, `not_ours`.
    #[n(1)]
    pub why: String,
}
