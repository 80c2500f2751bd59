//! Whether the relay is well: `/healthz` (a real write), `/readyz`, and `/metrics` for Prometheus.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::Relay;
use crate::clock::stopwatch;
use crate::http::fields::the_only;
use crate::http::listen::Peer;
use crate::http::problem::Problem;
use crate::relay::store::{RelayStore, RelayStoreError, WorkshopLine};

/// A proof that the disk takes writes is good for so long: asking often must not wear it.
const PROOF_LIFE: Duration = Duration::from_secs(2);

/// The newest proof that the disk takes writes.
#[derive(Debug, Default)]
pub(super) struct Proof(Mutex<Option<(Instant, Option<RelayStoreError>)>>);

/// Whether the relay lives: its store answers and takes a write, or is merely full.
pub(super) async fn live<S: RelayStore>(
    State(relay): State<Relay<S>>,
) -> Result<Json<Value>, Problem> {
    match prove(&relay).await {
        Ok(()) | Err(RelayStoreError::Full) => Ok(well()),
        Err(error) => Err(refusal(&error)),
    }
}

/// Whether the relay takes what owners and boxes send.
pub(super) async fn ready<S: RelayStore>(
    State(relay): State<Relay<S>>,
) -> Result<Json<Value>, Problem> {
    prove(&relay).await.map_err(|error| refusal(&error))?;
    Ok(well())
}

fn well() -> Json<Value> {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

fn refusal(error: &RelayStoreError) -> Problem {
    match error {
        RelayStoreError::Full => Problem::disk_full(),
        RelayStoreError::Fenced | RelayStoreError::Failed(_) => {
            tracing::warn!(%error, "the relay's store is not well");
            Problem::storage_failing()
        }
    }
}

async fn prove<S: RelayStore>(relay: &Relay<S>) -> Result<(), RelayStoreError> {
    let now = stopwatch();
    {
        let proof = relay.proof.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, outcome)) = &*proof
            && now.duration_since(*at) < PROOF_LIFE
        {
            return outcome.clone().map_or(Ok(()), Err);
        }
    }
    let outcome = relay.store.probe().await;
    let mut proof = relay.proof.0.lock().unwrap_or_else(PoisonError::into_inner);
    *proof = Some((now, outcome.clone().err()));
    outcome
}

/// Numbers for Prometheus; for this machine, or with the configured token.
pub(super) async fn metrics<S: RelayStore>(
    State(relay): State<Relay<S>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !peer.is_this_machine(&headers) && !shows(&headers, relay.metrics_token.as_deref()) {
        return Err(Problem::unauthorized("The metrics need their token."));
    }
    let lines = relay.store.workshops().await;
    let lines = lines.map_err(|error| refusal(&error))?;
    let (sockets, boxes) = relay.presence.counts();
    let now = relay.clock.now().0;
    let oldest = lines.iter().filter_map(|line| line.oldest_post_ms).min();
    let sum = |what: fn(&WorkshopLine) -> i64| lines.iter().map(what).sum::<i64>();
    let gauges = [
        (
            "owner_sockets",
            "Open sockets of owners' pages.",
            count(sockets),
        ),
        (
            "boxes_online",
            "Workshops whose box is on the line.",
            count(boxes),
        ),
        ("workshops", "Workshops that are kept.", count(lines.len())),
        (
            "entries",
            "Journal entries that are kept.",
            sum(|line| line.entries),
        ),
        ("bytes", "Bytes of sealed bodies.", sum(|line| line.bytes)),
        (
            "posts_waiting",
            "Posts that wait for their box.",
            sum(|line| line.posts),
        ),
        (
            "oldest_post_age_seconds",
            "Age of the oldest post that waits.",
            oldest.map_or(0, |oldest| now.saturating_sub(oldest) / 1_000),
        ),
        (
            "orphans",
            "Entries that wait to be seen again.",
            sum(|line| line.orphans),
        ),
        (
            "quarantined",
            "Workshops of which two copies are alive.",
            sum(|line| i64::from(line.quarantined)),
        ),
        (
            "forks_total",
            "Copies that were brought together.",
            sum(|line| line.forks),
        ),
    ];
    let mut text = String::new();
    for (name, help, value) in gauges {
        let kind = if name.ends_with("_total") {
            "counter"
        } else {
            "gauge"
        };
        let name = format!("motoreach_relay_{name}");
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
        );
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

fn shows(headers: &HeaderMap, token: Option<&str>) -> bool {
    let shown = the_only(headers, &AUTHORIZATION).and_then(|it| it.strip_prefix("Bearer "));
    match (shown, token) {
        (Some(shown), Some(token)) => shown.as_bytes().ct_eq(token.as_bytes()).into(),
        (Some(_) | None, _) => false,
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
