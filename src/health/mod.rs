//! How this box fares: gathers what the store, the link and the machine say, and has `domain::health`
//! judge it. The page, `/metrics` and, through the operator's socket, the doctor ask here.

use std::sync::Arc;

use crate::clock::{Clock, Quality};
use crate::domain::health::{self, Checkup, Finding, TimeKnown, Writing};
use crate::hub::LinkBoard;
use crate::machine::Machine;
use crate::store::{Condition, Store, StoreError, inspect, local};
use crate::wire::rfc3339;

/// Looks at the box whenever it is asked; clones look at the same.
#[derive(Clone)]
pub struct Watch {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    link: LinkBoard,
    machine: Machine,
}

impl Watch {
    /// Watches this box.
    pub fn new(store: Store, link: LinkBoard, machine: Machine) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                link,
                machine,
            }),
        }
    }

    /// Looks at everything.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn checkup(&self) -> Result<Checkup, StoreError> {
        let inner = Arc::clone(&self.inner);
        let words_kept = inner.store.read(local::words_kept).await?;
        let looked = tokio::task::spawn_blocking(move || inner.look(words_kept));
        looked.await.map_err(|_| StoreError::Fault(None))
    }
}

impl Inner {
    fn look(&self, words_kept: bool) -> Checkup {
        let now = self.store.clock().now();
        let mut findings = of_machine(&self.machine, self.store.dir().path());
        findings.extend([
            health::writing(self.writing()),
            health::recovery_words(words_kept),
            health::relay(&self.link.report(), now),
            of_clock(self.store.clock()),
            health::program(env!("CARGO_PKG_VERSION"), inspect::sqlite_version()),
        ]);
        Checkup::new(now, findings)
    }

    fn writing(&self) -> Writing {
        match self.store.condition() {
            Condition::Full => Writing::Full,
            Condition::Failing => Writing::Failing,
            Condition::Sound => Writing::Takes {
                commits: 0,
                half_ms: 0,
                most_ms: 0,
                log_bytes: self.store.dir().log_bytes(),
            },
        }
    }
}

/// What the machine says, of what it tells at all.
pub(crate) fn of_machine(machine: &Machine, data: &std::path::Path) -> Vec<Finding> {
    [
        machine.room(data).map(health::room),
        machine.wear(data).as_ref().map(health::wear),
        machine.power().map(health::power),
        machine.heat().map(health::heat),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What time it is, and how sure that is.
pub(crate) fn of_clock(clock: &Clock) -> Finding {
    let known = match clock.quality() {
        Quality::Sure => TimeKnown::Told,
        Quality::NotSure => TimeKnown::NotTold,
        Quality::Floor => TimeKnown::Behind,
    };
    health::clock(known, &rfc3339(clock.now())[..16].replace('T', " "))
}
