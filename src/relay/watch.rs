//! From the store's hints to the sockets that want them, and what a relay does every second.
//!
//! Hints may be lost (a node falls behind, a database's connection breaks), so the copies' ends are
//! looked at by themselves at times.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::presence::Presence;
use super::store::{RelayStore, Wake};
use crate::domain::WorkshopKey;
use crate::seal::Position;

/// Expiry and absence are noticed within this time.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between two looks at where the copies end (sync.md §8: re-read every 5 s).
const TICKS_PER_LOOK: u32 = 5;

/// Passes on hints until the relay stops.
pub async fn watch<S: RelayStore>(store: S, presence: Presence, shutdown: CancellationToken) {
    let mut wakes = store.wakes();
    let mut ends = Ends::default();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut until_look = TICKS_PER_LOOK;
    loop {
        // Every arm is cancel-safe: an untaken hint stays in the channel.
        tokio::select! {
            () = shutdown.cancelled() => return,
            wake = wakes.recv() => match wake {
                Ok(wake) => {
                    ends.hinted(wake);
                    pass_on(&presence, wake);
                }
                Err(RecvError::Lagged(lost)) => {
                    tracing::debug!(lost, "hints were lost; everybody looks");
                    presence.anything_changed();
                }
                Err(RecvError::Closed) => return,
            },
            _ = ticks.tick() => {
                presence.tick();
                until_look -= 1;
                if until_look == 0 {
                    until_look = TICKS_PER_LOOK;
                    ends.look(&store, &presence).await;
                }
            }
        }
    }
}

fn pass_on(presence: &Presence, wake: Wake) {
    match wake {
        Wake::Posts(_) => {}
        Wake::Thread(workshop, thread) => presence.thread_changed(workshop, thread),
        Wake::Workshop(workshop) => presence.workshop_changed(workshop),
        Wake::Revoked(invite) => presence.revoked(invite),
        Wake::Refused(post, thread) => presence.refused(post, thread),
    }
}

/// Where each watched copy ended at the last look, and whether there was a hint since.
#[derive(Default)]
struct Ends {
    known: HashMap<WorkshopKey, End>,
}

#[derive(Default)]
struct End {
    position: Option<Position>,
    hinted: bool,
}

impl Ends {
    fn hinted(&mut self, wake: Wake) {
        if let Wake::Thread(workshop, _) | Wake::Workshop(workshop) = wake
            && let Some(end) = self.known.get_mut(&workshop)
        {
            end.hinted = true;
        }
    }

    /// A copy that grew without a hint: its sockets look.
    async fn look<S: RelayStore>(&mut self, store: &S, presence: &Presence) {
        let watched = presence.watched();
        self.known.retain(|workshop, _| watched.contains(workshop));
        for workshop in watched {
            let Ok(state) = store.state(workshop).await else {
                // The sockets find out by themselves, and say so.
                continue;
            };
            let position = state.and_then(|state| state.position);
            let is_new = !self.known.contains_key(&workshop);
            let end = self.known.entry(workshop).or_default();
            if !is_new && end.position != position && !end.hinted {
                presence.workshop_changed(workshop);
            }
            *end = End {
                position,
                hinted: false,
            };
        }
    }
}
