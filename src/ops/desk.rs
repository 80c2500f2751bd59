//! Where an operator's orders go: to the data itself, or to the server that has it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::control;
use super::execute::execute;
use super::failure::NoData;
use super::order::{Answer, Request};
use super::signals::survive_file_size_limit;
use crate::clock::Clock;
use crate::http::token::{TOKEN_KEY_PURPOSE, TokenKeys};
use crate::store::backup::Backups;
use crate::store::{DataDir, OpenError, Store};

/// A server that starts or stops, or another command, is waited for this often, this long.
const ATTEMPTS_MAX: u32 = 50;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(100);

/// A place to order things.
pub(super) enum Desk {
    /// Nobody uses the data: it is open here.
    Here(Box<Here>),
    /// A server has it and listens at this socket.
    Server(PathBuf),
}

/// The data, open in this process.
pub(super) struct Here {
    store: Store,
    tokens: TokenKeys,
    backups: Backups,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Here {
    fn new(store: Store) -> Self {
        let key = store.keys().signing_key(TOKEN_KEY_PURPOSE);
        let tokens = TokenKeys::new(&key, store.keys().workshop().uuid());
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let backups = Backups::new(store.clone(), stop.clone(), tasks.clone());
        Self {
            store,
            tokens,
            backups,
            stop,
            tasks,
        }
    }
}

impl Desk {
    /// Finds the place for this data directory.
    ///
    /// # Errors
    /// There is no database, it is not ours, it cannot be opened, or somebody holds it without
    /// listening.
    pub(super) async fn open(dir: DataDir) -> anyhow::Result<Self> {
        survive_file_size_limit()?;
        must_be_there(&dir)?;
        let socket = dir.control_socket();
        let mut attempt = 1;
        loop {
            if control::is_listened_to(&socket).await {
                return Ok(Self::Server(socket));
            }
            must_be_ours(dir.path())?;
            match Store::open(
                dir.clone(),
                Clock::kept(&dir.clock_floor()),
                Box::new(|_| {}),
            ) {
                Ok(store) => return Ok(Self::Here(Box::new(Here::new(store)))),
                Err(OpenError::InUse(_)) if attempt < ATTEMPTS_MAX => {
                    attempt += 1;
                    tokio::time::sleep(ATTEMPT_PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Has an order carried out.
    ///
    /// # Errors
    /// `Refused`, or the server did not answer.
    pub(super) async fn ask(&self, request: Request) -> anyhow::Result<Answer> {
        match self {
            Self::Here(here) => {
                let Here {
                    store,
                    tokens,
                    backups,
                    ..
                } = &**here;
                Ok(execute(store, tokens, backups, request).await?)
            }
            Self::Server(socket) => {
                let outcome = control::ask(socket, &request).await.context(
                    "The running server did not answer: it is not known whether it was done. Look \
                     before you try again.",
                )?;
                Ok(outcome.context("The server stopped at this moment; try again.")??)
            }
        }
    }

    /// Has what this process is at end early; says whether it was this process. A server goes on.
    pub(super) fn stop(&self) -> bool {
        match self {
            Self::Here(here) => {
                here.stop.cancel();
                true
            }
            Self::Server(_) => false,
        }
    }

    /// Finishes what was begun.
    pub(super) async fn close(self) {
        match self {
            Self::Here(here) => {
                here.tasks.close();
                here.tasks.wait().await;
                here.store.close().await;
            }
            Self::Server(_) => {}
        }
    }
}

/// A slip in `--data` must not make a new workshop.
pub(super) fn must_be_there(dir: &DataDir) -> anyhow::Result<()> {
    let path = dir.database();
    let there = path
        .try_exists()
        .map_err(|source| OpenError::Files { path, source })?;
    if !there {
        return Err(NoData::NotThere(dir.path().display().to_string()).into());
    }
    Ok(())
}

/// Files that root leaves in a service's directory would lock the service out.
pub(super) fn must_be_ours(directory: &Path) -> anyhow::Result<()> {
    let files = |source| OpenError::Files {
        path: directory.to_owned(),
        source,
    };
    let owner = std::fs::metadata(directory).map_err(files)?.uid();
    if owner != rustix::process::geteuid().as_raw() {
        return Err(NoData::Foreign {
            directory: directory.display().to_string(),
            owner,
        }
        .into());
    }
    Ok(())
}
