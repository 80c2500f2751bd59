//! The relay that owners outside reach the workshop by: how the link to it stands, and its settings.
//!
//! What is changed here is on disk first; then the link's driver is told through `hub::LinkBoard`, and
//! its outcome is waited for, so that whoever typed a wrong code learns it at once.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use super::auth::Bearer;
use super::edge::Edge;
use super::extract::ApiJson;
use super::openapi::Refusals;
use super::problem::Problem;
use super::relay_address::{address, code};
use crate::domain::{LinkRefusal, LinkReport, LinkState};
use crate::store::link::{self, Settings};
use crate::store::people::Credential;
use crate::store::{CommandResult, Need, View};
use crate::wire::api::{ConnectBody, MergeBody, RelayBody};
use crate::wire::rfc3339;

/// How long whoever changed the settings waits for what comes of it; a page waits 20 s for any answer.
const OUTCOME_WAIT: Duration = Duration::from_secs(15);
/// Merges that an answer tells.
const MERGES_MAX: usize = 10;

/// How the link to the relay stands.
#[utoipa::path(get, path = "/api/relay/", tag = "relay", security(("bearer" = [])),
    responses((status = 200, body = RelayBody), Refusals))]
pub(super) async fn state(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<Json<RelayBody>, Problem> {
    let report = edge.hub.link().report();
    edge.read_as(who, move |view, actor| {
        actor.must_be_staff()?;
        Ok(Json(body(view, &report)?))
    })
    .await
}

/// Connects to a relay, and says what came of it within 15 seconds. A relay that does not answer is
/// tried again by itself.
#[utoipa::path(put, path = "/api/relay/", tag = "relay", security(("bearer" = [])),
    request_body = ConnectBody, responses((status = 200, body = RelayBody), Refusals))]
pub(super) async fn connect(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiJson(typed): ApiJson<ConnectBody>,
) -> Result<Json<RelayBody>, Problem> {
    let before = settings_as_admin(&edge, who).await?;
    let (url, code) = (address(&typed.url)?, code(&typed.code)?);
    edge.write_as(who, Need::Ordinary, move |tx, actor| {
        actor.must_be_admin()?;
        link::connect(tx, &url, &code)
    })
    .await?;
    tracing::info!(by = %who.person, "a relay was set up");
    let report = outcome(&edge).await?;
    if let LinkState::Stopped(why) = report.state
        && let Some(problem) = refused(why)
    {
        put_back(&edge, who, before).await?;
        return Err(problem);
    }
    told(&edge, who, report).await
}

/// Lets go of the relay: owners' links work on the workshop's own network only.
#[utoipa::path(delete, path = "/api/relay/", tag = "relay", security(("bearer" = [])),
    responses((status = 204, description = "Let go of."), Refusals))]
pub(super) async fn disconnect(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<StatusCode, Problem> {
    forget(&edge, who).await?;
    tracing::info!(by = %who.person, "the relay was let go of");
    Ok(StatusCode::NO_CONTENT)
}

/// Of two copies of this box that are alive, this is the real one: the other is shut out of the relay.
#[utoipa::path(post, path = "/api/relay/claim/", tag = "relay", security(("bearer" = [])),
    responses((status = 200, body = RelayBody), Refusals))]
pub(super) async fn claim(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<Json<RelayBody>, Problem> {
    if settings_as_admin(&edge, who).await?.is_none() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "no_relay",
            "No relay is set up, so no other copy can be there.",
        ));
    }
    edge.write_as(who, Need::Essential, |tx, actor| {
        actor.must_be_admin()?;
        link::claim(tx)
    })
    .await?;
    tracing::warn!(by = %who.person, "this copy of the box was declared the real one");
    let report = outcome(&edge).await?;
    told(&edge, who, report).await
}

async fn settings_as_admin(edge: &Edge, who: Credential) -> Result<Option<Settings>, Problem> {
    edge.read_as(who, |view, actor| {
        actor.must_be_admin()?;
        Ok(link::settings(view)?)
    })
    .await
}

/// What was set up before a try that failed: the relay that the box was paired with needs no code, and
/// nothing is left behind that every page would complain about.
async fn put_back(edge: &Edge, who: Credential, before: Option<Settings>) -> Result<(), Problem> {
    edge.write_as(who, Need::Essential, move |tx, _| match before {
        None => link::disconnect(tx),
        Some(before) => {
            let code = before.pairing_code.unwrap_or_default();
            link::connect(tx, &before.url, &code)
        }
    })
    .await?;
    edge.hub.link().changed();
    Ok(())
}

async fn forget(edge: &Edge, who: Credential) -> Result<(), Problem> {
    edge.write_as(who, Need::Essential, |tx, actor| {
        actor.must_be_admin()?;
        link::disconnect(tx)
    })
    .await?;
    outcome(edge).await?;
    Ok(())
}

/// Tells the link's driver that settings changed, and waits for what it makes of them; when that takes
/// too long, how it stands by then.
async fn outcome(edge: &Edge) -> Result<LinkReport, Problem> {
    let board = edge.hub.link();
    let round = board.changed();
    tokio::select! {
        () = edge.shutdown.cancelled() => Err(Problem::unavailable(Duration::from_secs(5))),
        outcome = tokio::time::timeout(OUTCOME_WAIT, board.outcome(round)) => {
            Ok(outcome.ok().flatten().unwrap_or_else(|| board.report()))
        }
    }
}

/// What whoever typed address and code did wrong; everything else is a state to be shown.
fn refused(why: LinkRefusal) -> Option<Problem> {
    let (status, code, field) = match why {
        LinkRefusal::BadCode | LinkRefusal::UnknownHere => {
            (StatusCode::UNPROCESSABLE_ENTITY, "relay_bad_code", "code")
        }
        LinkRefusal::OtherRelay => (StatusCode::CONFLICT, "relay_other", "url"),
        LinkRefusal::Quarantined | LinkRefusal::Superseded | LinkRefusal::NotOurs => return None,
    };
    let sentence = why.to_string();
    Some(Problem::new(status, code, sentence.clone()).with_error(field, sentence))
}

async fn told(
    edge: &Edge,
    who: Credential,
    report: LinkReport,
) -> Result<Json<RelayBody>, Problem> {
    edge.read_as(who, move |view, _| Ok(Json(body(view, &report)?)))
        .await
}

fn body(view: &View<'_>, report: &LinkReport) -> CommandResult<RelayBody> {
    let settings = link::settings(view)?;
    let (url, public_url) = settings.map_or((None, None), |it| (Some(it.url), it.public_url));
    let waiting = link::waiting(view)?;
    let merges = link::merges(view)?.into_iter().take(MERGES_MAX);
    Ok(RelayBody {
        waiting_entries: waiting.entries,
        waiting_messages: waiting.messages,
        waiting_since: waiting.oldest.map(rfc3339),
        post_gaps: link::post_gaps(view)?,
        merges: merges.map(merge).collect(),
        ..RelayBody::new(report, url, public_url)
    })
}

fn merge(merge: link::Merge) -> MergeBody {
    MergeBody {
        at: rfc3339(merge.at),
        entries: merge.entries,
        messages: merge.messages,
        flagged: merge.flagged.iter().map(|request| request.0).collect(),
    }
}

#[cfg(test)]
#[path = "relay_test.rs"]
mod tests;
