//! Who is there at the moment: owners' sockets by thread, and which workshops' boxes are on the line.
//! In memory, synchronous, never stored.
//!
//! `edge` gives every owner's socket its place, `watch` tells what the store says is new, `edge::link`
//! brings boxes. Nothing here waits: a socket is told that there is something to look at and reads the
//! store itself, so nobody's slowness costs memory (invariant 7).

mod link;
mod seat;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::domain::{DeviceId, EventId, InviteId, RequestKey, Timestamp, WorkshopKey};
use crate::wire::link::{Moment, MomentKind};
use link::Line;
pub use link::LinkUp;
pub use seat::{Cut, Look, Note, Seat, Todo};

/// Sockets that one link may have open: more devices and tabs than anybody has.
pub const SOCKETS_PER_INVITE_MAX: usize = 16;
/// Threads that a workshop's staff may have open at once, as far as anybody is told.
const STAFF_THREADS_MAX: usize = 4_096;
/// A box that comes back within this time was never away, as far as owners are told; in milliseconds.
const OFFLINE_GRACE_MS: i64 = 4_000;

/// Who is there; clones share it.
#[derive(Clone)]
pub struct Presence {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    workshops: HashMap<WorkshopKey, Workshop>,
    sockets: usize,
    next_id: u64,
}

#[derive(Default)]
struct Workshop {
    threads: HashMap<RequestKey, Thread>,
    lines: Vec<Line>,
    /// Threads that somebody of the staff has open.
    staff: HashSet<RequestKey>,
    /// What owners were told: with a short grace, so that a line that blinks is no news.
    told_online: bool,
    /// Since when no box was on the line; none before the first.
    down_since: Option<Timestamp>,
}

#[derive(Default)]
struct Thread {
    seats: Vec<Arc<Seat>>,
}

/// Where an owner's socket belongs.
#[derive(Clone, Copy, Debug)]
pub struct Belongs {
    /// The workshop.
    pub workshop: WorkshopKey,
    /// The thread.
    pub thread: RequestKey,
    /// The link that opened it.
    pub invite: InviteId,
    /// The device.
    pub device: DeviceId,
    /// When the link ends.
    pub expires: Timestamp,
}

/// Whether a workshop is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Online {
    /// Its box is on the line.
    pub online: bool,
    /// Since when it is not; none while it is, and when that is not known here.
    pub since: Option<Timestamp>,
}

/// A socket's place; dropping it leaves.
pub struct Place {
    presence: Presence,
    belongs: Belongs,
    seat: Arc<Seat>,
}

impl Presence {
    /// Nobody is there yet.
    pub fn new(clock: Clock) -> Self {
        Self {
            inner: Arc::new(Inner {
                clock,
                state: Mutex::default(),
            }),
        }
    }

    /// Gives a socket its place. From here on it is told when there is something to look at; read
    /// what came before afterwards. `None` when its link has too many sockets.
    pub fn enter(&self, belongs: Belongs) -> Option<Place> {
        let mut state = self.state();
        let id = state.new_id();
        let workshop = state.workshops.entry(belongs.workshop).or_default();
        let thread = workshop.threads.entry(belongs.thread).or_default();
        let theirs = thread
            .seats
            .iter()
            .filter(|seat| seat.invite == belongs.invite);
        if theirs.count() >= SOCKETS_PER_INVITE_MAX {
            return None;
        }
        let seat = Arc::new(Seat::new(id, &belongs));
        thread.seats.push(Arc::clone(&seat));
        let is_first = thread.seats.len() == 1;
        if workshop.staff.contains(&belongs.thread) {
            seat.note(Note::Moment(MomentKind::Online));
        }
        if is_first {
            workshop.tell_boxes(|line| line.changed(belongs.thread));
        }
        state.sockets += 1;
        drop(state);
        Some(Place {
            presence: self.clone(),
            belongs,
            seat,
        })
    }

    /// Whether a device has a thread open.
    pub fn has_open(&self, workshop: WorkshopKey, thread: RequestKey, device: DeviceId) -> bool {
        self.with_thread(workshop, thread, |thread| {
            thread.seats.iter().any(|seat| seat.device == device)
        })
        .unwrap_or(false)
    }

    /// Whether a workshop is there, as far as owners are told.
    pub fn online(&self, workshop: WorkshopKey) -> Online {
        self.state()
            .workshops
            .get(&workshop)
            .map_or(Online::UNKNOWN, Workshop::online)
    }

    /// A workshop's box is on the line, until what this gives is dropped.
    pub fn link_up(&self, workshop: WorkshopKey) -> LinkUp {
        let mut state = self.state();
        let id = state.new_id();
        let there = state.workshops.entry(workshop).or_default();
        let mut line = Line::new(id);
        for thread in there.threads.keys() {
            line.changed(*thread);
        }
        let wake = line.wake();
        // The newer session fences older ones: a line that is dead without knowing it must not keep a
        // workshop online, nor its socket.
        there.lines.drain(..).for_each(|older| older.replaced());
        there.lines.push(line);
        there.down_since = None;
        if !there.told_online {
            there.told_online = true;
            there.tell_all(|seat| seat.presence_changed());
        }
        drop(state);
        LinkUp::new(self.clone(), workshop, id, wake)
    }

    /// Something of the moment that a box said of a thread.
    pub fn from_box(&self, workshop: WorkshopKey, moment: &Moment) {
        let mut state = self.state();
        let there = state.workshops.entry(workshop).or_default();
        match moment.what {
            MomentKind::Online if there.staff.len() < STAFF_THREADS_MAX => {
                there.staff.insert(moment.thread);
            }
            MomentKind::Offline => {
                there.staff.remove(&moment.thread);
            }
            MomentKind::Online | MomentKind::Typing => {}
        }
        if let Some(thread) = there.threads.get(&moment.thread) {
            for seat in &thread.seats {
                seat.note(Note::Moment(moment.what));
            }
        }
    }

    /// A thread has something new.
    pub fn thread_changed(&self, workshop: WorkshopKey, thread: RequestKey) {
        self.with_thread(workshop, thread, |thread| {
            for seat in &thread.seats {
                seat.look(Look::New);
            }
        });
    }

    /// Every thread of a workshop may have something new.
    pub fn workshop_changed(&self, workshop: WorkshopKey) {
        if let Some(there) = self.state().workshops.get(&workshop) {
            there.tell_all(|seat| seat.look(Look::All));
        }
    }

    /// Hints were lost: anything may be new anywhere.
    pub fn anything_changed(&self) {
        for there in self.state().workshops.values() {
            there.tell_all(|seat| seat.look(Look::All));
        }
    }

    /// A link was taken back: its sockets close.
    pub fn revoked(&self, invite: InviteId) {
        for there in self.state().workshops.values() {
            there.tell_all(|seat| {
                if seat.invite == invite {
                    seat.cut(Cut::Revoked);
                }
            });
        }
    }

    /// The box will not take a post of a thread; whoever sent it is told.
    pub fn refused(&self, post: EventId, thread: RequestKey) {
        for there in self.state().workshops.values() {
            for seat in there
                .threads
                .get(&thread)
                .into_iter()
                .flat_map(|it| &it.seats)
            {
                seat.note(Note::Refused(post));
            }
        }
    }

    /// Closes the sockets of links whose time is up, and tells owners of boxes that are away.
    pub fn tick(&self) {
        let now = self.inner.clock.now();
        for there in self.state().workshops.values_mut() {
            there.tell_all(|seat| {
                if seat.expires <= now {
                    seat.cut(Cut::Expired);
                }
            });
            // A clock that went back says nothing about how long ago it was.
            let away = there.down_since.is_some_and(|since| {
                !(0..OFFLINE_GRACE_MS).contains(&now.0.saturating_sub(since.0))
            });
            if there.told_online && away {
                there.told_online = false;
                there.tell_all(|seat| seat.presence_changed());
            }
        }
    }

    /// Workshops of which somebody has a thread open.
    pub fn watched(&self) -> Vec<WorkshopKey> {
        let state = self.state();
        let watched = state
            .workshops
            .iter()
            .filter(|(_, there)| !there.threads.is_empty());
        watched.map(|(workshop, _)| *workshop).collect()
    }

    /// Open owners' sockets, and boxes on the line.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.state();
        let boxes = state
            .workshops
            .values()
            .filter(|there| !there.lines.is_empty());
        (state.sockets, boxes.count())
    }

    fn with_thread<T>(
        &self,
        workshop: WorkshopKey,
        thread: RequestKey,
        what: impl FnOnce(&mut Thread) -> T,
    ) -> Option<T> {
        let mut state = self.state();
        let there = state.workshops.get_mut(&workshop)?;
        there.threads.get_mut(&thread).map(what)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Online {
    const UNKNOWN: Self = Self {
        online: false,
        since: None,
    };
}

impl State {
    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

impl Workshop {
    const fn online(&self) -> Online {
        Online {
            online: self.told_online,
            since: if self.told_online {
                None
            } else {
                self.down_since
            },
        }
    }

    fn tell_all(&self, what: impl Fn(&Seat)) {
        for seat in self.threads.values().flat_map(|thread| &thread.seats) {
            what(seat);
        }
    }

    fn tell_boxes(&mut self, what: impl Fn(&mut Line)) {
        for line in &mut self.lines {
            what(line);
        }
    }
}

impl Place {
    /// Where it belongs.
    pub const fn belongs(&self) -> &Belongs {
        &self.belongs
    }

    /// The owner types here.
    pub fn typing(&self) {
        let mut state = self.presence.state();
        if let Some(there) = state.workshops.get_mut(&self.belongs.workshop) {
            there.tell_boxes(|line| line.typing(self.belongs.thread));
        }
    }

    /// The owner has read up to here, on this device: the others may put their notifications away.
    pub fn seen(&self, up_to: i64) {
        let Belongs {
            workshop, thread, ..
        } = self.belongs;
        self.presence.with_thread(workshop, thread, |thread| {
            for other in thread.seats.iter().filter(|other| other.id != self.seat.id) {
                other.note(Note::Seen(up_to));
            }
        });
    }
}

impl Deref for Place {
    type Target = Seat;

    fn deref(&self) -> &Seat {
        &self.seat
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.presence.state();
        state.sockets -= 1;
        let thread = self.belongs.thread;
        let Some(there) = state.workshops.get_mut(&self.belongs.workshop) else {
            return;
        };
        let Some(left) = there.threads.get_mut(&thread) else {
            return;
        };
        left.seats.retain(|seat| seat.id != self.seat.id);
        if left.seats.is_empty() {
            there.threads.remove(&thread);
            there.tell_boxes(|line| line.changed(thread));
        }
    }
}
