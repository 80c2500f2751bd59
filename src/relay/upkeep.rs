//! What a relay does by itself: forgets what may be forgotten.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::store::RelayStore;
use crate::clock::Clock;

/// Long enough after a start that every box has come back first.
const FIRST: Duration = Duration::from_secs(10 * 60);
/// Bodies of closed requests need not go to the minute.
const EVERY: Duration = Duration::from_secs(3_600);

/// Trims every workshop's copy now and then, until the relay stops.
pub(super) async fn keep_up<S: RelayStore>(store: S, clock: Clock, shutdown: CancellationToken) {
    let asked = asked_for("MOTOREACH_TRIM_EVERY_MS");
    let mut pause = asked.unwrap_or(FIRST);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = asked.unwrap_or(EVERY);
        trim_all(&store, &clock).await;
    }
}

/// How often a test wants something done, in milliseconds, by a variable of the environment. Only builds
/// with debug assertions look.
pub(super) fn asked_for(variable: &str) -> Option<Duration> {
    if !cfg!(debug_assertions) {
        return None;
    }
    let asked = std::env::var(variable).ok()?;
    asked.parse().ok().map(Duration::from_millis)
}

async fn trim_all<S: RelayStore>(store: &S, clock: &Clock) {
    let lines = match store.workshops().await {
        Ok(lines) => lines,
        Err(error) => return tracing::warn!(%error, "what may be forgotten cannot be read"),
    };
    for line in lines {
        match store.trim(line.workshop, clock.now()).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(workshop = %line.workshop, rows, "a copy was trimmed"),
            Err(error) => {
                tracing::warn!(workshop = %line.workshop, %error, "a copy could not be trimmed");
            }
        }
    }
}
