//! The relay's store on SQLite: one file, one thread that writes, a few connections that read.
//!
//! `engine` runs commands and looks; every other file is one concern of what is kept. Nothing here
//! opens a sealed body, and nothing outside sees a connection.

mod alarms;
mod append;
mod blocks;
mod engine;
mod fork;
mod give_back;
mod invites;
mod journal;
mod kept;
mod mailbox;
mod open;
mod rows;
mod sessions;
mod status;
mod subscriptions;
mod trim;
mod trouble;
mod workshop;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::broadcast;

use super::limits::WAKES_MAX;
use super::store::Wake;
use crate::domain::Timestamp;
use crate::store::{DataDir, DirLock, OpenError, reader};
use engine::Engine;
use open::As;
pub use trouble::RelayOpenError;

/// A relay's database; clones are handles to the same one.
#[derive(Clone)]
pub struct SqliteRelay {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    wakes: broadcast::Sender<Wake>,
    /// Held by the relay itself, not by a command beside it.
    _lock: Option<DirLock>,
}

impl SqliteRelay {
    /// Opens the database of a relay's directory, or makes one, and takes the directory for this
    /// process.
    ///
    /// # Errors
    /// A sentence for the person at the terminal: in use, read-only, damaged, newer, full.
    pub fn open(dir: &Path, now: Timestamp) -> Result<Self, RelayOpenError> {
        let lock = DataDir::new(dir).lock().map_err(RelayOpenError::Disk)?;
        Self::open_as(dir, As::Relay, Some(lock), now)
    }

    /// Opens it beside a relay that may be running, for a command of its operator. The directory
    /// must be there.
    ///
    /// # Errors
    /// As `open`, but for "in use".
    pub fn open_beside(dir: &Path, now: Timestamp) -> Result<Self, RelayOpenError> {
        Self::open_as(dir, As::Guest, None, now)
    }

    fn open_as(
        dir: &Path,
        who: As,
        lock: Option<DirLock>,
        now: Timestamp,
    ) -> Result<Self, RelayOpenError> {
        let database = open::database(dir);
        let conn = open::open(&database, who, now)?;
        let readers = reader::pool(database)
            .map_err(OpenError::Store)
            .map_err(RelayOpenError::Disk)?;
        let (wakes, _) = broadcast::channel(WAKES_MAX);
        let engine = Engine::start(conn, readers, wakes.clone()).map_err(|source| {
            let path = dir.to_owned();
            RelayOpenError::Disk(OpenError::Files { path, source })
        })?;
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                wakes,
                _lock: lock,
            }),
        })
    }

    /// Takes no more commands, finishes those that are queued and waits for the writer to end.
    pub async fn close(&self) {
        self.inner.engine.close().await;
    }
}

#[cfg(test)]
mod in_memory;
#[cfg(test)]
mod tests;
