//! One owner's socket as the rest of the relay sees it: a few marks of what there is to look at. It
//! holds no frames; what is new is read from the store when the socket takes it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::Belongs;
use crate::domain::{DeviceId, EventId, InviteId, Timestamp};
use crate::http::pump;
use crate::http::upgrade::CloseReason;
use crate::wire::link::MomentKind;

/// Things of the moment that wait for a reader; what comes beyond is lost, as it may be.
const NOTES_MAX: usize = 32;
/// A frame is taken within this time, whatever the line; then the reader is cut and resumes.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);

/// One socket's marks.
#[derive(Debug)]
pub struct Seat {
    pub(super) id: u64,
    pub(super) invite: InviteId,
    pub(super) device: DeviceId,
    pub(super) expires: Timestamp,
    todo: Mutex<Todo>,
    wake: Notify,
}

/// How much there is to look at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Look {
    /// New entries.
    New,
    /// Whatever could have changed, the link itself too.
    All,
}

/// Why a socket is to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// Its link was taken back.
    Revoked,
    /// Its link's time is up.
    Expired,
}

/// Something small that is passed on as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// Of the staff.
    Moment(MomentKind),
    /// Read up to here on another device.
    Seen(i64),
    /// The box will not take this post.
    Refused(EventId),
}

/// What a socket has to do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Todo {
    /// Close.
    pub cut: Option<Cut>,
    /// Say whether the workshop is there.
    pub presence: bool,
    /// Read the store.
    pub look: Option<Look>,
    /// Pass on.
    pub notes: VecDeque<Note>,
}

impl Seat {
    pub(super) fn new(id: u64, belongs: &Belongs) -> Self {
        Self {
            id,
            invite: belongs.invite,
            device: belongs.device,
            expires: belongs.expires,
            todo: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// There is something to read.
    pub fn look(&self, how: Look) {
        let mut todo = self.todo();
        todo.look = todo.look.max(Some(how));
        drop(todo);
        self.wake.notify_one();
    }

    pub(super) fn presence_changed(&self) {
        self.todo().presence = true;
        self.wake.notify_one();
    }

    pub(super) fn note(&self, note: Note) {
        let mut todo = self.todo();
        if todo.notes.len() < NOTES_MAX {
            todo.notes.push_back(note);
        }
        drop(todo);
        self.wake.notify_one();
    }

    pub(super) fn cut(&self, why: Cut) {
        self.todo().cut.get_or_insert(why);
        self.wake.notify_one();
    }

    /// Waits for something to do and takes all of it. Cancel-safe: nothing is taken before it is
    /// returned.
    pub async fn next(&self) -> Todo {
        loop {
            {
                let mut todo = self.todo();
                if *todo != Todo::default() {
                    let cut = todo.cut;
                    let taken = std::mem::take(&mut *todo);
                    // Once cut, always cut.
                    todo.cut = cut;
                    return taken;
                }
            }
            self.wake.notified().await;
        }
    }

    async fn cut_off(&self) {
        while self.todo().cut.is_none() {
            self.wake.notified().await;
        }
    }

    fn todo(&self) -> MutexGuard<'_, Todo> {
        self.todo.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl pump::Seat for super::Place {
    async fn until_cut(&self) -> CloseReason {
        match tokio::time::timeout(TAKEN_WITHIN, self.cut_off()).await {
            Ok(()) => CloseReason::SIGN_IN_AGAIN,
            Err(_) => CloseReason::TOO_SLOW,
        }
    }
}
