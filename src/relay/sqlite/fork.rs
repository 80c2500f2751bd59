//! A fork: what lies after the last common position becomes a run of orphans, proven by the box's own
//! signature over its end, until each entry came back.
//!
//! Right after a fork nothing is signed at the end of the copy; what proves it is then the run that
//! began there. A second fork before the next batch therefore lengthens that run downwards instead of
//! making one that nobody could believe.

use rusqlite::{Connection, OptionalExtension, params};

use super::engine::Tx;
use super::trouble::{Done, Trouble};
use super::workshop::{self, Workshop};
use super::{blocks, journal};
use crate::relay::store::{Fence, Wake};
use crate::seal::{Chain, Position};

/// Moves everything after `common` to the orphans; `None` when the copy does not have that position.
pub(super) fn fork(tx: &mut Tx<'_>, fence: Fence, common: Position) -> Done<Option<Position>> {
    let workshop = workshop::fenced(tx.conn, fence)?;
    if !has(tx.conn, &workshop, common)? {
        return Ok(None);
    }
    if common.seq == workshop.seq {
        return Ok(Some(common));
    }
    blocks::unpack_after(tx.conn, workshop.n, common.seq)?;
    let run = run_for_the_tail(tx.conn, &workshop, common)?;
    tx.conn
        .prepare_cached(
            "insert into orphan (workshop, run, seq, log, id, thread, kind, flags, epoch, body_sha,
                    chain, body, clear, settled)
             select workshop, ?3, seq,
                    (select log from incarnation
                     where incarnation.workshop = entry.workshop and first_seq <= entry.seq
                     order by first_seq desc limit 1),
                    id, thread, kind, flags, epoch, body_sha, chain, body, clear, 0
             from entry where workshop = ?1 and seq > ?2 order by seq",
        )?
        .execute([workshop.n, common.seq.0, run])?;
    tx.conn
        .prepare_cached("delete from entry where workshop = ?1 and seq > ?2")?
        .execute([workshop.n, common.seq.0])?;
    tx.conn
        .prepare_cached("delete from incarnation where workshop = ?1 and first_seq > ?2")?
        .execute([workshop.n, common.seq.0])?;
    // The backup that the line speaks of has other entries there than those that come now.
    tx.conn
        .prepare_cached("update workshop set forks = forks + 1, line = min(line, ?2) where n = ?1")?
        .execute([workshop.n, common.seq.0])?;
    workshop::set_head(tx.conn, workshop.n, (common.seq, common.chain), None)?;
    tx.wake(Wake::Workshop(fence.workshop));
    Ok(Some(common))
}

/// Whether a position lies on the copy.
fn has(conn: &Connection, workshop: &Workshop, at: Position) -> Done<bool> {
    if journal::chain_at(conn, workshop, at.seq)? != Some(at.chain) {
        return Ok(false);
    }
    // Before the first entry there is no incarnation yet.
    Ok(at.seq.0 == 0 || workshop.log_at(at.seq) == Some(at.log))
}

/// The run that takes the tail: a new one that ends with the signed head, or the one that begins
/// where the tail ends.
fn run_for_the_tail(conn: &Connection, workshop: &Workshop, common: Position) -> Done<i64> {
    let begins = common.chain.as_bytes();
    if let Some(head) = workshop.signed_head() {
        conn.prepare_cached(
            "insert into run (workshop, run, begins, end_log, end_seq, end_chain, signature)
             values (?1, (select coalesce(max(run), 0) + 1 from run where workshop = ?1),
                     ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            workshop.n,
            begins,
            head.position.log.as_bytes(),
            head.position.seq.0,
            head.position.chain.as_bytes(),
            head.signature,
        ])?;
        let mut query = conn.prepare_cached("select max(run) from run where workshop = ?1")?;
        return Ok(query.query_row([workshop.n], |row| row.get(0))?);
    }
    let run = run_that_proves(conn, workshop)?.ok_or(Trouble::Unreadable("the proof of a copy"))?;
    conn.prepare_cached("update run set begins = ?3 where workshop = ?1 and run = ?2")?
        .execute(params![workshop.n, run, begins])?;
    Ok(run)
}

/// The run that began where the copy ends now: while nothing is signed there, it is the proof.
pub(super) fn run_that_proves(conn: &Connection, workshop: &Workshop) -> Done<Option<i64>> {
    if workshop.signature.is_some() {
        return Ok(None);
    }
    run_that_begins(conn, workshop.n, workshop.chain)
}

fn run_that_begins(conn: &Connection, n: i64, chain: Chain) -> Done<Option<i64>> {
    let mut query = conn.prepare_cached(
        "select run from run where workshop = ?1 and begins = ?2 order by run desc limit 1",
    )?;
    Ok(query
        .query_row(params![n, chain.as_bytes()], |row| row.get(0))
        .optional()?)
}
