//! Packed stretches of a journal. A journal is dense, so a position without a row in `entry` is in
//! its block, and the block's number follows from the position.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::rows;
use super::trouble::{Done, Trouble};
use super::workshop;
use crate::domain::{EventId, RequestKey, Seq};
use crate::seal::SealedEntry;
use crate::wire::link::GivenEntry;

/// Positions that one block stands for.
pub(super) const BLOCK_ENTRIES: i64 = 64;

/// The block of a position.
pub(super) const fn block_of(seq: Seq) -> i64 {
    (seq.0 - 1).div_euclid(BLOCK_ENTRIES)
}

/// The last position of a block.
pub(super) const fn last_of(block: i64) -> Seq {
    Seq((block + 1) * BLOCK_ENTRIES)
}

/// What is packed in a block, rising.
pub(super) fn load(conn: &Connection, n: i64, block: i64) -> Done<Vec<GivenEntry>> {
    let mut query =
        conn.prepare_cached("select entries from block where workshop = ?1 and block = ?2")?;
    let bytes: Option<Vec<u8>> = query.query_row([n, block], |row| row.get(0)).optional()?;
    bytes.map_or(Ok(Vec::new()), |bytes| open(&bytes))
}

/// Reads what `rows::encode` made of a block.
pub(super) fn open(bytes: &[u8]) -> Done<Vec<GivenEntry>> {
    rows::decode(bytes, "a packed block")
}

/// The packed entry at a position.
pub(super) fn entry_at(conn: &Connection, n: i64, seq: Seq) -> Done<SealedEntry> {
    load(conn, n, block_of(seq))?
        .into_iter()
        .find(|given| given.entry.seq == seq)
        .map(|given| given.entry)
        .ok_or(Trouble::Unreadable("a journal with a gap"))
}

/// The block in which an event is packed, if it is.
pub(super) fn block_with(conn: &Connection, n: i64, id: EventId) -> Done<Option<i64>> {
    let mut query =
        conn.prepare_cached("select block from packed where workshop = ?1 and id = ?2")?;
    Ok(query
        .query_row(params![n, id.as_bytes()], |row| row.get(0))
        .optional()?)
}

/// The blocks after a position that hold something of a thread.
pub(super) fn blocks_of(
    conn: &Connection,
    n: i64,
    thread: RequestKey,
    after: Seq,
) -> Done<Vec<i64>> {
    let mut query = conn.prepare_cached(
        "select block from packed_thread
         where workshop = ?1 and thread = ?2 and block >= ?3 order by block",
    )?;
    let first = block_of(Seq(after.0.saturating_add(1)));
    let blocks = query.query_map(params![n, thread.as_bytes(), first], |row| row.get(0))?;
    Ok(blocks.collect::<Result<_, _>>()?)
}

/// Puts what a block holds in place, with the ways to find it.
pub(super) fn save(conn: &Connection, n: i64, block: i64, entries: &[GivenEntry]) -> Done<()> {
    conn.prepare_cached("delete from packed_thread where workshop = ?1 and block = ?2")?
        .execute([n, block])?;
    if entries.is_empty() {
        conn.prepare_cached("delete from block where workshop = ?1 and block = ?2")?
            .execute([n, block])?;
        return Ok(());
    }
    conn.prepare_cached(
        "insert into block (workshop, block, entries) values (?1, ?2, ?3)
         on conflict (workshop, block) do update set entries = excluded.entries",
    )?
    .execute(params![n, block, rows::encode(entries)])?;
    let mut find = conn.prepare_cached(
        "insert into packed (workshop, id, block) values (?1, ?2, ?3) on conflict do nothing",
    )?;
    let mut threads = BTreeSet::new();
    for given in entries {
        find.execute(params![n, given.entry.id.as_bytes(), block])?;
        threads.extend(given.entry.thread);
    }
    let mut find = conn.prepare_cached(
        "insert into packed_thread (workshop, thread, block) values (?1, ?2, ?3)",
    )?;
    for thread in threads {
        find.execute(params![n, thread.as_bytes(), block])?;
    }
    Ok(())
}

/// Takes the body out of a packed entry.
pub(super) fn erase(conn: &Connection, n: i64, id: EventId) -> Done<()> {
    let Some(block) = block_with(conn, n, id)? else {
        return Ok(());
    };
    let mut entries = load(conn, n, block)?;
    for given in &mut entries {
        if given.entry.id == id {
            given.entry.body = None;
        }
    }
    save(conn, n, block, &entries)
}

/// Makes rows again of everything that is packed after a position.
pub(super) fn unpack_after(conn: &Connection, n: i64, seq: Seq) -> Done<()> {
    let mut query = conn.prepare_cached(
        "select block from block where workshop = ?1 and block >= ?2 order by block",
    )?;
    let first = block_of(Seq(seq.0.saturating_add(1)));
    let blocks: Vec<i64> = query
        .query_map([n, first], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for block in blocks {
        let (stay, back): (Vec<_>, Vec<_>) = load(conn, n, block)?
            .into_iter()
            .partition(|given| given.entry.seq <= seq);
        for given in &back {
            conn.prepare_cached("delete from packed where workshop = ?1 and id = ?2")?
                .execute(params![n, given.entry.id.as_bytes()])?;
            rows::insert_entry(conn, n, &given.entry)?;
        }
        save(conn, n, block, &stay)?;
    }
    workshop::revise(conn, n)
}
