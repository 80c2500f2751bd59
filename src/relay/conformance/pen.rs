//! What a box does with a relay's store, without a box: it writes entries, signs its head, and reads
//! what is given back only as far as it can verify it.

use crate::domain::{DeviceId, EventId, InviteId, LogId, RequestKey, Seq, Timestamp, WorkshopKey};
use crate::relay::limits::MESSAGE;
use crate::relay::store::{Admit, Appended, Fence, RelayStore, Session, SessionAsked};
use crate::seal::{
    Chain, Clear, FROM_OWNER, Lineage, Position, RootSecret, STAFF_ONLY, SealedEntry, SealedPost,
    SignedHead, SigningKey, Wrap, body_sha,
};
use crate::wire::link::{Entries, GiveBack, GivenEntry, Incarnation};

/// 2026-11-24.
pub(in crate::relay) const NOW: Timestamp = Timestamp(1_795_500_000_000);

/// Sixteen bytes that say what they name.
pub(in crate::relay) const fn bytes(kind: u8, number: u64) -> [u8; 16] {
    let mut bytes = [kind; 16];
    let number = number.to_be_bytes();
    let mut at = 0;
    while at < 8 {
        bytes[at + 8] = number[at];
        at += 1;
    }
    bytes
}

pub(in crate::relay) const fn event(number: u64) -> EventId {
    EventId::from_bytes(bytes(1, number))
}

pub(in crate::relay) const fn thread(number: u64) -> RequestKey {
    RequestKey::from_bytes(bytes(2, number))
}

pub(in crate::relay) const fn invite(number: u64) -> InviteId {
    InviteId::from_bytes(bytes(3, number))
}

pub(in crate::relay) const fn log(number: u64) -> LogId {
    LogId::from_bytes(bytes(4, number))
}

pub(in crate::relay) const fn workshop(number: u64) -> WorkshopKey {
    WorkshopKey::from_bytes(bytes(5, number))
}

pub(in crate::relay) const fn device(number: u64) -> DeviceId {
    DeviceId::from_bytes(bytes(6, number))
}

pub(in crate::relay) const fn nonce(number: u64) -> [u8; 16] {
    bytes(7, number)
}

/// A post of an owner.
pub(in crate::relay) fn post(number: u64, of: InviteId) -> SealedPost {
    SealedPost {
        id: event(number),
        thread: thread(1),
        invite: of,
        device: device(1),
        kind: "message".into(),
        epoch: 0,
        sealed: vec![7; 40],
    }
}

/// A thread key for one link's holder.
pub(in crate::relay) fn wrap(of: InviteId, epoch: u16, filling: u8) -> Wrap {
    Wrap {
        invite: of,
        epoch,
        wrapped: vec![filling; 49],
    }
}

/// A link given out.
pub(in crate::relay) fn granted(number: u64, wraps: Vec<Wrap>) -> Clear {
    Clear::Granted {
        invite: invite(number),
        auth_sha: [number.to_be_bytes()[7]; 32],
        expires_ms: NOW.0 + 1_000_000,
        wraps,
    }
}

/// What goes into an entry.
#[derive(Clone, Debug)]
pub(in crate::relay) struct Draft {
    pub(in crate::relay) id: EventId,
    pub(in crate::relay) thread: Option<RequestKey>,
    pub(in crate::relay) kind: &'static str,
    pub(in crate::relay) flags: u32,
    pub(in crate::relay) body: Vec<u8>,
    pub(in crate::relay) clear: Option<Clear>,
}

impl Draft {
    /// Something that an owner may read.
    pub(in crate::relay) fn message(number: u64) -> Self {
        Self::of(number, Some(thread(1)))
    }

    /// An event of a thread, or of the workshop itself.
    pub(in crate::relay) fn of(number: u64, thread: Option<RequestKey>) -> Self {
        Self {
            id: event(number),
            thread,
            kind: MESSAGE,
            flags: 0,
            body: format!("sealed {number}").into_bytes(),
            clear: None,
        }
    }

    pub(in crate::relay) fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    pub(in crate::relay) fn saying(mut self, clear: Clear) -> Self {
        self.clear = Some(clear);
        self
    }

    pub(in crate::relay) fn staff_only(mut self) -> Self {
        self.flags |= STAFF_ONLY;
        self
    }

    pub(in crate::relay) fn by_owner(mut self) -> Self {
        self.flags |= FROM_OWNER;
        self
    }
}

/// One copy of a box.
#[derive(Clone, Debug)]
pub(in crate::relay) struct Pen {
    pub(in crate::relay) workshop: WorkshopKey,
    seed: u64,
    pub(in crate::relay) lineage: Option<Lineage>,
    pub(in crate::relay) log: LogId,
    pub(in crate::relay) entries: Vec<(LogId, SealedEntry)>,
}

impl Pen {
    /// A box whose journal is empty. Its keys follow from the number.
    pub(in crate::relay) fn new(number: u64) -> Self {
        Self {
            workshop: workshop(number),
            seed: number,
            lineage: None,
            log: log(number * 1_000),
            entries: Vec::new(),
        }
    }

    pub(in crate::relay) fn key(&self) -> SigningKey {
        let mut root = [9; 32];
        root[..8].copy_from_slice(&self.seed.to_be_bytes());
        SigningKey::derive(&RootSecret::from_bytes(root), "journal-head")
    }

    /// Where its journal stands after so many entries.
    pub(in crate::relay) fn position_at(&self, seq: usize) -> Position {
        match seq.checked_sub(1).and_then(|at| self.entries.get(at)) {
            Some((log, entry)) => Position {
                log: *log,
                seq: entry.seq,
                chain: entry.chain,
            },
            None => Position {
                log: self.log,
                seq: Seq(0),
                chain: Chain::GENESIS,
            },
        }
    }

    pub(in crate::relay) fn head(&self) -> Position {
        self.position_at(self.entries.len())
    }

    /// Writes an entry.
    pub(in crate::relay) fn write(&mut self, draft: Draft) {
        let before = self.head();
        let mut entry = SealedEntry {
            seq: Seq(before.seq.0 + 1),
            id: draft.id,
            thread: draft.thread,
            kind: draft.kind.into(),
            flags: draft.flags,
            epoch: 0,
            body_sha: body_sha(&draft.body),
            chain: Chain::GENESIS,
            body: Some(draft.body),
            clear: draft.clear,
        };
        entry.chain = before.chain.next(&entry.link(self.log));
        self.entries.push((self.log, entry));
    }

    /// Writes messages with these numbers.
    pub(in crate::relay) fn write_messages(&mut self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            self.write(Draft::message(number));
        }
    }

    /// Goes back to a position and goes on in a new incarnation.
    pub(in crate::relay) fn fork(&mut self, at: usize, log: LogId) {
        self.entries.truncate(at);
        self.log = log;
    }

    /// The entries after one position up to another as a frame.
    pub(in crate::relay) fn batch(&self, after: usize, to: usize) -> Entries {
        let entries = &self.entries[after..to];
        Entries {
            prev: self.position_at(after),
            log: entries.first().map_or(self.log, |(log, _)| *log),
            entries: entries.iter().map(|(_, entry)| entry.clone()).collect(),
            head: SignedHead::sign(&self.key(), self.position_at(to)),
        }
    }

    /// What it says in its hello.
    pub(in crate::relay) fn asks(&self, turn: u64) -> SessionAsked {
        SessionAsked {
            workshop: self.workshop,
            public_key: self.key().public_key(),
            lineage: self.lineage,
            head: self.head(),
            history: Vec::<Incarnation>::new(),
            claim: false,
            admit: Admit::Member,
            doors: vec!["box.local".into()],
            now: NOW,
            grant_nonce: nonce(turn),
        }
    }

    /// Opens a session and stores the grant, or tells why not.
    pub(in crate::relay) async fn enter<S: RelayStore>(&mut self, store: &S, turn: u64) -> Session {
        let session = store.open_session(self.asks(turn)).await.unwrap();
        if let Some(grant) = session.lineage {
            self.lineage = Some(grant);
            store.confirm(self.fence()).await.unwrap();
        }
        session
    }

    pub(in crate::relay) fn fence(&self) -> Fence {
        Fence {
            workshop: self.workshop,
            generation: self.lineage.unwrap().generation,
        }
    }

    /// Sends everything after a position, in batches of some size that never cross an incarnation.
    pub(in crate::relay) async fn send<S: RelayStore>(&self, store: &S, after: usize, size: usize) {
        let mut at = after;
        while at < self.entries.len() {
            let log = self.entries[at].0;
            let run = self.entries[at..].iter().take_while(|each| each.0 == log);
            let to = at + run.count().min(size);
            let applied = store
                .append(self.fence(), self.batch(at, to))
                .await
                .unwrap();
            assert_eq!(applied, Appended::Applied(self.position_at(to)));
            at = to;
        }
    }
}

/// A run that was given back and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::relay) struct VerifiedRun {
    pub(in crate::relay) begins: Chain,
    pub(in crate::relay) entries: Vec<GivenEntry>,
    pub(in crate::relay) ends: Position,
}

impl VerifiedRun {
    /// The ids of what it gives back and is not settled.
    pub(in crate::relay) fn lacking(&self) -> Vec<EventId> {
        let open = self.entries.iter().filter(|given| !given.settled);
        open.map(|given| given.entry.id).collect()
    }
}

/// Asks for everything after `common` and believes only what verifies: each entry follows from the
/// one before, and each run ends with the box's own signature.
pub(in crate::relay) async fn given_back<S: RelayStore>(
    store: &S,
    pen: &Pen,
    common: Seq,
) -> Vec<VerifiedRun> {
    let public_key = pen.key().public_key();
    let mut runs = Vec::new();
    let mut run: Option<VerifiedRun> = None;
    let mut cursor = None;
    loop {
        let asked = GiveBack { common, cursor };
        let given = store.give_back(pen.workshop, asked).await.unwrap();
        assert!(given.entries.len() <= 64, "a page is a frame");
        if let Some(begins) = given.begins {
            assert_eq!(run, None, "a run begins inside another");
            run = Some(VerifiedRun {
                begins,
                entries: Vec::new(),
                ends: Position {
                    log: log(0),
                    seq: Seq(0),
                    chain: begins,
                },
            });
        }
        assert_eq!(given.ends.is_some(), !given.entries.is_empty());
        for given in given.entries {
            let run = run.as_mut().unwrap();
            assert!(
                given.entry.follows(run.ends.chain, given.log),
                "a forged run"
            );
            run.ends = Position {
                log: given.log,
                seq: given.entry.seq,
                chain: given.entry.chain,
            };
            run.entries.push(given);
        }
        if let Some(ends) = given.ends {
            ends.check(&public_key).unwrap();
            let read = run.as_ref().map(|run| run.ends);
            assert!(read.is_some_and(|read| read.seq <= ends.position.seq));
            if read == Some(ends.position) {
                runs.extend(run.take());
            }
        }
        cursor = given.next;
        if cursor.is_none() {
            assert_eq!(run, None, "a run without an end");
            return runs;
        }
    }
}
