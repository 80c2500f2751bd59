//! A 256-bit key and the one way to derive it.
//!
//! Used by everything in `seal`. A key must never be printed, compared in variable time or
//! outlive its owner in memory; that is what this type is for.

use std::fmt;

use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Length of every key, root secret and invite secret.
pub const KEY_BYTES: usize = 32;

/// 256 secret bits. Wiped from memory when dropped, hidden from `Debug`, compared in constant time.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; KEY_BYTES]);

impl Key {
    /// Takes 32 bytes that are already a key: derived elsewhere or just unwrapped.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes, for a cipher or a KDF; they belong in no log, frame or table.
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// HKDF-SHA-256 (RFC 5869), 32 bytes out. An empty `salt` is the RFC's 32 zero bytes.
    ///
    /// The `info` parts are joined as they are: a caller whose parts vary in length marks their
    /// borders itself.
    pub fn hkdf(ikm: &[u8], salt: &[u8], info: &[&[u8]]) -> Self {
        let mut out = Self([0; KEY_BYTES]);
        Salt::new(HKDF_SHA256, salt)
            .extract(ikm)
            .expand(info, Output)
            .and_then(|okm| okm.fill(&mut out.0))
            .expect("HKDF-SHA-256 gives up to 8,160 bytes, this asks for 32");
        out
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// Tells ring how much to expand.
struct Output;

impl KeyType for Output {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

/// Each part after its length (u32 BE), so that no two lists of parts give the same bytes.
///
/// Parts are ids and names of a few bytes; the length saturates rather than panics at 4 GiB.
pub(super) fn length_prefixed(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::vectors::{from_hex, hex};

    /// RFC 5869 appendix A.1–A.3; our 32 bytes are the beginning of the longer published output.
    #[test]
    fn hkdf_gives_what_rfc_5869_gives() {
        let ascending = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        let cases = [
            (
                vec![0x0b; 22],
                ascending(0x00, 0x0c),
                ascending(0xf0, 0xf9),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
            ),
            (
                ascending(0x00, 0x4f),
                ascending(0x60, 0xaf),
                ascending(0xb0, 0xff),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c",
            ),
            (
                vec![0x0b; 22],
                vec![],
                vec![],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d",
            ),
        ];
        for (ikm, salt, info, okm) in cases {
            assert_eq!(hex(Key::hkdf(&ikm, &salt, &[&info]).as_bytes()), okm);
        }
    }

    #[test]
    fn an_empty_salt_is_32_zero_bytes() {
        assert_eq!(
            Key::hkdf(b"ikm", &[], &[b"x"]),
            Key::hkdf(b"ikm", &[0; 32], &[b"x"])
        );
    }

    #[test]
    fn length_prefixes_keep_parts_apart() {
        assert_ne!(
            length_prefixed(&[b"ab", b"c"]),
            length_prefixed(&[b"a", b"bc"])
        );
        assert_ne!(length_prefixed(&[b"", b"a"]), length_prefixed(&[b"a", b""]));
        assert_eq!(length_prefixed(&[b"ab"]), from_hex("000000026162"));
    }

    #[test]
    fn debug_shows_nothing_of_a_key() {
        assert_eq!(format!("{:?}", Key::from_bytes([0xab; 32])), "Key(hidden)");
    }
}
