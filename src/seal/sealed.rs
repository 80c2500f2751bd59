//! Sealing one event's body, and opening it again.
//!
//! Called by `sync` when an entry goes to the relay, by `commands::accept_post` when an owner's
//! post comes in, and mirrored by the owners' page. AES-256-GCM, laid out as
//!
//! ```text
//! 1u8 | ciphertext, as long as the plaintext | tag, 16 bytes
//! nonce = first 96 bits of HKDF(key, empty salt, "nonce" | event id)
//! AAD   = workshop, thread (nothing if none), event, kind — each after its length, u32 BE
//! ```
//!
//! An event id must never seal two different plaintexts under one key: the nonce would repeat.
//! In return sealing is repeatable, and the box can seal again instead of storing sealed bytes.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::key::{Key, length_prefixed};

/// How many bytes longer a sealed body is than its plaintext: version and tag.
pub const SEAL_OVERHEAD_BYTES: usize = 1 + TAG_BYTES;

/// The author of a journal event that the box itself wrote.
pub const BOX_AUTHOR: [u8; 16] = [0; 16];

/// Where a sealed body belongs. It opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealContext<'a> {
    /// The workshop's id.
    pub workshop: [u8; 16],
    /// The request's thread; none for what concerns the whole workshop.
    pub thread: Option<[u8; 16]>,
    /// The event's id, made where it was typed. Decides the nonce.
    pub event: [u8; 16],
    /// The event's kind, as the relay sees it.
    pub kind: &'a str,
}

impl SealContext<'_> {
    fn aad(&self) -> Vec<u8> {
        let thread = self.thread.as_ref().map_or(&[][..], |thread| &thread[..]);
        length_prefixed(&[&self.workshop, thread, &self.event, self.kind.as_bytes()])
    }
}

/// Seals `plain`; the same input gives the same bytes.
pub fn seal(key: &Key, ctx: &SealContext<'_>, plain: &[u8]) -> Vec<u8> {
    seal_with(key, &[b"nonce", &ctx.event], &ctx.aad(), plain)
}

/// Opens what `seal` gave for the same key and context.
///
/// # Errors
/// `SealBroken` for anything else: which part differs is not told.
pub fn open(key: &Key, ctx: &SealContext<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealBroken> {
    open_with(key, &[b"nonce", &ctx.event], &ctx.aad(), sealed)
}

/// The plaintext of a journal event: time (ms since 1970, i64 BE) | author | body.
pub fn plain(at_ms: i64, author: [u8; 16], body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD_BYTES + body.len());
    out.extend_from_slice(&at_ms.to_be_bytes());
    out.extend_from_slice(&author);
    out.extend_from_slice(body);
    out
}

/// A journal event's plaintext, taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Opened<'a> {
    /// When it was typed, in milliseconds since 1970 UTC. Shown, never used for order.
    pub at_ms: i64,
    /// The person's id, or `BOX_AUTHOR`.
    pub author: [u8; 16],
    /// The event itself.
    pub body: &'a [u8],
}

impl<'a> Opened<'a> {
    /// Takes apart what `plain` put together.
    ///
    /// # Errors
    /// `SealBroken` when it is too short to have been made by `plain`.
    pub fn parse(plain: &'a [u8]) -> Result<Self, SealBroken> {
        let (at_ms, rest) = plain.split_first_chunk().ok_or(SealBroken)?;
        let (author, body) = rest.split_first_chunk().ok_or(SealBroken)?;
        Ok(Self {
            at_ms: i64::from_be_bytes(*at_ms),
            author: *author,
            body,
        })
    }
}

impl std::fmt::Debug for Opened<'_> {
    /// Message bodies are never logged: only the length is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("at_ms", &self.at_ms)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The bytes were not sealed with this key for this place, or have been changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the seal is broken")]
pub struct SealBroken;

const VERSION: u8 = 1;
const TAG_BYTES: usize = 16;
const HEAD_BYTES: usize = 8 + 16;

/// `seal` with its own nonce and AAD; `invite` wraps thread keys with it.
pub(super) fn seal_with(key: &Key, nonce: &[&[u8]], aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() + SEAL_OVERHEAD_BYTES);
    out.push(VERSION);
    out.extend_from_slice(plain);
    let tag = cipher(key)
        .seal_in_place_separate_tag(nonce_for(key, nonce), Aad::from(aad), &mut out[1..])
        .expect("AES-GCM takes up to 64 GiB, a body is at most a frame long");
    out.extend_from_slice(tag.as_ref());
    out
}

/// Opens what `seal_with` gave.
pub(super) fn open_with(
    key: &Key,
    nonce: &[&[u8]],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, SealBroken> {
    let (&version, rest) = sealed.split_first().ok_or(SealBroken)?;
    if version != VERSION {
        return Err(SealBroken);
    }
    let mut buffer = rest.to_vec();
    let plain_len = cipher(key)
        .open_in_place(nonce_for(key, nonce), Aad::from(aad), &mut buffer)
        .map_err(|_| SealBroken)?
        .len();
    buffer.truncate(plain_len);
    Ok(buffer)
}

fn cipher(key: &Key) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, key.as_bytes()).expect("AES-256 takes 32 bytes");
    LessSafeKey::new(key)
}

fn nonce_for(key: &Key, info: &[&[u8]]) -> Nonce {
    let mut nonce = [0; 12];
    nonce.copy_from_slice(&Key::hkdf(key.as_bytes(), &[], info).as_bytes()[..12]);
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const CTX: SealContext<'_> = SealContext {
        workshop: [1; 16],
        thread: Some([2; 16]),
        event: [3; 16],
        kind: "message",
    };

    fn key() -> Key {
        Key::from_bytes(KEY)
    }

    #[test]
    fn sealing_twice_gives_the_same_bytes() {
        let once = seal(&key(), &CTX, b"Is it ready?");
        assert_eq!(once, seal(&key(), &CTX, b"Is it ready?"));
        assert_eq!(once.len(), 12 + SEAL_OVERHEAD_BYTES);
    }

    #[test]
    fn another_place_or_key_does_not_open_it() {
        let sealed = seal(&key(), &CTX, b"Is it ready?");
        let elsewhere = [
            SealContext {
                workshop: [9; 16],
                ..CTX
            },
            SealContext {
                thread: Some([9; 16]),
                ..CTX
            },
            SealContext {
                thread: None,
                ..CTX
            },
            SealContext {
                thread: Some([0; 16]),
                ..CTX
            },
            SealContext {
                event: [9; 16],
                ..CTX
            },
            SealContext {
                kind: "status",
                ..CTX
            },
            SealContext {
                kind: "messag",
                ..CTX
            },
            SealContext { kind: "", ..CTX },
        ];
        for ctx in elsewhere {
            assert_eq!(open(&key(), &ctx, &sealed), Err(SealBroken), "{ctx:?}");
        }
        assert_eq!(
            open(&Key::from_bytes([8; 32]), &CTX, &sealed),
            Err(SealBroken)
        );
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let sealed = seal(&key(), &CTX, b"Is it ready?");
        for bit in 0..sealed.len() * 8 {
            let mut broken = sealed.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&key(), &CTX, &broken), Err(SealBroken), "bit {bit}");
        }
        for bit in 0..128 {
            let flip = |mut id: [u8; 16]| {
                id[bit / 8] ^= 1 << (bit % 8);
                id
            };
            for ctx in [
                SealContext {
                    workshop: flip([1; 16]),
                    ..CTX
                },
                SealContext {
                    thread: Some(flip([2; 16])),
                    ..CTX
                },
                SealContext {
                    event: flip([3; 16]),
                    ..CTX
                },
            ] {
                assert_eq!(open(&key(), &ctx, &sealed), Err(SealBroken), "bit {bit}");
            }
        }
        for cut in 0..sealed.len() {
            assert_eq!(
                open(&key(), &CTX, &sealed[..cut]),
                Err(SealBroken),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn a_body_is_not_shown_by_debug() {
        let plain = plain(1, BOX_AUTHOR, b"secret");
        let shown = format!("{:?}", Opened::parse(&plain).unwrap());
        assert_eq!(shown, "Opened { at_ms: 1, body_bytes: 6, .. }");
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(
            key: [u8; 32], workshop: [u8; 16], thread: Option<[u8; 16]>, event: [u8; 16],
            kind in "\\PC{0,20}", body: Vec<u8>,
        ) {
            let (key, ctx) = (Key::from_bytes(key), SealContext { workshop, thread, event, kind: &kind });
            let sealed = seal(&key, &ctx, &body);
            prop_assert_eq!(sealed.len(), body.len() + SEAL_OVERHEAD_BYTES);
            prop_assert_eq!(open(&key, &ctx, &sealed), Ok(body));
        }

        #[test]
        fn a_plaintext_comes_apart_as_it_was_put_together(
            at_ms: i64, author: [u8; 16], body: Vec<u8>,
        ) {
            let plain = plain(at_ms, author, &body);
            prop_assert_eq!(Opened::parse(&plain), Ok(Opened { at_ms, author, body: &body }));
        }

        #[test]
        fn hostile_bytes_never_panic_and_never_open(mut bytes: Vec<u8>) {
            prop_assert_eq!(open(&key(), &CTX, &bytes), Err(SealBroken));
            bytes.insert(0, VERSION);
            prop_assert_eq!(open(&key(), &CTX, &bytes), Err(SealBroken));
            prop_assert_eq!(Opened::parse(&bytes).is_ok(), bytes.len() >= HEAD_BYTES);
        }
    }
}
