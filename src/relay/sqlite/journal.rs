//! Reading a copy of a journal, whether it lies in rows or packed.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::blocks;
use super::rows::{self, entry_columns};
use super::trouble::Done;
use super::workshop::Workshop;
use crate::domain::{EventId, RequestKey, Seq};
use crate::relay::store::Stretch;
use crate::seal::{Chain, STAFF_ONLY, SealedEntry};

/// Whether the journal contains an event.
pub(super) fn contains(conn: &Connection, n: i64, id: EventId) -> Done<bool> {
    let row = rows::exists(
        conn,
        "select 1 from entry where workshop = ?1 and id = ?2",
        params![n, id.as_bytes()],
    )?;
    Ok(row || blocks::block_with(conn, n, id)?.is_some())
}

/// The chain's value after a position, if the journal goes so far.
pub(super) fn chain_at(conn: &Connection, workshop: &Workshop, seq: Seq) -> Done<Option<Chain>> {
    if seq.0 == 0 {
        return Ok(Some(Chain::GENESIS));
    }
    if seq.0 < 0 || seq > workshop.seq {
        return Ok(None);
    }
    let mut query =
        conn.prepare_cached("select chain from entry where workshop = ?1 and seq = ?2")?;
    let row = query
        .query_row([workshop.n, seq.0], |row| row.get(0))
        .optional()?;
    Ok(Some(match row {
        Some(chain) => Chain::from_bytes(chain),
        None => blocks::entry_at(conn, workshop.n, seq)?.chain,
    }))
}

/// How much of something is taken at once.
#[derive(Clone, Copy)]
pub(super) struct Page {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Page {
    /// Cuts a list to the page; the first always stays. True when something was cut off.
    pub(super) fn cut(self, entries: &mut Vec<SealedEntry>) -> bool {
        let mut bytes = 0_usize;
        let fitting = entries
            .iter()
            .take(self.rows)
            .enumerate()
            .take_while(|(at, entry)| {
                bytes = bytes.saturating_add(entry.size());
                *at == 0 || bytes <= self.bytes
            })
            .count();
        let cut = fitting < entries.len();
        entries.truncate(fitting);
        cut
    }
}

/// Entries after a position in order, dense, at most a page of them.
pub(super) fn after(
    conn: &Connection,
    workshop: &Workshop,
    after: Seq,
    page: Page,
) -> Done<Vec<SealedEntry>> {
    let rows = i64::try_from(page.rows).unwrap_or(i64::MAX);
    let end = workshop.seq.0.min(after.0.saturating_add(rows));
    let mut query = conn.prepare_cached(concat!(
        "select ",
        entry_columns!(),
        " from entry where workshop = ?1 and seq > ?2 and seq <= ?3 order by seq"
    ))?;
    let mut found = query.query([workshop.n, after.0, end])?;
    let mut entries = BTreeMap::new();
    while let Some(row) = found.next()? {
        let entry = rows::entry(row)?;
        entries.insert(entry.seq, entry);
    }
    let wanted = usize::try_from(end.saturating_sub(after.0)).unwrap_or(0);
    if entries.len() < wanted {
        for block in blocks::block_of(Seq(after.0 + 1))..=blocks::block_of(Seq(end)) {
            for given in blocks::load(conn, workshop.n, block)? {
                if given.entry.seq > after && given.entry.seq.0 <= end {
                    entries.insert(given.entry.seq, given.entry);
                }
            }
        }
    }
    let mut entries = entries.into_values().collect();
    page.cut(&mut entries);
    Ok(entries)
}

/// One stretch of a thread, without what no owner may read.
pub(super) fn thread(
    conn: &Connection,
    workshop: &Workshop,
    thread: RequestKey,
    after: Seq,
    page: Page,
) -> Done<Stretch> {
    // One more than fits shows whether more follow.
    let wanted = page.rows.saturating_add(1);
    let mut entries = BTreeMap::new();
    for block in blocks::blocks_of(conn, workshop.n, thread, after)? {
        let packed = blocks::load(conn, workshop.n, block)?;
        let of_thread = packed.into_iter().map(|given| given.entry).filter(|entry| {
            entry.thread == Some(thread) && entry.seq > after && !entry.is_staff_only()
        });
        entries.extend(of_thread.map(|entry| (entry.seq, entry)));
        if entries.len() >= wanted {
            break;
        }
    }
    let mut query = conn.prepare_cached(concat!(
        "select ",
        entry_columns!(),
        " from entry where workshop = ?1 and thread = ?2 and seq > ?3 and flags & ?4 = 0
          order by seq limit ?5"
    ))?;
    let limit = i64::try_from(wanted).unwrap_or(i64::MAX);
    let mut found = query.query(params![
        workshop.n,
        thread.as_bytes(),
        after.0,
        STAFF_ONLY,
        limit
    ])?;
    let mut bytes = 0_usize;
    while let Some(row) = found.next()? {
        let entry = rows::entry(row)?;
        bytes = bytes.saturating_add(entry.size());
        entries.insert(entry.seq, entry);
        // What is cut off below need not be read either.
        if bytes > page.bytes && entries.len() > 1 {
            break;
        }
    }
    let mut entries = entries.into_values().collect();
    let more = page.cut(&mut entries);
    Ok(Stretch { entries, more })
}
