//! Bringing a workshop back instead of setting one up: the first-run page hands in the relay's address
//! and the recovery words, and watches. Whoever may set the box up may do this, and nobody else.

use axum::Json;
use axum::extract::{Extension, State};
use http::{HeaderMap, StatusCode};
use zeroize::Zeroizing;

use super::edge::Edge;
use super::extract::ApiJson;
use super::listen::Peer;
use super::openapi::Refusals;
use super::problem::Problem;
use super::relay_address::address;
use super::restore_desk::RestoreOrder;
use super::setup::{must_not_be_set_up, stands_at_the_box};
use crate::seal::RootSecret;
use crate::wire::api::{RestoreBody, RestoreStateBody};

/// How a restore stands.
#[utoipa::path(get, path = "/api/setup/restore/", tag = "setup",
    responses((status = 200, body = RestoreStateBody), Refusals))]
pub(super) async fn state(State(edge): State<Edge>) -> Json<RestoreStateBody> {
    Json(edge.restore.tell().into())
}

/// Begins to bring a workshop back from its relay; once that is done, the box starts again with it.
#[utoipa::path(post, path = "/api/setup/restore/", tag = "setup", request_body = RestoreBody,
    responses((status = 202, body = RestoreStateBody), Refusals))]
pub(super) async fn begin(
    State(edge): State<Edge>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    ApiJson(body): ApiJson<RestoreBody>,
) -> Result<(StatusCode, Json<RestoreStateBody>), Problem> {
    must_not_be_set_up(&edge).await?;
    let words = Zeroizing::new(body.words);
    let url = address(&body.url)?;
    let root = RootSecret::from_recovery_words(&words).map_err(|wrong| {
        let sentence = capitalised(&wrong.to_string());
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "recovery_words_wrong",
            sentence.clone(),
        )
        .with_error("words", sentence)
    })?;
    stands_at_the_box(&edge, peer, &headers, body.code.as_deref())?;
    let order = RestoreOrder {
        url,
        root,
        claim: body.claim,
    };
    if !edge.restore.order(order) {
        return Err(under_way());
    }
    tracing::info!("a workshop is brought back from its relay");
    Ok((StatusCode::ACCEPTED, Json(edge.restore.tell().into())))
}

/// 409: nothing else may make a workshop of this box meanwhile.
pub(super) fn under_way() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "restore_under_way",
        "A workshop is being brought back onto this box.",
    )
}

fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}
