//! `GET /api/box/health/`: how the box fares, in words with what to do.

use axum::Json;
use axum::extract::State;

use crate::http::auth::Bearer;
use crate::http::edge::Edge;
use crate::http::openapi::Refusals;
use crate::http::problem::Problem;
use crate::wire::api::CheckupBody;

/// How the box fares.
#[utoipa::path(get, path = "/api/box/health/", tag = "box", security(("bearer" = [])),
    responses((status = 200, body = CheckupBody), Refusals))]
pub(crate) async fn checkup(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<Json<CheckupBody>, Problem> {
    edge.read_as(who, |_, actor| Ok(actor.must_be_admin()?))
        .await?;
    let checkup = edge.health.checkup().await?;
    Ok(Json(CheckupBody::from(&checkup)))
}
