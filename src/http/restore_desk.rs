//! Where the first-run page's wish to restore and what carries it out meet: `http::restore` hands an
//! order in, `appliance` takes it and says how it stands. One restore at a time.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc, watch};

use crate::domain::{RestoreFault, RestoreState, RestoreStep, Restored};
use crate::seal::RootSecret;

/// A restore that somebody asked for.
pub struct RestoreOrder {
    /// Where everything is to come from.
    pub from: RestoreSource,
    /// What the recovery words write down.
    pub root: RootSecret,
}

/// Where a workshop is to come back from.
pub enum RestoreSource {
    /// Its relay.
    Relay {
        /// The relay's address.
        url: String,
        /// Whether the old box is gone for good.
        claim: bool,
    },
    /// A backup that this box can read.
    File(PathBuf),
}

/// The page's side.
#[derive(Clone)]
pub struct RestoreDesk {
    orders: mpsc::Sender<RestoreOrder>,
    shared: Arc<Shared>,
}

/// The side of what carries it out.
pub struct RestoreOrders {
    orders: mpsc::Receiver<RestoreOrder>,
    shared: Arc<Shared>,
}

struct Shared {
    state: watch::Sender<RestoreState>,
    /// Somebody was told that it is done.
    told: Notify,
}

/// Both sides of a new desk.
pub fn desk() -> (RestoreDesk, RestoreOrders) {
    // There is never more than one under way.
    let (sender, orders) = mpsc::channel(1);
    let shared = Arc::new(Shared {
        state: watch::Sender::new(RestoreState::Idle),
        told: Notify::new(),
    });
    let desk = RestoreDesk {
        orders: sender,
        shared: Arc::clone(&shared),
    };
    (desk, RestoreOrders { orders, shared })
}

impl RestoreDesk {
    /// Hands an order in; false when one is under way or done.
    #[must_use]
    pub fn order(&self, order: RestoreOrder) -> bool {
        let mine = self.shared.state.send_if_modified(|state| {
            let free = !is_busy(state);
            if free {
                *state = order.begins();
            }
            free
        });
        if mine && self.orders.try_send(order).is_err() {
            // The box stops.
            self.shared.state.send_replace(RestoreState::Idle);
            return false;
        }
        mine
    }

    /// Whether a restore is under way or done: nothing else may make a workshop of this box.
    pub fn is_busy(&self) -> bool {
        is_busy(&self.shared.state.borrow())
    }

    /// How it stands, for whoever asked.
    pub fn tell(&self) -> RestoreState {
        let state = self.shared.state.borrow().clone();
        if matches!(state, RestoreState::Done(_)) {
            self.shared.told.notify_one();
        }
        state
    }
}

impl RestoreOrders {
    /// The next order; none when nobody can hand one in any more. Cancel-safe.
    pub async fn next(&mut self) -> Option<RestoreOrder> {
        self.orders.recv().await
    }

    /// So much has come.
    pub fn came(&self, step: RestoreStep, done: u64, of: u64) {
        self.shared
            .state
            .send_replace(RestoreState::Running { step, done, of });
    }

    /// Says how it stands from elsewhere.
    pub fn teller(&self) -> impl Fn(RestoreStep, u64, u64) + Send + use<> {
        let shared = Arc::clone(&self.shared);
        move |step, done, of| {
            let state = RestoreState::Running { step, done, of };
            shared.state.send_replace(state);
        }
    }

    /// Nothing was restored; another try may be made.
    pub fn failed(&self, fault: RestoreFault) {
        self.shared.state.send_replace(RestoreState::Failed(fault));
    }

    /// Everything is back.
    pub fn done(&self, restored: Restored) {
        self.shared.state.send_replace(RestoreState::Done(restored));
    }

    /// Waits until somebody was told that it is done. Cancel-safe.
    pub async fn told(&self) {
        self.shared.told.notified().await;
    }
}

impl RestoreOrder {
    const fn begins(&self) -> RestoreState {
        let step = match self.from {
            RestoreSource::Relay { .. } => RestoreStep::Gathering,
            RestoreSource::File(_) => RestoreStep::Unpacking,
        };
        RestoreState::Running {
            step,
            done: 0,
            of: 0,
        }
    }
}

const fn is_busy(state: &RestoreState) -> bool {
    match state {
        RestoreState::Idle | RestoreState::Failed(_) => false,
        RestoreState::Running { .. } | RestoreState::Done(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> RestoreOrder {
        RestoreOrder {
            from: RestoreSource::Relay {
                url: "https://relay.example".to_owned(),
                claim: false,
            },
            root: RootSecret::from_bytes([7; 32]),
        }
    }

    #[tokio::test]
    async fn there_is_one_restore_at_a_time() {
        let (desk, mut orders) = desk();
        assert!(desk.order(order()) && !desk.order(order()));
        assert!(orders.next().await.is_some());
        orders.came(RestoreStep::Gathering, 3, 0);
        let running = RestoreState::Running {
            step: RestoreStep::Gathering,
            done: 3,
            of: 0,
        };
        assert_eq!(desk.tell(), running);
        orders.failed(RestoreFault::Empty);
        assert!(!desk.is_busy() && desk.order(order()));
        let restored = Restored {
            workshop: "Nair Motors".to_owned(),
            messages: 1,
            requests: 1,
            people: 1,
            as_of: None,
        };
        orders.done(restored.clone());
        assert!(!desk.order(order()));
        assert_eq!(desk.tell(), RestoreState::Done(restored));
        orders.told().await;
    }

    #[test]
    fn a_box_that_stops_takes_none() {
        let (desk, orders) = desk();
        drop(orders);
        assert!(!desk.order(order()) && !desk.is_busy());
    }
}
