//! Access tokens: short-lived JWTs that say who is asking (wire.md §1).
//!
//! `http::auth` issues one at login and verifies one on every request and socket. Verifying says
//! only that this box signed the token for this workshop and that its time has not passed; whether
//! the person's version and session still stand is for the caller to ask the store. Nothing here
//! reads a clock, and nothing in a token's header may ever choose a key or an algorithm.

use std::fmt;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::token_crypto;
use crate::seal::SigningKey;

/// The longest token looked at; ours have about 600 bytes.
pub const TOKEN_BYTES_MAX: usize = 2_048;

/// The longest life of a token: 30 days, for an operator at the command line. Logins ask for 15 minutes (wire.md §1).
pub const TOKEN_LIFE_S_MAX: i64 = 30 * 24 * 60 * 60;

/// How far ahead `iat` and `nbf` may lie: four days. Only this box signs, so a token from the future was
/// issued while the clock was ahead, and nobody is signed out because it was put right; its session can
/// be ended at any time. A clock that was further off than that costs a refresh.
pub const NOT_BEFORE_LEEWAY_S: i64 = 4 * 24 * 60 * 60;

/// The purpose of the key that signs access tokens, for `SigningKey::derive`.
pub const TOKEN_KEY_PURPOSE: &str = "access-token";

/// Issues and verifies the access tokens of one workshop.
pub struct TokenKeys {
    signing: EncodingKey,
    verifying: DecodingKey,
    header: Header,
    kid: String,
    audience: String,
    validation: Validation,
}

impl TokenKeys {
    /// From the key derived for `TOKEN_KEY_PURPOSE`, and the workshop whose tokens these are.
    pub fn new(key: &SigningKey, workshop: Uuid) -> Self {
        token_crypto::install();
        let public_key = key.public_key();
        let kid = kid_of(&public_key);
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(kid.clone());
        Self {
            signing: EncodingKey::from_ed_der(key.seed().as_bytes()),
            verifying: DecodingKey::from_ed_der(&public_key),
            header,
            kid,
            audience: workshop.to_string(),
            validation: signature_only(),
        }
    }

    /// A token for `grant`, good from `now_s` (seconds since 1970) for `ttl_s` seconds, at most
    /// `TOKEN_LIFE_S_MAX`. `jti` is the token's own id.
    pub fn issue(&self, grant: &Grant, now_s: i64, ttl_s: i64, jti: Uuid) -> String {
        let claims = Claims {
            token_type: ACCESS.to_owned(),
            user_id: grant.user_id,
            role: grant.role.to_owned(),
            exp: now_s.saturating_add(ttl_s.min(TOKEN_LIFE_S_MAX)),
            iat: now_s,
            nbf: now_s,
            jti: jti.to_string(),
            iss: ISSUER.to_owned(),
            aud: self.audience.clone(),
            sub: grant.person.to_string(),
            ver: grant.version,
            sid: grant.session.map(|id| id.to_string()),
            req: grant.request,
        };
        jsonwebtoken::encode(&self.header, &claims, &self.signing)
            .expect("the provider that new() installed signs EdDSA, and claims are plain JSON")
    }

    /// What a token says, if this box issued it for this workshop and it is in its time at `now_s`
    /// (seconds since 1970).
    ///
    /// # Errors
    /// Why not; people are told only that they must sign in again.
    pub fn verify(&self, token: &str, now_s: i64) -> Result<Claims, TokenRefused> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenRefused::Malformed);
        }
        // Ours is the only header there is: algorithm, type, our kid. A token that names another
        // one, or brings `jwk`, `jku`, `x5u`, `crit` or anything else, is not ours.
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenRefused::Malformed)?;
        if header != self.header {
            return Err(TokenRefused::Forged);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation)
            .map_err(|error| {
                if matches!(error.kind(), ErrorKind::InvalidSignature) {
                    TokenRefused::Forged
                } else {
                    TokenRefused::Malformed
                }
            })?
            .claims;
        self.check(&claims, now_s)?;
        Ok(claims)
    }

    /// The `kid` in the header of these tokens: the first 96 bits of the public key's SHA-256.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    fn check(&self, claims: &Claims, now_s: i64) -> Result<(), TokenRefused> {
        if claims.token_type != ACCESS {
            return Err(TokenRefused::WrongType);
        }
        if claims.iss != ISSUER {
            return Err(TokenRefused::Forged);
        }
        if claims.aud != self.audience {
            return Err(TokenRefused::WrongAudience);
        }
        if claims.exp <= now_s {
            return Err(TokenRefused::Expired);
        }
        if claims.nbf.max(claims.iat) > now_s.saturating_add(NOT_BEFORE_LEEWAY_S) {
            return Err(TokenRefused::NotYet);
        }
        let ids = [Some(&claims.sub), Some(&claims.jti), claims.sid.as_ref()];
        let lives_too_long = claims.exp.saturating_sub(claims.iat) > TOKEN_LIFE_S_MAX;
        if lives_too_long || !ids.into_iter().flatten().all(|id| is_uuid(id)) {
            return Err(TokenRefused::Malformed);
        }
        Ok(())
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKeys")
            .field("kid", &self.kid)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

/// Whom a token is for, and what it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The person.
    pub person: Uuid,
    /// The person's number, as existing clients know it.
    pub user_id: i64,
    /// `user` (a vehicle's owner), `workshop_admin` or `mechanic`.
    pub role: &'static str,
    /// The person's token version: raised to end every token they have.
    pub version: i64,
    /// The session the token belongs to; none for one that has no refresh token.
    pub session: Option<Uuid>,
    /// The one request an invite opens; none for people with an account.
    pub request: Option<i64>,
}

/// What a token says. From `TokenKeys::verify` every field has been checked for form; `role` is
/// what was granted, the caller's to interpret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// `access`.
    pub token_type: String,
    /// The person's number, as existing clients know it.
    pub user_id: i64,
    /// `user`, `workshop_admin` or `mechanic`.
    pub role: String,
    /// From when it is refused, in seconds since 1970.
    pub exp: i64,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// Before when it is refused, in seconds since 1970.
    pub nbf: i64,
    /// The token's own id, a UUID.
    pub jti: String,
    /// `motoreach`.
    pub iss: String,
    /// The workshop, a UUID.
    pub aud: String,
    /// The person, a UUID.
    pub sub: String,
    /// The person's token version when it was issued.
    pub ver: i64,
    /// The session it belongs to, a UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The one request an invite opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub req: Option<i64>,
}

/// Why a token was refused. All of them are 401, or 4401 on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// Not a token of the form this box issues.
    #[error("the token is malformed")]
    Malformed,
    /// Not signed with this box's key.
    #[error("the token was not issued here")]
    Forged,
    /// Its time has passed: refresh.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come: the clock was set back.
    #[error("the token is not valid yet")]
    NotYet,
    /// For another workshop.
    #[error("the token is for another workshop")]
    WrongAudience,
    /// Not an access token.
    #[error("the token is not an access token")]
    WrongType,
}

const ACCESS: &str = "access";
const ISSUER: &str = "motoreach";

/// Leaves only the signature to the crate: its time checks read the system clock, and its `aud`
/// and `iss` accept lists where we accept one string.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

fn kid_of(public_key: &[u8; 32]) -> String {
    let sha = digest(&SHA256, public_key);
    sha.as_ref()[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Exactly as `Uuid` prints it: no braces, no `urn:`, no capitals.
fn is_uuid(text: &str) -> bool {
    Uuid::parse_str(text).is_ok_and(|id| id.to_string() == text)
}

#[cfg(test)]
mod hostile;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::RootSecret;

    const NOW_S: i64 = 1_795_339_800;

    #[test]
    fn what_is_issued_is_verified() {
        let token = keys(1).issue(&GRANT, NOW_S, 900, Uuid::from_bytes([3; 16]));
        let claims = keys(1).verify(&token, NOW_S).unwrap();
        let expected = Claims {
            token_type: "access".to_owned(),
            user_id: 12,
            role: "mechanic".to_owned(),
            exp: NOW_S + 900,
            iat: NOW_S,
            nbf: NOW_S,
            jti: "03030303-0303-0303-0303-030303030303".to_owned(),
            iss: "motoreach".to_owned(),
            aud: "01010101-0101-0101-0101-010101010101".to_owned(),
            sub: "02020202-0202-0202-0202-020202020202".to_owned(),
            ver: 4,
            sid: Some("04040404-0404-0404-0404-040404040404".to_owned()),
            req: None,
        };
        assert_eq!(claims, expected);
        assert!(token.len() < TOKEN_BYTES_MAX / 2, "{} bytes", token.len());

        let invited = Grant {
            role: "user",
            session: None,
            request: Some(7),
            ..GRANT
        };
        let token = keys(1).issue(&invited, NOW_S, 900, Uuid::from_bytes([3; 16]));
        let claims = keys(1).verify(&token, NOW_S).unwrap();
        assert_eq!((claims.sid, claims.req), (None, Some(7)));
    }

    #[test]
    fn the_header_is_the_one_clients_know() {
        let keys = keys(1);
        let token = keys.issue(&GRANT, NOW_S, 900, Uuid::nil());
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!(header.alg, Algorithm::EdDSA);
        assert_eq!(header.typ.as_deref(), Some("JWT"));
        assert_eq!(header.kid.as_deref(), Some(keys.kid()));
        assert_eq!(keys.kid().len(), 24);
    }

    #[test]
    fn a_token_is_good_in_its_time_only() {
        let keys = keys(1);
        let token = keys.issue(&GRANT, NOW_S, 900, Uuid::nil());
        let at = |now_s| keys.verify(&token, now_s).err();
        assert_eq!(at(NOW_S + 899), None);
        assert_eq!(at(NOW_S + 900), Some(TokenRefused::Expired));
        assert_eq!(at(i64::MAX), Some(TokenRefused::Expired));
        assert_eq!(at(NOW_S - NOT_BEFORE_LEEWAY_S), None);
        assert_eq!(
            at(NOW_S - NOT_BEFORE_LEEWAY_S - 1),
            Some(TokenRefused::NotYet)
        );
        assert_eq!(at(0), Some(TokenRefused::NotYet));
        assert_eq!(at(i64::MIN), Some(TokenRefused::NotYet));
    }

    #[test]
    fn no_token_lives_longer_than_the_longest_life() {
        let keys = keys(1);
        for ttl_s in [TOKEN_LIFE_S_MAX, TOKEN_LIFE_S_MAX + 1, i64::MAX] {
            let token = keys.issue(&GRANT, NOW_S, ttl_s, Uuid::nil());
            assert_eq!(
                keys.verify(&token, NOW_S).unwrap().exp,
                NOW_S + TOKEN_LIFE_S_MAX
            );
        }
        let token = keys.issue(&GRANT, NOW_S, -1, Uuid::nil());
        assert_eq!(keys.verify(&token, NOW_S), Err(TokenRefused::Expired));
    }

    #[test]
    fn another_workshop_or_box_is_refused() {
        let token = keys(1).issue(&GRANT, NOW_S, 900, Uuid::nil());
        let other_workshop = TokenKeys::new(&signing(1), Uuid::from_bytes([9; 16]));
        assert_eq!(
            other_workshop.verify(&token, NOW_S),
            Err(TokenRefused::WrongAudience)
        );
        assert_eq!(keys(2).verify(&token, NOW_S), Err(TokenRefused::Forged));
    }

    #[test]
    fn debug_shows_no_key() {
        let keys = keys(1);
        let audience = "01010101-0101-0101-0101-010101010101";
        let shown = format!(
            "TokenKeys {{ kid: {:?}, audience: {audience:?}, .. }}",
            keys.kid()
        );
        assert_eq!(format!("{keys:?}"), shown);
    }

    pub(super) const GRANT: Grant = Grant {
        person: Uuid::from_bytes([2; 16]),
        user_id: 12,
        role: "mechanic",
        version: 4,
        session: Some(Uuid::from_bytes([4; 16])),
        request: None,
    };

    pub(super) fn signing(root: u8) -> SigningKey {
        SigningKey::derive(&RootSecret::from_bytes([root; 32]), TOKEN_KEY_PURPOSE)
    }

    pub(super) fn keys(root: u8) -> TokenKeys {
        TokenKeys::new(&signing(root), Uuid::from_bytes([1; 16]))
    }
}
