//! Whether the box is well: `/healthz` (a real write) and `/readyz`.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::edge::Edge;
use super::openapi::Refusals;
use super::problem::Problem;
use crate::clock::stopwatch;
use crate::store::StoreError;

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
