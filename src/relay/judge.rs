//! Whether a batch of entries follows from where a copy ends. Pure: every store of a relay asks this
//! before it changes anything, and looks itself only whether an id is known already.

use std::collections::BTreeSet;

use super::store::Appended;
use crate::domain::{LogId, Seq};
use crate::seal::{Chain, Position};
use crate::wire::link::{BATCH_ENTRIES_MAX, Entries, Incarnation};

/// What is found: where the copy ends afterwards, or why nothing may change.
///
/// # Errors
/// `Rewind` when the batch begins elsewhere; `Forged` when it is not what the workshop's own box
/// would send.
pub(super) fn judge(
    end: Option<Position>,
    history: &[Incarnation],
    public_key: &[u8; 32],
    batch: &Entries,
) -> Result<Position, Appended> {
    let begins_here = match end {
        // Nothing lies before the first entry, so no incarnation is right or wrong.
        None => batch.prev.seq == Seq(0) && batch.prev.chain == Chain::GENESIS,
        Some(end) => batch.prev == end,
    };
    if !begins_here {
        return Err(Appended::Rewind(end));
    }
    match reached(end, history, batch) {
        Some(position)
            if batch.head.position == position && batch.head.check(public_key).is_ok() =>
        {
            Ok(position)
        }
        Some(_) | None => Err(Appended::Forged),
    }
}

/// Where the batch leads, if each of its entries follows from the one before.
fn reached(end: Option<Position>, history: &[Incarnation], batch: &Entries) -> Option<Position> {
    let same = end.is_some_and(|end| end.log == batch.log);
    if !same && returns(history, batch.log) {
        return None;
    }
    if batch.entries.is_empty() || batch.entries.len() > BATCH_ENTRIES_MAX {
        return None;
    }
    let mut ids = BTreeSet::new();
    let (mut seq, mut chain) = (batch.prev.seq, batch.prev.chain);
    for entry in &batch.entries {
        seq = Seq(seq.0.checked_add(1)?);
        if entry.seq != seq || !entry.follows(chain, batch.log) || !ids.insert(entry.id) {
            return None;
        }
        chain = entry.chain;
    }
    Some(Position {
        log: batch.log,
        seq,
        chain,
    })
}

/// An incarnation that was left never goes on.
fn returns(history: &[Incarnation], log: LogId) -> bool {
    history.iter().any(|each| each.log == log)
}
