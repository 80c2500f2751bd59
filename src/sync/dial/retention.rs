//! What the relay is told to do by itself: to forget the words of threads that were closed long enough
//! ago, as far as a backup that was proven covers them (`sync.md` §8), and to tell an admin's phones
//! when the box is silent.

use crate::seal::auth_sha;
use crate::store::{Store, StoreError, link};
use crate::wire::link::{Alarm, Retain, Watch};

/// A request's words stay at the relay for so long after it was closed, in milliseconds.
const RETENTION_MS: i64 = 90 * 24 * 3_600 * 1_000;
/// Threads in one frame: what is left over is told in a later one.
const THREADS_MAX: usize = 4_096;

/// A box that nobody heard of for so long is silent: an hour, in milliseconds. A router that starts
/// again, or a night's update, takes less.
const SILENT_MS: u32 = 3_600 * 1_000;

/// Who is told when the box is silent.
pub(super) async fn watch(store: &Store) -> Option<Watch> {
    let secret: Result<_, StoreError> = store.read(link::alarm_secret).await;
    match secret {
        Ok(secret) => Some(Watch {
            alarm: secret.map(|secret| Alarm {
                secret_sha: auth_sha(&secret),
                after_ms: SILENT_MS,
            }),
        }),
        Err(error) => {
            tracing::warn!(%error, "whom the relay is to tell could not be read");
            None
        }
    }
}

/// What may be forgotten, if anything.
pub(super) async fn retain(store: &Store) -> Option<Retain> {
    let looked = store
        .read(move |view| {
            let before = view.now().plus_ms(-RETENTION_MS);
            link::retention(view, before, THREADS_MAX)
        })
        .await;
    match looked {
        Ok(Some((line, closed))) => Some(Retain { line, closed }),
        Ok(None) => None,
        Err(error) => {
            let error: StoreError = error;
            tracing::warn!(%error, "what the relay may forget could not be read");
            None
        }
    }
}
