//! Who is asking: from a token to a credential, and the tokens and cookies of a sign-in.
//!
//! A credential is a claim whose signature was checked. Whether it still counts is for the store to
//! say, in the same view or transaction that it is used in.

use axum::extract::FromRequestParts;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use uuid::Uuid;

use super::edge::Edge;
use super::host::Scheme;
use super::problem::Problem;
use super::token::{Claims, Grant};
use crate::clock::stopwatch;
use crate::commands::SignedIn;
use crate::domain::{PersonId, PersonKey, Rejection, RequestId, Role, SessionId};
use crate::store::people::Credential;
use crate::wire::role_word;

/// Life of an access token, in seconds (`wire.md` §1).
pub const ACCESS_TOKEN_S: i64 = 15 * 60;
/// Life of the cookie that carries a refresh token, in seconds; the session itself decides.
const COOKIE_S: i64 = 180 * 24 * 3_600;
const REFRESH_BYTES: usize = 32;
const STAFF_COOKIE: &str = "motoreach_refresh";
/// Owners have a cookie of their own: somebody of the staff who tries an owner's link in the same
/// browser stays signed in.
const OWNER_COOKIE: &str = "motoreach_owner";
/// Over TLS they have other names: what was set over TLS cannot be changed without, so that a page on
/// plain HTTP could neither go on with such a sign-in nor begin one of its own. A browser takes this
/// prefix over TLS only.
const OVER_TLS: &str = "__Secure-";

/// Whoever carries a valid access token in `Authorization`.
#[derive(Clone, Copy, Debug)]
pub struct Bearer(pub Credential);

impl FromRequestParts<Edge> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Problem> {
        let token = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| {
                let (scheme, token) = value.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
            })
            .ok_or_else(|| Problem::unauthorized("This needs a sign-in."))?;
        edge.access_token(token)
            .map(Self)
            .ok_or_else(|| Rejection::SignedOut.into())
    }
}

impl Edge {
    /// The credential that an access token carries, if this box signed it and it is in its time.
    pub fn access_token(&self, token: &str) -> Option<Credential> {
        match self
            .tokens
            .verify(token, self.store.clock().now().seconds())
        {
            Ok(claims) => credential(&claims),
            Err(why) => {
                tracing::debug!(%why, "a token was refused");
                None
            }
        }
    }

    /// The credential of a socket: a ticket, or an access token.
    pub fn socket_token(&self, token: &str) -> Option<Credential> {
        self.tickets
            .take(token, stopwatch())
            .or_else(|| self.access_token(token))
    }

    /// An access token for whoever just signed in.
    pub fn issue_access(&self, signed_in: &SignedIn) -> String {
        let grant = Grant {
            person: signed_in.person.key.uuid(),
            user_id: signed_in.person.id.0,
            role: role_word(signed_in.person.role),
            version: signed_in.person.token_version,
            session: Some(signed_in.session.uuid()),
            request: signed_in.only.map(|request| request.0),
        };
        let now_s = self.store.clock().now().seconds();
        self.tokens
            .issue(&grant, now_s, ACCESS_TOKEN_S, Uuid::now_v7())
    }
}

fn credential(claims: &Claims) -> Option<Credential> {
    let session = match &claims.sid {
        None => None,
        Some(id) => Some(id.parse::<SessionId>().ok()?),
    };
    Some(Credential {
        person: PersonId(claims.user_id),
        key: PersonKey::new(claims.sub.parse().ok()?),
        version: claims.ver,
        session,
        only: claims.req.map(RequestId),
    })
}

/// A refresh token: which session, and proof of holding it.
pub struct RefreshToken {
    /// The session.
    pub session: SessionId,
    secret: [u8; REFRESH_BYTES],
}

impl RefreshToken {
    /// A new one.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn fresh(session: SessionId) -> Result<Self, Problem> {
        let mut secret = [0; REFRESH_BYTES];
        SystemRandom::new()
            .fill(&mut secret)
            .map_err(|_| Problem::internal())?;
        Ok(Self { session, secret })
    }

    /// The token that takes this one's place: always the same for the same one, so that somebody whose
    /// answer was lost gets it again when they ask again.
    #[must_use]
    pub fn next(&self, key: &hmac::Key) -> Self {
        let mut text = [0; 16 + REFRESH_BYTES];
        text[..16].copy_from_slice(self.session.as_bytes());
        text[16..].copy_from_slice(&self.secret);
        let mut secret = [0; REFRESH_BYTES];
        secret.copy_from_slice(hmac::sign(key, &text).as_ref());
        Self {
            session: self.session,
            secret,
        }
    }

    /// The same token for another session.
    #[must_use]
    pub fn of(self, session: SessionId) -> Self {
        Self { session, ..self }
    }

    /// The tokens of this scheme that a browser sent along, the staff's first.
    pub fn all_from(headers: &HeaderMap, scheme: Scheme) -> Vec<Self> {
        let cookies = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let pairs: Vec<_> = cookies
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .collect();
        [STAFF_COOKIE, OWNER_COOKIE]
            .into_iter()
            .map(|name| named(name, scheme))
            .filter_map(|name| pairs.iter().find(|(key, _)| *key == name))
            .filter_map(|(_, value)| Self::parse(value))
            .collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let (session, secret) = text.split_once('.')?;
        let secret = BASE64_URL_SAFE_NO_PAD.decode(secret).ok()?;
        Some(Self {
            session: session.parse().ok()?,
            secret: secret.try_into().ok()?,
        })
    }

    /// What the store keeps of it.
    pub fn sha(&self) -> [u8; 32] {
        let mut sha = [0; 32];
        sha.copy_from_slice(digest::digest(&digest::SHA256, &self.secret).as_ref());
        sha
    }

    /// The cookie that carries it (`wire.md` §1).
    pub fn cookie(&self, role: Role, scheme: Scheme) -> HeaderValue {
        let secret = BASE64_URL_SAFE_NO_PAD.encode(self.secret);
        cookie(
            cookie_name(role),
            &format!("{}.{secret}", self.session),
            COOKIE_S,
            scheme,
        )
    }
}

/// Cookies that take the place of every cookie of ours and end at once.
pub fn forget_cookies(scheme: Scheme) -> [HeaderValue; 2] {
    [STAFF_COOKIE, OWNER_COOKIE].map(|name| cookie(name, "", 0, scheme))
}

const fn cookie_name(role: Role) -> &'static str {
    match role {
        Role::Admin | Role::Mechanic => STAFF_COOKIE,
        Role::Owner => OWNER_COOKIE,
    }
}

fn named(name: &str, scheme: Scheme) -> String {
    match scheme {
        Scheme::Http => name.to_owned(),
        Scheme::Https => format!("{OVER_TLS}{name}"),
    }
}

fn cookie(name: &str, value: &str, max_age_s: i64, scheme: Scheme) -> HeaderValue {
    let secure = match scheme {
        Scheme::Http => "",
        Scheme::Https => "; Secure",
    };
    let name = named(name, scheme);
    let text = format!(
        "{name}={value}; Max-Age={max_age_s}; Path=/api/auth/; HttpOnly; SameSite=Strict{secure}"
    );
    HeaderValue::try_from(text).expect("ids and base64url have letters that a header may hold")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_comes_back_from_its_cookie() {
        let token = RefreshToken::fresh(SessionId::from_bytes([7; 16])).unwrap();
        let cookie = token.cookie(Role::Admin, Scheme::Http);
        let pair = cookie
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let mut headers = HeaderMap::new();
        let header = format!("theme=dark; {pair}; x=y");
        headers.insert(COOKIE, HeaderValue::try_from(header).unwrap());
        let found = RefreshToken::all_from(&headers, Scheme::Http);
        assert_eq!(found.len(), 1);
        assert!(RefreshToken::all_from(&headers, Scheme::Https).is_empty());
        assert_eq!(
            (found[0].session, found[0].sha()),
            (token.session, token.sha())
        );
    }

    #[test]
    fn cookies_are_out_of_reach_of_scripts_and_other_sites() {
        let token = RefreshToken::fresh(SessionId::from_bytes([7; 16])).unwrap();
        let plain = token.cookie(Role::Owner, Scheme::Http);
        let plain = plain.to_str().unwrap();
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/api/auth/"] {
            assert!(plain.contains(attribute), "{plain}");
        }
        assert!(!plain.contains("Secure"));
        let over_tls = token.cookie(Role::Owner, Scheme::Https);
        assert!(
            over_tls
                .to_str()
                .unwrap()
                .starts_with("__Secure-motoreach_owner=")
        );
        assert!(
            token
                .cookie(Role::Owner, Scheme::Https)
                .to_str()
                .unwrap()
                .contains("; Secure")
        );
    }

    #[test]
    fn broken_cookies_are_no_tokens() {
        let mut headers = HeaderMap::new();
        let header = "motoreach_refresh=garbage; motoreach_owner=also.garbage";
        headers.insert(COOKIE, HeaderValue::from_static(header));
        assert!(RefreshToken::all_from(&headers, Scheme::Http).is_empty());
    }
}
