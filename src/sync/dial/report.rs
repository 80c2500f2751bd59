//! How the link stands, kept up to date for everybody who shows it.

use tokio::time::{Duration, Instant};

use crate::domain::{LinkRefusal, LinkReport, LinkState, Timestamp};
use crate::hub::LinkBoard;
use crate::store::link::Settings;
use crate::store::{Store, StoreError, link};

/// Numbers that change with every message are looked up at most this often.
const NUMBERS_EVERY: Duration = Duration::from_millis(250);

/// Keeps the report.
pub(super) struct Reporter {
    store: Store,
    board: LinkBoard,
    report: LinkReport,
    numbers_at: Instant,
    stale: bool,
}

impl Reporter {
    pub(super) fn new(store: Store, board: LinkBoard) -> Self {
        let report = LinkReport::unpaired(store.clock().now());
        Self {
            store,
            board,
            report,
            numbers_at: Instant::now(),
            stale: false,
        }
    }

    /// A round of settings begins.
    pub(super) fn begin(&mut self, round: u64, settings: Option<&Settings>) {
        self.report.settings = round;
        self.report.url = settings.map(|settings| settings.url.clone());
        self.report.public_url = settings.and_then(|settings| settings.public_url.clone());
    }

    /// The link stands so from now on.
    pub(super) async fn stands(&mut self, state: LinkState) {
        // Tries that fail one after the other are one trouble, which began with the first.
        let goes_on = matches!(
            (self.report.state, state),
            (
                LinkState::Waiting { .. } | LinkState::Connecting,
                LinkState::Waiting { .. } | LinkState::Connecting
            )
        );
        if !goes_on {
            self.report.since = self.store.clock().now();
        }
        if let LinkState::Waiting { why, .. } = state {
            self.report.reconnects.add(why);
        }
        if matches!(state, LinkState::Online) {
            self.report.sessions += 1;
        }
        if matches!(state, LinkState::Stopped(LinkRefusal::Quarantined)) {
            self.report.quarantines += 1;
        }
        self.report.state = state;
        self.numbers().await;
    }

    /// Something was handed over that no owner wrote.
    pub(super) fn bad_post(&mut self) {
        self.report.bad_posts += 1;
    }

    /// The relay's address for owners became known.
    pub(super) fn public_url(&mut self, url: String) {
        self.report.public_url = Some(url);
    }

    /// Numbers may have changed.
    pub(super) const fn is_stale(&mut self) {
        self.stale = true;
    }

    /// Whether numbers are to be looked up again.
    pub(super) const fn is_behind(&self) -> bool {
        self.stale
    }

    /// When numbers may be looked up again.
    pub(super) const fn due(&self) -> Instant {
        self.numbers_at
    }

    /// Looks up what waits and what came of copies, and tells the board.
    pub(super) async fn numbers(&mut self) {
        self.numbers_at = Instant::now() + NUMBERS_EVERY;
        self.stale = false;
        let looked = self
            .store
            .read(|view| -> Result<_, StoreError> {
                Ok((
                    link::waiting(view)?,
                    link::merges(view)?,
                    link::delivered_up_to(view)?,
                ))
            })
            .await;
        match looked {
            Ok((waiting, merges, delivered)) => {
                self.report.waiting_entries = waiting.entries;
                self.report.waiting_messages = waiting.messages;
                self.report.oldest_waiting = waiting.oldest;
                self.report.delivered_up_to = delivered;
                self.report.forks = u64::try_from(merges.len()).unwrap_or(u64::MAX);
                let recovered: i64 = merges.iter().map(|merge| merge.entries).sum();
                self.report.recovered = recovered.unsigned_abs();
                if let Some(newest) = merges.first() {
                    self.report.merged_at = Some(newest.at);
                    self.report.flagged = newest.flagged.clone();
                }
            }
            Err(error) => tracing::warn!(%error, "how the link stands could not be read"),
        }
        self.board.set(self.report.clone());
    }

    /// In so long it is tried again.
    pub(super) fn retry_at(&self, after: Duration) -> Timestamp {
        let ms = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        self.store.clock().now().plus_ms(ms)
    }
}
