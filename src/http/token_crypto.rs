//! The crypto provider behind `jsonwebtoken`: EdDSA on ring, and nothing else.
//!
//! Installed by `http::token` before its first token. `jsonwebtoken` is built without its own
//! cryptography, so an algorithm that is missing here cannot be used by a token whatever its
//! header says; RSA, ECDSA and HMAC must never be added.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

/// Makes EdDSA on ring what `jsonwebtoken` uses in this process. Again changes nothing.
pub(super) fn install() {
    // An error means that a provider is there already; ours is the only one in the binary.
    let _ = CryptoProvider::install_default(&EDDSA_ON_RING);
}

static EDDSA_ON_RING: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // Only used to read keys out of JWKs, which we never do; refusing beats the crate's panic.
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| unsupported(),
        rsa_pub_components_from_public_key: |_| unsupported(),
        ec_pub_components_from_private_key: |_, _| unsupported(),
        ed_pub_components_from_private_key: |_, _| unsupported(),
        compute_digest: |_, _| unsupported(),
    },
};

fn unsupported<T>() -> Result<T> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

/// Takes an `EncodingKey::from_ed_der` that holds the 32-byte seed.
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    if *algorithm != Algorithm::EdDSA || key.family() != AlgorithmFamily::Ed {
        return unsupported();
    }
    let pair = Ed25519KeyPair::from_seed_unchecked(key.as_bytes())
        .map_err(|_| ErrorKind::InvalidEddsaKey)?;
    Ok(Box::new(RingSigner(pair)))
}

/// Takes a `DecodingKey::from_ed_der` that holds the 32-byte public key.
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if *algorithm != Algorithm::EdDSA || key.family() != AlgorithmFamily::Ed {
        return unsupported();
    }
    let public_key = key
        .try_get_as_bytes()?
        .try_into()
        .map_err(|_| ErrorKind::InvalidEddsaKey)?;
    Ok(Box::new(RingVerifier(UnparsedPublicKey::new(
        &ED25519, public_key,
    ))))
}

struct RingSigner(Ed25519KeyPair);

impl Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct RingVerifier(UnparsedPublicKey<[u8; 32]>);

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        self.0.verify(message, signature).map_err(|_| Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_eddsa_signs_or_verifies() {
        let others = [
            Algorithm::HS256,
            Algorithm::HS384,
            Algorithm::HS512,
            Algorithm::ES256,
            Algorithm::ES384,
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ];
        let key = [7; 32];
        for algorithm in others {
            assert!(
                signer(&algorithm, &EncodingKey::from_ed_der(&key)).is_err(),
                "{algorithm:?}"
            );
            assert!(
                signer(&algorithm, &EncodingKey::from_secret(&key)).is_err(),
                "{algorithm:?}"
            );
            assert!(verifier(&algorithm, &DecodingKey::from_ed_der(&key)).is_err());
            assert!(verifier(&algorithm, &DecodingKey::from_secret(&key)).is_err());
        }
        assert!(signer(&Algorithm::EdDSA, &EncodingKey::from_secret(&key)).is_err());
        assert!(verifier(&Algorithm::EdDSA, &DecodingKey::from_secret(&key)).is_err());
        assert!(signer(&Algorithm::EdDSA, &EncodingKey::from_ed_der(&key[..31])).is_err());
        assert!(verifier(&Algorithm::EdDSA, &DecodingKey::from_ed_der(&key[..31])).is_err());
    }

    #[test]
    fn what_it_signs_it_verifies() {
        let signed = signer(&Algorithm::EdDSA, &EncodingKey::from_ed_der(&[7; 32]))
            .unwrap()
            .try_sign(b"x")
            .unwrap();
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let public = ring::signature::KeyPair::public_key(&pair);
        let verifier = verifier(
            &Algorithm::EdDSA,
            &DecodingKey::from_ed_der(public.as_ref()),
        )
        .unwrap();
        assert!(verifier.verify(b"x", &signed).is_ok());
        assert!(verifier.verify(b"y", &signed).is_err());
        assert!(verifier.verify(b"x", &Vec::new()).is_err());
    }
}
