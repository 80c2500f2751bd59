//! What is remembered of the times that copies of the journal were brought together.

use rusqlite::{OptionalExtension, params};

use super::adopt::Recovered;
use crate::domain::{RequestId, RequestKey, Timestamp};
use crate::store::error::StoreError;
use crate::store::tx::{View, WriteTx};

/// Merges that are told about, newest first.
const MERGES_TOLD_MAX: i64 = 50;

/// One time that copies were brought together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Merge {
    /// When.
    pub at: Timestamp,
    /// Entries that came back.
    pub entries: i64,
    /// Messages among them.
    pub messages: i64,
    /// Requests whose status moved on both copies, to different ends: somebody should look.
    pub flagged: Vec<RequestId>,
}

/// The newest merges, newest first.
pub fn merges(view: &View<'_>) -> Result<Vec<Merge>, StoreError> {
    let mut query = view.conn.prepare_cached(
        "select at_ms, entries, messages, flagged from merge order by id desc limit ?1",
    )?;
    let rows = query
        .query_map([MERGES_TOLD_MAX], |row| {
            Ok((
                Timestamp(row.get(0)?),
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
            ))
        })?
        .collect::<Result<Vec<(Timestamp, i64, i64, Vec<u8>)>, _>>()?;
    rows.into_iter()
        .map(|(at, entries, messages, flagged)| {
            let keys = flagged
                .as_chunks()
                .0
                .iter()
                .map(|key| RequestKey::from_bytes(*key));
            Ok(Merge {
                at,
                entries,
                messages,
                flagged: numbers(view, keys)?,
            })
        })
        .collect()
}

/// Remembers a merge.
pub(super) fn remember(
    tx: &WriteTx<'_>,
    recovered: &Recovered,
    flagged: &[RequestKey],
) -> Result<(), StoreError> {
    let flagged: Vec<u8> = flagged.iter().flat_map(|key| *key.as_bytes()).collect();
    tx.conn
        .prepare_cached(
            "insert into merge (at_ms, entries, messages, flagged) values (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            tx.now.0,
            recovered.entries,
            recovered.messages,
            flagged
        ])?;
    Ok(())
}

/// The numbers that requests have now.
pub(super) fn numbers(
    view: &View<'_>,
    keys: impl Iterator<Item = RequestKey>,
) -> Result<Vec<RequestId>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select id from request where key = ?1")?;
    let mut numbers = Vec::new();
    for key in keys {
        let number = query.query_row([key.as_bytes()], |row| row.get(0).map(RequestId));
        numbers.extend(number.optional()?);
    }
    Ok(numbers)
}
