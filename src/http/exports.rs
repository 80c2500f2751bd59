//! Files that prove themselves, for the admin's page: made in memory, one at a time, and handed out as
//! a download.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use tokio::sync::Semaphore;

use super::auth::Bearer;
use super::edge::Edge;
use super::extract::ApiPath;
use super::openapi::Refusals;
use super::problem::Problem;
use crate::domain::{PersonId, RequestId};
use crate::export::{ExportError, make};
use crate::store::StoreError;
use crate::store::export::Wish;
use crate::store::people::Credential;

/// The longest file that is made in memory, in bytes; `motoreach export` writes longer ones.
const DOWNLOAD_BYTES_MAX: u64 = 32 << 20;
/// Files made at once: each may take `DOWNLOAD_BYTES_MAX`.
const FILES_AT_ONCE: usize = 1;
/// The fingerprint of the key that signed the file, for the page to show beside it.
const FINGERPRINT: HeaderName = HeaderName::from_static("x-key-fingerprint");

static TURNS: Semaphore = Semaphore::const_new(FILES_AT_ONCE);

/// One request as a file that proves itself: a page to read and print, with the journal's chain and
/// the workshop's signature inside. `motoreach verify` checks it.
#[utoipa::path(post, path = "/api/service-requests/{id}/export/", tag = "requests",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The request's number.")),
    responses((status = 200, body = String, content_type = "text/html"), Refusals))]
pub(super) async fn of_request(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiPath(id): ApiPath<i64>,
) -> Result<Response, Problem> {
    let wish = Wish::Request(RequestId(id));
    download(&edge, who, wish, format!("request-{id}.html")).await
}

/// Everything of one owner as a file that proves itself.
#[utoipa::path(post, path = "/api/people/{id}/export/", tag = "people",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The owner's number.")),
    responses((status = 200, body = String, content_type = "text/html"), Refusals))]
pub(super) async fn of_owner(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiPath(id): ApiPath<i64>,
) -> Result<Response, Problem> {
    let wish = Wish::Owner(PersonId(id));
    download(&edge, who, wish, format!("owner-{id}.html")).await
}

async fn download(
    edge: &Edge,
    who: Credential,
    wish: Wish,
    name: String,
) -> Result<Response, Problem> {
    edge.read_as(who, |_, actor| Ok(actor.must_be_admin()?))
        .await?;
    let turn = TURNS.acquire().await.map_err(|_| StoreError::Stopped)?;
    let made = edge
        .read_as(who, move |view, actor| {
            actor.must_be_admin()?;
            let mut file = Vec::new();
            Ok(make(view, wish, DOWNLOAD_BYTES_MAX, &mut file).map(|made| (made, file)))
        })
        .await?;
    drop(turn);
    let (made, file) = made?;
    tracing::info!(?wish, bytes = made.bytes, by = %who.person, "a file was exported");
    let header = |text: String| HeaderValue::try_from(text).map_err(|_| Problem::internal());
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            CONTENT_DISPOSITION,
            header(format!("attachment; filename=\"motoreach-{name}\""))?,
        ),
        (FINGERPRINT, header(made.fingerprint)?),
    ];
    Ok((headers, file).into_response())
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Refused(error) => error.into(),
            ExportError::TooLarge(_) => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "export_too_large",
                "That is too much for a download. Export requests one by one, or run `motoreach export` \
                 on the box.",
            ),
            // It was written to memory.
            ExportError::File(_) => Self::internal(),
        }
    }
}
