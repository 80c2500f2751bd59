//! Who pushes: the relay's P-256 key, and the word that it signs for each push service (RFC 8292).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::json;
use web_push_native::p256::SecretKey;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;

use crate::domain::Timestamp;

/// A word is good for so long, in seconds. Push services take at most a day.
const LIFE_S: i64 = 12 * 3_600;

/// The key that browsers' subscriptions are bound to.
#[derive(Debug)]
pub struct Vapid {
    pair: EcdsaKeyPair,
    public: Vec<u8>,
}

impl Vapid {
    /// From a secret key.
    pub fn new(secret: &SecretKey) -> Self {
        let public = secret.public_key().to_encoded_point(false);
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &secret.to_bytes(),
            public.as_bytes(),
            &SystemRandom::new(),
        );
        Self {
            pair: pair.expect("both halves come from one key"),
            public: public.as_bytes().to_vec(),
        }
    }

    /// The public key: 65 bytes of base64url, as `pushManager.subscribe` takes it.
    pub fn public_key(&self) -> String {
        BASE64.encode(&self.public)
    }

    /// The `Authorization` field for a push service at `origin`. `contact` is whom to write to when we
    /// misbehave: a `mailto:` or `https:` address.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn authorization(
        &self,
        origin: &str,
        contact: &str,
        now: Timestamp,
    ) -> Result<String, ring::error::Unspecified> {
        let header = json!({ "typ": "JWT", "alg": "ES256" });
        let claims = json!({ "aud": origin, "exp": now.0 / 1_000 + LIFE_S, "sub": contact });
        let said = format!(
            "{}.{}",
            BASE64.encode(header.to_string()),
            BASE64.encode(claims.to_string())
        );
        let signature = self.pair.sign(&SystemRandom::new(), said.as_bytes())?;
        Ok(format!(
            "vapid t={said}.{}, k={}",
            BASE64.encode(signature),
            self.public_key()
        ))
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_word_names_the_service_and_is_signed_by_the_key_that_it_names() {
        let vapid = Vapid::new(&SecretKey::from_slice(&[7; 32]).unwrap());
        let now = Timestamp(1_800_000_000_000);
        let field = vapid
            .authorization("https://push.example", "mailto:a@b.example", now)
            .unwrap();
        let (token, key) = field
            .strip_prefix("vapid t=")
            .unwrap()
            .split_once(", k=")
            .unwrap();
        let key = BASE64.decode(key).unwrap();
        assert_eq!(key.len(), 65);
        let (said, signature) = token.rsplit_once('.').unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
            .verify(said.as_bytes(), &BASE64.decode(signature).unwrap())
            .unwrap();
        let claims = BASE64.decode(said.split_once('.').unwrap().1).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["aud"], "https://push.example");
        assert_eq!(claims["exp"], 1_800_000_000 + LIFE_S);
    }
}
