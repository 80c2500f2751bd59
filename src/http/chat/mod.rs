//! The chat socket: `GET /ws/service-chat/<id>/` (`wire.md` §2, §6).
//!
//! Enter the room first, then read after the position, then drop what comes twice: nothing is lost,
//! doubled or out of order across a reconnect.

mod begin;
mod talk;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use tracing::Instrument;

use super::asked::{Asked, asked};
use super::edge::Edge;
use super::error::closing;
use super::problem::Problem;
use super::upgrade::CloseReason;
use crate::domain::{Rejection, RequestId};
use crate::hub::{Dialect, Listener, Place};
use crate::store::people::{self, Credential};
use crate::store::{CommandError, requests};
use talk::Chat;

/// Upgrades, then closes with a code that a browser can read if the token or the request is wrong.
pub(super) async fn socket(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    mut request: Request,
) -> Result<Response, Problem> {
    let Asked {
        upgrading,
        dialect,
        who,
        position,
    } = asked(&edge, &mut request)?;
    let id = id.parse().ok().map(RequestId);
    // In the room before the browser learns that the socket is open: whoever asks for history then
    // misses nothing between the two.
    let admitted = admit(&edge, who, id, dialect).await;
    let socket = upgrading.socket;
    let span = tracing::debug_span!("chat", request = id.map_or(0, |id| id.0));
    let tracker = edge.tracker.clone();
    tracker.spawn(
        async move {
            let Ok(socket) = socket.await else { return };
            match admitted {
                Ok(Admitted { who, id, place }) => {
                    Chat::new(&edge, who, id, dialect, place, socket)
                        .run(position)
                        .await;
                }
                Err(why) => why.close(socket).await,
            }
        }
        .instrument(span),
    );
    Ok(upgrading.response)
}

/// A party to the request, with a place in its room.
struct Admitted {
    who: Credential,
    id: RequestId,
    place: Place,
}

/// Gives a socket its place, or says with what it is to be closed.
async fn admit(
    edge: &Edge,
    who: Option<Credential>,
    id: Option<RequestId>,
    dialect: Dialect,
) -> Result<Admitted, CloseReason> {
    let who = who.ok_or(CloseReason::SIGN_IN_AGAIN)?;
    let look = edge.store.read(move |view| -> Result<_, CommandError> {
        let actor = people::actor(view, who)?.ok_or(Rejection::SignedOut)?;
        let id = id.ok_or(Rejection::NoSuch("request"))?;
        requests::gate(view, id, &actor)?.ok_or(Rejection::NoSuch("request"))?;
        Ok((actor, id))
    });
    let (actor, id) = Box::pin(look).await.map_err(closing)?;
    let listener = Listener {
        actor,
        session: who.session,
        dialect,
    };
    let place = edge.hub.enter(id, listener);
    let place = place.ok_or(CloseReason::TRY_AGAIN_LATER)?;
    Ok(Admitted { who, id, place })
}
