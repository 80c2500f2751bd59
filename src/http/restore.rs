//! Bringing a workshop back instead of setting one up: the first-run page hands in the recovery words
//! with the relay's address or a backup, and watches. Whoever may set the box up may do this, and nobody
//! else.

use std::path::PathBuf;

use axum::Json;
use axum::extract::{Extension, Request, State};
use http::{HeaderMap, StatusCode};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::appliance::backup::{OWN_DISK, on_disk};
use super::edge::Edge;
use super::extract::ApiJson;
use super::listen::Peer;
use super::openapi::Refusals;
use super::problem::Problem;
use super::relay_address::address;
use super::restore_desk::{RestoreOrder, RestoreSource};
use super::setup::{must_not_be_set_up, stands_at_the_box};
use super::uploads;
use crate::domain::{BackupUnreadable, Field, Rejection, Timestamp};
use crate::seal::RootSecret;
use crate::store::backup;
use crate::wire::api::{
    BackupOnDiskBody, BackupsOnDisksBody, RestoreBody, RestoreFromBody, RestoreStateBody,
    UploadedBody,
};
use crate::wire::rfc3339;

/// Where handing in a backup carries the printed set-up code.
const SETUP_CODE: &str = "x-setup-code";

/// How a restore stands.
#[utoipa::path(get, path = "/api/setup/restore/", tag = "setup",
    responses((status = 200, body = RestoreStateBody), Refusals))]
pub(super) async fn state(State(edge): State<Edge>) -> Json<RestoreStateBody> {
    Json(edge.restore.tell().into())
}

/// Begins to bring a workshop back from its relay or from a backup; once that is done, the box starts again with it.
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
    let from = source(body.from, &body.url, body.claim)?;
    let root = RootSecret::from_recovery_words(&words).map_err(|wrong| {
        let sentence = capitalised(&wrong.to_string());
        wrong_words(sentence)
    })?;
    stands_at_the_box(&edge, peer, &headers, body.code.as_deref())?;
    let from = match from {
        Wanted::Relay { url, claim } => RestoreSource::Relay { url, claim },
        Wanted::Uploaded(upload) => file(&root, uploads::path_of(edge.store.dir(), upload)).await?,
        Wanted::OnDisk(path) => {
            // Only what an empty box finds by itself may be named: nobody reads other files with it.
            let dir = edge.store.dir().clone();
            let found = on_disk(move || backup::on_disks(&dir)).await?;
            let known = found.into_iter().find(|backup| backup.path == path);
            let known = known.ok_or_else(|| uploads::unusable(BackupUnreadable::Gone))?;
            file(&root, known.path).await?
        }
    };
    let order = RestoreOrder { from, root };
    if !edge.restore.order(order) {
        return Err(under_way());
    }
    tracing::info!("a workshop is to be brought back");
    Ok((StatusCode::ACCEPTED, Json(edge.restore.tell().into())))
}

/// Backups that lie on disks of this box, for an empty one to be filled from.
#[utoipa::path(get, path = "/api/setup/backups/", tag = "setup",
    responses((status = 200, body = BackupsOnDisksBody), Refusals))]
pub(super) async fn found(State(edge): State<Edge>) -> Result<Json<BackupsOnDisksBody>, Problem> {
    must_not_be_set_up(&edge).await?;
    let dir = edge.store.dir().clone();
    let found = on_disk(move || backup::on_disks(&dir)).await?;
    let found = found.into_iter().map(|backup| BackupOnDiskBody {
        path: backup.path.to_string_lossy().into_owned(),
        label: backup.label.unwrap_or_else(|| OWN_DISK.to_owned()),
        at: rfc3339(backup.made),
        bytes: backup.bytes,
        sealed: backup.sealed,
    });
    Ok(Json(BackupsOnDisksBody {
        found: found.collect(),
    }))
}

/// Hands a backup in, as it is, to have it restored. The printed set-up code is in `X-Setup-Code`.
#[utoipa::path(put, path = "/api/setup/backup/", tag = "setup",
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 200, body = UploadedBody), Refusals))]
pub(super) async fn hand_in(
    State(edge): State<Edge>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Json<UploadedBody>, Problem> {
    must_not_be_set_up(&edge).await?;
    let headers = request.headers();
    let code = headers.get(SETUP_CODE).and_then(|code| code.to_str().ok());
    stands_at_the_box(&edge, peer, headers, code)?;
    let one_at_a_time = edge.uploading.clone().try_lock_owned();
    let _mine = one_at_a_time.map_err(|_| under_way())?;
    let (upload, header, bytes) = uploads::take_in(edge.store.dir(), request).await?;
    tracing::info!(bytes, "a backup was handed in");
    Ok(Json(UploadedBody {
        upload,
        at: rfc3339(Timestamp(header.made_ms)),
        bytes,
        sealed: header.sealed,
    }))
}

/// Where somebody wants a workshop to come back from.
enum Wanted {
    Relay { url: String, claim: bool },
    Uploaded(Uuid),
    OnDisk(PathBuf),
}

fn source(from: Option<RestoreFromBody>, url: &str, claim: bool) -> Result<Wanted, Problem> {
    match from {
        None => Ok(Wanted::Relay {
            url: address(url)?,
            claim,
        }),
        Some(RestoreFromBody {
            upload: Some(upload),
            ..
        }) => Ok(Wanted::Uploaded(upload)),
        Some(RestoreFromBody {
            path: Some(path), ..
        }) => Ok(Wanted::OnDisk(path.into())),
        Some(RestoreFromBody {
            upload: None,
            path: None,
        }) => Err(Rejection::Value {
            field: Field("from"),
            why: "must name an upload or a path",
        }
        .into()),
    }
}

/// A backup that is there and that these words belong to.
async fn file(root: &RootSecret, path: PathBuf) -> Result<RestoreSource, Problem> {
    let there = path.clone();
    let header = on_disk(move || backup::header(&there)).await?;
    let header = header.map_err(uploads::unusable)?;
    if !backup::belongs_to(&header, root) {
        return Err(wrong_words(BackupUnreadable::OtherWords.to_string()));
    }
    Ok(RestoreSource::File(path))
}

/// 422: the words will not do.
fn wrong_words(sentence: String) -> Problem {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(status, "recovery_words_wrong", sentence.clone()).with_error("words", sentence)
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
