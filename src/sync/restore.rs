//! Bringing a workshop back from its relay: the box's end of the link at work on an empty box, until the
//! journal was adopted and both ends agree (`sync.md` §4, "a dead box").
//!
//! `ops::restore` and `appliance` call it with the box that `store::restore` keeps for it. There is no
//! other protocol for it: an empty box is a box that lost everything.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::{LinkReport, LinkState, LinkTrouble, RestoreFault, Restored};
use crate::hub::{Hub, LinkBoard};
use crate::net::Dialer;
use crate::store::backup::BringBackError;
use crate::store::link::{adopt, facts};
use crate::store::{
    CommandError, DataDir, Need, OpenError, Publish, Store, StoreError, inspect, link, local,
};
use crate::sync::dial::{self, LinkParts};

/// Tries in a row that bring nothing, before a restore is given up.
const TRIES_MAX: u64 = 4;
/// How often it is looked how much has come.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Where from, and where to.
pub struct Asked {
    /// The box that everything is gathered in; it holds the root secret and nobody has it open.
    pub gathering: DataDir,
    /// The relay's address.
    pub url: String,
    /// Whether a person said: the old box is gone, this is the real one.
    pub claim: bool,
    /// Makes connections.
    pub dialer: Dialer,
    /// Ends it.
    pub shutdown: CancellationToken,
}

/// Nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// In words for people.
    #[error(transparent)]
    Fault(#[from] RestoreFault),
    /// The box that everything is gathered in cannot be opened.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// Its disk says no.
    #[error("What came back could not be kept: {0}")]
    Store(#[from] StoreError),
    /// It was told to stop.
    #[error("The restore was stopped. What has come so far is kept for the next try.")]
    Stopped,
}

impl RestoreError {
    /// What people are told; none when it was told to stop.
    pub const fn fault(&self) -> Option<RestoreFault> {
        match self {
            Self::Fault(fault) => Some(*fault),
            Self::Data(_) | Self::Store(_) => Some(RestoreFault::Storage),
            Self::Stopped => None,
        }
    }

    /// Whether what was gathered is of no use to another try. Once the relay let this box in, it must
    /// come back as the same one, or it would be taken for one more copy.
    pub const fn spoils(&self) -> bool {
        match self {
            Self::Fault(fault) => matches!(
                fault,
                RestoreFault::Unknown | RestoreFault::OtherRelay | RestoreFault::Empty
            ),
            Self::Data(_) | Self::Store(_) | Self::Stopped => false,
        }
    }
}

impl From<BringBackError> for RestoreError {
    fn from(error: BringBackError) -> Self {
        match error {
            BringBackError::Fault(fault) => Self::Fault(fault),
            BringBackError::Data(error) => Self::Data(error),
            BringBackError::Store(error) => Self::Store(error),
            BringBackError::Stopped => Self::Stopped,
        }
    }
}

impl From<CommandError> for RestoreError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Store(error) => Self::Store(error),
            CommandError::Rejected(_) => Self::Store(StoreError::Fault(None)),
        }
    }
}

/// Gathers the whole workshop; `progress` is told how many entries have come. Afterwards the box is
/// closed, and belongs to the relay that it came from.
///
/// # Errors
/// Nothing was restored; another try goes on where this one was, or begins anew.
pub async fn restore(
    asked: Asked,
    progress: impl FnMut(i64) + Send,
) -> Result<Restored, RestoreError> {
    let gathering = asked.gathering.clone();
    let grown = watch::Sender::new(0_u64);
    let store = {
        let (dir, grown) = (gathering.clone(), grown.clone());
        let publish: Publish = Box::new(move |_| grown.send_modify(|commits| *commits += 1));
        // Opening may wait for the disk.
        let clock = Clock::kept(&dir.clock_floor());
        tokio::task::spawn_blocking(move || Store::open(dir, clock, publish))
            .await
            .map_err(|_| StoreError::Fault(None))??
    };
    let gathered = gather(&store, asked, &grown, progress).await;
    store.close().await;
    drop(store);
    gathered?;
    let facts = tokio::task::spawn_blocking(move || inspect::facts(&gathering))
        .await
        .map_err(|_| StoreError::Fault(None))??;
    Ok(Restored {
        workshop: facts.workshop.ok_or(RestoreFault::Empty)?,
        messages: facts.messages,
        requests: facts.requests,
        people: facts.staff,
        as_of: None,
    })
}

async fn gather(
    store: &Store,
    asked: Asked,
    grown: &watch::Sender<u64>,
    progress: impl FnMut(i64) + Send,
) -> Result<(), RestoreError> {
    let Asked {
        url,
        claim,
        dialer,
        shutdown,
        ..
    } = asked;
    let connected = store.write_needed(Need::Essential, move |tx| {
        link::connect(tx, &url, "")?;
        if claim {
            link::claim(tx)?;
        }
        // Whoever restores has the words.
        Ok(local::keep_words(tx)?)
    });
    connected.await?;
    // Nobody listens to this one: it is where the link's driver says how it stands.
    let board = Hub::new(0).link();
    let enough = shutdown.child_token();
    let mut driver = JoinSet::new();
    driver.spawn(dial::run(LinkParts {
        store: store.clone(),
        board: board.clone(),
        dialer,
        grown: grown.subscribe(),
        addresses: Vec::new(),
        shutdown: enough.clone(),
    }));
    let watched = tokio::select! {
        // Nothing of it is lost half-way: it only looks.
        watched = watch(store, &board, progress) => watched,
        () = shutdown.cancelled() => Err(RestoreError::Stopped),
    };
    enough.cancel();
    while driver.join_next().await.is_some() {}
    watched
}

/// Waits until both ends agree, or until it is clear that they will not.
async fn watch(
    store: &Store,
    board: &LinkBoard,
    mut progress: impl FnMut(i64) + Send,
) -> Result<(), RestoreError> {
    let mut reports = board.reports();
    let mut tries = Tries::default();
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let report = reports.borrow_and_update().clone();
        let came = came(store).await?;
        progress(came);
        match report.state {
            LinkState::Online if report.waiting_entries == 0 => {
                return if came == 0 {
                    Err(RestoreFault::Empty.into())
                } else {
                    Ok(())
                };
            }
            LinkState::Stopped(why) => return Err(RestoreFault::of_refusal(why).into()),
            LinkState::Unpaired | LinkState::Connecting | LinkState::Online => {}
            LinkState::Waiting { why, .. } => {
                if tries.is_hopeless(&report, why, came) {
                    return Err(RestoreFault::NotReached(why).into());
                }
            }
        }
        // Cancel-safe: both only wait.
        tokio::select! {
            changed = reports.changed() => changed.map_err(|_| StoreError::Stopped)?,
            _ = look.tick() => {}
        }
    }
}

/// Entries that have come so far, whether they are in the journal yet or not.
async fn came(store: &Store) -> Result<i64, StoreError> {
    store
        .read(|view| Ok(facts(view)?.head.seq.0 + adopt::staged(view)?))
        .await
}

/// Tries that brought nothing new.
#[derive(Default)]
struct Tries {
    came: i64,
    before: u64,
}

impl Tries {
    fn is_hopeless(&mut self, report: &LinkReport, why: LinkTrouble, came: i64) -> bool {
        let failed: u64 = LinkTrouble::ALL
            .iter()
            .map(|trouble| report.reconnects.of(*trouble))
            .sum();
        if came > self.came {
            self.came = came;
            self.before = failed;
        }
        // What is no relay by the first answer will not be one by the fourth.
        let is_another_thing = matches!(why, LinkTrouble::NotARelay | LinkTrouble::Tls);
        (is_another_thing && self.came == 0) || failed >= self.before + TRIES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn failed(times: u64, why: LinkTrouble) -> LinkReport {
        let mut report = LinkReport::unpaired(Timestamp(0));
        for _ in 0..times {
            report.reconnects.add(why);
        }
        report
    }

    #[test]
    fn a_line_that_brings_something_is_tried_again() {
        let mut tries = Tries::default();
        let why = LinkTrouble::Silent;
        assert!(!tries.is_hopeless(&failed(1, why), why, 0));
        assert!(!tries.is_hopeless(&failed(3, why), why, 64));
        assert!(!tries.is_hopeless(&failed(6, why), why, 64));
        assert!(tries.is_hopeless(&failed(7, why), why, 64));
        // Less than before is nothing new: each session begins to gather anew.
        let mut tries = Tries::default();
        assert!(!tries.is_hopeless(&failed(1, why), why, 64));
        assert!(tries.is_hopeless(&failed(5, why), why, 32));
    }

    #[test]
    fn what_is_no_relay_is_told_at_once_and_forgiven_later() {
        let why = LinkTrouble::NotARelay;
        assert!(Tries::default().is_hopeless(&failed(1, why), why, 0));
        assert!(!Tries::default().is_hopeless(&failed(1, why), why, 9));
    }
}
