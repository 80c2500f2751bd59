//! The page of the silence alarm (`POST /api/alarm/<workshop>/`): an admin's phone shows the secret of
//! its link, learns how the box stands, and says whether it wants to be told.

use axum::Json;
use axum::extract::{Extension, Path, State};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{Relay, asking};
use crate::domain::{Timestamp, WorkshopKey};
use crate::http::extract::ApiJson;
use crate::http::listen::Peer;
use crate::http::problem::Problem;
use crate::relay::alarm::{Phone, Watched};
use crate::relay::push::check_address;
use crate::relay::store::{RelayStore, RelayStoreError};
use crate::seal::{auth_sha, parse_code};
use crate::wire::rfc3339;

/// What the phone shows and wants.
#[derive(Deserialize)]
pub(super) struct AskedBody {
    /// The secret in the link's fragment, base64url.
    secret: String,
    /// What it wants.
    #[serde(default)]
    want: Want,
    /// The browser's subscription (a `PushSubscription`'s JSON); not needed to look.
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    p256dh: String,
    #[serde(default)]
    auth: String,
}

/// What a phone wants.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Want {
    /// To see how the box stands.
    #[default]
    Look,
    /// To be told.
    Subscribe,
    /// Not to be told any more.
    Unsubscribe,
    /// To see whether it would be.
    Test,
}

/// How the box stands.
#[derive(Serialize)]
pub(super) struct StandsBody {
    /// Whether the box is on the line at this moment.
    online: bool,
    /// When it was last heard of, RFC 3339; null while it is on the line.
    silent_since: Option<String>,
    /// How long it must be silent before phones are told, in seconds.
    after_s: u32,
    /// How many phones are told.
    phones: usize,
    /// Whether this browser is one of them.
    subscribed: bool,
    /// What `pushManager.subscribe` needs.
    vapid: String,
    /// The relay's time, RFC 3339.
    now: String,
}

/// Answers a phone.
pub(super) async fn ask<S: RelayStore>(
    State(relay): State<Relay<S>>,
    Path(workshop): Path<String>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    ApiJson(asked): ApiJson<AskedBody>,
) -> Result<Json<StandsBody>, Problem> {
    let from = asking::address(peer, &headers, &relay.proxies);
    relay.rates.may_show(from).map_err(Problem::rate_limited)?;
    let Some((watched, sha)) = opened(&relay, &workshop, &asked.secret).await? else {
        relay.rates.showed_wrong(from);
        return Err(opens_nothing());
    };
    let workshop = watched.workshop;
    if asked.want != Want::Look {
        relay
            .rates
            .alarm_asked(workshop)
            .map_err(Problem::rate_limited)?;
    }
    match asked.want {
        Want::Look => {}
        Want::Subscribe => {
            let phone = phone(&asked)?;
            let kept = relay.store.add_phone(workshop, sha, phone).await;
            if !kept.map_err(|error| failed(&error))? {
                return Err(opens_nothing());
            }
        }
        Want::Unsubscribe => {
            let forgotten = relay.store.forget_phone(workshop, asked.endpoint.clone());
            forgotten.await.map_err(|error| failed(&error))?;
        }
        Want::Test => relay.pusher.test_alarm(workshop, phone(&asked)?),
    }
    let phones = relay.store.phones(workshop).await;
    let phones = phones.map_err(|error| failed(&error))?;
    let online = relay.presence.online(workshop).online;
    Ok(Json(StandsBody {
        online,
        silent_since: (!online).then(|| rfc3339(Timestamp(watched.seen_ms))),
        after_s: watched.asked.alarm.after_ms / 1_000,
        phones: phones.len(),
        subscribed: phones.iter().any(|phone| phone.endpoint == asked.endpoint),
        vapid: relay.secrets.vapid.public_key(),
        now: rfc3339(relay.clock.now()),
    }))
}

/// The alarm that a secret opens, and what the store compares it by.
async fn opened<S: RelayStore>(
    relay: &Relay<S>,
    workshop: &str,
    secret: &str,
) -> Result<Option<(Watched, [u8; 32])>, Problem> {
    let key = BASE64
        .decode(workshop)
        .ok()
        .and_then(|it| it.try_into().ok());
    let (Some(key), Some(secret)) = (key, parse_code(secret)) else {
        return Ok(None);
    };
    let sha = auth_sha(&secret);
    let known = relay.store.alarm(WorkshopKey::from_bytes(key)).await;
    let known = known.map_err(|error| failed(&error))?;
    Ok(known
        .filter(|known| bool::from(known.asked.alarm.secret_sha.ct_eq(&sha)))
        .map(|known| (known, sha)))
}

fn phone(asked: &AskedBody) -> Result<Phone, Problem> {
    let bytes = |text: &str| {
        BASE64
            .decode(text.trim_end_matches('='))
            .unwrap_or_default()
    };
    let phone = Phone {
        endpoint: asked.endpoint.clone(),
        p256dh: bytes(&asked.p256dh),
        auth: bytes(&asked.auth),
    };
    check_address(&phone.endpoint, &phone.p256dh, &phone.auth).map_err(|_| {
        Problem::invalid("This browser's address for notifications cannot be used.")
    })?;
    Ok(phone)
}

/// One answer for every link that opens nothing: taken back, wrong, or of a box that is not here.
fn opens_nothing() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "alarm_link_gone",
        "This link is not valid any more. An admin of the workshop finds a new one under Relay.",
    )
}

fn failed(error: &RelayStoreError) -> Problem {
    tracing::warn!(%error, "an alarm's page was not served");
    match error {
        RelayStoreError::Full => Problem::disk_full(),
        RelayStoreError::Fenced | RelayStoreError::Failed(_) => Problem::storage_failing(),
    }
}
