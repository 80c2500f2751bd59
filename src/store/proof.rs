//! Proving that nobody changed the journal (`sync.md` §2). Used by `verify`, and by tests of everything
//! that moves entries.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::error::StoreError;
use super::incarnations;
use super::journal::{Entry, each};
use super::keys::BoxKeys;
use crate::domain::{Event, RequestId, RequestKey};
use crate::seal::Chain;

/// Reads the whole journal and says what is wrong with it: gaps, broken chain, altered bodies, and
/// bodies that are gone although nothing erased them.
pub(super) fn faults(
    conn: &Connection,
    keys: &BoxKeys,
    faults_max: usize,
) -> Result<(i64, Vec<String>), StoreError> {
    let logs = incarnations::all(conn)?;
    let mut faults = Vec::new();
    let mut chain = *Chain::GENESIS.as_bytes();
    let mut expected = 1;
    let mut read = 0;
    let mut erased = BTreeMap::new();
    // Where copies were brought together, what erases may come before what it erases.
    let mut foretold = BTreeSet::new();
    let mut numbers = Numbers::default();
    each(conn, |entry| {
        read += 1;
        let mut fault = |text: String| {
            if faults.len() < faults_max {
                faults.push(text);
            }
        };
        if entry.seq.0 != expected {
            fault(format!(
                "entry {expected} is missing; the next one is {}",
                entry.seq
            ));
        }
        expected = entry.seq.0 + 1;
        let log = logs
            .iter()
            .rev()
            .find(|(first, _)| *first <= entry.seq.0)
            .map(|(_, log)| *log);
        match log {
            None => fault(format!(
                "entry {} belongs to no incarnation of the journal",
                entry.seq
            )),
            Some(log) => {
                let next = Chain::from_bytes(chain).next(&entry.link(log));
                if *next.as_bytes() != entry.chain {
                    fault(format!(
                        "entry {} does not follow from the one before it",
                        entry.seq
                    ));
                }
            }
        }
        chain = entry.chain;
        if !numbers.fit(&entry) {
            fault(format!("entry {} stands in another request", entry.seq));
        }
        if entry
            .expected_body_sha(keys)
            .is_some_and(|sha| sha != entry.body_sha)
        {
            fault(format!(
                "entry {} ({}) is not what was written",
                entry.seq, entry.kind
            ));
        } else {
            match entry.event() {
                Err(error) => fault(error.to_string()),
                Ok(None) => {
                    if !foretold.remove(&entry.id) {
                        erased.insert(entry.id, entry.seq);
                    }
                }
                Ok(Some(
                    Event::MessageRedacted { message, .. } | Event::MessageExpired { message, .. },
                )) => {
                    if erased.remove(&message).is_none() {
                        foretold.insert(message);
                    }
                }
                Ok(Some(_)) => {}
            }
        }
        Ok(())
    })?;
    for seq in erased.values().take(faults_max - faults.len()) {
        faults.push(format!(
            "entry {seq} has lost what it said, and nothing erased it"
        ));
    }
    Ok((read, faults))
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
