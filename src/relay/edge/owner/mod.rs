//! An owner's socket: `GET /ws/owner/<invite>/`, `motoreach-owner.v1` (`wire.md` §7).
//!
//! The page shows what opens the thread, takes its place, and only then reads: nothing falls between
//! what it is sent at first and what is new. Whoever shows a link that opens nothing is answered alike,
//! whatever the reason, unless the secret was right.

mod begin;
mod posts;
mod talk;
mod wishes;

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Extension, Path, Request, State};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use subtle::ConstantTimeEq;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tracing::Instrument;

use super::{Relay, asking};
use crate::domain::{DeviceId, InviteId, LogId, Seq, Timestamp};
use crate::http::listen::Peer;
use crate::http::problem::Problem;
use crate::http::pump::{End, Incoming, Pump};
use crate::http::upgrade::{CloseReason, WebSocket, browsers_config, upgrade_with};
use crate::relay::presence::Belongs;
use crate::relay::store::{RelayInvite, RelayStore};
use crate::seal::auth_sha;
use crate::wire::owner::{OWNER_PROTOCOL, OwnerFrame, RelayFrame};
use talk::Talk;

/// The first frame comes within this time (`wire.md` §7).
const AUTH: Duration = Duration::from_secs(5);
/// Read buffer of an owner's socket, in bytes: most of ten thousand are idle, and what a page says is
/// short.
const READ_BUFFER_BYTES: usize = 1024;

/// Upgrades, then closes with a code that a browser can read if the link opens nothing.
pub(super) async fn socket<S: RelayStore>(
    State(relay): State<Relay<S>>,
    Path(invite): Path<String>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
) -> Result<Response, Problem> {
    let from = asking::address(peer, request.headers(), &relay.proxies);
    let config = browsers_config().read_buffer_size(READ_BUFFER_BYTES);
    let upgrading = upgrade_with(&mut request, &[OWNER_PROTOCOL], config)?;
    if upgrading.protocol.is_none() {
        return Err(Problem::malformed("This socket speaks motoreach-owner.v1."));
    }
    let Some(place) = relay.rates.socket(from) else {
        return Err(Problem::rate_limited(Duration::from_secs(60)));
    };
    let invite = parse_invite(&invite);
    let socket = upgrading.socket;
    let tracker = relay.tracker.clone();
    tracker.spawn(
        async move {
            let _place = place;
            if let Ok(socket) = socket.await {
                admit(&relay, socket, invite, from).await;
            }
        }
        .instrument(tracing::debug_span!("owner")),
    );
    Ok(upgrading.response)
}

/// As the link writes it; one that is none is looked up like any other that does not exist.
fn parse_invite(text: &str) -> InviteId {
    let bytes = BASE64.decode(text).ok().and_then(|it| it.try_into().ok());
    bytes.map_or(InviteId::from_bytes([0; 16]), InviteId::from_bytes)
}

/// What the page showed.
struct Shown {
    auth: [u8; 32],
    device: DeviceId,
    log: Option<LogId>,
    after: Seq,
}

/// What is long or seldom is boxed: an idle socket's task keeps no room for it.
async fn admit<S: RelayStore>(relay: &Relay<S>, socket: WebSocket, invite: InviteId, from: IpAddr) {
    let talk = match Box::pin(let_in(relay, socket, invite, from)).await {
        Ok(talk) => talk,
        Err((pump, refused)) => return Box::pin(turn_away(pump, refused)).await,
    };
    talk.run().await;
}

/// From a socket that was just opened to one that has begun, or to why it does not.
async fn let_in<S: RelayStore>(
    relay: &Relay<S>,
    socket: WebSocket,
    invite: InviteId,
    from: IpAddr,
) -> Result<Talk<'_, S>, (Pump, Refused)> {
    let mut pump = Pump::new(socket);
    let (belongs, log, after) = match recognise(relay, &mut pump, invite, from).await {
        Ok(recognised) => recognised,
        Err(refused) => return Err((pump, refused)),
    };
    let Some(place) = relay.presence.enter(belongs) else {
        let full = End::Close(CloseReason::TRY_AGAIN_LATER);
        return Err((pump, full.into()));
    };
    let mut talk = Talk::new(relay, place, pump);
    match talk.begin(log, after).await {
        Ok(()) => Ok(talk),
        Err(end) => Err((talk.leave(), end.into())),
    }
}

async fn turn_away(mut pump: Pump, refused: Refused) {
    let (frame, end) = match refused {
        Refused::End(end) => return pump.end(end).await,
        Refused::Gone(why) => (RelayFrame::Gone { why }, CloseReason::SIGN_IN_AGAIN),
        Refused::Wait(wait) => {
            let frame = RelayFrame::Error {
                code: "rate_limited",
                detail: "Too many attempts. Please wait a moment.".to_owned(),
                id: None,
                retry_after_s: Some(wait.as_secs() + 1),
            };
            (frame, CloseReason::TRY_AGAIN_LATER)
        }
    };
    // Whether it is still heard or not, the socket closes.
    let _ = pump.send(Utf8Bytes::from(frame.encode()), &Nobody).await;
    pump.end(End::Close(end)).await;
}

/// Why a page is not let in.
enum Refused {
    /// Its link opens nothing.
    Gone(&'static str),
    /// Too many wrong ones.
    Wait(Duration),
    /// Whatever else ends a socket.
    End(End),
}

impl From<End> for Refused {
    fn from(end: End) -> Self {
        Self::End(end)
    }
}

async fn recognise<S: RelayStore>(
    relay: &Relay<S>,
    pump: &mut Pump,
    invite: InviteId,
    from: IpAddr,
) -> Result<(Belongs, Option<LogId>, Seq), Refused> {
    // Need not be cancel-safe: without a first frame the socket is over.
    let first = tokio::select! {
        first = tokio::time::timeout(AUTH, first_text(pump)) => first,
        () = relay.shutdown.cancelled() => return Err(End::Close(CloseReason::RESTARTING).into()),
    };
    let first = first.map_err(|_| End::Close(CloseReason::SIGN_IN_AGAIN))??;
    let shown = parse(&first).ok_or(Refused::Gone("invalid"))?;
    drop(first);
    relay.rates.may_show(from).map_err(Refused::Wait)?;
    let known = relay.store.invite(invite).await.map_err(|error| {
        tracing::warn!(%error, "a link cannot be looked up");
        End::Close(CloseReason::TRY_AGAIN_LATER)
    })?;
    match judge(known.as_ref(), &shown.auth, relay.clock.now()) {
        Ok(known) => Ok((
            Belongs {
                workshop: known.workshop,
                thread: known.thread,
                invite,
                device: shown.device,
                expires: Timestamp(known.expires_ms),
            },
            shown.log,
            shown.after,
        )),
        Err(why) => {
            if why == INVALID {
                relay.rates.showed_wrong(from);
            }
            Err(Refused::Gone(why))
        }
    }
}

async fn first_text(pump: &mut Pump) -> Result<Utf8Bytes, End> {
    loop {
        if let Incoming::Text(text) = pump.receive().await? {
            return Ok(text);
        }
    }
}

fn parse(text: &str) -> Option<Shown> {
    let frame = serde_json::from_str(text).ok()?;
    let OwnerFrame::Auth {
        auth,
        device,
        log,
        after,
    } = frame
    else {
        return None;
    };
    Some(Shown {
        auth: BASE64.decode(auth).ok()?.try_into().ok()?,
        device: DeviceId::new(device),
        log: log.map(LogId::new),
        after: Seq(after),
    })
}

const INVALID: &str = "invalid";

/// Whether a link opens its thread. The same work is done for one that does not exist; why a link
/// opens nothing is told only to whoever showed its secret.
fn judge<'a>(
    known: Option<&'a RelayInvite>,
    auth: &[u8; 32],
    now: Timestamp,
) -> Result<&'a RelayInvite, &'static str> {
    let kept = known.map_or([0; 32], |known| known.auth_sha);
    let is_right: bool = auth_sha(auth).ct_eq(&kept).into();
    match known {
        Some(known) if is_right => match (known.revoked, known.expires_ms <= now.0) {
            (true, _) => Err("revoked"),
            (false, true) => Err("expired"),
            (false, false) => Ok(known),
        },
        Some(_) | None => Err(INVALID),
    }
}

/// A socket without a place: nobody can take it away, only time.
struct Nobody;

impl crate::http::pump::Seat for Nobody {
    async fn until_cut(&self) -> CloseReason {
        tokio::time::sleep(AUTH).await;
        CloseReason::TOO_SLOW
    }
}
