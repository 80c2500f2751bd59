//! `motoreach export`: one request or one owner as a file that proves itself. It only reads, beside a
//! running server or without one.

use std::fs::{self, OpenOptions};
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::json;

use super::desk::must_be_there;
use super::failure::Exit;
use super::order::Refused;
use super::say;
use crate::cli::ExportArgs;
use crate::config::Config;
use crate::domain::{PersonId, RequestId};
use crate::export::{ExportError, Made, make};
use crate::store::export::{Wish, outside};
use crate::store::{DataDir, OpenError};
use crate::wire::export::EXPORT_BYTES_MAX;

/// `motoreach export`.
///
/// # Errors
/// There is no such request or owner, the data cannot be read, or the file cannot be written.
pub fn run(args: &ExportArgs) -> anyhow::Result<Exit> {
    let config = Config::load(args.at.config.as_deref())?;
    let dir = DataDir::new(args.at.data.clone().unwrap_or(config.data));
    must_be_there(&dir)?;
    let (wish, name) = match (args.request, args.owner) {
        (Some(request), _) => (
            Wish::Request(RequestId(request)),
            format!("motoreach-request-{request}.html"),
        ),
        (None, Some(owner)) => (
            Wish::Owner(PersonId(owner)),
            format!("motoreach-owner-{owner}.html"),
        ),
        (None, None) => bail!("Say which: --request N or --owner N."),
    };
    let path = args.to.clone().unwrap_or_else(|| PathBuf::from(name));
    let made = write(&dir, wish, &path)?;
    if args.at.json {
        say(json!({ "export": {
            "file": path.display().to_string(), "bytes": made.bytes, "requests": made.requests,
            "messages": made.messages, "key": made.fingerprint,
        }}));
    } else {
        say(format_args!(
            "{} was written: {} request(s), {} message(s), {} bytes.",
            path.display(),
            made.requests,
            made.messages,
            made.bytes
        ));
        say(format_args!(
            "The workshop's key has the fingerprint {}.",
            made.fingerprint
        ));
    }
    Ok(Exit::Done)
}

/// Writes the file; what cannot be finished is not left behind.
fn write(dir: &DataDir, wish: Wish, path: &Path) -> anyhow::Result<Made> {
    let cannot = || format!("{} cannot be written", path.display());
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(cannot)?;
    let made = outside(dir, |view| {
        make(view, wish, EXPORT_BYTES_MAX, BufWriter::new(&file)).map_err(Failed::Export)
    });
    let finished = match made {
        Ok(made) => file.sync_all().with_context(cannot).map(|()| made),
        Err(Failed::Open(error)) => Err(error.into()),
        Err(Failed::Export(ExportError::Refused(error))) => Err(Refused::from(error).into()),
        Err(Failed::Export(error)) => Err(error.into()),
    };
    if finished.is_err() {
        let _ = fs::remove_file(path);
    }
    finished
}

enum Failed {
    Open(OpenError),
    Export(ExportError),
}

impl From<OpenError> for Failed {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}
