//! Web Push (RFC 8030, 8291, 8292): telling an owner's browser that there is something new while no
//! page of it is open.
//!
//! `edge` subscribes, `edge::link` says what a box wrote. The push service is whatever the browser
//! names; it learns when and how much, never what: the words are sealed by the box and the whole is
//! encrypted to the browser once more. Best effort: what is lost is found when the page is opened.

mod deliver;
mod vapid;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use deliver::{NotAnAddress, PAUSES, check_address};
use deliver::{Push, Urgency};
pub use vapid::Vapid;

use super::alarm::Phone;
use super::limits::MESSAGE;
use super::presence::{Belongs, Presence};
use super::store::{RelayStore, Subscription};
use crate::clock::Clock;
use crate::domain::{DeviceId, RequestKey, WorkshopKey};
use crate::net::Dialer;
use crate::seal::{FROM_OWNER, SealedEntry};
use crate::wire::owner::{AlarmPayload, PushPayload};

/// Browsers that one thread may push to.
pub const SUBSCRIPTIONS_PER_THREAD_MAX: usize = 16;
/// Pushes under way at once.
const PUSHES_AT_ONCE: usize = 16;
/// Threads with something to push at once; more are not told.
const THREADS_WAITING_MAX: usize = 4_096;
/// Between two pushes of a thread: of what comes meanwhile only the newest is pushed.
const BREATH: Duration = Duration::from_secs(3);
/// The longest sealed body that travels along: 3,072 characters of base64url; a push holds 3,993
/// bytes.
const BODY_BYTES_MAX: usize = 3_072 / 4 * 3;

/// What pushing needs.
pub struct Parts<S> {
    /// Where subscriptions are kept.
    pub store: S,
    /// Who is there already.
    pub presence: Presence,
    /// Who pushes.
    pub vapid: Arc<Vapid>,
    /// Connects to push services.
    pub dialer: Dialer,
    /// Whom a push service may write to: `mailto:` or `https:`.
    pub contact: String,
    /// What is waited before further tries: `PAUSES`, except in tests.
    pub pauses: [Duration; 3],
    /// What time it is.
    pub clock: Clock,
    /// Ends what is under way.
    pub shutdown: CancellationToken,
    /// Owns the tasks.
    pub tracker: TaskTracker,
}

/// Pushes; clones share it.
pub struct Pusher<S> {
    inner: Arc<Inner<S>>,
}

struct Inner<S> {
    parts: Parts<S>,
    slots: Semaphore,
    /// Threads that are being told, with what came since.
    telling: Mutex<HashMap<(WorkshopKey, RequestKey), Option<SealedEntry>>>,
}

impl<S> Clone for Pusher<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

/// Whether an entry is worth a notification: a message that the owner did not write.
pub fn is_news(entry: &SealedEntry) -> bool {
    entry.kind == MESSAGE && entry.flags & FROM_OWNER == 0 && !entry.is_staff_only()
}

impl<S: RelayStore> Pusher<S> {
    /// Nothing is pushed yet.
    pub fn new(parts: Parts<S>) -> Self {
        Self {
            inner: Arc::new(Inner {
                parts,
                slots: Semaphore::new(PUSHES_AT_ONCE),
                telling: Mutex::default(),
            }),
        }
    }

    /// These entries were applied just now, in this order.
    pub fn applied(&self, workshop: WorkshopKey, entries: Vec<SealedEntry>) {
        for mut entry in entries.into_iter().filter(is_news) {
            let Some(thread) = entry.thread else { continue };
            // What does not travel along need not wait here either.
            entry.body = entry.body.filter(|body| body.len() <= BODY_BYTES_MAX);
            let mut telling = self.telling();
            let waiting = telling.len();
            match telling.entry((workshop, thread)) {
                Entry::Occupied(mut told) => {
                    told.insert(Some(entry));
                }
                Entry::Vacant(_) if waiting >= THREADS_WAITING_MAX => {
                    tracing::warn!(%thread, "too many notifications at once; one is not sent");
                }
                Entry::Vacant(place) => {
                    place.insert(Some(entry));
                    drop(telling);
                    self.spawn(self.clone().tell(workshop, thread));
                }
            }
        }
    }

    /// The owner has read on one device: what is shown on the others goes.
    pub fn seen(&self, belongs: &Belongs, up_to: i64) {
        let (
            this,
            Belongs {
                workshop,
                thread,
                device,
                ..
            },
        ) = (self.clone(), *belongs);
        self.spawn(async move {
            let payload = |to: &Subscription| PushPayload {
                seq: up_to,
                clear: true,
                ..PushPayload::new(thread, to.invite)
            };
            for to in this.elsewhere(workshop, thread, Some(device)).await {
                if to.shown {
                    this.push(&to, &payload(&to), thread, Urgency::Normal).await;
                }
            }
        });
    }

    /// Sends a notification that says nothing, to see whether they come.
    pub fn test(&self, thread: RequestKey, to: Subscription) {
        let this = self.clone();
        self.spawn(async move {
            let payload = PushPayload {
                test: true,
                ..PushPayload::new(thread, to.invite)
            };
            this.push(&to, &payload, thread, Urgency::High).await;
        });
    }

    /// Tells an admin's phone of a box's silence.
    pub fn alarm(&self, payload: AlarmPayload, to: Phone) {
        let this = self.clone();
        self.spawn(async move {
            let push = Push {
                to: (&to).into(),
                payload: payload.encode(),
                // A later one replaces what the push service still holds: what counts is how it stands.
                topic: BASE64.encode(payload.alarm.as_bytes()),
                urgency: Urgency::High,
            };
            this.deliver(push, None).await;
        });
    }

    /// Sends a notification that says nothing, to see whether an alarm would come.
    pub fn test_alarm(&self, workshop: WorkshopKey, to: Phone) {
        self.alarm(AlarmPayload::test(workshop), to);
    }

    /// Tells a thread's browsers, as long as there is something new.
    async fn tell(self, workshop: WorkshopKey, thread: RequestKey) {
        while let Some(entry) = self.next(workshop, thread) {
            for to in self.elsewhere(workshop, thread, None).await {
                let (this, payload) = (self.clone(), payload(thread, &entry, &to));
                self.spawn(async move { this.push(&to, &payload, thread, Urgency::High).await });
            }
            tokio::time::sleep(BREATH).await;
        }
    }

    /// What came since; with nothing new the thread is not being told any more.
    fn next(&self, workshop: WorkshopKey, thread: RequestKey) -> Option<SealedEntry> {
        let mut telling = self.telling();
        let entry = telling.get_mut(&(workshop, thread)).and_then(Option::take);
        if entry.is_none() {
            telling.remove(&(workshop, thread));
        }
        entry
    }

    /// Subscribed browsers in which the thread is not open at the moment, without one device's.
    async fn elsewhere(
        &self,
        workshop: WorkshopKey,
        thread: RequestKey,
        without: Option<DeviceId>,
    ) -> Vec<Subscription> {
        let Parts {
            store,
            presence,
            clock,
            ..
        } = &self.inner.parts;
        let found = store.subscriptions(workshop, thread, clock.now()).await;
        let mut found = found.unwrap_or_else(|error| {
            tracing::warn!(%error, "whom to notify cannot be read");
            Vec::new()
        });
        found.retain(|to| {
            Some(to.device) != without && !presence.has_open(workshop, thread, to.device)
        });
        found
    }

    async fn push(
        &self,
        to: &Subscription,
        payload: &PushPayload,
        thread: RequestKey,
        urgency: Urgency,
    ) {
        let push = Push {
            to: to.into(),
            payload: payload.encode(),
            // One of a kind: a later one replaces what the push service still holds (RFC 8030 §5.4).
            topic: BASE64.encode(thread.as_bytes()),
            urgency,
        };
        self.deliver(push, Some(!payload.clear)).await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let Parts {
            tracker, shutdown, ..
        } = &self.inner.parts;
        let shutdown = shutdown.clone();
        tracker.spawn(async move {
            // Pushes are best effort: a relay that stops waits for none.
            shutdown.run_until_cancelled_owned(task).await;
        });
    }

    fn telling(&self) -> MutexGuard<'_, HashMap<(WorkshopKey, RequestKey), Option<SealedEntry>>> {
        self.inner
            .telling
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn payload(thread: RequestKey, entry: &SealedEntry, to: &Subscription) -> PushPayload {
    let body = entry.body.as_ref().map(|body| BASE64.encode(body));
    PushPayload {
        seq: entry.seq.0,
        id: Some(entry.id.uuid()),
        kind: entry.kind.clone(),
        epoch: entry.epoch,
        body,
        ..PushPayload::new(thread, to.invite)
    }
}
