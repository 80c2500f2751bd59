//! Proving that nobody changed the journal (`sync.md` §2). Used by `verify`, and by tests of everything
//! that moves entries.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::error::StoreError;
use super::event_body;
use super::incarnations;
use super::journal::{Entry, each};
use super::keys::BoxKeys;
use super::project::lesser;
use crate::domain::{Event, EventId, LogId, RequestId, RequestKey, Seq};
use crate::seal::Chain;

/// Reads the whole journal and says what is wrong with it: gaps, broken chain, altered bodies, and
/// bodies that are gone although nothing erased them.
pub(super) fn faults(
    conn: &Connection,
    keys: &BoxKeys,
    faults_max: usize,
) -> Result<(i64, Vec<String>), StoreError> {
    let logs = incarnations::all(conn)?;
    let mut proving = Proving::new(faults_max);
    each(conn, |entry| {
        proving.see(&logs, keys, &entry);
        Ok(())
    })?;
    Ok(proving.conclude())
}

/// A proof under way: it sees one entry after the other, from the first.
pub(super) struct Proving {
    faults: Vec<String>,
    faults_max: usize,
    chain: [u8; 32],
    expected: i64,
    read: i64,
    erased: BTreeMap<EventId, Seq>,
    /// Where copies were brought together, what erases may come before what it erases.
    foretold: BTreeSet<EventId>,
    remains: Remains,
    numbers: Numbers,
}

impl Proving {
    /// Tells so many faults one by one.
    pub(super) fn new(faults_max: usize) -> Self {
        Self {
            faults: Vec::new(),
            faults_max,
            chain: *Chain::GENESIS.as_bytes(),
            expected: 1,
            read: 0,
            erased: BTreeMap::new(),
            foretold: BTreeSet::new(),
            remains: Remains::default(),
            numbers: Numbers::default(),
        }
    }

    /// Looks at the next entry.
    pub(super) fn see(&mut self, logs: &[(i64, LogId)], keys: &BoxKeys, entry: &Entry) {
        self.read += 1;
        if entry.seq.0 != self.expected {
            self.fault(format!(
                "entry {} is missing; the next one is {}",
                self.expected, entry.seq
            ));
        }
        self.expected = entry.seq.0 + 1;
        let log = logs
            .iter()
            .rev()
            .find(|(first, _)| *first <= entry.seq.0)
            .map(|(_, log)| *log);
        match log {
            None => self.fault(format!(
                "entry {} belongs to no incarnation of the journal",
                entry.seq
            )),
            Some(log) => {
                let next = Chain::from_bytes(self.chain).next(&entry.link(log));
                if *next.as_bytes() != entry.chain {
                    self.fault(format!(
                        "entry {} does not follow from the one before it",
                        entry.seq
                    ));
                }
            }
        }
        self.chain = entry.chain;
        if !self.numbers.fit(entry) {
            self.fault(format!("entry {} stands in another request", entry.seq));
        }
        if entry
            .expected_body_sha(keys)
            .is_some_and(|sha| sha != entry.body_sha)
        {
            self.fault(format!(
                "entry {} ({}) is not what was written",
                entry.seq, entry.kind
            ));
        } else {
            self.see_body(entry);
        }
    }

    fn see_body(&mut self, entry: &Entry) {
        if entry.body.is_none() {
            if !self.foretold.remove(&entry.id) {
                self.erased.insert(entry.id, entry.seq);
            }
            self.remains.found(entry);
        }
        match entry.event() {
            Err(error) => self.fault(error.to_string()),
            Ok(Some(Event::EventErased { event, remains, .. })) => {
                if self.erased.remove(&event).is_none() {
                    self.foretold.insert(event);
                }
                self.remains.said(event, remains.as_deref());
            }
            Ok(Some(
                Event::MessageRedacted { message, .. } | Event::MessageExpired { message, .. },
            )) => {
                if self.erased.remove(&message).is_none() {
                    self.foretold.insert(message);
                }
            }
            Ok(Some(_) | None) => {}
        }
    }

    /// How many entries were read, and what is wrong.
    pub(super) fn conclude(mut self) -> (i64, Vec<String>) {
        for seq in std::mem::take(&mut self.erased).into_values() {
            self.fault(format!(
                "entry {seq} has lost what it said, and nothing erased it"
            ));
        }
        for seq in std::mem::take(&mut self.remains).wrong() {
            self.fault(format!(
                "what stays of entry {seq} is not what the entry says that erased it"
            ));
        }
        (self.read, self.faults)
    }

    fn fault(&mut self, text: String) {
        if self.faults.len() < self.faults_max {
            self.faults.push(text);
        }
    }
}

/// What stays of erased entries. No hash covers it where it stands; the entries that erased say it, and
/// theirs do.
#[derive(Default)]
struct Remains {
    found: BTreeMap<EventId, (Seq, Option<String>)>,
    said: BTreeMap<EventId, Option<String>>,
}

impl Remains {
    fn found(&mut self, entry: &Entry) {
        self.found
            .insert(entry.id, (entry.seq, entry.remains.clone()));
    }

    fn said(&mut self, event: EventId, stays: Option<&Event>) {
        let stays = stays.map(|event| event_body::encode(event, event_body::Names::default()));
        let known = self.said.remove(&event).flatten();
        self.said.insert(event, lesser(known, stays));
    }

    fn wrong(self) -> Vec<Seq> {
        let Self { found, mut said } = self;
        found
            .into_iter()
            .filter(|(id, (_, stays))| said.remove(id).flatten() != *stays)
            .map(|(_, (seq, _))| seq)
            .collect()
    }
}

/// The number of each thread's request: its opening entry says it, and all later ones must agree.
/// (It is this box's own and in no seal.)
#[derive(Default)]
struct Numbers {
    of: BTreeMap<RequestKey, RequestId>,
    taken: BTreeSet<RequestId>,
}

impl Numbers {
    fn fit(&mut self, entry: &Entry) -> bool {
        let Some(thread) = entry.thread else {
            return entry.request.is_none();
        };
        if entry.is_opening() {
            return entry.request.is_none_or(|number| {
                self.of.insert(thread, number).is_none() && self.taken.insert(number)
            });
        }
        self.of.get(&thread).copied() == entry.request
    }
}
