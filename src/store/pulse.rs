//! Whether the writer lives: what feeds the service manager's watchdog (`ops::service`).
//!
//! Asking wears no card: nothing is written. `Store::probe` is the proof that costs a write.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::error::{CommandError, StoreError};
use super::space::Need;
use super::tx::CommandResult;
use super::{Store, WriteTx};

/// How many commands that may take minutes the writer is at.
#[derive(Clone, Debug, Default)]
pub(super) struct LongWork(Arc<AtomicUsize>);

impl LongWork {
    /// Counts a command for as long as it runs.
    pub(super) fn counted<T, F>(
        &self,
        command: F,
    ) -> impl FnOnce(&mut WriteTx<'_>) -> CommandResult<T> + use<T, F>
    where
        F: FnOnce(&mut WriteTx<'_>) -> CommandResult<T>,
    {
        let count = Arc::clone(&self.0);
        move |tx| {
            let _running = Running::begin(count);
            command(tx)
        }
    }

    fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// Counts down however the command ends: it may panic.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn begin(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Store {
    /// Whether the writer takes commands and the disk reports no errors: an empty transaction.
    ///
    /// # Errors
    /// What is the matter; `Unknown` when the writer does not answer.
    pub async fn pulse(&self) -> Result<(), StoreError> {
        match self.write_needed(Need::Essential, |_| Ok(())).await {
            Ok(()) => Ok(()),
            Err(CommandError::Store(error)) => Err(error),
            Err(CommandError::Rejected(_)) => Err(StoreError::Fault(None)),
        }
    }

    /// Whether the writer is at something that may take minutes, and is slow to answer for that reason.
    pub fn is_at_long_work(&self) -> bool {
        self.inner.long_work.any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::store::DataDir;

    #[tokio::test]
    async fn long_work_is_known_while_it_runs_and_a_pulse_writes_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path());
        let store = Store::open(dir.clone(), Clock::system(), Box::new(|_| {})).unwrap();
        let log = || std::fs::metadata(temp.path().join("motoreach.db-wal")).unwrap();
        let before = log().len();
        store.pulse().await.unwrap();
        assert_eq!(log().len(), before);

        let (begun, seen) = tokio::sync::oneshot::channel();
        let (go_on, waits) = std::sync::mpsc::channel::<()>();
        let done = store.submit_long(Need::Ordinary, move |_| {
            let _ = begun.send(());
            let _ = waits.recv();
            Ok(())
        });
        seen.await.unwrap();
        assert!(store.is_at_long_work());
        go_on.send(()).unwrap();
        done.await.unwrap();
        assert!(!store.is_at_long_work());
        store.close().await;
        assert!(matches!(store.pulse().await, Err(StoreError::Stopped)));
    }
}
