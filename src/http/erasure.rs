//! Forgetting an owner who asks for it, from the admin's page.

use axum::Json;
use axum::extract::State;

use super::auth::Bearer;
use super::edge::Edge;
use super::extract::{ApiJson, ApiPath};
use super::openapi::Refusals;
use super::problem::Problem;
use crate::commands::{EraseLeftovers, ErasePerson};
use crate::domain::{Extent, PersonId};
use crate::store::Need;
use crate::wire::api::{EraseBody, ErasedBody};

/// Erases everything of an owner: who they are, what they wrote, their links and devices. It cannot be
/// undone, and no backup or relay brings it back.
///
/// What the workshop wrote stays as its own record of its work, unless `everything` says otherwise.
#[utoipa::path(post, path = "/api/people/{id}/erase/", tag = "people",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The owner's number.")),
    request_body = EraseBody, responses((status = 200, body = ErasedBody), Refusals))]
pub(super) async fn erase(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiPath(id): ApiPath<i64>,
    ApiJson(body): ApiJson<EraseBody>,
) -> Result<Json<ErasedBody>, Problem> {
    let command = ErasePerson {
        person: PersonId(id),
        name: body.name,
        extent: if body.everything {
            Extent::Everything
        } else {
            Extent::Words
        },
    };
    let mut done = edge
        .write_as(who, Need::Essential, move |tx, actor| {
            command.run(tx, actor)
        })
        .await?;
    tracing::info!(person = id, by = %who.person, "an owner was erased");
    // What is not done now is done by the box itself, also after a power cut.
    loop {
        let swept = edge
            .store
            .write_needed(Need::Essential, |tx| EraseLeftovers.run(tx))
            .await?;
        done.entries += swept.entries;
        if !swept.more {
            break;
        }
    }
    Ok(Json(ErasedBody {
        requests: done.requests,
        links: done.links,
        entries: done.entries,
    }))
}
