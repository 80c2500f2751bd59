//! Giving back what the box may lack: the runs of orphans, oldest first, then the tail after the last
//! common position. Each run can be verified: its beginning, its entries, the box's own signature
//! over its end.
//!
//! While nothing is signed at the end of the copy (`fork`), the tail is given as the beginning of the
//! run that proves it.

use minicbor::{Decode, Encode};
use rusqlite::{Connection, params};

use super::fork::run_that_proves;
use super::journal::{self, Page};
use super::rows::{self, entry_columns};
use super::trouble::{Done, Trouble};
use super::workshop::{self, Workshop};
use crate::domain::{Seq, WorkshopKey};
use crate::seal::{Chain, Position, SignedHead};
use crate::wire::link::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, GiveBack, Given, GivenEntry};

const PAGE: Page = Page {
    rows: BATCH_ENTRIES_MAX,
    bytes: BATCH_BYTES_MAX,
};

/// Where to go on.
#[derive(Clone, Copy, Debug, Encode, Decode)]
#[cbor(map)]
struct Cursor {
    /// The run; none: the tail.
    #[n(0)]
    run: Option<i64>,
    /// The last position given of it; none: it has not begun.
    #[n(1)]
    after: Option<Seq>,
}

/// One stretch of what the box asked to have back.
pub(super) fn give_back(conn: &Connection, key: WorkshopKey, asked: &GiveBack) -> Done<Given> {
    let Some(workshop) = workshop::find(conn, key)? else {
        return Ok(nothing());
    };
    let plan = Plan::make(conn, &workshop, asked.common)?;
    let cursor = match &asked.cursor {
        None => plan.parts.first().map(|run| Cursor {
            run: *run,
            after: None,
        }),
        Some(bytes) => Some(minicbor::decode(bytes).map_err(|_| Trouble::Cursor)?),
    };
    match cursor {
        None => Ok(nothing()),
        Some(cursor) => plan.stretch(conn, cursor),
    }
}

const fn nothing() -> Given {
    Given {
        begins: None,
        entries: Vec::new(),
        ends: None,
        next: None,
    }
}

/// What is to be given, in order.
struct Plan<'w> {
    workshop: &'w Workshop,
    common: Seq,
    /// The runs, then `None` for the tail if it stands for itself.
    parts: Vec<Option<i64>>,
    /// The run that the tail is the beginning of.
    with_tail: Option<i64>,
}

impl<'w> Plan<'w> {
    fn make(conn: &Connection, workshop: &'w Workshop, common: Seq) -> Done<Self> {
        let common = common.max(Seq(0));
        let tail = common < workshop.seq;
        let with_tail = match tail {
            true => run_that_proves(conn, workshop)?,
            false => None,
        };
        let mut query =
            conn.prepare_cached("select run from run where workshop = ?1 order by run")?;
        let mut parts = query
            .query_map([workshop.n], |row| row.get(0).map(Some))?
            .collect::<Result<Vec<_>, _>>()?;
        if tail && with_tail.is_none() {
            parts.push(None);
        }
        Ok(Self {
            workshop,
            common,
            parts,
            with_tail,
        })
    }

    /// The stretch at a cursor.
    fn stretch(&self, conn: &Connection, cursor: Cursor) -> Done<Given> {
        if !self.parts.contains(&cursor.run) {
            return Err(Trouble::Cursor);
        }
        let holds_tail = cursor.run.is_none() || cursor.run == self.with_tail;
        let tail_begins = || {
            journal::chain_at(conn, self.workshop, self.common)?
                .ok_or(Trouble::Unreadable("a journal with a gap"))
        };
        let (begins, ends) = match cursor.run {
            None => {
                let head = self.workshop.signed_head();
                let head = head.ok_or(Trouble::Unreadable("the proof of a copy"))?;
                (tail_begins()?, head)
            }
            Some(run) => {
                let (begins, ends) = bounds(conn, self.workshop.n, run)?;
                (if holds_tail { tail_begins()? } else { begins }, ends)
            }
        };
        let mut entries = Vec::new();
        let mut after = cursor.after.unwrap_or(Seq(0));
        if holds_tail {
            after = after.max(self.common);
            for entry in journal::after(conn, self.workshop, after, PAGE)? {
                let log = self.workshop.log_at(entry.seq);
                entries.push(GivenEntry {
                    log: log.ok_or(Trouble::Unreadable("a history with a gap"))?,
                    entry,
                    settled: false,
                });
            }
        }
        if entries.is_empty()
            && let Some(run) = cursor.run
        {
            entries = orphans(conn, self.workshop.n, run, after)?;
        }
        let last = entries.last().map(|given| given.entry.seq);
        let ended = last.is_none_or(|last| last >= ends.position.seq);
        Ok(Given {
            begins: cursor.after.is_none().then_some(begins),
            entries,
            ends: last.map(|_| ends),
            next: self.next(cursor, last.filter(|_| !ended)).map(rows::encode),
        })
    }

    /// Where to go on: further in this run, or at the next.
    fn next(&self, cursor: Cursor, last: Option<Seq>) -> Option<Cursor> {
        if last.is_some() {
            return Some(Cursor {
                run: cursor.run,
                after: last,
            });
        }
        let mut rest = self.parts.iter().skip_while(|run| **run != cursor.run);
        rest.nth(1).map(|run| Cursor {
            run: *run,
            after: None,
        })
    }
}

/// Where a run begins, and its end with the box's signature.
fn bounds(conn: &Connection, n: i64, run: i64) -> Done<(Chain, SignedHead)> {
    let mut query = conn.prepare_cached(
        "select begins, end_log, end_seq, end_chain, signature
         from run where workshop = ?1 and run = ?2",
    )?;
    Ok(query.query_row([n, run], |row| {
        let position = Position {
            log: rows::log(row, 1)?,
            seq: Seq(row.get(2)?),
            chain: Chain::from_bytes(row.get(3)?),
        };
        let signature = row.get(4)?;
        Ok((
            Chain::from_bytes(row.get(0)?),
            SignedHead {
                position,
                signature,
            },
        ))
    })?)
}

/// Entries of a run after a position, at most a page of them.
fn orphans(conn: &Connection, n: i64, run: i64, after: Seq) -> Done<Vec<GivenEntry>> {
    let mut query = conn.prepare_cached(concat!(
        "select ",
        entry_columns!(),
        ", log, settled from orphan where workshop = ?1 and run = ?2 and seq > ?3
          order by seq limit ?4"
    ))?;
    let limit = i64::try_from(PAGE.rows).unwrap_or(i64::MAX);
    let mut found = query.query(params![n, run, after.0, limit])?;
    let mut entries = Vec::new();
    let mut bytes = 0_usize;
    while let Some(row) = found.next()? {
        let given = GivenEntry {
            entry: rows::entry(row)?,
            log: rows::log(row, 10)?,
            settled: row.get(11)?,
        };
        bytes = bytes.saturating_add(given.entry.size());
        if bytes > PAGE.bytes && !entries.is_empty() {
            break;
        }
        entries.push(given);
    }
    Ok(entries)
}
