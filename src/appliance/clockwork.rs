//! What the box does by itself: erases messages whose time is up, ends sign-ins that ran out, forgets
//! old ones, and writes down how late it is.
//!
//! What ran out is ended in the database: a clock that goes back revives nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::stopwatch;
use crate::commands::{EraseLeftovers, ExpireMessages, STAFF_SESSION_MS};
use crate::hub::Hub;
use crate::store::{
    CommandError, CommandResult, Need, Store, View, WriteTx, erasure, erasure_list, sessions,
};

/// It looks at least this often, in case the clock jumped.
const PAUSE_MAX: Duration = Duration::from_secs(60);
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Ended sign-ins are forgotten after 30 days, in milliseconds.
const SESSIONS_KEPT_MS: i64 = 30 * 24 * 3_600 * 1_000;
/// How late it is is written down so often: a card wears out, and after a power cut the journal knows.
const CLOCK_KEPT: Duration = Duration::from_secs(3_600);

/// Works until the box stops; `expiring` says that a message was written which may be due before what
/// was waited for.
pub(super) async fn run(
    store: Store,
    hub: Hub,
    expiring: Arc<Notify>,
    shutdown: CancellationToken,
) {
    let mut kept: Option<Instant> = None;
    let mut swept = None;
    loop {
        let due = store
            .write_needed(Need::Essential, |tx| ExpireMessages.run(tx))
            .await;
        let pause = match due {
            Ok(Some(next)) => {
                let ms = next.0.saturating_sub(store.clock().now().0);
                Duration::from_millis(u64::try_from(ms).unwrap_or(0))
            }
            Ok(None) => PAUSE_MAX,
            Err(error) => {
                tracing::warn!(%error, "messages could not be erased in time");
                PAUSE_MAX
            }
        };
        sweep(&store, &mut swept).await;
        if kept.is_none_or(|at| at.elapsed() >= CLOCK_KEPT) {
            kept = Some(stopwatch());
            keep_clock(&store).await;
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause.clamp(PAUSE_MIN, PAUSE_MAX)) => {}
            () = expiring.notified() => {}
        }
        sign_out_expired(&store, &hub).await;
        forget_old_sessions(&store).await;
    }
}

/// Erases what is left of people who asked to be forgotten, or came back of them: at the start, after
/// such a decree, and when copies of the journal were brought together.
async fn sweep(store: &Store, swept: &mut Option<(i64, i64)>) {
    let occasion = match store.read(erasure::occasion).await {
        Ok(occasion) if *swept != Some(occasion) => occasion,
        Ok(_) | Err(_) => return,
    };
    loop {
        let done = store
            .write_needed(Need::Essential, |tx| EraseLeftovers.run(tx))
            .await;
        match done {
            Ok(done) => {
                if done.entries > 0 {
                    tracing::info!(entries = done.entries, "what an owner left was erased");
                }
                if !done.more {
                    *swept = Some(occasion);
                    let dir = store.dir().clone();
                    let kept = store.read(move |view| erasure_list::keep(view, &dir)).await;
                    if let Err(error) = kept {
                        tracing::warn!(%error, "who was forgotten could not be noted");
                    }
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "what an owner left could not be erased yet");
                return;
            }
        }
    }
}

/// A file is written: not on a thread that others wait for.
async fn keep_clock(store: &Store) {
    let clock = store.clock().clone();
    let _ = tokio::task::spawn_blocking(move || clock.keep()).await;
}

/// Ends sign-ins whose time ran out, and their sockets.
async fn sign_out_expired(store: &Store, hub: &Hub) {
    let sort = |view: &View<'_>| sessions::any_to_sort_out(view, STAFF_SESSION_MS);
    if !matches!(store.read(sort).await, Ok(true)) {
        return;
    }
    let ended = essential(store, |tx| {
        sessions::end_expired(tx, STAFF_SESSION_MS).map_err(CommandError::from)
    });
    for session in ended.await.into_iter().flatten() {
        hub.sign_out(session);
    }
}

async fn forget_old_sessions(store: &Store) {
    let before = store.clock().now().plus_ms(-SESSIONS_KEPT_MS);
    let old = store
        .read(move |view| sessions::any_before(view, before))
        .await;
    if matches!(old, Ok(true)) {
        let forgotten = essential(store, move |tx| {
            sessions::forget_before(tx, before).map_err(CommandError::from)
        });
        let forgotten = forgotten.await;
        tracing::debug!(?forgotten, "old sign-ins were forgotten");
    }
}

/// What is done on a full disk too, and tried again in a minute if it fails.
async fn essential<T: Send + 'static>(
    store: &Store,
    command: impl FnOnce(&mut WriteTx<'_>) -> CommandResult<T> + Send + 'static,
) -> Option<T> {
    let done = store.write_needed(Need::Essential, command).await;
    done.inspect_err(|error| tracing::warn!(%error, "the clockwork could not write"))
        .ok()
}
