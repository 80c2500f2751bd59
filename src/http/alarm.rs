//! The silence alarm: an admin's phone opens a link at the relay, and is told there when this box is not
//! heard of for an hour. The relay learns of a change as soon as the line is up.

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Bearer;
use super::edge::Edge;
use super::openapi::Refusals;
use super::problem::Problem;
use crate::store::people::Credential;
use crate::store::{CommandResult, Need, View, link, local};

/// The admin's link.
#[derive(Serialize, ToSchema)]
pub(super) struct AlarmBody {
    /// Whether somebody may be told at all.
    on: bool,
    /// What a phone opens; null while it is off, or before the relay has said what its links begin
    /// with.
    #[schema(required)]
    url: Option<String>,
}

/// Whether phones are told when this box is silent, and the link that a phone opens for it.
#[utoipa::path(get, path = "/api/relay/alarm/", tag = "relay", security(("bearer" = [])),
    responses((status = 200, body = AlarmBody), Refusals))]
pub(super) async fn state(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<Json<AlarmBody>, Problem> {
    edge.read_as(who, |view, actor| {
        actor.must_be_admin()?;
        Ok(Json(body(view)?))
    })
    .await
}

/// Makes a link for phones that are to be told; one that was given out before opens nothing any more.
#[utoipa::path(post, path = "/api/relay/alarm/", tag = "relay", security(("bearer" = [])),
    responses((status = 200, body = AlarmBody), Refusals))]
pub(super) async fn switch_on(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<Json<AlarmBody>, Problem> {
    set(&edge, who, true).await
}

/// Nobody is told any more; the link opens nothing.
#[utoipa::path(delete, path = "/api/relay/alarm/", tag = "relay", security(("bearer" = [])),
    responses((status = 200, body = AlarmBody), Refusals))]
pub(super) async fn switch_off(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<Json<AlarmBody>, Problem> {
    set(&edge, who, false).await
}

async fn set(edge: &Edge, who: Credential, on: bool) -> Result<Json<AlarmBody>, Problem> {
    edge.write_as(who, Need::Ordinary, move |tx, actor| {
        actor.must_be_admin()?;
        Ok(link::set_alarm(tx, on)?)
    })
    .await?;
    tracing::info!(by = %who.person, on, "the silence alarm was changed");
    // The relay is told at the beginning of a session.
    edge.hub.link().changed();
    edge.read_as(who, |view, _| Ok(Json(body(view)?))).await
}

fn body(view: &View<'_>) -> CommandResult<AlarmBody> {
    let secret = link::alarm_secret(view)?;
    let base = link::settings(view)?.and_then(|settings| settings.public_url);
    let name = local::workshop_name(view)?.unwrap_or_default();
    let url = base.zip(secret).map(|(base, secret)| {
        // Everything after # stays on the phone: the relay never learns the name.
        format!(
            "{}/o/alarm/{}#{}.{}",
            base.trim_end_matches('/'),
            BASE64.encode(view.keys().workshop().as_bytes()),
            BASE64.encode(secret),
            BASE64.encode(name)
        )
    });
    Ok(AlarmBody {
        on: secret.is_some(),
        url,
    })
}
