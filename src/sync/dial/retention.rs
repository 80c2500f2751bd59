//! What the relay may forget the words of: threads that were closed long enough ago, as far as a backup
//! that was proven covers them (`sync.md` §8).

use crate::store::{Store, link};
use crate::wire::link::Retain;

/// A request's words stay at the relay for so long after it was closed, in milliseconds.
const RETENTION_MS: i64 = 90 * 24 * 3_600 * 1_000;
/// Threads in one frame: what is left over is told in a later one.
const THREADS_MAX: usize = 4_096;

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
            let error: crate::store::StoreError = error;
            tracing::warn!(%error, "what the relay may forget could not be read");
            None
        }
    }
}
