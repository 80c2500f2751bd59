//! What travels and is kept sealed: journal entries, owners' posts, positions, signed heads.
//!
//! `store` makes these of its rows, `wire::link` frames them, the relay keeps them; none of them can
//! hold an opened body. Their CBOR form (integer keys, RFC 8949; keys that a reader does not know are
//! passed over) is the same over the link, in the relay's store and in a backup, which is why it
//! lives here and not with one of the three.

use minicbor::{Decode, Encode};

use super::chain::{Chain, Link, body_sha};
use super::sign::{BadSignature, SigningKey, verify};
use crate::domain::{DeviceId, EventId, InviteId, LogId, RequestKey, Seq};

/// Flag of an entry: sealed under the key that no owner ever gets.
pub const STAFF_ONLY: u32 = 1;
/// Flag of an entry: an owner wrote it.
pub const FROM_OWNER: u32 = 2;

/// The purpose of the key pair that signs journal heads and the link's handshake.
pub const LINK_KEY_PURPOSE: &str = "journal-head";

/// A place in a journal that says everything about what lies before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Position {
    /// The incarnation that the entry at `seq` belongs to.
    #[n(0)]
    pub log: LogId,
    /// The newest entry; 0 before the first.
    #[n(1)]
    pub seq: Seq,
    /// The chain's value after it.
    #[n(2)]
    pub chain: Chain,
}

/// One journal entry as everybody but its own workshop and owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SealedEntry {
    /// Its place, dense from 1.
    #[n(0)]
    pub seq: Seq,
    /// Made where it was typed; unique in the workshop for ever.
    #[n(1)]
    pub id: EventId,
    /// The thread that it belongs to; none: the workshop's own.
    #[n(2)]
    pub thread: Option<RequestKey>,
    /// What kind of event, as it stands in the chain.
    #[n(3)]
    pub kind: String,
    /// `STAFF_ONLY`, `FROM_OWNER`.
    #[n(4)]
    pub flags: u32,
    /// Which of the thread's keys seals it.
    #[n(5)]
    pub epoch: u16,
    /// SHA-256 of the sealed body; stays when the body is erased.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub body_sha: [u8; 32],
    /// The chain's value after it.
    #[n(7)]
    pub chain: Chain,
    /// The sealed body; none once erased (or trimmed, at the relay).
    #[cbor(n(8), with = "minicbor::bytes")]
    pub body: Option<Vec<u8>>,
    /// What the relay must know of it.
    #[n(9)]
    pub clear: Option<Clear>,
}

impl SealedEntry {
    /// What it adds to the chain of the incarnation `log`.
    pub fn link(&self, log: LogId) -> Link<'_> {
        Link {
            log: *log.as_bytes(),
            seq: self.seq.0.unsigned_abs(),
            event: *self.id.as_bytes(),
            kind: &self.kind,
            flags: self.flags,
            body_sha: self.body_sha,
        }
    }

    /// Whether it follows from `before` in the incarnation `log`, and its body (if it still has one)
    /// is the one that was chained.
    pub fn follows(&self, before: Chain, log: LogId) -> bool {
        before.next(&self.link(log)) == self.chain
            && self
                .body
                .as_deref()
                .is_none_or(|body| body_sha(body) == self.body_sha)
    }

    /// Whether no owner may read it.
    pub const fn is_staff_only(&self) -> bool {
        self.flags & STAFF_ONLY != 0
    }

    /// Bytes that it takes on the way, near enough for limits.
    pub fn size(&self) -> usize {
        ENTRY_HEAD_BYTES + self.kind.len() + self.body.as_ref().map_or(0, Vec::len)
    }
}

/// Ids, hashes and their CBOR heads, without kind and body.
const ENTRY_HEAD_BYTES: usize = 160;

/// What the relay is told of an entry in the clear, because it must act on it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Clear {
    /// A link was given out: whoever shows what `auth_sha` is of may read the thread until then.
    #[n(0)]
    Granted {
        /// The link's id.
        #[n(0)]
        invite: InviteId,
        /// SHA-256 of its `auth`.
        #[cbor(n(1), with = "minicbor::bytes")]
        auth_sha: [u8; 32],
        /// When it ends, in milliseconds since 1970.
        #[n(2)]
        expires_ms: i64,
        /// The thread's keys so far, for its holder.
        #[n(3)]
        wraps: Vec<Wrap>,
    },
    /// A link was taken back; the thread's next key for those that go on.
    #[n(1)]
    Revoked {
        /// The link's id.
        #[n(0)]
        invite: InviteId,
        /// The new key, for every other link of the thread.
        #[n(1)]
        wraps: Vec<Wrap>,
    },
    /// The body of an earlier event is gone, everywhere.
    #[n(2)]
    Erased {
        /// Whose body.
        #[n(0)]
        event: EventId,
    },
}

/// A thread key that only one link's holder can unwrap.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Wrap {
    /// Whose.
    #[n(0)]
    pub invite: InviteId,
    /// Which of the thread's keys.
    #[n(1)]
    pub epoch: u16,
    /// `InviteSecret::wrap` of it, 49 bytes.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub wrapped: Vec<u8>,
}

/// What an owner sent, on its way to the box. The journal is its only acknowledgement: the entry
/// that carries its id.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SealedPost {
    /// Made on the phone.
    #[n(0)]
    pub id: EventId,
    /// The thread.
    #[n(1)]
    pub thread: RequestKey,
    /// The link that opened it.
    #[n(2)]
    pub invite: InviteId,
    /// The phone.
    #[n(3)]
    pub device: DeviceId,
    /// One of `POST_KINDS`.
    #[n(4)]
    pub kind: String,
    /// The key epoch that the phone knew.
    #[n(5)]
    pub epoch: u16,
    /// The sealed words (`post_key`).
    #[cbor(n(6), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// The kinds of post that a box takes (`sync.md` §1); everything else is refused.
pub const POST_KINDS: [&str; 3] = ["message", "read", "device"];

/// Longest sealed post, in bytes: 8,000 characters of up to four bytes, escaped, and a little.
pub const POST_BYTES_MAX: usize = 64 * 1024;

/// What the relay grants a box in each session; an old one shows that a copy is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Lineage {
    /// Rises with every session.
    #[n(0)]
    pub generation: u64,
    /// Random, so that two copies never have the same by chance.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
}

/// A position with the box's signature: proof that the box itself wrote everything up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedHead {
    /// The position.
    #[n(0)]
    pub position: Position,
    /// Ed25519 over `message`.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl SignedHead {
    /// Signs a position.
    pub fn sign(key: &SigningKey, position: Position) -> Self {
        Self {
            position,
            signature: key.sign(&message(&position)),
        }
    }

    /// Whether the key signed exactly this position.
    ///
    /// # Errors
    /// `BadSignature` when it did not.
    pub fn check(&self, public_key: &[u8; 32]) -> Result<(), BadSignature> {
        verify(public_key, &message(&self.position), &self.signature)
    }
}

/// `"motoreach-head-1" | log 16 | seq u64 BE | chain 32`.
fn message(position: &Position) -> Vec<u8> {
    [
        &b"motoreach-head-1"[..],
        position.log.as_bytes(),
        &position.seq.0.unsigned_abs().to_be_bytes(),
        position.chain.as_bytes(),
    ]
    .concat()
}
