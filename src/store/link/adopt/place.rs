//! Putting staged entries into the journal, one after the other, with their rows.

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::{Event, EventId, LogId, PersonKey, RequestId, RequestKey, Seq, Timestamp};
use crate::seal::{Chain, Position};
use crate::store::error::StoreError;
use crate::store::journal::{self, Entry};
use crate::store::tx::{View, WriteTx};
use crate::store::{incarnations, project, requests};

/// Entries held in memory at once.
const PAGE_ROWS: i64 = 64;

/// Where the next entry goes.
pub(super) struct Placing {
    seq: Seq,
    chain: Chain,
    log: LogId,
    /// Of the entry before; for one whose time is not known any more.
    at: Timestamp,
}

/// An entry as it was staged.
struct Waiting {
    seq: i64,
    log: LogId,
    entry: Entry,
    at: Option<Timestamp>,
}

impl Placing {
    /// Goes on after a position, in the incarnation that is there.
    pub(super) fn after(tx: &WriteTx<'_>, common: Position) -> Result<Self, StoreError> {
        let at: Option<i64> = tx
            .conn
            .prepare_cached("select at_ms from event where seq = ?1")?
            .query_row([common.seq.0], |row| row.get(0))
            .optional()?;
        Ok(Self {
            seq: common.seq,
            chain: common.chain,
            log: common.log,
            at: at.map_or(tx.now, Timestamp),
        })
    }

    /// Every staged entry in the incarnation that it was written in, at its own place.
    pub(super) fn all_as_they_stand(&mut self, tx: &WriteTx<'_>) -> Result<(), StoreError> {
        self.each(tx, |placing, tx, waiting| {
            if placing.seq.0 == 0 || waiting.log != placing.log {
                incarnations::enter(tx.conn, Seq(placing.seq.0 + 1), waiting.log)?;
                placing.log = waiting.log;
            }
            placing.put(tx, waiting)
        })
    }

    /// Every staged entry, one after the other, in the incarnation that was just begun.
    pub(super) fn all_in_a_new_incarnation(&mut self, tx: &WriteTx<'_>) -> Result<(), StoreError> {
        self.log = incarnations::current_log(tx.conn)?;
        self.each(tx, Self::put)
    }

    /// Calls `place` with every staged entry in its order: the newest run first, the own ones last.
    fn each(
        &mut self,
        tx: &WriteTx<'_>,
        mut place: impl FnMut(&mut Self, &WriteTx<'_>, Waiting) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let runs = tx
            .conn
            .prepare("select distinct run from staged_entry order by run desc")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<i64>, _>>()?;
        for run in runs {
            let mut after = 0;
            loop {
                let page = page(tx, run, after)?;
                let Some(last) = page.last() else { break };
                after = last.seq;
                for waiting in page {
                    place(self, tx, waiting)?;
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, tx: &WriteTx<'_>, waiting: Waiting) -> Result<(), StoreError> {
        let Waiting { mut entry, at, .. } = waiting;
        entry.seq = Seq(self.seq.0 + 1);
        entry.at = at.unwrap_or(self.at);
        let event = entry.event()?;
        entry.request = number(tx, &entry, event.as_ref())?;
        let chain = self.chain.next(&entry.link(self.log));
        entry.chain = *chain.as_bytes();
        journal::copy_to(tx.conn, &entry)?;
        let view = View {
            conn: tx.conn,
            keys: tx.keys,
            now: entry.at,
        };
        project::apply(&view, &entry, event.as_ref())?;
        if entry.is_opening() && lookup(tx, &entry)?.is_none() {
            // It opened nothing (its owner is not here): its number is not taken either.
            tx.conn
                .prepare_cached("update event set request_id = null where seq = ?1")?
                .execute([entry.seq.0])?;
        }
        self.seq = entry.seq;
        self.chain = chain;
        self.at = entry.at;
        Ok(())
    }
}

/// The number of an entry's request on this box. One that is opened by it gets the number that it had,
/// here or where it was opened, or the next if that is taken.
fn number(
    tx: &WriteTx<'_>,
    entry: &Entry,
    event: Option<&Event>,
) -> Result<Option<RequestId>, StoreError> {
    if let Some(Event::RequestOpened { number, .. }) = event {
        let wish = entry.request.map_or(*number, |request| request.0);
        return Ok(Some(requests::number_or_next(tx.conn, wish)?));
    }
    lookup(tx, entry)
}

fn lookup(tx: &WriteTx<'_>, entry: &Entry) -> Result<Option<RequestId>, StoreError> {
    let Some(thread) = entry.thread else {
        return Ok(None);
    };
    Ok(tx
        .conn
        .prepare_cached("select id from request where key = ?1")?
        .query_row([thread.as_bytes()], |row| row.get(0).map(RequestId))
        .optional()?)
}

fn page(tx: &WriteTx<'_>, run: i64, after: i64) -> Result<Vec<Waiting>, StoreError> {
    let mut query = tx.conn.prepare_cached(
        "select seq, id, log, request_id, thread, kind, flags, epoch, at_ms, author, body, body_sha,
             remains
         from staged_entry where run = ?1 and seq > ?2 order by seq limit ?3",
    )?;
    Ok(query
        .query_map(params![run, after, PAGE_ROWS], from_row)?
        .collect::<Result<_, _>>()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    let author: Option<[u8; 16]> = row.get(9)?;
    Ok(Waiting {
        seq: row.get(0)?,
        log: LogId::from_bytes(row.get(2)?),
        at: row.get::<_, Option<i64>>(8)?.map(Timestamp),
        entry: Entry {
            seq: Seq(row.get(0)?),
            id: EventId::from_bytes(row.get(1)?),
            request: row.get::<_, Option<i64>>(3)?.map(RequestId),
            thread: row
                .get::<_, Option<[u8; 16]>>(4)?
                .map(RequestKey::from_bytes),
            kind: row.get(5)?,
            flags: row.get(6)?,
            epoch: row.get(7)?,
            at: Timestamp(0),
            author: author.map_or(PersonKey::BOX, PersonKey::from_bytes),
            body: row.get(10)?,
            remains: row.get(12)?,
            body_sha: row.get(11)?,
            chain: [0; 32],
        },
    })
}
