//! Ed25519 keys of the box: journal heads, the link's handshake, access tokens.
//!
//! One key per purpose, all derived from the root, so a restored box is the same box to everyone
//! who knows its public keys. `sync`, `http::token` and the relay call this. What is signed for
//! one purpose must never be checked with another purpose's key.

use std::fmt;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::key::Key;
use super::root::RootSecret;

/// Signs for one purpose.
pub struct SigningKey {
    /// Kept for `http::token`, whose JWT crate takes keys as bytes.
    seed: Key,
    /// ring does not wipe it when dropped; the box holds its signing keys for as long as it runs.
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// The key pair whose seed is `root.derive("sign", [purpose])`.
    pub fn derive(root: &RootSecret, purpose: &str) -> Self {
        let seed = root.derive("sign", &[purpose.as_bytes()]);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_bytes())
            .expect("an Ed25519 seed is any 32 bytes");
        Self { seed, pair }
    }

    /// The signature of a message (RFC 8032, deterministic).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut out = [0; 64];
        out.copy_from_slice(self.pair.sign(message).as_ref());
        out
    }

    /// What others check signatures with.
    pub fn public_key(&self) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(self.pair.public_key().as_ref());
        out
    }

    /// The seed, as secret as the key.
    pub(crate) fn seed(&self) -> &Key {
        &self.seed
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// Checks a signature over `message`.
///
/// # Errors
/// `BadSignature` when the key did not sign exactly this message, or the key or signature is not
/// one at all.
pub fn verify(public_key: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(message, signature)
        .map_err(|_| BadSignature)
}

/// The signature is not this key's over this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit")]
pub struct BadSignature;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seal::vectors::{from_hex, hex};

    fn key(purpose: &str) -> SigningKey {
        SigningKey::derive(&RootSecret::from_bytes([7; 32]), purpose)
    }

    /// RFC 8032 §7.1, test 2.
    #[test]
    fn signatures_are_those_of_rfc_8032() {
        let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        let public: [u8; 32] = from_hex(public).try_into().unwrap();
        assert_eq!(verify(&public, &[0x72], &from_hex(signature)), Ok(()));

        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let pair = Ed25519KeyPair::from_seed_unchecked(&from_hex(seed)).unwrap();
        let key = SigningKey {
            seed: Key::from_bytes([0; 32]),
            pair,
        };
        assert_eq!(key.public_key(), public);
        assert_eq!(hex(&key.sign(&[0x72])), signature);
    }

    #[test]
    fn one_purpose_does_not_sign_for_another() {
        let signature = key("journal-head").sign(b"head");
        assert_eq!(
            verify(&key("journal-head").public_key(), b"head", &signature),
            Ok(())
        );
        assert_eq!(
            verify(&key("access-token").public_key(), b"head", &signature),
            Err(BadSignature)
        );
        assert_eq!(format!("{:?}", key("journal-head")), "SigningKey { .. }");
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let key = key("journal-head");
        let signature = key.sign(b"head");
        for bit in 0..signature.len() * 8 {
            let mut broken = signature;
            broken[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                verify(&key.public_key(), b"head", &broken),
                Err(BadSignature),
                "{bit}"
            );
        }
    }

    proptest! {
        #[test]
        fn hostile_signatures_and_keys_never_panic(public: [u8; 32], signature: Vec<u8>) {
            prop_assert_eq!(verify(&public, b"head", &signature), Err(BadSignature));
        }
    }
}
