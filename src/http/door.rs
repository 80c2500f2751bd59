//! Which door a page is at: the box on the workshop's own network, or a relay on the internet. The
//! same page is served at both.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::Refusals;

/// Which door this is.
#[derive(Serialize, ToSchema)]
pub(super) struct DoorBody {
    /// `box` here; a relay says `relay`.
    #[schema(example = "box")]
    door: &'static str,
}

/// Which door this is: `box`. At a relay the same call says `relay`.
#[utoipa::path(get, path = "/api/door/", tag = "health",
    responses((status = 200, body = DoorBody), Refusals))]
pub(super) async fn which() -> Json<DoorBody> {
    Json(DoorBody { door: "box" })
}
