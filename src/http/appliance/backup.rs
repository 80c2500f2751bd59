//! `/api/box/backup/`: how backups stand, where they go, making one now, and taking one away.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};

use crate::domain::{
    BackupFault, BackupProgress, BackupProof, Field, KeepRules, LastBackup, Rejection,
};
use crate::http::auth::Bearer;
use crate::http::edge::Edge;
use crate::http::extract::{ApiJson, ApiPath};
use crate::http::openapi::Refusals;
use crate::http::problem::Problem;
use crate::store::backup::{self, BackupOrder, Disk, Found, Place, Settings};
use crate::store::people::Credential;
use crate::store::{Need, StoreError};
use crate::wire::api::{
    BackupEditBody, BackupFileBody, BackupsBody, LastBackupBody, PlaceBody, ProvenBody,
};
use crate::wire::rfc3339;

/// The box's own disk, as people call it.
pub(in crate::http) const OWN_DISK: &str = "This box";
/// Read and sent at once, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// How backups stand.
#[utoipa::path(get, path = "/api/box/backup/", tag = "box", security(("bearer" = [])),
    responses((status = 200, body = BackupsBody), Refusals))]
pub(crate) async fn state(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<Json<BackupsBody>, Problem> {
    let noted = noted(&edge, who).await?;
    Ok(Json(told(&edge, noted).await?))
}

/// Changes where backups go and how many are kept. The folder is made if the one it lies in is there.
#[utoipa::path(put, path = "/api/box/backup/", tag = "box", security(("bearer" = [])),
    request_body = BackupEditBody, responses((status = 200, body = BackupsBody), Refusals))]
pub(crate) async fn change(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiJson(body): ApiJson<BackupEditBody>,
) -> Result<Json<BackupsBody>, Problem> {
    let mut settings = noted(&edge, who).await?.settings;
    if body.keep.is_none() && body.folder.is_none() {
        return Err(Problem::invalid("Nothing is changed: send folder or keep."));
    }
    if let Some(keep) = body.keep {
        settings.keep = KeepRules::from(keep);
        if !settings.keep.are_sound() {
            let why = "must be 1 to 366 days, 0 to 366 weeks and 0 to 366 months";
            let field = Field("keep");
            return Err(Rejection::Value { field, why }.into());
        }
    }
    match body.folder {
        None => {}
        Some(None) => settings.folder = None,
        Some(Some(folder)) => settings.folder = Some(chosen(&edge, folder).await?),
    }
    edge.write_as(who, Need::Ordinary, move |tx, actor| {
        actor.must_be_admin()?;
        Ok(backup::set(tx, settings)?)
    })
    .await?;
    tracing::info!(by = %who.person, "the settings of backups were changed");
    let noted = noted(&edge, who).await?;
    Ok(Json(told(&edge, noted).await?))
}

/// Begins a backup.
#[utoipa::path(post, path = "/api/box/backup/", tag = "box", security(("bearer" = [])),
    responses((status = 202, body = BackupsBody), Refusals))]
pub(crate) async fn begin(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<(StatusCode, Json<BackupsBody>), Problem> {
    edge.read_as(who, |_, actor| Ok(actor.must_be_admin()?))
        .await?;
    let order = BackupOrder {
        place: Place::Settings,
        sealed: true,
    };
    edge.backups.begin(order).map_err(|fault: BackupFault| {
        Problem::new(StatusCode::CONFLICT, fault.word(), fault.to_string())
    })?;
    tracing::info!(by = %who.person, "a backup was asked for");
    let noted = noted(&edge, who).await?;
    Ok((StatusCode::ACCEPTED, Json(told(&edge, noted).await?)))
}

/// A backup as a file.
#[utoipa::path(get, path = "/api/box/backup/files/{name}/", tag = "box",
    params(("name" = String, Path, description = "As `files` names it.")),
    security(("bearer" = [])),
    responses((status = 200, description = "The file.", content_type = "application/octet-stream"),
        Refusals))]
pub(crate) async fn file(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiPath(name): ApiPath<String>,
) -> Result<Response, Problem> {
    let settings = noted(&edge, who).await?.settings;
    let folder = backup::folder_of(edge.store.dir(), &settings);
    // Only what is a backup of this workshop has a name here: nothing else can be asked for.
    let known = files(&edge, folder.clone()).await?;
    if !known.iter().any(|file| file.name == name) {
        return Err(Problem::not_found());
    }
    let path = folder.join(&name);
    let (file, bytes) = on_disk(move || opened(&path))
        .await?
        .map_err(|_| Problem::not_found())?;
    tracing::info!(by = %who.person, name, "a backup was taken away");
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, bytes.to_string()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", harmless(&name)),
        ),
    ];
    Ok((headers, Body::from_stream(pieces(file))).into_response())
}

/// What is known of backups.
struct Noted {
    running: Option<BackupProgress>,
    settings: Settings,
    last: Option<LastBackup>,
    proof: Option<BackupProof>,
}

async fn noted(edge: &Edge, who: Credential) -> Result<Noted, Problem> {
    // Looked at first: what came of one that has ended by now is in the database.
    let running = edge.backups.running();
    edge.read_as(who, move |view, actor| {
        actor.must_be_admin()?;
        Ok(Noted {
            running,
            settings: backup::settings(view)?,
            last: backup::last(view)?,
            proof: backup::last_proof(view)?,
        })
    })
    .await
}

async fn told(edge: &Edge, noted: Noted) -> Result<BackupsBody, Problem> {
    let Noted {
        running,
        settings,
        last,
        proof,
    } = noted;
    let dir = edge.store.dir().clone();
    let disks = on_disk(move || backup::disks(&dir)).await?;
    let folder = backup::folder_of(edge.store.dir(), &settings);
    let mut files = files(edge, folder).await?;
    files.sort_by_key(|file| std::cmp::Reverse((file.made, file.seq)));
    Ok(BackupsBody {
        folder: settings.folder.map(|chosen| chosen.path),
        places: disks.into_iter().map(place).collect(),
        keep: settings.keep.into(),
        running: running.map(Into::into),
        last: last.map(|last| LastBackupBody::new(last, proof.as_ref())),
        proven: proof.map(ProvenBody::from),
        files: files.into_iter().map(backup_file).collect(),
    })
}

/// The backups of a folder; none of one that is not there.
async fn files(edge: &Edge, folder: PathBuf) -> Result<Vec<Found>, Problem> {
    let workshop = edge.store.keys().workshop();
    on_disk(move || backup::found(&folder, workshop).unwrap_or_default()).await
}

async fn chosen(edge: &Edge, folder: String) -> Result<backup::Chosen, Problem> {
    let dir = edge.store.dir().clone();
    let path = PathBuf::from(folder);
    if !path.is_absolute() {
        let (field, why) = (Field("folder"), "must be a whole path that begins with /");
        return Err(Rejection::Value { field, why }.into());
    }
    let tried = on_disk(move || backup::choose(&dir, &path)).await?;
    tried.map_err(|trouble| {
        let sentence = trouble.fault.to_string();
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Problem::new(status, trouble.fault.word(), sentence.clone()).with_error("folder", sentence)
    })
}

fn place(disk: Disk) -> PlaceBody {
    PlaceBody {
        path: disk.folder.to_string_lossy().into_owned(),
        label: disk.label.unwrap_or_else(|| OWN_DISK.to_owned()),
        free_bytes: disk.free_bytes,
        total_bytes: disk.total_bytes,
        removable: disk.removable,
    }
}

fn backup_file(file: Found) -> BackupFileBody {
    BackupFileBody {
        at: rfc3339(file.made),
        bytes: file.bytes,
        sealed: file.sealed,
        name: file.name,
    }
}

fn opened(path: &Path) -> io::Result<(File, u64)> {
    let file = backup::open_plain(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

/// A name that cannot end the quotes it stands in.
fn harmless(name: &str) -> String {
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || "-_.".contains(*letter);
    name.chars().filter(is_plain).collect()
}

/// A file, piece by piece, read where waiting for the disk harms nobody.
fn pieces(file: File) -> impl stream::Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::try_unfold(file, async |mut file: File| {
        let reading = tokio::task::spawn_blocking(move || {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            (&mut file)
                .take(PIECE_BYTES as u64)
                .read_to_end(&mut piece)?;
            io::Result::Ok((piece, file))
        });
        let (piece, file) = reading.await.map_err(io::Error::other)??;
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), file)))
    })
}

/// Waits for the disk where that harms nobody.
pub(in crate::http) async fn on_disk<T: Send + 'static>(
    look: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let looked = tokio::task::spawn_blocking(look).await;
    looked.map_err(|_| StoreError::Fault(None).into())
}
