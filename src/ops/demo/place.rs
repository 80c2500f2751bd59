//! Where a sample workshop lives, and where one that runs is found.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use uuid::Uuid;

use super::line;

/// What the directory of a sample that does not stay is called, before something random.
const SCRATCH: &str = "motoreach-demo-";

/// Where the sample lives.
pub(super) enum Place {
    /// In a directory that was named; it stays.
    Kept(PathBuf),
    /// In one of its own, which goes with it.
    Scratch(PathBuf),
}

impl Place {
    pub(super) fn of(named: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = named {
            return Ok(Self::Kept(path.to_owned()));
        }
        let path = std::env::temp_dir().join(format!("{SCRATCH}{}", Uuid::new_v4()));
        // Fails where it exists: nobody can have prepared it for us.
        let made = fs::DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("{} cannot be made.", path.display()))?;
        Ok(Self::Scratch(path))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) | Self::Scratch(path) => path,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        match self {
            Self::Kept(_) => {}
            Self::Scratch(path) => {
                let _ = fs::remove_dir_all(path);
            }
        }
    }
}

/// The directory of the sample that runs: the named one, or the only one that has none.
///
/// # Errors
/// None runs, or several do.
pub(super) fn running(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else {
        bail!("No sample workshop runs here; name its directory with --data.");
    };
    let mut found = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(SCRATCH))
        .map(|entry| entry.path())
        .filter(|path| line::was_opened_in(path));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => bail!("No sample workshop runs here; name its directory with --data."),
        (Some(_), Some(_)) => bail!("Several sample workshops run here; name one with --data."),
    }
}
