//! Incarnations of the journal and its positions (`sync.md` §2, §4): which there were, where the journal
//! ends, and how a new one begins.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::domain::{LogId, Seq};
use crate::seal::{Chain, Position};

/// Incarnations with their first positions, oldest first.
pub(super) fn all(conn: &Connection) -> Result<Vec<(i64, LogId)>, rusqlite::Error> {
    let mut query = conn.prepare_cached("select first_seq, log_id from log order by first_seq")?;
    query
        .query_map([], |row| Ok((row.get(0)?, LogId::from_bytes(row.get(1)?))))?
        .collect()
}

/// Begins the first incarnation in an empty database.
pub(super) fn begin(conn: &Connection, log: LogId) -> Result<(), rusqlite::Error> {
    conn.execute(
        "insert into log (first_seq, log_id) select 1, ?1 where not exists (select 1 from log)",
        [log.as_bytes()],
    )?;
    Ok(())
}

/// Begins a new incarnation after the newest entry. One that has no entry yet gives way to it: nobody
/// ever saw it.
pub(super) fn renew(conn: &Connection) -> Result<(), rusqlite::Error> {
    let (head, _) = last(conn)?;
    enter(conn, Seq(head.0 + 1), LogId::new(Uuid::new_v4()))
}

/// Incarnations that begin after a position are none any more.
pub(super) fn forget_after(conn: &Connection, seq: Seq) -> Result<(), rusqlite::Error> {
    conn.execute("delete from log where first_seq > ?1", [seq.0])?;
    Ok(())
}

/// The incarnation `log` begins at a position, whatever was to begin there or later.
pub(super) fn enter(conn: &Connection, first: Seq, log: LogId) -> Result<(), rusqlite::Error> {
    conn.execute("delete from log where first_seq >= ?1", [first.0])?;
    conn.execute(
        "insert into log (first_seq, log_id) values (?1, ?2)",
        params![first.0, log.as_bytes()],
    )?;
    Ok(())
}

/// The incarnation that is written to.
pub(super) fn current_log(conn: &Connection) -> Result<LogId, rusqlite::Error> {
    let mut query =
        conn.prepare_cached("select log_id from log order by first_seq desc limit 1")?;
    query.query_row([], |row| row.get(0).map(LogId::from_bytes))
}

/// The newest entry and the chain after it.
pub(super) fn last(conn: &Connection) -> Result<(Seq, Chain), rusqlite::Error> {
    let mut query =
        conn.prepare_cached("select seq, chain from event order by seq desc limit 1")?;
    let last = query
        .query_row([], |row| {
            Ok((Seq(row.get(0)?), Chain::from_bytes(row.get(1)?)))
        })
        .optional()?;
    Ok(last.unwrap_or((Seq(0), Chain::GENESIS)))
}

/// The chain after an entry; `None` where there is none.
pub(super) fn chain_at(conn: &Connection, seq: Seq) -> Result<Option<Chain>, rusqlite::Error> {
    if seq == Seq(0) {
        return Ok(Some(Chain::GENESIS));
    }
    conn.prepare_cached("select chain from event where seq = ?1")?
        .query_row([seq.0], |row| row.get(0).map(Chain::from_bytes))
        .optional()
}

/// A place in the journal with all that names it; `None` beyond its end. Before the first entry it is
/// the first incarnation's.
pub(super) fn position_at(
    conn: &Connection,
    seq: Seq,
) -> Result<Option<Position>, rusqlite::Error> {
    let Some(chain) = chain_at(conn, seq)? else {
        return Ok(None);
    };
    let log = log_at(conn, Seq(seq.0.max(1)))?;
    Ok(Some(Position { log, seq, chain }))
}

/// The incarnation that the entry at a position belongs to, or will.
pub(super) fn log_at(conn: &Connection, seq: Seq) -> Result<LogId, rusqlite::Error> {
    conn.prepare_cached(
        "select log_id from log where first_seq <= ?1 order by first_seq desc limit 1",
    )?
    .query_row([seq.0], |row| row.get(0).map(LogId::from_bytes))
}

/// Where the journal ends.
pub(super) fn head(conn: &Connection) -> Result<Position, rusqlite::Error> {
    let (seq, chain) = last(conn)?;
    let log = log_at(conn, Seq(seq.0.max(1)))?;
    Ok(Position { log, seq, chain })
}
