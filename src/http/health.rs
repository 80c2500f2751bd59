//! Whether the box is well: `/healthz` (a real write), `/readyz`, and `/metrics` for Prometheus.

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Bearer;
use super::edge::Edge;
use super::listen::Peer;
use super::openapi::Refusals;
use super::problem::Problem;
use crate::clock::stopwatch;
use crate::store::{self, CommandError, Condition, StoreError};

/// A proof that the disk takes writes is good for so long: asking often must not wear the card.
const PROOF_LIFE: Duration = Duration::from_secs(2);

/// The newest proof that the disk takes writes.
#[derive(Debug, Default)]
pub struct Proof(Mutex<Option<(Instant, Option<StoreError>)>>);

/// That the box is well.
#[derive(Serialize, ToSchema)]
pub(super) struct HealthBody {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// This program's version.
    version: &'static str,
}

const WELL: HealthBody = HealthBody {
    status: "ok",
    version: env!("CARGO_PKG_VERSION"),
};

/// Whether the box lives: its writer answers and the disk takes a write (or is merely full).
#[utoipa::path(get, path = "/healthz", tag = "health",
    responses((status = 200, body = HealthBody), Refusals))]
pub(super) async fn live(State(edge): State<Edge>) -> Result<Json<HealthBody>, Problem> {
    match prove(&edge).await {
        Ok(()) | Err(StoreError::Full) => Ok(Json(WELL)),
        Err(error) => Err(error.into()),
    }
}

/// Whether the box takes messages: the store is writable.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses((status = 200, body = HealthBody), Refusals))]
pub(super) async fn ready(State(edge): State<Edge>) -> Result<Json<HealthBody>, Problem> {
    prove(&edge).await?;
    Ok(Json(WELL))
}

async fn prove(edge: &Edge) -> Result<(), StoreError> {
    let now = stopwatch();
    {
        let proof = edge.proof.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, outcome)) = &*proof
            && now.duration_since(*at) < PROOF_LIFE
        {
            return outcome.clone().map_or(Ok(()), Err);
        }
    }
    let outcome = edge.store.probe().await;
    let mut proof = edge.proof.0.lock().unwrap_or_else(PoisonError::into_inner);
    *proof = Some((now, outcome.clone().err()));
    outcome
}

/// Numbers for Prometheus; for this machine, or with an admin's token.
pub(super) async fn metrics(
    State(edge): State<Edge>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    bearer: Result<Bearer, Problem>,
) -> Result<Response, Problem> {
    if !peer.is_this_machine(&headers) {
        let Bearer(who) = bearer?;
        edge.read_as(who, |_, actor| Ok(actor.must_be_admin()?))
            .await?;
    }
    let head = edge
        .store
        .read(|view| -> Result<_, CommandError> { Ok(store::head(view)?) })
        .await?;
    let (chats, watchers) = edge.hub.sockets();
    let condition = match edge.store.condition() {
        Condition::Sound => 0,
        Condition::Full => 1,
        Condition::Failing => 2,
    };
    let gauges: [(&str, &str, &str, i64); 4] = [
        (
            "motoreach_journal_entries",
            "",
            "Entries in the journal.",
            head.seq.0,
        ),
        (
            "motoreach_sockets",
            "{kind=\"chat\"}",
            "Open WebSockets.",
            count(chats),
        ),
        (
            "motoreach_sockets",
            "{kind=\"notifications\"}",
            "",
            count(watchers),
        ),
        (
            "motoreach_store_condition",
            "",
            "0: everything is written, 1: the disk is full, 2: the disk reports errors.",
            condition,
        ),
    ];
    let mut text = String::new();
    for (name, labels, help, value) in gauges {
        if !help.is_empty() {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        }
        let _ = writeln!(text, "{name}{labels} {value}");
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
