//! Boxes, a relay and phones, and what befalls them.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::line::{Ghost, Line, Outcome, now};
use crate::clock::Clock;
use crate::commands::{
    ChangeRequest, Customer, InviteOwner, MarkRead, OpenRequest, PostMessage, RedactMessage,
    RevokeInvite, SetUp,
};
use crate::domain::{
    Actor, Body, Description, DeviceId, EventId, FullName, Invite, InviteId, LogId, PersonId,
    Plate, Request, RequestKey, Seq, Status, Timestamp, Username, Vehicle,
};
use crate::relay::sqlite::SqliteRelay;
use crate::relay::store::{Fate, RelayStore};
use crate::seal::{
    self, LINK_KEY_PURPOSE, RootSecret, SealContext, SealedPost, SigningKey, ThreadKeys,
};
use crate::store::memory::MemoryStore;
use crate::store::{StoreError, link, messages, people};
use crate::sync::link::{BoxEnd, BoxFacts, End, RelayEnd, RelayFacts};
use crate::wire::link::{GiveBack, Verdict};

/// The time at which all of it happens.
pub(super) const NOW: Timestamp = Timestamp(1_800_000_000_000);
const ROOT: [u8; 32] = [7; 32];
const RELAY_ROOT: [u8; 32] = [8; 32];
const MEMBERSHIP: [u8; 32] = [9; 32];
const CODE: [u8; 32] = [10; 32];

/// What may befall boxes and relays, besides the network.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    pub(super) restored_box: bool,
    pub(super) restored_relay: bool,
    pub(super) cloned: bool,
}

/// How often things happened, so that a test that meets nothing fails.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    sessions: u64,
    cuts: u64,
    doubled: u64,
    ghosts: u64,
    merges: u64,
    boxes_restored: u64,
    relays_restored: u64,
    relays_wiped: u64,
    clones: u64,
    quarantines: u64,
    posts: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.cuts += other.cuts;
        self.doubled += other.doubled;
        self.ghosts += other.ghosts;
        self.merges += other.merges;
        self.boxes_restored += other.boxes_restored;
        self.relays_restored += other.relays_restored;
        self.relays_wiped += other.relays_wiped;
        self.clones += other.clones;
        self.quarantines += other.quarantines;
        self.posts += other.posts;
    }

    /// A run that met none of what it is about proves nothing.
    pub(super) fn must_have_met(&self, faults: Faults, runs: u64) {
        if runs < 100 {
            return;
        }
        assert!(self.cuts > runs && self.doubled > runs && self.posts > runs);
        assert!(self.ghosts > 0);
        assert!(!faults.restored_box || (self.boxes_restored > 0 && self.merges > 0));
        assert!(!faults.restored_relay || (self.relays_restored > 0 && self.relays_wiped > 0));
        assert!(!faults.cloned || (self.clones > 0 && self.quarantines > 0 && self.merges > 0));
    }
}

/// SplitMix64: the same seed, the same run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    #[expect(clippy::cast_precision_loss, reason = "a chance need not be exact")]
    pub(super) fn chance(&mut self, of: f64) -> bool {
        (self.next() >> 11) as f64 / ((1_u64 << 53) as f64) < of
    }

    fn bytes(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes());
        bytes
    }

    fn event(&mut self) -> EventId {
        EventId::from_bytes(self.bytes())
    }
}

/// Both ends of a session that begins.
pub(super) struct Machine {
    pub(super) bx: BoxEnd,
    pub(super) rl: RelayEnd,
}

/// A request with the link that its owner's phone has.
#[derive(Clone, Copy)]
struct Thread {
    request: crate::domain::RequestId,
    key: RequestKey,
    invite: InviteId,
    device: DeviceId,
    /// The dense number of the phone's next post.
    next: i64,
}

pub(super) struct World {
    random: Random,
    faults: Faults,
    key: Arc<SigningKey>,
    identity: Arc<SigningKey>,
    boxes: Vec<MemoryStore>,
    active: usize,
    relay: SqliteRelay,
    threads: Vec<Thread>,
    /// Owners' outboxes: kept until seen in the journal.
    phones: Vec<SealedPost>,
    ghosts: Vec<Ghost>,
    box_copies: Vec<MemoryStore>,
    relay_copies: Vec<SqliteRelay>,
    staff_order: Vec<EventId>,
    owner_order: Vec<EventId>,
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
            now(self.relay.post(workshop, post.clone(), NOW)).unwrap();
        }
    }

    fn session(&mut self, which: usize, cut: f64) -> Outcome {
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
                self.boxes[which].write(|tx| link::claim(tx)).unwrap();
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

    /// Everybody talks without faults; then what is compared is what anybody held before.
    pub(super) fn broken_rules(&mut self) -> Vec<&'static str> {
        let mut survivors: BTreeSet<_> = self.phones.iter().map(|post| post.id).collect();
        survivors.extend(self.mailbox());
        survivors.extend(self.relay_holds().into_iter().map(|(id, _)| id));
        for store in &self.boxes {
            survivors.extend(journal(store).into_iter().map(|(id, _)| id));
        }
        let mut broken = Vec::new();
        for _ in 0..3 {
            for which in 0..self.boxes.len() {
                self.heal(which);
            }
        }
        for which in 0..self.boxes.len() {
            self.heal(which);
            let at_box = journal(&self.boxes[which]);
            let ids: BTreeSet<_> = at_box.iter().map(|(id, _)| *id).collect();
            if !survivors.is_subset(&ids) {
                broken.push("lost at the box");
            }
            if ids.len() != at_box.len() {
                broken.push("twice in the journal");
            }
            if at_box != self.relay_journal() {
                broken.push("the two copies differ");
            }
            if self.relay_holds().len() != at_box.len() {
                broken.push("orphans are left");
            }
            let faults = self.boxes[which].faults().unwrap();
            if !faults.is_empty() {
                println!("{faults:?}");
                broken.push("the box's data is not sound");
            }
        }
        if !self.phones.is_empty() || !self.mailbox().is_empty() {
            broken.push("something is still waiting");
        }
        let faults = self.faults;
        if !(faults.cloned || faults.restored_box || faults.restored_relay) {
            let order: Vec<_> = journal(&self.boxes[0]).into_iter().map(|it| it.0).collect();
            for written in [&self.staff_order, &self.owner_order] {
                let kept: Vec<_> = order.iter().filter(|id| written.contains(id)).collect();
                if kept != written.iter().collect::<Vec<_>>() {
                    broken.push("out of order");
                }
            }
        }
        broken
    }

    /// Sessions without faults, with an admin who says each time that this box is the real one.
    fn heal(&mut self, which: usize) {
        for _ in 0..4 {
            if let Outcome::Ended(End::Refused(_)) = self.session(which, 0.0) {
                self.boxes[which].write(|tx| link::claim(tx)).unwrap();
            }
        }
    }

    fn mailbox(&self) -> Vec<EventId> {
        let workshop = self.boxes[0].keys().workshop();
        let posts = now(self.relay.posts_after(workshop, 0, 10_000)).unwrap();
        posts.into_iter().map(|(_, post)| post.id).collect()
    }

    /// The relay's copy of the journal, without what it moved aside.
    fn relay_journal(&self) -> Vec<(EventId, seal::Chain)> {
        let all = self.relay_holds();
        let last = all.iter().rposition(|(_, chain)| chain.is_none());
        let journal = &all[last.map_or(0, |at| at + 1)..];
        journal
            .iter()
            .map(|(id, chain)| (*id, chain.unwrap()))
            .collect()
    }

    /// Everything that the relay holds: orphans that nobody has seen again (without a chain), then
    /// its copy.
    fn relay_holds(&self) -> Vec<(EventId, Option<seal::Chain>)> {
        let workshop = self.boxes[0].keys().workshop();
        let mut held = Vec::new();
        let mut run = Vec::new();
        let mut cursor = None;
        loop {
            let asked = GiveBack {
                common: Seq(0),
                cursor,
            };
            let given = now(self.relay.give_back(workshop, asked)).unwrap();
            run.extend(given.entries);
            if given.ends.is_some() {
                held.push(std::mem::take(&mut run));
            }
            cursor = given.next;
            if cursor.is_none() {
                break;
            }
        }
        let state = now(self.relay.state(workshop)).unwrap();
        let copy_is_empty = state.is_none_or(|it| it.position.is_none_or(|at| at.seq == Seq(0)));
        let runs = held.len() - usize::from(!copy_is_empty && !held.is_empty());
        let mut all = Vec::new();
        for (index, run) in held.into_iter().enumerate() {
            let is_copy = index >= runs;
            all.extend(
                run.into_iter()
                    .filter(|each| is_copy || !each.settled)
                    .map(|each| (each.entry.id, is_copy.then_some(each.entry.chain))),
            );
        }
        all
    }
}

/// Every entry of a box's journal.
fn journal(store: &MemoryStore) -> Vec<(EventId, seal::Chain)> {
    let mut all = Vec::new();
    let mut after = Seq(0);
    loop {
        let batch = store.read(|view| link::batch_after(view, after)).unwrap();
        let Some(batch) = batch else { return all };
        after = batch.head.position.seq;
        all.extend(
            batch
                .entries
                .into_iter()
                .map(|entry| (entry.id, entry.chain)),
        );
    }
}

/// A workshop with two requests whose owners have links.
fn furnish(store: &MemoryStore) -> Vec<Thread> {
    let set_up = SetUp {
        workshop_name: FullName::parse("Nair Motors").unwrap(),
        full_name: FullName::parse("Meera Nair").unwrap(),
        username: Username::parse("meera").unwrap(),
        password_hash: "none".to_owned(),
    };
    store.write(|tx| set_up.run(tx)).unwrap();
    let threads = ["Asha", "Binu"].map(|name| {
        let open = OpenRequest {
            id: EventId::new(Uuid::new_v4()),
            customer: Customer::Named {
                full_name: FullName::parse(name).unwrap(),
                phone: None,
                email: None,
            },
            vehicle: Vehicle {
                plate: Plate::parse("KL 07 AB 1234").unwrap().into_string(),
                make: None,
                model: None,
                year: None,
            },
            description: Description::parse("Brakes").unwrap(),
            assign_to: None,
        };
        let opened = store.write(|tx| open.run(tx, &Actor::the_box())).unwrap();
        Thread {
            request: opened.request.id,
            key: opened.request.key,
            invite: opened.invite.id,
            device: DeviceId::new(Uuid::new_v4()),
            next: 1,
        }
    });
    threads.to_vec()
}

/// What an owner's page makes of a message.
fn sealed_post(
    workshop: crate::domain::WorkshopKey,
    thread: &Thread,
    id: EventId,
    json: &str,
) -> SealedPost {
    let root = RootSecret::from_bytes(ROOT);
    let keys = ThreadKeys::derive(&root, *thread.key.as_bytes(), 0);
    let secret = seal::InviteSecret::derive(&root, *thread.invite.as_bytes());
    let key = secret.post_key(&keys, *thread.invite.as_bytes());
    let context = SealContext {
        workshop: *workshop.as_bytes(),
        thread: Some(*thread.key.as_bytes()),
        event: *id.as_bytes(),
        kind: "message",
    };
    let plain = seal::plain(NOW.0, *thread.device.as_bytes(), json.as_bytes());
    SealedPost {
        id,
        thread: thread.key,
        invite: thread.invite,
        device: thread.device,
        kind: "message".into(),
        epoch: 0,
        sealed: seal::seal(&key, &context, &plain),
    }
}
