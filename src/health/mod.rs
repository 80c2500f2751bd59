//! How this box fares: gathers what the store, the link and the machine say, and has `domain::health`
//! judge it. The page, `/metrics` and the doctor ask here, so that all of them say the same.

mod rounds;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::{Clock, Quality};
use crate::discovery::{Announcement, Board, Standing};
use crate::domain::health::{Announced, Checkup, Figures, Found, TimeKnown, Writing, full_in_ms};
use crate::hub::LinkBoard;
use crate::machine::Machine;
use crate::store::health::{Noted, noted};
use crate::store::{Commits, Condition, Store, StoreError, inspect};
use crate::wire::rfc3339;

/// The first letters of RFC 3339: date, hours and minutes are enough for people.
const SHOWN_CHARS: usize = "2026-11-25T02:30".len();

/// Looks at the box whenever it is asked; clones look at the same.
#[derive(Clone)]
pub struct Watch {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    link: LinkBoard,
    board: Board,
    machine: Machine,
    /// Commits up to the beginning of the last whole hour, and up to its end.
    hours: Mutex<(Commits, Commits)>,
}

impl Watch {
    /// Watches this box.
    pub fn new(store: Store, link: LinkBoard, board: Board, machine: Machine) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                link,
                board,
                machine,
                hours: Mutex::default(),
            }),
        }
    }

    /// Looks at everything and says what to make of it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn checkup(&self) -> Result<Checkup, StoreError> {
        Ok(self.figures().await?.judged())
    }

    /// Looks at everything.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn figures(&self) -> Result<Figures, StoreError> {
        let inner = Arc::clone(&self.inner);
        let noted = inner.store.read(noted).await?;
        // Files of the kernel's, and of a disk that may be slow.
        let looked = tokio::task::spawn_blocking(move || {
            let store = &inner.store;
            Figures {
                writing: Some(inner.writing()),
                link: Some(inner.link.report()),
                found: Some(found(&inner.board.now())),
                ..figures(&inner.machine, store.dir().path(), store.clock(), noted)
            }
        });
        looked.await.map_err(|_| StoreError::Fault(None))
    }

    /// How long every commit since the start of this program took.
    pub fn commits(&self) -> Commits {
        self.inner.store.commits()
    }
}

impl Inner {
    fn writing(&self) -> Writing {
        let (earlier, _) = *self.hours.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = self.store.commits().since(&earlier);
        match self.store.condition() {
            Condition::Full => Writing::Full,
            Condition::Failing => Writing::Failing,
            Condition::Sound => Writing::Takes {
                commits: lately.count(),
                half_ms: lately.percentile_ms(50),
                most_ms: lately.percentile_ms(99),
                log_bytes: self.store.dir().log_bytes(),
            },
        }
    }
}

/// Where the box is found, as its health is judged by it.
fn found(standing: &Standing) -> Found {
    Found {
        url: standing.url(),
        plain: standing.plain_urls(),
        conflict: standing.conflict,
        announced: match standing.announcement {
            Announcement::Off => Announced::Off,
            Announcement::NoNetwork => Announced::NoNetwork,
            Announcement::Asking => Announced::Asking,
            Announcement::Announced => Announced::Yes,
            Announcement::Failed => Announced::Failed,
        },
    }
}

/// What can be known of a box without its server.
pub fn figures(machine: &Machine, data: &Path, clock: &Clock, noted: Noted) -> Figures {
    let now = clock.now();
    let mut shown = rfc3339(now).replace('T', " ");
    shown.truncate(SHOWN_CHARS);
    let room = machine.room(data).map(|mut room| {
        room.full_in_ms = full_in_ms(&noted.samples, room.free);
        room
    });
    Figures {
        now,
        shown,
        time: match clock.quality() {
            Quality::Sure => TimeKnown::Told,
            Quality::NotSure if machine.has_clock() => TimeKnown::OwnClock,
            Quality::NotSure => TimeKnown::NotTold,
            Quality::Floor => TimeKnown::Behind,
        },
        version: env!("CARGO_PKG_VERSION"),
        sqlite: inspect::sqlite_version(),
        room,
        wear: machine.wear(data),
        power: machine.power(),
        heat: machine.heat(),
        writing: None,
        backups: noted.backups,
        journal: noted.journal,
        words_kept: noted.words_kept,
        link: None,
        found: None,
    }
}
