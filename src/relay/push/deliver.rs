//! One push to one browser: encrypted, sent, tried again a few times, or forgotten with its address.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use web_push_native::{Auth, encrypt, p256};

use super::Pusher;
use crate::net::dial::DialError;
use crate::net::post::PostError;
use crate::net::{Target, post};
use crate::relay::alarm::Phone;
use crate::relay::store::{RelayStore, Subscription};

/// How long a push service keeps what a browser does not fetch, in seconds.
const TTL_S: u32 = 3 * 24 * 3_600;
/// The pauses before further tries.
pub const PAUSES: [Duration; 3] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(180),
];
/// Whatever a push service asks for, it is tried again within this time or not at all.
const PAUSE_MAX: Duration = Duration::from_secs(900);
/// The longest address of a subscription, in bytes.
const ADDRESS_BYTES_MAX: usize = 1_024;

/// One push.
pub(super) struct Push<'a> {
    pub(super) to: To<'a>,
    pub(super) payload: String,
    pub(super) topic: String,
    pub(super) urgency: Urgency,
}

/// Where to, and encrypted to whom.
#[derive(Clone, Copy)]
pub(super) struct To<'a> {
    endpoint: &'a str,
    p256dh: &'a [u8],
    auth: &'a [u8],
}

impl<'a> From<&'a Subscription> for To<'a> {
    fn from(to: &'a Subscription) -> Self {
        Self {
            endpoint: &to.endpoint,
            p256dh: &to.p256dh,
            auth: &to.auth,
        }
    }
}

impl<'a> From<&'a Phone> for To<'a> {
    fn from(to: &'a Phone) -> Self {
        Self {
            endpoint: &to.endpoint,
            p256dh: &to.p256dh,
            auth: &to.auth,
        }
    }
}

/// Whether a sleeping phone is woken for it (RFC 8030 §5.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Urgency {
    /// Not.
    Normal,
    /// It is.
    High,
}

impl Urgency {
    const fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// A subscription that cannot be pushed to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no address that can be pushed to")]
pub struct NotAnAddress;

/// Whether a browser's subscription can be pushed to: an `https` address and two proper keys.
///
/// # Errors
/// It cannot.
pub fn check_address(endpoint: &str, p256dh: &[u8], auth: &[u8]) -> Result<(), NotAnAddress> {
    let target = Target::parse(endpoint).map_err(|_| NotAnAddress)?;
    let fine = target.tls && endpoint.len() <= ADDRESS_BYTES_MAX && auth.len() == 16;
    match p256::PublicKey::from_sec1_bytes(p256dh) {
        Ok(_) if fine => Ok(()),
        Ok(_) | Err(_) => Err(NotAnAddress),
    }
}

/// What came of a try.
enum Tried {
    Taken,
    /// The browser is gone, or was none.
    Forget(&'static str),
    /// Later perhaps.
    Later(Option<Duration>),
    /// Not like this.
    Refused(StatusCode),
}

impl<S: RelayStore> Pusher<S> {
    /// Sends until it is taken, or gives up. `shows`: whether something of a thread is shown there then;
    /// none: it is about no thread.
    pub(super) async fn deliver(&self, push: Push<'_>, shows: Option<bool>) {
        let mut pauses = self.inner.parts.pauses.into_iter();
        loop {
            let tried = {
                let Ok(_slot) = self.inner.slots.acquire().await else {
                    return;
                };
                self.attempt(&push).await
            };
            let asked = match tried {
                Tried::Taken => return self.note_shown(push.to.endpoint, shows).await,
                Tried::Forget(why) => return self.forget(push.to.endpoint, why).await,
                Tried::Refused(status) => {
                    return tracing::warn!(%status, "a push service refused a notification");
                }
                Tried::Later(asked) => asked,
            };
            let Some(pause) = pauses.next() else {
                return tracing::info!("a notification was given up");
            };
            let pause = asked.map_or(pause, |asked| asked.max(pause));
            if pause > PAUSE_MAX {
                return tracing::info!("a notification was given up: asked to wait too long");
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(&self, push: &Push<'_>) -> Tried {
        let Ok(target) = Target::parse(push.to.endpoint) else {
            return Tried::Forget("its address is none");
        };
        let Some(request) = self.request(push, &target) else {
            return Tried::Forget("its keys are none");
        };
        match post(&self.inner.parts.dialer, &target, request).await {
            Ok(answer) => judge(answer.status, &answer.headers),
            Err(PostError::Dial(DialError::NotPublic | DialError::NeedsTls)) => {
                Tried::Forget("its address must not be spoken to")
            }
            Err(
                error @ (PostError::Dial(
                    DialError::Name(_) | DialError::Connect(_) | DialError::Tls(_),
                )
                | PostError::Broken(_)
                | PostError::Slow),
            ) => {
                tracing::debug!(%error, host = target.host, "a push service cannot be reached");
                Tried::Later(None)
            }
        }
    }

    fn request(&self, push: &Push<'_>, target: &Target) -> Option<Request<Full<Bytes>>> {
        let parts = &self.inner.parts;
        let public = p256::PublicKey::from_sec1_bytes(push.to.p256dh).ok()?;
        let auth: [u8; 16] = push.to.auth.try_into().ok()?;
        let sealed = encrypt(
            push.payload.clone().into_bytes(),
            &public,
            &Auth::from(auth),
        )
        .ok()?;
        let origin = format!("https://{}", target.authority());
        let who = parts
            .vapid
            .authorization(&origin, &parts.contact, parts.clock.now())
            .ok()?;
        Request::post("/")
            .header(AUTHORIZATION, who)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("ttl", TTL_S)
            .header("topic", &push.topic)
            .header("urgency", push.urgency.word())
            .body(Full::new(Bytes::from(sealed)))
            .ok()
    }

    async fn note_shown(&self, endpoint: &str, shown: Option<bool>) {
        let Some(shown) = shown else { return };
        let noted = self.inner.parts.store.shown(endpoint.to_owned(), shown);
        if let Err(error) = noted.await {
            tracing::warn!(%error, "what a browser shows cannot be noted");
        }
    }

    async fn forget(&self, endpoint: &str, why: &'static str) {
        tracing::debug!(why, "a subscription is forgotten");
        let forgotten = self.inner.parts.store.unsubscribe(endpoint.to_owned());
        if let Err(error) = forgotten.await {
            tracing::warn!(%error, "a subscription cannot be forgotten");
        }
    }
}

fn judge(status: StatusCode, headers: &HeaderMap) -> Tried {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Tried::Forget("its push service says so"),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Tried::Later(retry_after(headers))
        }
        _ if status.is_success() => Tried::Taken,
        _ if status.is_server_error() => Tried::Later(retry_after(headers)),
        _ => Tried::Refused(status),
    }
}

/// Seconds; the other form, a date, is for clocks that agree.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// For tests: what a status means, as a word.
#[cfg(test)]
pub(super) fn verdict(status: StatusCode) -> &'static str {
    match judge(status, &HeaderMap::new()) {
        Tried::Taken => "taken",
        Tried::Forget(_) => "forget",
        Tried::Later(_) => "later",
        Tried::Refused(_) => "refused",
    }
}
