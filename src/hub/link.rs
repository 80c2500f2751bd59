//! Where the link to the relay and everybody who looks at it meet: the link's driver writes how it
//! stands and who is at the relay; pages and `/metrics` read it, and say when settings changed.

use tokio::sync::{broadcast, watch};

use super::Hub;
use super::presence::StaffMoment;
use crate::domain::{LinkReport, LinkState, RequestId, Seq, Timestamp};
use crate::wire::server::LinkBody;

/// The link as everybody sees it; clones share it.
#[derive(Clone)]
pub struct LinkBoard {
    hub: Hub,
}

/// What the hub keeps for the board.
pub(super) struct Shared {
    report: watch::Sender<LinkReport>,
    settings: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            report: watch::Sender::new(LinkReport::unpaired(Timestamp(0))),
            settings: watch::Sender::new(0),
        }
    }
}

impl Hub {
    /// The link's board.
    pub fn link(&self) -> LinkBoard {
        LinkBoard { hub: self.clone() }
    }
}

impl LinkBoard {
    /// How the link stands.
    pub fn report(&self) -> LinkReport {
        self.shared().report.borrow().clone()
    }

    /// How the link stands, and whenever that changes.
    pub fn reports(&self) -> watch::Receiver<LinkReport> {
        self.shared().report.subscribe()
    }

    /// Says how the link stands. Staff's pages are told when what they show changed, each as fast as
    /// it takes it; call it as often as anything changes.
    ///
    /// A link that is not online forgets who is at the relay: say it again on every session.
    pub fn set(&self, mut report: LinkReport) {
        let (mut goes_offline, mut is_news) = (false, false);
        self.shared().report.send_modify(|before| {
            report.since = report.stands_since(before);
            goes_offline = before.is_online() && !report.is_online();
            is_news = LinkBody::from(&*before) != LinkBody::from(&report);
            *before = report;
        });
        if goes_offline {
            self.hub.remote_owners_gone();
        }
        if is_news {
            for socket in &self.hub.rooms().staff {
                if socket.is_told_of_link() {
                    socket.look_at_link();
                }
            }
        }
    }

    /// The relay has the journal up to here, durably, and so has this database noted: staff see their
    /// own messages as being there.
    pub fn delivered(&self, up_to: Seq) {
        let rooms = self.hub.rooms();
        for socket in rooms.chats.values().flatten() {
            if socket.is_told_of_link() {
                socket.delivered(up_to);
            }
        }
    }

    /// The first of an owner's devices opened the thread at the relay, or the last one left.
    pub fn remote_owner(&self, request: RequestId, name: &str, online: bool) {
        self.hub.remote_owner(request, name, online);
    }

    /// The owner who is at the relay types.
    pub fn remote_typing(&self, request: RequestId) {
        self.hub.remote_typing(request);
    }

    /// The round of settings that holds now. The driver notes it *before* it reads the settings and
    /// stamps its reports with it (`LinkReport::settings`), so that whoever changed them can tell
    /// the outcome from what was before.
    pub fn settings(&self) -> watch::Receiver<u64> {
        self.shared().settings.subscribe()
    }

    /// Settings were changed, and are on disk: the driver begins anew. Returns the new round.
    pub fn changed(&self) -> u64 {
        let mut round = 0;
        self.shared().settings.send_modify(|settings| {
            *settings += 1;
            round = *settings;
        });
        round
    }

    /// Waits until the driver made something of a round of settings: anything but a try under way.
    /// Cancel-safe. `None`: nobody drives the link, so nothing will come of it.
    pub async fn outcome(&self, round: u64) -> Option<LinkReport> {
        if self.shared().settings.receiver_count() == 0 {
            return None;
        }
        let mut reports = self.reports();
        let outcome = reports.wait_for(|report| {
            report.settings >= round && !matches!(report.state, LinkState::Connecting)
        });
        outcome.await.ok().map(|report| report.clone())
    }

    /// What staff do in rooms, from here on; lossy.
    pub fn staff_moments(&self) -> broadcast::Receiver<StaffMoment> {
        self.hub.inner.moments.subscribe()
    }

    /// The requests whose thread somebody of the staff has open: what a new session begins with.
    pub fn staffed(&self) -> Vec<RequestId> {
        self.hub.staffed()
    }

    fn shared(&self) -> &Shared {
        &self.hub.inner.link
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::SOCKETS_PER_PERSON_MAX;

    fn report(state: LinkState, settings: u64) -> LinkReport {
        LinkReport {
            state,
            settings,
            ..LinkReport::unpaired(Timestamp(7))
        }
    }

    #[tokio::test]
    async fn whoever_changed_the_settings_hears_the_outcome_of_just_that() {
        let board = Hub::new(SOCKETS_PER_PERSON_MAX).link();
        let driver = board.settings();
        board.set(report(LinkState::Online, 0));
        let round = board.changed();
        assert_eq!(*driver.borrow(), round);
        let asking = board.clone();
        let outcome = tokio::spawn(async move { asking.outcome(round).await });
        // What an earlier try comes to is not the answer, nor is a try under way.
        board.set(report(LinkState::Online, round - 1));
        tokio::task::yield_now().await;
        board.set(report(LinkState::Connecting, round));
        tokio::task::yield_now().await;
        assert!(!outcome.is_finished());
        board.set(report(LinkState::Unpaired, round));
        let outcome = outcome.await.expect("it does not panic");
        assert_eq!(outcome.map(|it| it.state), Some(LinkState::Unpaired));
    }

    #[tokio::test]
    async fn where_nobody_drives_the_link_nobody_waits() {
        let board = Hub::new(SOCKETS_PER_PERSON_MAX).link();
        assert_eq!(board.outcome(board.changed()).await, None);
    }
}
