//! How often who may do what at the relay. Every number with its reason; all of it in memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::pace::Pace;
use crate::clock::stopwatch;
use crate::domain::{InviteId, WorkshopKey};
use crate::http::throttle::{Throttle, network};

/// Wrong links shown by one address, in a window. A link holds 256 bits: this spares the disk. There is
/// no limit for one link: its id is no secret, and whoever knew it could keep its owner out.
const WRONG_LINKS_PER_ADDRESS_MAX: usize = 60;
/// Wrong pairing codes from one address, in a window: a code holds 50 bits and lives an hour.
const WRONG_CODES_PER_ADDRESS_MAX: usize = 20;
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Links of boxes begun by one address: a workshop's line that flaps once a second stays in.
const HELLOS_AT_ONCE: u32 = 120;
const HELLO_EVERY: Duration = Duration::from_secs(1);
/// What one link's holder may write at once, and one every so often from then on.
const POSTS_AT_ONCE: u32 = 60;
const POST_EVERY: Duration = Duration::from_millis(500);
/// What one link's holder may write in a day.
const POSTS_A_DAY: u32 = 2_000;
const POST_OF_THE_DAY_EVERY: Duration = Duration::from_secs(24 * 3_600 / 2_000);
/// Changes to subscriptions, and test notifications, by one link's holder, or about one alarm.
const PUSH_ASKED_AT_ONCE: u32 = 20;
const PUSH_ASKED_EVERY: Duration = Duration::from_secs(10);
/// Owners' sockets of one address: a whole town may come through one of a mobile carrier's.
const SOCKETS_PER_ADDRESS_MAX: usize = 1_024;

/// The network that counts for an address. This machine itself does not: it may carry a test, or a
/// proxy that does not say for whom it speaks, and then one stranger would close the door for all.
fn counted(from: IpAddr) -> Option<IpAddr> {
    let network = network(from);
    (!network.is_loopback()).then_some(network)
}

/// Every limit of the relay's edge.
#[derive(Debug)]
pub struct Rates {
    wrong_links: Throttle<IpAddr>,
    wrong_codes: Throttle<IpAddr>,
    hellos: Pace<IpAddr>,
    posts: Pace<InviteId>,
    posts_of_the_day: Pace<InviteId>,
    push_asked: Pace<InviteId>,
    alarm_asked: Pace<WorkshopKey>,
    sockets: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            wrong_links: Throttle::new(WRONG_LINKS_PER_ADDRESS_MAX, WINDOW),
            wrong_codes: Throttle::new(WRONG_CODES_PER_ADDRESS_MAX, WINDOW),
            hellos: Pace::new(HELLOS_AT_ONCE, HELLO_EVERY),
            posts: Pace::new(POSTS_AT_ONCE, POST_EVERY),
            posts_of_the_day: Pace::new(POSTS_A_DAY, POST_OF_THE_DAY_EVERY),
            push_asked: Pace::new(PUSH_ASKED_AT_ONCE, PUSH_ASKED_EVERY),
            alarm_asked: Pace::new(PUSH_ASKED_AT_ONCE, PUSH_ASKED_EVERY),
            sockets: Arc::default(),
        }
    }
}

impl Rates {
    /// Whether an address may show a link's secret.
    ///
    /// # Errors
    /// Too many were wrong: how long to wait.
    pub fn may_show(&self, from: IpAddr) -> Result<(), Duration> {
        counted(from).map_or(Ok(()), |from| self.wrong_links.allows(&from, stopwatch()))
    }

    /// It was wrong.
    pub fn showed_wrong(&self, from: IpAddr) {
        // Past the limit there is nothing more to count.
        if let Some(from) = counted(from) {
            let _ = self.wrong_links.attempt(from, stopwatch());
        }
    }

    /// Counts a box's attempt to begin a link.
    ///
    /// # Errors
    /// Too often: how long to wait.
    pub fn hello(&self, from: IpAddr) -> Result<(), Duration> {
        let Some(from) = counted(from) else {
            return Ok(());
        };
        let now = stopwatch();
        self.wrong_codes.allows(&from, now)?;
        self.hellos.take(&from, now)
    }

    /// A pairing code was wrong.
    pub fn paired_wrong(&self, from: IpAddr) {
        if let Some(from) = counted(from) {
            // Past the limit there is nothing more to count.
            let _ = self.wrong_codes.attempt(from, stopwatch());
        }
    }

    /// Counts a new post.
    ///
    /// # Errors
    /// Too often: how long to wait.
    pub fn post(&self, invite: InviteId) -> Result<(), Duration> {
        let now = stopwatch();
        self.posts.take(&invite, now)?;
        self.posts_of_the_day.take(&invite, now)
    }

    /// Counts a wish about notifications.
    ///
    /// # Errors
    /// Too often: how long to wait.
    pub fn push_asked(&self, invite: InviteId) -> Result<(), Duration> {
        self.push_asked.take(&invite, stopwatch())
    }

    /// Counts a wish about a workshop's silence alarm.
    ///
    /// # Errors
    /// Too often: how long to wait.
    pub fn alarm_asked(&self, workshop: WorkshopKey) -> Result<(), Duration> {
        self.alarm_asked.take(&workshop, stopwatch())
    }

    /// A place for one more owner's socket from an address; none when it has too many.
    pub fn socket(&self, from: IpAddr) -> Option<AddressPlace> {
        let address = network(from);
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let held = sockets.entry(address).or_insert(0);
        if *held >= SOCKETS_PER_ADDRESS_MAX && counted(from).is_some() {
            return None;
        }
        *held += 1;
        Some(AddressPlace {
            sockets: Arc::clone(&self.sockets),
            address,
        })
    }
}

/// One of an address's sockets; given back when dropped.
#[derive(Debug)]
pub struct AddressPlace {
    sockets: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: IpAddr,
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = sockets.get_mut(&self.address) {
            *held -= 1;
            if *held == 0 {
                sockets.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_links_close_the_door_and_right_ones_do_not_count() {
        let rates = Rates::default();
        let here: IpAddr = "2001:db8::1".parse().unwrap();
        for _ in 0..WRONG_LINKS_PER_ADDRESS_MAX {
            assert_eq!(rates.may_show(here), Ok(()));
            rates.showed_wrong(here);
        }
        let neighbour: IpAddr = "2001:db8::2".parse().unwrap();
        let elsewhere: IpAddr = "2001:db8:1::1".parse().unwrap();
        assert!(rates.may_show(neighbour).is_err());
        assert_eq!(rates.may_show(elsewhere), Ok(()));
    }

    #[test]
    fn a_thousand_boxes_behind_a_silent_proxy_come_back_at_once() {
        let rates = Rates::default();
        let (proxy, there) = ("127.0.0.1".parse().unwrap(), "203.0.113.9".parse().unwrap());
        for _ in 0..1_000 {
            assert_eq!(rates.hello(proxy), Ok(()));
        }
        for _ in 0..HELLOS_AT_ONCE {
            assert_eq!(rates.hello(there), Ok(()));
        }
        assert!(rates.hello(there).is_err());
    }

    #[test]
    fn wrong_codes_close_the_door_to_boxes() {
        let rates = Rates::default();
        let there = "203.0.113.9".parse().unwrap();
        for _ in 0..WRONG_CODES_PER_ADDRESS_MAX {
            assert_eq!(rates.hello(there), Ok(()));
            rates.paired_wrong(there);
        }
        assert!(rates.hello(there).is_err());
    }

    #[test]
    fn an_address_has_so_many_sockets_and_no_more() {
        let rates = Rates::default();
        let there: IpAddr = "203.0.113.9".parse().unwrap();
        let mut held: Vec<_> = (0..SOCKETS_PER_ADDRESS_MAX)
            .map(|_| rates.socket(there).unwrap())
            .collect();
        assert!(rates.socket(there).is_none());
        held.pop();
        assert!(rates.socket(there).is_some());
        drop(held);
        assert!(rates.sockets.lock().unwrap().is_empty());
    }
}
