//! How often somebody may try: sliding windows, in memory. Used for guessing (log-in, links, set-up
//! code) and for flooding (messages).

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Keys remembered at once; past it the ones whose window is over are forgotten, then the oldest.
const KEYS_MAX: usize = 4_096;

/// So many tries within a window, for each key.
#[derive(Debug)]
pub struct Throttle<K> {
    tries_max: usize,
    window: Duration,
    tries: Mutex<HashMap<K, VecDeque<Instant>>>,
}

impl<K: Eq + Hash + Clone> Throttle<K> {
    /// `tries_max` tries in any stretch of time as long as `window`.
    pub fn new(tries_max: usize, window: Duration) -> Self {
        Self {
            tries_max,
            window,
            tries: Mutex::default(),
        }
    }

    /// Counts a try.
    ///
    /// # Errors
    /// Too many already: how long until the next is allowed. That try does not count.
    pub fn attempt(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut tries = self.tries();
        if tries.len() >= KEYS_MAX && !tries.contains_key(&key) {
            self.forget(&mut tries, now);
        }
        let of_key = tries.entry(key).or_default();
        while of_key
            .front()
            .is_some_and(|first| now.duration_since(*first) >= self.window)
        {
            of_key.pop_front();
        }
        match of_key.front() {
            Some(first) if of_key.len() >= self.tries_max => {
                Err(self.window.saturating_sub(now.duration_since(*first)))
            }
            Some(_) | None => {
                of_key.push_back(now);
                Ok(())
            }
        }
    }

    /// Whether a try would be allowed; counts nothing. For tries that count only once they failed.
    ///
    /// # Errors
    /// Too many already: how long until the next is allowed.
    pub fn allows(&self, key: &K, now: Instant) -> Result<(), Duration> {
        let tries = self.tries();
        let of_key = tries.get(key).into_iter().flatten();
        let mut recent = of_key.filter(|at| now.duration_since(**at) < self.window);
        let oldest = recent.next();
        match oldest {
            Some(first) if recent.count() + 1 >= self.tries_max => {
                Err(self.window.saturating_sub(now.duration_since(*first)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Takes the newest try of a key back: it was no guess, it was right.
    pub fn forgive(&self, key: &K) {
        if let Some(of_key) = self.tries().get_mut(key) {
            of_key.pop_back();
        }
    }

    fn forget(&self, tries: &mut HashMap<K, VecDeque<Instant>>, now: Instant) {
        tries.retain(|_, of_key| {
            of_key
                .back()
                .is_some_and(|last| now.duration_since(*last) < self.window)
        });
        if tries.len() >= KEYS_MAX {
            let oldest = tries
                .iter()
                .min_by_key(|(_, of_key)| of_key.back().copied());
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                tries.remove(&oldest);
            }
        }
    }

    fn tries(&self) -> MutexGuard<'_, HashMap<K, VecDeque<Instant>>> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One customer of an IPv6 network has 2^64 addresses; they are one.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::stopwatch;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_window_slides() {
        let throttle = Throttle::new(2, MINUTE);
        let start = stopwatch();
        assert_eq!(throttle.attempt("a", start), Ok(()));
        assert_eq!(throttle.attempt("a", start + MINUTE / 2), Ok(()));
        assert_eq!(throttle.attempt("a", start + MINUTE / 2), Err(MINUTE / 2));
        assert_eq!(throttle.attempt("b", start), Ok(()));
        assert_eq!(throttle.attempt("a", start + MINUTE), Ok(()));
        assert!(throttle.attempt("a", start + MINUTE).is_err());
    }

    #[test]
    fn what_was_right_does_not_count() {
        let throttle = Throttle::new(1, MINUTE);
        let now = stopwatch();
        for _ in 0..5 {
            assert_eq!(throttle.attempt("a", now), Ok(()));
            throttle.forgive(&"a");
        }
    }

    #[test]
    fn asking_whether_one_may_is_no_try() {
        let throttle = Throttle::new(2, MINUTE);
        let now = stopwatch();
        for _ in 0..5 {
            assert_eq!(throttle.allows(&"a", now), Ok(()));
        }
        assert_eq!(throttle.attempt("a", now), Ok(()));
        assert_eq!(throttle.allows(&"a", now), Ok(()));
        assert_eq!(throttle.attempt("a", now), Ok(()));
        assert_eq!(throttle.allows(&"a", now), Err(MINUTE));
        assert_eq!(throttle.allows(&"a", now + MINUTE), Ok(()));
    }

    #[test]
    fn memory_is_bounded_whoever_comes() {
        let throttle = Throttle::new(1, MINUTE);
        let now = stopwatch();
        for key in 0..KEYS_MAX + 64 {
            assert_eq!(throttle.attempt(key, now), Ok(()));
        }
        assert!(throttle.tries().len() <= KEYS_MAX);
    }
}
