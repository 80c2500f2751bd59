//! What was erased in one copy of the journal, and still stands in the other or came back as an empty
//! shell: before anything is placed, each such entry loses its body and gets what stays of it, as the
//! entry says that erased it. So erasing wins, wherever it stands in the order of what comes.

use rusqlite::params;

use crate::domain::{Event, EventId, RequestKey, Seq};
use crate::store::error::StoreError;
use crate::store::event_body;
use crate::store::project::lesser;
use crate::store::tx::WriteTx;

/// Erasings looked at at once.
const PAGE_ROWS: i64 = 256;

const STAGED: &str = "select rowid, thread, body from staged_entry
     where kind = 'event_erased' and body is not null and rowid > ?1 order by rowid limit ?2";
const HERE: &str = "select seq, thread, body from event
     where kind = 'event_erased' and body is not null and seq > ?1 order by seq limit ?2";

/// Takes out of what waits whatever an erasing speaks of, staged or in the journal already.
pub(super) fn look_ahead(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    for query in [STAGED, HERE] {
        let mut after = Seq(0);
        loop {
            let page = page(tx, query, after)?;
            let Some((last, ..)) = page.last() else { break };
            after = *last;
            for (_, thread, body) in page {
                erase(tx, thread, &body)?;
            }
        }
    }
    Ok(())
}

type Erasing = (Seq, Option<RequestKey>, String);

fn page(tx: &WriteTx<'_>, sql: &str, after: Seq) -> Result<Vec<Erasing>, StoreError> {
    let mut query = tx.conn.prepare_cached(sql)?;
    let rows = query.query_map([after.0, PAGE_ROWS], |row| {
        let thread: Option<[u8; 16]> = row.get(1)?;
        Ok((
            Seq(row.get(0)?),
            thread.map(RequestKey::from_bytes),
            row.get(2)?,
        ))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn erase(tx: &WriteTx<'_>, thread: Option<RequestKey>, body: &str) -> Result<(), StoreError> {
    let read = event_body::decode("event_erased", thread, body)
        .map_err(|error| StoreError::Damaged(error.to_string()))?;
    let Event::EventErased { event, remains, .. } = read else {
        return Ok(());
    };
    let remains = remains.map(|remains| event_body::encode(&remains, Default::default()));
    forget(tx, event, remains)
}

fn forget(tx: &WriteTx<'_>, event: EventId, remains: Option<String>) -> Result<(), StoreError> {
    let staged = tx
        .conn
        .prepare_cached("select remains from staged_entry where id = ?1")?
        .query_map([event.as_bytes()], |row| row.get::<_, Option<String>>(0))?
        .next()
        .transpose()?;
    let Some(known) = staged else { return Ok(()) };
    tx.conn
        .prepare_cached("update staged_entry set body = null, remains = ?2 where id = ?1")?
        .execute(params![event.as_bytes(), lesser(known, remains)])?;
    Ok(())
}
