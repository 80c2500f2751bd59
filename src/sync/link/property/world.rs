//! Boxes, a relay and phones, and what befalls them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::chance::{Faults, Random, Seen};
use super::furnish::{Thread, furnish, sealed_post};
use super::line::{Ghost, Line, Outcome, now};
use crate::clock::Clock;
use crate::commands::{
    ChangeRequest, InviteOwner, MarkRead, PostMessage, RedactMessage, RevokeInvite,
};
use crate::domain::{Actor, Body, EventId, Invite, LogId, PersonId, Status, Timestamp};
use crate::relay::sqlite::SqliteRelay;
use crate::relay::store::{Fate, RelayStore};
use crate::seal::{LINK_KEY_PURPOSE, RootSecret, SealedPost, SigningKey};
use crate::store::memory::MemoryStore;
use crate::store::{StoreError, link, messages, people};
use crate::sync::link::{BoxEnd, BoxFacts, End, RelayEnd, RelayFacts};
use crate::wire::link::Verdict;

/// The time at which all of it happens.
pub(super) const NOW: Timestamp = Timestamp(1_800_000_000_000);
pub(super) const ROOT: [u8; 32] = [7; 32];
const RELAY_ROOT: [u8; 32] = [8; 32];
const MEMBERSHIP: [u8; 32] = [9; 32];
const CODE: [u8; 32] = [10; 32];

/// Both ends of a session that begins.
pub(super) struct Machine {
    pub(super) bx: BoxEnd,
    pub(super) rl: RelayEnd,
}

pub(super) struct World {
    pub(super) random: Random,
    pub(super) faults: Faults,
    pub(super) key: Arc<SigningKey>,
    pub(super) identity: Arc<SigningKey>,
    pub(super) boxes: Vec<MemoryStore>,
    pub(super) active: usize,
    pub(super) relay: SqliteRelay,
    pub(super) threads: Vec<Thread>,
    /// Owners' outboxes: kept until seen in the journal.
    pub(super) phones: Vec<SealedPost>,
    pub(super) ghosts: Vec<Ghost>,
    pub(super) box_copies: Vec<MemoryStore>,
    pub(super) relay_copies: Vec<SqliteRelay>,
    pub(super) staff_order: Vec<EventId>,
    pub(super) owner_order: Vec<EventId>,
    pub(super) seen: Seen,
}

impl World {
    pub(super) fn new(seed: u64, faults: Faults) -> Self {
        let mut random = Random(seed);
        let root = RootSecret::from_bytes(ROOT);
        let key = Arc::new(SigningKey::derive(&root, LINK_KEY_PURPOSE));
        let identity = SigningKey::derive(&RootSecret::from_bytes(RELAY_ROOT), "relay");
        let log = LogId::from_bytes(random.bytes());
        let store = MemoryStore::new(root, log, Clock::manual(NOW));
        let relay = SqliteRelay::in_memory();
        now(relay.add_code(CODE, NOW.plus_ms(1_000))).unwrap();
        let mut world = Self {
            random,
            faults,
            key,
            identity: Arc::new(identity),
            threads: furnish(&store),
            boxes: vec![store],
            active: 0,
            relay,
            phones: Vec::new(),
            ghosts: Vec::new(),
            box_copies: Vec::new(),
            relay_copies: Vec::new(),
            staff_order: Vec::new(),
            owner_order: Vec::new(),
            seen: Seen::default(),
        };
        world.boxes[0]
            .write(|tx| link::connect(tx, "https://relay.example", "code"))
            .unwrap();
        assert_eq!(world.session(0, 0.0), Outcome::Quiet);
        world
    }

    /// One of the things that happen, as likely as in the model.
    pub(super) fn step(&mut self) {
        let (x, active) = (self.random.below(1_000), self.active);
        match x {
            0..300 => self.staff(),
            300..500 => self.owner(),
            500..780 => {
                self.session(active, 0.02);
            }
            780..800 => {
                if let Some(ghost) = self.ghosts.pop() {
                    self.seen.ghosts += 1;
                    ghost.arrive(&self.relay);
                }
            }
            800..860 => self.box_copies.push(self.boxes[active].copy()),
            860..900 => {
                if self.faults.restored_box && !self.box_copies.is_empty() {
                    let which = self.random.below(self.box_copies.len() as u64);
                    self.boxes[active] = self.box_copies[usize::try_from(which).unwrap()].copy();
                    self.seen.boxes_restored += 1;
                }
            }
            900..930 => self.relay_copies.push(self.relay.copy()),
            930..955 => {
                if self.faults.restored_relay && !self.relay_copies.is_empty() {
                    let which = self.random.below(self.relay_copies.len() as u64);
                    self.relay = self.relay_copies[usize::try_from(which).unwrap()].copy();
                    self.ghosts.clear();
                    self.seen.relays_restored += 1;
                }
            }
            955..960 => {
                if self.faults.restored_relay {
                    self.relay = SqliteRelay::in_memory();
                    self.ghosts.clear();
                    self.seen.relays_wiped += 1;
                }
            }
            960..980 => {
                if self.faults.cloned && self.boxes.len() < 2 {
                    self.boxes.push(self.boxes[active].copy());
                    self.seen.clones += 1;
                }
            }
            _ => {
                if self.boxes.len() > 1 {
                    self.active = 1 - active;
                }
            }
        }
    }

    /// Somebody of the staff does something.
    fn staff(&mut self) {
        let id = self.random.event();
        let which = usize::try_from(self.random.below(self.threads.len() as u64)).unwrap();
        let request = self.threads[which].request;
        let what = self.random.below(20);
        let store = &self.boxes[self.active];
        let person = store.read(|view| people::load(view, PersonId(1))).unwrap();
        let admin = Actor {
            id: PersonId(1),
            key: person.unwrap().key,
            ..Actor::the_box()
        };
        match what {
            0 => {
                let all = MarkRead {
                    request,
                    up_to: None,
                };
                store.write(|tx| all.run(tx, &admin)).unwrap();
            }
            1 => {
                // Two copies may both move it: whichever comes last counts.
                let change = ChangeRequest {
                    status: Some(Status::InProgress),
                    ..ChangeRequest::default()
                };
                let _ = store.write(|tx| change.run(tx, &admin, request));
            }
            2 => {
                // Another link, given and taken back: the thread's key is renewed.
                let invite = store.write(|tx| InviteOwner { request }.run(tx, &admin));
                let invite: Invite = invite.unwrap();
                let revoke = RevokeInvite {
                    request,
                    invite: invite.id,
                };
                store.write(|tx| revoke.run(tx, &admin)).unwrap();
            }
            3 => {
                let page = store
                    .read(|view| messages::page(view, request, None, 1))
                    .unwrap();
                if let Some(message) = page.messages.last() {
                    let message = message.id;
                    let redact = RedactMessage { request, message };
                    let _ = store.write(|tx| redact.run(tx, &admin));
                }
            }
            _ => {
                let post = PostMessage {
                    id,
                    request,
                    body: Body::parse(&format!("staff {id}")).unwrap(),
                    reply_to: None,
                    expires_in_s: None,
                };
                store.write(|tx| post.run(tx, &admin)).unwrap();
                self.staff_order.push(id);
            }
        }
    }

    /// An owner writes; their phone may be offline too.
    fn owner(&mut self) {
        let id = self.random.event();
        let which = usize::try_from(self.random.below(self.threads.len() as u64)).unwrap();
        let thread = &mut self.threads[which];
        let json = format!(r#"{{"seq":{},"content":"owner {id}"}}"#, thread.next);
        thread.next += 1;
        let post = sealed_post(self.boxes[0].keys().workshop(), thread, id, &json);
        self.phones.push(post);
        self.owner_order.push(id);
        self.seen.posts += 1;
        if self.random.chance(0.8) {
            self.offer();
        }
    }

    /// Phones offer everything that the journal does not contain yet, oldest first.
    fn offer(&self) {
        let workshop = self.boxes[0].keys().workshop();
        for post in &self.phones {
            // A relay that lost everything knows no links before a box told it: pages try again.
            if now(self.relay.invite(post.invite)).unwrap().is_some() {
                now(self.relay.post(workshop, post.clone(), NOW)).unwrap();
            }
        }
    }

    pub(super) fn session(&mut self, which: usize, cut: f64) -> Outcome {
        self.offer();
        let machine = self.machine(which);
        self.seen.sessions += 1;
        let mut line = Line::new(machine, &self.boxes[which], &self.relay);
        let outcome = line.run(&mut self.random, cut);
        self.seen.merges += line.merges;
        self.seen.doubled += line.doubled;
        if outcome == Outcome::Cut {
            self.seen.cuts += 1;
            let ghost = line.into_ghost();
            if self.random.chance(0.3) {
                self.ghosts.push(ghost);
            }
        }
        if let Outcome::Ended(End::Refused(verdict)) = &outcome {
            assert!(matches!(
                verdict,
                Verdict::Quarantined | Verdict::Superseded
            ));
            self.seen.quarantines += 1;
            if self.random.chance(0.5) {
                self.boxes[which].write(link::claim).unwrap();
            }
        } else if let Outcome::Ended(end) = &outcome {
            assert!(
                matches!(end, End::Fenced | End::Rewound),
                "a session between sound ends ended with {end:?}"
            );
        }
        self.forget_journalled();
        outcome
    }

    fn machine(&mut self, which: usize) -> Machine {
        let store = &self.boxes[which];
        let (settings, facts) = store
            .read(|view| -> Result<_, StoreError> {
                Ok((link::settings(view)?.unwrap(), link::facts(view)?))
            })
            .unwrap();
        let facts = BoxFacts {
            head: facts.head,
            history: facts.history,
            lineage: facts.lineage,
            membership: facts.membership,
            relay: settings.relay_key,
            code: settings.pairing_code.map(|_| CODE),
            claim: settings.claim,
            doors: Vec::new(),
        };
        let relay = RelayFacts {
            identity: Arc::clone(&self.identity),
            membership: MEMBERSHIP,
            public_url: "https://relay.example".into(),
            now: NOW,
            nonce: self.random.bytes(),
            grant_nonce: self.random.bytes(),
        };
        let nonce = self.random.bytes();
        Machine {
            bx: BoxEnd::new(store.keys().workshop(), Arc::clone(&self.key), facts, nonce),
            rl: RelayEnd::new(relay),
        }
    }

    /// The second tick: a phone forgets what the relay's copy of the journal contains.
    fn forget_journalled(&mut self) {
        let workshop = self.boxes[0].keys().workshop();
        let ids: Vec<_> = self.phones.iter().map(|post| post.id).collect();
        let fates = now(self.relay.fate(workshop, ids)).unwrap();
        let done: BTreeSet<_> = fates
            .into_iter()
            .inspect(|(id, fate)| {
                assert!(
                    !matches!(fate, Fate::Refused(_)),
                    "{id} was refused: {fate:?}"
                );
            })
            .filter(|(_, fate)| *fate == Fate::InJournal)
            .map(|(id, _)| id)
            .collect();
        self.phones.retain(|post| !done.contains(&post.id));
    }
}
