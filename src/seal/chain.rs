//! The journal's hash chain: what makes a changed, missing or moved entry visible.
//!
//! `store` extends it with every recorded event; `sync`, the relay, `ops export` and `ops doctor`
//! walk it again. It must hash exactly what sync.md §2 says and nothing that erasing removes: the
//! body goes in as its hash, so an erased body leaves the chain as it was.
//!
//! ```text
//! chain(n) = SHA-256("motoreach-journal-1" | log 16 | chain(n-1) 32 | seq u64 BE | event 16
//!                    | kind length u16 BE | kind | flags u32 BE | SHA-256(sealed body) 32)
//! ```

use std::fmt;

use ring::digest::{Context, SHA256, digest};

/// The chain's value after some entry: 32 bytes that stand for everything up to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chain([u8; 32]);

impl Chain {
    /// The value before the first entry of a journal.
    pub const GENESIS: Self = Self([0; 32]);

    /// A value as it was stored or came over the link.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes to store, send or sign.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The value after one more entry.
    #[must_use]
    pub fn next(self, link: &Link<'_>) -> Self {
        let mut hash = Context::new(&SHA256);
        hash.update(b"motoreach-journal-1");
        hash.update(&link.log);
        hash.update(&self.0);
        hash.update(&link.seq.to_be_bytes());
        hash.update(&link.event);
        // Saturating keeps this total, and two entries still never hash the same bytes: all but
        // the kind has a fixed length. Kinds are names of a few letters.
        hash.update(
            &u16::try_from(link.kind.len())
                .unwrap_or(u16::MAX)
                .to_be_bytes(),
        );
        hash.update(link.kind.as_bytes());
        hash.update(&link.flags.to_be_bytes());
        hash.update(&link.body_sha);
        Self(to_array(&hash.finish()))
    }
}

impl fmt::Debug for Chain {
    /// The first four bytes: enough to tell two positions apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Chain({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// What one entry adds to the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<'a> {
    /// The incarnation of the journal the entry was written in.
    pub log: [u8; 16],
    /// Its place, dense from 1.
    pub seq: u64,
    /// The event's id.
    pub event: [u8; 16],
    /// The event's kind, as the relay sees it.
    pub kind: &'a str,
    /// The entry's flags, as the relay sees them.
    pub flags: u32,
    /// `body_sha` of the sealed body; it stays when the body is erased.
    pub body_sha: [u8; 32],
}

/// SHA-256 of a sealed body.
pub fn body_sha(sealed: &[u8]) -> [u8; 32] {
    to_array(&digest(&SHA256, sealed))
}

/// The digest as an array; SHA-256 has 32 bytes.
pub(super) fn to_array(digest: &ring::digest::Digest) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seal::vectors::hex;

    const LINK: Link<'_> = Link {
        log: [1; 16],
        seq: 1,
        event: [2; 16],
        kind: "message",
        flags: 0,
        body_sha: [3; 32],
    };

    #[test]
    fn every_field_changes_the_chain() {
        let values = [
            Chain::GENESIS,
            Chain::GENESIS.next(&LINK),
            Chain::from_bytes([1; 32]).next(&LINK),
            Chain::GENESIS.next(&LINK).next(&LINK),
            Chain::GENESIS.next(&Link {
                log: [9; 16],
                ..LINK
            }),
            Chain::GENESIS.next(&Link { seq: 2, ..LINK }),
            Chain::GENESIS.next(&Link {
                seq: u64::MAX,
                ..LINK
            }),
            Chain::GENESIS.next(&Link {
                event: [9; 16],
                ..LINK
            }),
            Chain::GENESIS.next(&Link {
                kind: "messages",
                ..LINK
            }),
            Chain::GENESIS.next(&Link { kind: "", ..LINK }),
            Chain::GENESIS.next(&Link { flags: 1, ..LINK }),
            Chain::GENESIS.next(&Link {
                body_sha: [9; 32],
                ..LINK
            }),
        ];
        for (i, a) in values.iter().enumerate() {
            for b in &values[i + 1..] {
                assert_ne!(a, b);
            }
        }
    }

    #[test]
    fn two_entries_swapped_give_another_chain() {
        let other = Link {
            event: [4; 16],
            ..LINK
        };
        assert_ne!(
            Chain::GENESIS.next(&LINK).next(&other),
            Chain::GENESIS.next(&other).next(&LINK)
        );
    }

    #[test]
    fn body_sha_is_sha_256() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex(&body_sha(b"")), empty);
    }

    #[test]
    fn debug_is_short() {
        let chain = Chain::from_bytes([0xab; 32]);
        assert_eq!(format!("{chain:?}"), "Chain(abababab…)");
    }

    proptest! {
        /// No border between kind, flags and hash can be moved, at any length of the kind.
        #[test]
        fn one_changed_field_is_another_chain(
            seq: u64, flags: u32, kind in "\\PC{0,40}", other in "\\PC{0,40}",
        ) {
            let link = Link { seq, flags, kind: &kind, ..LINK };
            let chain = Chain::GENESIS.next(&link);
            prop_assert_eq!(chain, Chain::GENESIS.next(&link));
            prop_assert_ne!(chain, Chain::GENESIS.next(&Link { seq: seq ^ 1, ..link }));
            prop_assert_ne!(chain, Chain::GENESIS.next(&Link { flags: flags ^ 1, ..link }));
            prop_assert_eq!(
                chain == Chain::GENESIS.next(&Link { kind: &other, ..link }),
                kind == other
            );
        }

        #[test]
        fn kinds_beyond_any_limit_do_not_panic_or_collide(extra in 0_usize..3) {
            let long = "k".repeat(usize::from(u16::MAX) + extra);
            let longer = "k".repeat(usize::from(u16::MAX) + extra + 1);
            prop_assert_ne!(
                Chain::GENESIS.next(&Link { kind: &long, ..LINK }),
                Chain::GENESIS.next(&Link { kind: &longer, ..LINK })
            );
        }
    }
}
