//! Sealing: everything that lets the relay carry a workshop's journal without reading it.
//!
//! ```text
//! recovery words ── RootSecret ─┬─ thread key (thread, epoch) ─┬─ journal key  box → owners
//!                               │                              └─ post key     owners → box
//!                               ├─ staff key                      events no owner may read
//!                               ├─ InviteSecret (invite) ─┬─ auth      opens the socket
//!                               │                         └─ wrap key  carries the thread key
//!                               ├─ backup key (salt of a file)    chunks of a backup
//!                               └─ SigningKey (purpose)           heads, access tokens
//! ```
//!
//! Called by `commands` (what an event means), `store` (the chain), `sync` and `relay` (verifying)
//! and `http` (invites, tokens). It must never do IO, read a clock or make randomness: keys come
//! from the root, ids and times are handed in (invariant 5), so the same input seals to the same
//! bytes for ever and nothing sealed needs to be stored twice.
//!
//! The formulas are a contract with the owners' page, which opens seals with WebCrypto;
//! `tests/fixtures/seal/vectors.json` holds both sides to it. Every HKDF here is HKDF-SHA-256
//! with 32 bytes of output; "empty salt" is RFC 5869's default, 32 zero bytes.

mod backup;
mod carried;
mod cbor;
mod chain;
mod invite;
mod key;
mod root;
mod sealed;
mod sign;
mod statement;
mod thread;

#[cfg(test)]
mod vectors;

pub use backup::{
    BACKUP_CHUNK_BYTES, BACKUP_HEADER_BYTES, BACKUP_TAG_BYTES, BackupHeader, ChunkPlace, ChunkSeal,
};
pub use carried::{
    Clear, FROM_OWNER, LINK_KEY_PURPOSE, Lineage, POST_BYTES_MAX, POST_KINDS, Position, STAFF_ONLY,
    SealedEntry, SealedPost, SignedHead, Wrap,
};
pub use chain::{Chain, Link, body_sha};
pub use invite::{InviteSecret, auth_sha, invite_link, parse_code};
pub use key::{KEY_BYTES, Key};
pub use root::{RECOVERY_WORDS, RootSecret, WordsError};
pub use sealed::{
    BOX_AUTHOR, Opened, SEAL_OVERHEAD_BYTES, SealBroken, SealContext, open, plain, seal,
};
pub use sign::{BadSignature, SigningKey, verify};
pub use statement::{check_export, sign_export};
pub use thread::{ThreadKeys, staff_key, thread_key};
