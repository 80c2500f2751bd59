//! Carrying out what the first-run page asked for: the workshop is gathered beside the empty box that
//! serves the page; then whoever runs the appliance is told to start it again with what came.

use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::{RestoreFault, RestoreStep, Restored};
use crate::http::restore_desk::{RestoreOrder, RestoreOrders, RestoreSource};
use crate::net::Dialer;
use crate::seal::RootSecret;
use crate::store::backup;
use crate::store::restore::{self, Room};
use crate::store::{DataDir, StoreError};
use crate::sync::restore::{Asked, RestoreError};

/// The page is waited for so long, to show what came back, before the box starts again.
const TOLD_WAIT: Duration = Duration::from_secs(5);

/// What it works with.
pub(super) struct Restoring {
    /// The page's orders.
    pub(super) orders: RestoreOrders,
    /// The empty box.
    pub(super) dir: DataDir,
    /// Makes connections.
    pub(super) dialer: Dialer,
    /// Ends it.
    pub(super) shutdown: CancellationToken,
    /// Cancelled once a workshop waits to be put in place.
    pub(super) restored: CancellationToken,
}

impl Restoring {
    /// Carries orders out, one after the other, until one is done.
    pub(super) async fn mind(mut self) {
        loop {
            // Cancel-safe: an order is taken whole or not at all.
            let order = tokio::select! {
                order = self.orders.next() => order,
                () = self.shutdown.cancelled() => return,
            };
            let Some(order) = order else { return };
            match self.carry_out(order).await {
                Ok(restored) => return self.done(restored).await,
                Err(RestoreError::Stopped) => return,
                Err(error) => {
                    tracing::warn!(%error, "nothing was restored");
                    self.drop_if_spoilt(&error).await;
                    let fault = error.fault().unwrap_or(RestoreFault::Storage);
                    self.orders.failed(fault);
                }
            }
        }
    }

    async fn carry_out(&self, order: RestoreOrder) -> Result<Restored, RestoreError> {
        let RestoreOrder { from, root } = order;
        let (url, claim) = match from {
            RestoreSource::Relay { url, claim } => (url, claim),
            RestoreSource::File(file) => return self.of_file(file, root).await,
        };
        let dir = self.dir.clone();
        let begun = on_disk(move || match restore::room(&dir, &root)? {
            Room::Free | Room::Secret => Ok(restore::begin(&dir, &root)?),
            Room::SetUp => Err(RestoreFault::SetUp.into()),
        });
        let asked = Asked {
            gathering: begun.await?,
            url,
            claim,
            dialer: self.dialer.clone(),
            shutdown: self.shutdown.clone(),
        };
        let came = |entries: i64| {
            self.orders
                .came(RestoreStep::Gathering, entries.unsigned_abs(), 0);
        };
        crate::sync::restore::restore(asked, came).await
    }

    async fn of_file(&self, file: PathBuf, root: RootSecret) -> Result<Restored, RestoreError> {
        let (dir, shutdown) = (self.dir.clone(), self.shutdown.clone());
        let told = self.orders.teller();
        on_disk(move || {
            if restore::room(&dir, &root)? == Room::SetUp {
                return Err(RestoreFault::SetUp.into());
            }
            let stop = || shutdown.is_cancelled();
            let clock = Clock::system();
            Ok(backup::bring_back(
                &dir, &file, &root, &clock, &told, &stop,
            )?)
        })
        .await
    }

    async fn done(&self, restored: Restored) {
        self.orders.done(restored);
        tokio::select! {
            () = self.orders.told() => {}
            () = tokio::time::sleep(TOLD_WAIT) => {}
            () = self.shutdown.cancelled() => return,
        }
        self.restored.cancel();
    }

    async fn drop_if_spoilt(&self, error: &RestoreError) {
        if !error.spoils() {
            return;
        }
        let dir = self.dir.clone();
        if let Err(error) = on_disk(move || Ok(restore::discard(&dir)?)).await {
            tracing::warn!(%error, "what was gathered could not be dropped");
        }
    }
}

/// Waits for the disk where that harms nobody.
async fn on_disk<T, F>(work: F) -> Result<T, RestoreError>
where
    F: FnOnce() -> Result<T, RestoreError> + Send + 'static,
    T: Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| StoreError::Fault(None))?
}
