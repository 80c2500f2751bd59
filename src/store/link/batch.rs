//! The next entries for the relay, sealed on their way out. The journal is the outbox: nothing sealed
//! is stored, and memory is a batch, whatever the backlog.

use rusqlite::OptionalExtension;

use super::clear;
use super::facts::sign;
use crate::domain::Seq;
use crate::seal::{Chain, Clear, Position, SealedEntry, body_sha};
use crate::store::error::StoreError;
use crate::store::incarnations;
use crate::store::journal::{self, Entry};
use crate::store::tx::View;
use crate::wire::link::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, Entries};

/// What one wrapped key adds to a frame, in bytes: two ids, the wrapped key, their heads.
const WRAP_BYTES: usize = 80;

/// Entries after a position, from one incarnation and within the limits of a frame, with the signed
/// position after them; `None` at the end of the journal, or beyond it.
pub fn batch_after(view: &View<'_>, after: Seq) -> Result<Option<Entries>, StoreError> {
    let Some(prev) = incarnations::position_at(view.conn, after)? else {
        return Ok(None);
    };
    let rows = i64::try_from(BATCH_ENTRIES_MAX).unwrap_or(1);
    let found = journal::after(view.conn, after, rows)?;
    let Some(first) = found.first() else {
        return Ok(None);
    };
    let log = incarnations::log_at(view.conn, first.seq)?;
    let border: Option<i64> = view
        .conn
        .prepare_cached("select min(first_seq) from log where first_seq > ?1")?
        .query_row([first.seq.0], |row| row.get(0))
        .optional()?
        .flatten();
    let mut entries = Vec::new();
    let mut bytes = 0;
    for entry in found {
        if border.is_some_and(|border| entry.seq.0 >= border) {
            break;
        }
        let entry = sealed(view, entry)?;
        let size = size(&entry);
        if bytes + size > BATCH_BYTES_MAX && !entries.is_empty() {
            break;
        }
        bytes += size;
        entries.push(entry);
    }
    let Some(last) = entries.last() else {
        return Ok(None);
    };
    let position = Position {
        log,
        seq: last.seq,
        chain: last.chain,
    };
    Ok(Some(Entries {
        prev,
        log,
        head: sign(view.keys, position),
        entries,
    }))
}

fn sealed(view: &View<'_>, entry: Entry) -> Result<SealedEntry, StoreError> {
    let mut body = entry.sealed(view.keys);
    let is_damaged = body
        .as_deref()
        .is_some_and(|body| body_sha(body) != entry.body_sha);
    if is_damaged {
        // What the disk gave back is not what was written. The relay would not take it, and the rest
        // of the journal must not wait for it: it goes without its words.
        tracing::error!(seq = entry.seq.0, "an entry is not what was written");
        body = None;
    }
    // An entry that lost its body says in what stays of it what the relay must do all the same.
    let clear = if is_damaged {
        None
    } else {
        clear::of(view, &entry)?
    };
    Ok(SealedEntry {
        seq: entry.seq,
        id: entry.id,
        thread: entry.thread,
        kind: entry.kind,
        flags: entry.flags,
        epoch: entry.epoch,
        body_sha: entry.body_sha,
        chain: Chain::from_bytes(entry.chain),
        body,
        clear,
    })
}

fn size(entry: &SealedEntry) -> usize {
    let wraps = match &entry.clear {
        Some(Clear::Granted { wraps, .. } | Clear::Revoked { wraps, .. }) => wraps.len(),
        Some(Clear::Erased { .. }) | None => 0,
    };
    entry.size() + wraps * WRAP_BYTES
}
