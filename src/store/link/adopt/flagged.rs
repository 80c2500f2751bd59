//! Requests whose status moved on both copies of a journal: the later entry counts, and somebody should
//! look whether that is how the job stands.

use rusqlite::{OptionalExtension, params};

use super::finish::keys;
use crate::domain::{RequestKey, Seq};
use crate::store::error::StoreError;
use crate::store::tx::WriteTx;

/// Moved by what came back and is not here, and by what is here after `common` and did not come back.
const MOVED_ON_BOTH: &str =
    "select s.thread from staged_entry s where s.kind = 'status_changed' and s.thread is not null
         and not exists (select 1 from event e where e.id = s.id)
     intersect
     select e.thread from event e where e.kind = 'status_changed' and e.seq > ?1
         and not exists (select 1 from staged_entry s where s.id = e.id)";
const LAST_THERE: &str = "select json_extract(s.body, '$.status') from staged_entry s
     where s.kind = 'status_changed' and s.thread = ?1
         and not exists (select 1 from event e where e.id = s.id)
     order by s.run, s.seq desc limit 1";
const LAST_HERE: &str = "select json_extract(e.body, '$.status') from event e
     where e.kind = 'status_changed' and e.thread = ?1 and e.seq > ?2
         and not exists (select 1 from staged_entry s where s.id = e.id)
     order by e.seq desc limit 1";

/// The requests that ended differently. Call it before anything moves.
pub(super) fn flagged(tx: &WriteTx<'_>, common: Seq) -> Result<Vec<RequestKey>, StoreError> {
    let moved = keys(
        tx.conn
            .prepare(MOVED_ON_BOTH)?
            .query_map([common.0], |row| row.get(0))?,
    )?;
    let mut flagged = Vec::new();
    for thread in moved {
        let there = status(tx, LAST_THERE, params![thread.as_bytes()])?;
        let here = status(tx, LAST_HERE, params![thread.as_bytes(), common.0])?;
        if there != here {
            flagged.push(thread);
        }
    }
    Ok(flagged)
}

fn status(
    tx: &WriteTx<'_>,
    sql: &str,
    params: &[&dyn rusqlite::ToSql],
) -> Result<Option<String>, StoreError> {
    let status: Option<Option<String>> = tx
        .conn
        .prepare_cached(sql)?
        .query_row(params, |row| row.get(0))
        .optional()?;
    Ok(status.flatten())
}
