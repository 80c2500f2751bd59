//! Many clients that come, stay and go together.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::stopwatch;

/// Clients that are on their way in at the same time.
const COMING_AT_ONCE: u32 = 64;

/// Somebody who comes and stays.
pub(super) trait Client: Sized + Send + 'static {
    /// Comes in, drops `coming` when there, and stays until told to leave; gives itself back so that
    /// it can come again.
    fn stay(
        self,
        coming: OwnedSemaphorePermit,
        leave: CancellationToken,
    ) -> impl Future<Output = anyhow::Result<Self>> + Send;
}

/// Those who are there.
pub(super) struct Crowd<C> {
    leave: CancellationToken,
    clients: JoinSet<anyhow::Result<C>>,
}

impl<C: Client> Crowd<C> {
    pub(super) fn new() -> Self {
        Self {
            leave: CancellationToken::new(),
            clients: JoinSet::new(),
        }
    }

    /// Lets more in; says how long it took until all of them were there.
    ///
    /// # Errors
    /// One of them was not let in, or did not stay.
    pub(super) async fn come(
        &mut self,
        clients: impl IntoIterator<Item = C>,
    ) -> anyhow::Result<Duration> {
        let places = usize::try_from(COMING_AT_ONCE)?;
        let door = Arc::new(Semaphore::new(places));
        let begun = stopwatch();
        for client in clients {
            let coming = Arc::clone(&door).acquire_owned().await?;
            let leave = self.leave.clone();
            self.clients.spawn(client.stay(coming, leave));
        }
        // Everybody is in once nobody is on the way any more.
        let _nobody = door.acquire_many(COMING_AT_ONCE).await?;
        let took = begun.elapsed();
        match self.clients.try_join_next() {
            None => Ok(took),
            Some(left) => {
                left??;
                anyhow::bail!("a client left by itself")
            }
        }
    }

    /// Sends everybody away.
    ///
    /// # Errors
    /// One of them did not stay so long.
    pub(super) async fn go(mut self) -> anyhow::Result<Vec<C>> {
        self.leave.cancel();
        let mut clients = Vec::with_capacity(self.clients.len());
        while let Some(left) = self.clients.join_next().await {
            clients.push(left??);
        }
        Ok(clients)
    }
}
