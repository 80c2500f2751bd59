//! What a box on the line is told of its owners: which threads are open at the moment, and who types.
//!
//! A mark for each thread that changed, never a queue of what happened: however slowly a box reads, it
//! is told how things stand, and a line costs at most its workshop's threads.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use tokio::sync::Notify;

use super::{Presence, Workshop};
use crate::domain::{RequestKey, WorkshopKey};
use crate::wire::link::{Moment, MomentKind};

/// One box's line.
pub(super) struct Line {
    id: u64,
    /// Threads that may stand otherwise than the box was told.
    changed: BTreeSet<RequestKey>,
    /// Threads in which somebody types.
    typing: BTreeSet<RequestKey>,
    /// Threads that the box was told are open.
    told_open: HashSet<RequestKey>,
    wake: Arc<Notify>,
}

impl Line {
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            changed: BTreeSet::new(),
            typing: BTreeSet::new(),
            told_open: HashSet::new(),
            wake: Arc::new(Notify::new()),
        }
    }

    pub(super) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    pub(super) fn changed(&mut self, thread: RequestKey) {
        self.changed.insert(thread);
        self.wake.notify_one();
    }

    pub(super) fn typing(&mut self, thread: RequestKey) {
        self.typing.insert(thread);
        self.wake.notify_one();
    }

    /// A newer line takes its place.
    pub(super) fn replaced(&self) {
        self.wake.notify_one();
    }

    fn take(&mut self, is_open: impl Fn(RequestKey) -> bool) -> Option<Moment> {
        while let Some(thread) = self.changed.pop_first() {
            let (open, told) = (is_open(thread), self.told_open.contains(&thread));
            if open && !told {
                self.told_open.insert(thread);
                return Some(moment(thread, MomentKind::Online));
            }
            if told && !open {
                self.told_open.remove(&thread);
                return Some(moment(thread, MomentKind::Offline));
            }
        }
        let thread = self.typing.pop_first()?;
        Some(moment(thread, MomentKind::Typing))
    }
}

const fn moment(thread: RequestKey, what: MomentKind) -> Moment {
    Moment { thread, what }
}

/// A box on the line; dropping it says that it is gone.
pub struct LinkUp {
    presence: Presence,
    workshop: WorkshopKey,
    id: u64,
    wake: Arc<Notify>,
}

impl LinkUp {
    pub(super) const fn new(
        presence: Presence,
        workshop: WorkshopKey,
        id: u64,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            presence,
            workshop,
            id,
            wake,
        }
    }

    /// The next thing to tell the box; `None` once a newer line took this one's place. Cancel-safe:
    /// nothing is taken before it is returned.
    pub async fn moment(&self) -> Option<Moment> {
        loop {
            if let Some(moment) = self.take()? {
                return Some(moment);
            }
            self.wake.notified().await;
        }
    }

    fn take(&self) -> Option<Option<Moment>> {
        let mut state = self.presence.state();
        let Workshop { threads, lines, .. } = state.workshops.get_mut(&self.workshop)?;
        let line = lines.iter_mut().find(|line| line.id == self.id)?;
        Some(line.take(|thread| threads.contains_key(&thread)))
    }
}

impl Drop for LinkUp {
    fn drop(&mut self) {
        let now = self.presence.inner.clock.now();
        let mut state = self.presence.state();
        let Some(there) = state.workshops.get_mut(&self.workshop) else {
            return;
        };
        let Some(ours) = there.lines.iter().position(|line| line.id == self.id) else {
            // A newer line had taken its place.
            return;
        };
        there.lines.remove(ours);
        if there.lines.is_empty() {
            there.down_since = Some(now);
            there.staff.clear();
        }
    }
}
