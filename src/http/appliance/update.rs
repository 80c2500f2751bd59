//! `/api/box/update/`: which program runs, a newer one brought by an admin, and how it went.

use std::io::Write;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};
use http_body_util::{BodyExt, Limited};
use tokio::sync::mpsc;

use crate::http::auth::Bearer;
use crate::http::edge::Edge;
use crate::http::openapi::Refusals;
use crate::http::problem::Problem;
use crate::store::people::Credential;
use crate::update::desk::{Desk, Standing};
use crate::update::release::PROGRAM_BYTES_MAX;
use crate::update::{Refusal, TARGET, Version};
use crate::wire::api::{EndedBody, RunningBody, UpdateBody, WaitingBody};

/// The `.minisig` file of the program that is sent, in base64.
const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");
/// Pieces of a program that wait for a slow disk; hyper's are some 16 kB each.
const PIECES_MAX: usize = 16;

/// Which program runs, what waits, and how the last update went.
#[utoipa::path(get, path = "/api/box/update/", tag = "box", security(("bearer" = [])),
    responses((status = 200, body = UpdateBody), Refusals))]
pub(crate) async fn state(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<Json<UpdateBody>, Problem> {
    must_be_admin(&edge, who).await?;
    standing(&edge).await
}

/// Takes a program in whose signature, a `.minisig` file in base64, is in the header `X-Signature`. It
/// waits until it is applied.
#[utoipa::path(put, path = "/api/box/update/program/", tag = "box", security(("bearer" = [])),
    params(("x-signature" = String, Header, description = "The program's .minisig file, in base64.")),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 200, body = UpdateBody), Refusals))]
pub(crate) async fn bring(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<UpdateBody>, Problem> {
    must_be_admin(&edge, who).await?;
    let signature = headers.get(SIGNATURE).map(|it| it.as_bytes());
    let signature = signature.and_then(|it| BASE64_STANDARD.decode(it).ok());
    let signature = signature.and_then(|it| String::from_utf8(it).ok());
    let signature = signature.ok_or_else(|| problem(&Refusal::NoSignature))?;
    take_in(&edge.updates, signature, body).await?;
    tracing::info!(by = %who.person, "a program was brought");
    standing(&edge).await
}

/// Has the program that waits take the place of the one that runs; the box starts again with it.
#[utoipa::path(post, path = "/api/box/update/apply/", tag = "box", security(("bearer" = [])),
    responses((status = 202, body = UpdateBody), Refusals))]
pub(crate) async fn apply(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<(StatusCode, Json<UpdateBody>), Problem> {
    must_be_admin(&edge, who).await?;
    let desk = edge.updates.clone();
    if !on_disk(move || desk.apply()).await? {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "nothing_waits",
            "There is no program that could be applied from this page.",
        ));
    }
    tracing::info!(by = %who.person, "an update was asked for");
    Ok((StatusCode::ACCEPTED, standing(&edge).await?))
}

async fn must_be_admin(edge: &Edge, who: Credential) -> Result<(), Problem> {
    edge.read_as(who, |_, actor| Ok(actor.must_be_admin()?))
        .await
}

async fn standing(edge: &Edge) -> Result<Json<UpdateBody>, Problem> {
    let desk = edge.updates.clone();
    let standing = on_disk(move || Ok(desk.standing())).await?;
    Ok(Json(standing.into()))
}

/// Writes the body down as it comes, and proves it.
async fn take_in(desk: &Desk, signature: String, body: Body) -> Result<(), Problem> {
    let (pieces, mut coming) = mpsc::channel::<Bytes>(PIECES_MAX);
    let (begin, desk) = (desk.clone(), desk.clone());
    let mut incoming = on_disk(move || begin.receive(signature)).await?;
    let writing = tokio::task::spawn_blocking(move || {
        while let Some(piece) = coming.blocking_recv() {
            incoming.file.write_all(&piece).map_err(unwritable)?;
        }
        Ok::<_, Refusal>(incoming)
    });
    let limit = usize::try_from(PROGRAM_BYTES_MAX).unwrap_or(usize::MAX);
    let mut body = Limited::new(body, limit);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::from_body_error(&error))?;
        if let Ok(piece) = frame.into_data()
            && pieces.send(piece).await.is_err()
        {
            // The disk said no, and the writer says why.
            break;
        }
    }
    drop(pieces);
    let incoming = writing.await.map_err(|_| Problem::internal())?;
    let incoming = incoming.map_err(|refusal| problem(&refusal))?;
    on_disk(move || desk.received(incoming)).await
}

/// Waits for the disk where that harms nobody.
async fn on_disk<T, F>(work: F) -> Result<T, Problem>
where
    F: FnOnce() -> Result<T, Refusal> + Send + 'static,
    T: Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Problem::internal())?
        .map_err(|refusal| problem(&refusal))
}

fn unwritable(source: std::io::Error) -> Refusal {
    Refusal::Unwritable {
        path: "the box's disk".to_owned(),
        source,
    }
}

/// The refusal in its own words.
fn problem(refusal: &Refusal) -> Problem {
    let status = match refusal {
        Refusal::UnderWay => StatusCode::CONFLICT,
        Refusal::Unwritable { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            return Problem::disk_full();
        }
        Refusal::Unwritable { .. } => {
            tracing::warn!(%refusal, "an update could not be taken in");
            return Problem::storage_failing();
        }
        Refusal::NoRoom { .. } => StatusCode::INSUFFICIENT_STORAGE,
        Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::NoKey
        | Refusal::NoSignature
        | Refusal::SignatureIsAPage
        | Refusal::OtherKey { .. }
        | Refusal::SaysNothing
        | Refusal::OtherTarget { .. }
        | Refusal::Older { .. }
        | Refusal::Same(_)
        | Refusal::Empty
        | Refusal::ProgramIsAPage
        | Refusal::NotWhatWasSigned
        | Refusal::Unreadable(_)
        | Refusal::NoBackup(_)
        | Refusal::FailedTest(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Problem::new(status, refusal.word(), refusal.to_string())
}

impl From<Standing> for UpdateBody {
    fn from(standing: Standing) -> Self {
        Self {
            version: Version::of_this_program().to_string(),
            target: TARGET.to_owned(),
            key: standing.key,
            by_page: standing.by_page,
            waiting: standing.waiting.map(|(release, bytes)| WaitingBody {
                version: release.version.to_string(),
                bytes,
            }),
            running: standing.running.map(|progress| RunningBody {
                step: progress.step.word(),
                to: progress.to.map(|to| to.to_string()),
            }),
            last: standing.last.map(|outcome| EndedBody {
                at: outcome.at,
                from: outcome.from.to_string(),
                to: outcome.to.to_string(),
                verdict: outcome.verdict.word(),
                why: outcome.why,
            }),
        }
    }
}
