//! A backup that the first-run page hands in: streamed to this box's disk, one at a time. It lies there
//! until it was restored, another one comes, or the box starts again.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use axum::BoxError;
use axum::extract::Request;
use http::StatusCode;
use http_body_util::BodyExt;
use uuid::Uuid;

use super::appliance::backup::on_disk;
use super::problem::Problem;
use crate::domain::BackupUnreadable;
use crate::seal::{BACKUP_HEADER_BYTES, BackupHeader};
use crate::store::{DataDir, backup};

/// Room that is left on the disk, in bytes: restoring what is handed in needs as much again and more.
const LEFT_BYTES: u64 = 32 << 20;
/// Written to the disk at once, in bytes.
const PIECE_BYTES: usize = 256 * 1024;

/// Takes a body in; gives its name, its header and its length.
pub(super) async fn take_in(
    dir: &DataDir,
    request: Request,
) -> Result<(Uuid, BackupHeader, u64), Problem> {
    let name = Uuid::new_v4();
    let (folder, path) = (dir.uploaded(), path_of(dir, name));
    let file = {
        let (folder, path) = (folder.clone(), path.clone());
        on_disk(move || created(&folder, &path))
            .await?
            .map_err(|error| not_kept(&error))?
    };
    let taken = write_down(dir, request, file).await;
    let told = match taken {
        Ok(bytes) => {
            let there = path.clone();
            on_disk(move || backup::header(&there))
                .await?
                .map_or_else(|why| Err(unusable(why)), |header| Ok((name, header, bytes)))
        }
        Err(problem) => Err(problem),
    };
    if told.is_err() {
        let _ = on_disk(move || fs::remove_file(path)).await;
    }
    told
}

/// Where one that was handed in lies.
pub(super) fn path_of(dir: &DataDir, upload: Uuid) -> PathBuf {
    dir.uploaded().join(format!("{upload}.backup"))
}

/// 422: a file that is no backup, or none that can be used.
pub(super) fn unusable(why: BackupUnreadable) -> Problem {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(status, why.word(), why.to_string()).with_error("from", why.to_string())
}

fn created(folder: &PathBuf, path: &PathBuf) -> io::Result<File> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    DirBuilder::new().mode(0o700).create(folder)?;
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Writes the body to the disk as it comes, with a look at its head before the rest of it.
async fn write_down(dir: &DataDir, request: Request, mut file: File) -> Result<u64, Problem> {
    let mut body = request.into_body();
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    let mut bytes = 0_u64;
    loop {
        let frame = body.frame().await.transpose();
        let frame = frame.map_err(|error| Problem::from_body_error(&BoxError::from(error)))?;
        let is_over = frame.is_none();
        if let Some(data) = frame.and_then(|frame| frame.into_data().ok()) {
            piece.extend_from_slice(&data);
        }
        if piece.len() < PIECE_BYTES && !is_over {
            continue;
        }
        if bytes == 0 {
            looks_like_a_backup(&piece)?;
        }
        bytes += piece.len() as u64;
        let (whole, place) = (std::mem::take(&mut piece), dir.path().to_owned());
        let written = on_disk(move || {
            has_room(&place, whole.len() as u64)?;
            file.write_all(&whole)?;
            Ok(file)
        });
        file = written
            .await?
            .map_err(|error: io::Error| not_kept(&error))?;
        if is_over {
            return Ok(bytes);
        }
    }
}

fn looks_like_a_backup(head: &[u8]) -> Result<(), Problem> {
    let Some(block) = head.first_chunk::<BACKUP_HEADER_BYTES>() else {
        return Err(unusable(BackupUnreadable::NotABackup));
    };
    BackupHeader::parse(block).map_err(unusable)?;
    Ok(())
}

fn has_room(place: &PathBuf, more: u64) -> io::Result<()> {
    let stat = rustix::fs::statvfs(place)?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let total = stat.f_blocks.saturating_mul(stat.f_frsize);
    if free < more.saturating_add(LEFT_BYTES.min(total / 8)) {
        return Err(io::ErrorKind::StorageFull.into());
    }
    Ok(())
}

fn not_kept(error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::StorageFull {
        return Problem::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "disk_full",
            "This box's disk has too little room for that backup. Plug in the disk that it is on instead.",
        );
    }
    tracing::warn!(%error, "a backup that was handed in could not be kept");
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "storage_failing",
        "This box's disk did not take that backup.",
    )
}
