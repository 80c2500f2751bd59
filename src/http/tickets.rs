//! Tickets for WebSockets: single use, 30 seconds, so that no long-lived secret is ever in a URL
//! (`wire.md` §1). They live in memory: a restart makes them worthless, and a page asks for another.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

use crate::store::people::Credential;

/// How long a ticket is good for.
const TICKET_LIFE: Duration = Duration::from_secs(30);
/// Tickets waiting at once.
const TICKETS_MAX: usize = 20_000;
const TICKET_BYTES: usize = 24;

/// Tickets that were given out and not used yet.
#[derive(Debug, Default)]
pub struct Tickets {
    waiting: Mutex<HashMap<String, (Credential, Instant)>>,
}

impl Tickets {
    /// A ticket for whoever this credential stands for; `None` when too many wait or the system has
    /// no randomness.
    pub fn issue(&self, credential: Credential, now: Instant) -> Option<String> {
        let mut bytes = [0; TICKET_BYTES];
        SystemRandom::new().fill(&mut bytes).ok()?;
        let ticket = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let mut waiting = self.waiting();
        if waiting.len() >= TICKETS_MAX {
            waiting.retain(|_, (_, until)| *until > now);
            if waiting.len() >= TICKETS_MAX {
                return None;
            }
        }
        waiting.insert(ticket.clone(), (credential, now + TICKET_LIFE));
        Some(ticket)
    }

    /// Takes a ticket: it is worth something once, and not for long.
    pub fn take(&self, ticket: &str, now: Instant) -> Option<Credential> {
        let (credential, until) = self.waiting().remove(ticket)?;
        (until > now).then_some(credential)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, (Credential, Instant)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::stopwatch;
    use crate::domain::{PersonId, PersonKey};

    const ASHA: Credential = Credential {
        person: PersonId(5),
        key: PersonKey::BOX,
        version: 1,
        session: None,
        only: None,
    };

    #[test]
    fn a_ticket_is_worth_something_once() {
        let tickets = Tickets::default();
        let now = stopwatch();
        let ticket = tickets.issue(ASHA, now).unwrap();
        assert_eq!(tickets.take(&ticket, now), Some(ASHA));
        assert_eq!(tickets.take(&ticket, now), None);
    }

    #[test]
    fn a_ticket_is_worth_nothing_after_thirty_seconds() {
        let tickets = Tickets::default();
        let now = stopwatch();
        let ticket = tickets.issue(ASHA, now).unwrap();
        assert_eq!(tickets.take(&ticket, now + TICKET_LIFE), None);
    }
}
