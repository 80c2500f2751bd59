//! One workshop's row: which copy of its box may go on, and where the copy of its journal ends.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows;
use super::trouble::{Done, Trouble};
use crate::domain::{LogId, Seq, Timestamp, WorkshopKey};
use crate::relay::lineage::Standing;
use crate::relay::store::{Fence, WorkshopState, incarnation_at};
use crate::seal::{Chain, Lineage, Position, SignedHead};
use crate::wire::link::Incarnation;

/// What is known of a workshop.
pub(super) struct Workshop {
    /// Its number in the other tables.
    pub(super) n: i64,
    pub(super) standing: Standing,
    /// Where its journal ends; 0: nothing yet.
    pub(super) seq: Seq,
    pub(super) chain: Chain,
    /// The box's own over the end; none right after a fork.
    pub(super) signature: Option<[u8; 64]>,
    pub(super) line: Seq,
    pub(super) revision: i64,
    pub(super) doors: Vec<String>,
    pub(super) seen_ms: i64,
    pub(super) history: Vec<Incarnation>,
}

/// The workshop with this key.
pub(super) fn find(conn: &Connection, key: WorkshopKey) -> Done<Option<Workshop>> {
    let mut query = conn.prepare_cached(
        "select n, public_key, generation, nonce, held_generation, held_nonce, restored_ms,
                claimed_ms, quarantined, head_seq, head_chain, head_signature, line, revision,
                doors, seen_ms
         from workshop where key = ?1",
    )?;
    let found = query.query_row([key.as_bytes()], read).optional()?;
    let Some((mut workshop, doors)) = found else {
        return Ok(None);
    };
    workshop.doors = rows::decode(&doors, "a workshop's addresses")?;
    workshop.history = history(conn, workshop.n)?;
    Ok(Some(workshop))
}

/// The workshop that a session may still change something of.
pub(super) fn fenced(conn: &Connection, fence: Fence) -> Done<Workshop> {
    find(conn, fence.workshop)?
        .filter(|workshop| workshop.standing.admits(fence.generation))
        .ok_or(Trouble::Fenced)
}

impl Workshop {
    /// Where its journal ends.
    pub(super) fn position(&self) -> Option<Position> {
        let log = self.log_at(self.seq)?;
        (self.seq.0 > 0).then_some(Position {
            log,
            seq: self.seq,
            chain: self.chain,
        })
    }

    /// Its end with the box's signature.
    pub(super) fn signed_head(&self) -> Option<SignedHead> {
        Some(SignedHead {
            position: self.position()?,
            signature: self.signature?,
        })
    }

    /// The incarnation of a position.
    pub(super) fn log_at(&self, seq: Seq) -> Option<LogId> {
        incarnation_at(&self.history, seq)
    }

    /// As owners' pages are told.
    pub(super) fn state(self) -> WorkshopState {
        WorkshopState {
            position: self.position(),
            doors: self.doors,
            seen_ms: self.seen_ms,
        }
    }
}

/// Enters a workshop that was not known.
pub(super) fn enter(
    conn: &Connection,
    key: WorkshopKey,
    standing: &Standing,
    now: Timestamp,
) -> Done<i64> {
    conn.prepare_cached(
        "insert into workshop
            (key, public_key, generation, nonce, quarantined, head_seq, head_chain, line, revision,
             doors, seen_ms, forks, posts, post_bytes)
         values (?1, ?2, ?3, ?4, 0, 0, ?5, 0, 0, ?6, ?7, 0, 0, 0)",
    )?
    .execute(params![
        key.as_bytes(),
        standing.public_key,
        number(standing.offered.generation),
        standing.offered.nonce,
        Chain::GENESIS.as_bytes(),
        rows::encode(Vec::<String>::new()),
        now.0,
    ])?;
    let n = conn.last_insert_rowid();
    remember(conn, n, standing)?;
    Ok(n)
}

/// Remembers which copies may go on.
pub(super) fn remember(conn: &Connection, n: i64, standing: &Standing) -> Done<()> {
    conn.prepare_cached(
        "update workshop set generation = ?2, nonce = ?3, held_generation = ?4, held_nonce = ?5,
                restored_ms = ?6, claimed_ms = ?7, quarantined = ?8
         where n = ?1",
    )?
    .execute(params![
        n,
        number(standing.offered.generation),
        standing.offered.nonce,
        standing.held.map(|held| number(held.generation)),
        standing.held.map(|held| held.nonce),
        standing.restored.map(|at| at.0),
        standing.claimed.map(|at| at.0),
        standing.quarantined,
    ])?;
    Ok(())
}

/// Remembers where the box is found on its own network.
pub(super) fn set_doors(conn: &Connection, n: i64, doors: &[String]) -> Done<()> {
    conn.prepare_cached("update workshop set doors = ?2 where n = ?1")?
        .execute(params![n, rows::encode(doors)])?;
    Ok(())
}

/// The box was heard of.
pub(super) fn seen(conn: &Connection, key: WorkshopKey, now: Timestamp) -> Done<()> {
    conn.prepare_cached("update workshop set seen_ms = max(seen_ms, ?2) where key = ?1")?
        .execute(params![key.as_bytes(), now.0])?;
    Ok(())
}

/// The journal ends here now.
pub(super) fn set_head(
    conn: &Connection,
    n: i64,
    (seq, chain): (Seq, Chain),
    signature: Option<&[u8; 64]>,
) -> Done<()> {
    conn.prepare_cached(
        "update workshop set head_seq = ?2, head_chain = ?3, head_signature = ?4 where n = ?1",
    )?
    .execute(params![n, seq.0, chain.as_bytes(), signature])?;
    Ok(())
}

/// What a staged block was made of has changed: it must not be swapped in.
pub(super) fn revise(conn: &Connection, n: i64) -> Done<()> {
    conn.prepare_cached("update workshop set revision = revision + 1 where n = ?1")?
        .execute([n])?;
    Ok(())
}

/// How many orphans wait to be seen again.
pub(super) fn unsettled(conn: &Connection, n: i64) -> Done<u32> {
    let mut query =
        conn.prepare_cached("select count(*) from orphan where workshop = ?1 and settled = 0")?;
    Ok(query.query_row([n], |row| row.get(0))?)
}

fn history(conn: &Connection, n: i64) -> Done<Vec<Incarnation>> {
    let mut query = conn.prepare_cached(
        "select first_seq, log from incarnation where workshop = ?1 order by first_seq",
    )?;
    let history = query.query_map([n], |row| {
        Ok(Incarnation {
            first: Seq(row.get(0)?),
            log: rows::log(row, 1)?,
        })
    })?;
    Ok(history.collect::<Result<_, _>>()?)
}

/// A workshop without its addresses and history, and the addresses as they are stored.
fn read(row: &Row<'_>) -> Result<(Workshop, Vec<u8>), rusqlite::Error> {
    let held = match (row.get::<_, Option<i64>>(4)?, row.get(5)?) {
        (Some(generation), Some(nonce)) => Some(Lineage {
            generation: generation.unsigned_abs(),
            nonce,
        }),
        (_, _) => None,
    };
    let standing = Standing {
        public_key: row.get(1)?,
        held,
        offered: Lineage {
            generation: row.get::<_, i64>(2)?.unsigned_abs(),
            nonce: row.get(3)?,
        },
        restored: row.get::<_, Option<_>>(6)?.map(Timestamp),
        claimed: row.get::<_, Option<_>>(7)?.map(Timestamp),
        quarantined: row.get(8)?,
    };
    let workshop = Workshop {
        n: row.get(0)?,
        standing,
        seq: Seq(row.get(9)?),
        chain: Chain::from_bytes(row.get(10)?),
        signature: row.get(11)?,
        line: Seq(row.get(12)?),
        revision: row.get(13)?,
        doors: Vec::new(),
        seen_ms: row.get(15)?,
        history: Vec::new(),
    };
    Ok((workshop, row.get(14)?))
}

/// Generations stay below 2^60 (`lineage`), but a held one is whatever the box showed.
fn number(generation: u64) -> i64 {
    i64::try_from(generation).unwrap_or(i64::MAX)
}
