//! Forgetting what may be forgotten: the words of closed threads, old posts; and packing what lies
//! below the line that the box has in a proven backup.
//!
//! Each step is a short transaction of its own, so that nothing waits long: a stretch of blocks is
//! staged, then swapped for its rows in one. A stage that something happened to meanwhile (an erasure,
//! a fork: `workshop.revision`) is thrown away, and so is one that a dead relay left behind.

use rusqlite::{Connection, OptionalExtension, params};

use super::blocks::{self, BLOCK_ENTRIES};
use super::engine::{Engine, Tx};
use super::rows::{self, entry_columns};
use super::trouble::{Done, Trouble};
use super::{mailbox, workshop};
use crate::crash;
use crate::domain::{RequestKey, Seq, Timestamp, WorkshopKey};
use crate::relay::limits::MESSAGE;
use crate::relay::store::{Fence, Kept};
use crate::seal::SealedEntry;
use crate::wire::link::GivenEntry;

/// Bodies forgotten in one transaction.
const BODIES_AT_ONCE: i64 = 2_000;
/// Blocks staged and swapped at once.
const BLOCKS_AT_ONCE: i64 = 16;

/// Notes what may be trimmed.
pub(super) fn retain(tx: &Tx<'_>, fence: Fence, line: Seq, closed: &[RequestKey]) -> Done<()> {
    let workshop = workshop::fenced(tx.conn, fence)?;
    tx.conn
        .prepare_cached("update workshop set line = ?2 where n = ?1")?
        .execute([workshop.n, line.0])?;
    tx.conn
        .prepare_cached("delete from closed where workshop = ?1")?
        .execute([workshop.n])?;
    let mut insert = tx.conn.prepare_cached(
        "insert into closed (workshop, thread) values (?1, ?2) on conflict do nothing",
    )?;
    for thread in closed {
        insert.execute(params![workshop.n, thread.as_bytes()])?;
    }
    workshop::revise(tx.conn, workshop.n)
}

/// Trims a workshop; gives how many rows were packed.
pub(super) async fn trim(engine: &Engine, key: WorkshopKey, now: Timestamp) -> Kept<u64> {
    let known = engine
        .write(move |tx| {
            let workshop = workshop::find(tx.conn, key)?;
            if let Some(workshop) = &workshop {
                mailbox::forget_old(tx.conn, workshop.n, now)?;
            }
            Ok(workshop.is_some())
        })
        .await?;
    if !known {
        return Ok(0);
    }
    while engine.write(move |tx| forget_bodies(tx.conn, key)).await? {}
    let (mut packed, mut from) = (0, 0);
    while let Some(last) = engine.write(move |tx| stage(tx.conn, key, from)).await? {
        crash::point("relay-snapshot-staged");
        packed += engine.write(move |tx| swap(tx.conn, key)).await?;
        crash::point("relay-snapshot-swapped");
        from = last + 1;
    }
    Ok(packed)
}

/// Takes the words out of threads that are closed as a whole; true when there may be more.
fn forget_bodies(conn: &Connection, key: WorkshopKey) -> Done<bool> {
    let Some(workshop) = workshop::find(conn, key)? else {
        return Ok(false);
    };
    let forgotten = conn
        .prepare_cached(
            "update entry set body = null where rowid in (
                 select entry.rowid from closed
                 join entry on entry.workshop = closed.workshop and entry.thread = closed.thread
                 where closed.workshop = ?1 and entry.body is not null and entry.seq <= ?2
                   and entry.kind = ?4
                   and not exists (
                     select 1 from entry as later
                     where later.workshop = closed.workshop and later.thread = closed.thread
                       and later.seq > ?2)
                 limit ?3)",
        )?
        .execute(params![
            workshop.n,
            workshop.line.0,
            BODIES_AT_ONCE,
            MESSAGE
        ])?;
    Ok(forgotten > 0)
}

/// Stages some blocks from a number on that lie below the line as a whole; gives the last of them.
pub(super) fn stage(conn: &Connection, key: WorkshopKey, from: i64) -> Done<Option<i64>> {
    let Some(workshop) = workshop::find(conn, key)? else {
        return Ok(None);
    };
    conn.prepare_cached("delete from staged where workshop = ?1")?
        .execute([workshop.n])?;
    let line = workshop.line.min(workshop.seq);
    let mut next = from;
    let mut last = None;
    for _ in 0..BLOCKS_AT_ONCE {
        let Some(block) = next_block(conn, workshop.n, next, line)? else {
            break;
        };
        let mut entries = blocks::load(conn, workshop.n, block)?;
        for mut entry in packable(conn, workshop.n, block, line)? {
            // Of a thread only what is closed is packed, and its words are not.
            if entry.thread.is_some() && entry.kind == MESSAGE {
                entry.body = None;
            }
            let log = workshop.log_at(entry.seq);
            entries.push(GivenEntry {
                log: log.ok_or(Trouble::Unreadable("a history with a gap"))?,
                entry,
                settled: false,
            });
        }
        entries.sort_by_key(|given| given.entry.seq);
        conn.prepare_cached(
            "insert into staged (workshop, block, revision, entries) values (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            workshop.n,
            block,
            workshop.revision,
            rows::encode(entries)
        ])?;
        last = Some(block);
        next = block + 1;
    }
    Ok(last)
}

/// The next block that lies below the line and has a row to pack.
fn next_block(conn: &Connection, n: i64, from: i64, line: Seq) -> Done<Option<i64>> {
    let mut query = conn.prepare_cached(
        "select seq from entry
         where workshop = ?1 and seq > ?2 and seq <= ?3
           and (thread is null or (
             exists (select 1 from closed
                     where closed.workshop = ?1 and closed.thread = entry.thread)
             and not exists (select 1 from entry as later
                     where later.workshop = ?1 and later.thread = entry.thread
                       and later.seq > ?3)))
         order by seq limit 1",
    )?;
    let first = from.saturating_mul(BLOCK_ENTRIES);
    let seq: Option<i64> = query
        .query_row([n, first, line.0], |row| row.get(0))
        .optional()?;
    let block = seq.map(|seq| blocks::block_of(Seq(seq)));
    Ok(block.filter(|block| blocks::last_of(*block) <= line))
}

/// The rows of a block that no open thread needs.
fn packable(conn: &Connection, n: i64, block: i64, line: Seq) -> Done<Vec<SealedEntry>> {
    let mut query = conn.prepare_cached(concat!(
        "select ",
        entry_columns!(),
        " from entry where workshop = ?1 and seq > ?2 and seq <= ?3
           and (thread is null or (
             exists (select 1 from closed
                     where closed.workshop = ?1 and closed.thread = entry.thread)
             and not exists (select 1 from entry as later
                     where later.workshop = ?1 and later.thread = entry.thread
                       and later.seq > ?4)))
          order by seq"
    ))?;
    let last = blocks::last_of(block).0;
    let mut found = query.query([n, last - BLOCK_ENTRIES, last, line.0])?;
    let mut entries = Vec::new();
    while let Some(row) = found.next()? {
        entries.push(rows::entry(row)?);
    }
    Ok(entries)
}

/// Swaps what is staged for its rows; gives how many rows went.
pub(super) fn swap(conn: &Connection, key: WorkshopKey) -> Done<u64> {
    let Some(workshop) = workshop::find(conn, key)? else {
        return Ok(0);
    };
    let mut query = conn.prepare_cached(
        "select block, entries from staged where workshop = ?1 and revision = ?2 order by block",
    )?;
    let staged: Vec<(i64, Vec<u8>)> = query
        .query_map([workshop.n, workshop.revision], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    let mut packed = 0;
    for (block, bytes) in staged {
        let entries = blocks::open(&bytes)?;
        let mut delete =
            conn.prepare_cached("delete from entry where workshop = ?1 and seq = ?2")?;
        for given in &entries {
            packed += delete.execute([workshop.n, given.entry.seq.0])?;
        }
        blocks::save(conn, workshop.n, block, &entries)?;
    }
    conn.prepare_cached("delete from staged where workshop = ?1")?
        .execute([workshop.n])?;
    Ok(u64::try_from(packed).unwrap_or(u64::MAX))
}
