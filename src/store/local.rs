//! The workshop's name, and small facts about this box alone.

use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::tx::{View, WriteTx};

pub(super) const WORDS_KEPT: &str = "recovery_words_kept";

/// The workshop's name; `None` before the first run is over.
pub fn workshop_name(view: &View<'_>) -> Result<Option<String>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select name from workshop where id = 1")?;
    Ok(query.query_row([], |row| row.get(0)).optional()?)
}

/// Whether somebody confirmed to have written the recovery words down.
pub fn words_kept(view: &View<'_>) -> Result<bool, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select exists (select 1 from local_state where name = ?1)")?;
    Ok(query.query_row([WORDS_KEPT], |row| row.get(0))?)
}

/// Notes that the recovery words were written down: they are never shown again.
pub fn keep_words(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    note(tx, WORDS_KEPT, "yes")
}

/// A real write that changes nothing that anybody sees: proof that the disk still takes one.
pub fn probe(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    note(tx, "probe", &tx.now.0.to_string())
}

pub(super) fn note(tx: &WriteTx<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "insert into local_state (name, value) values (?1, ?2)
             on conflict (name) do update set value = excluded.value",
        )?
        .execute(params![name, value])?;
    Ok(())
}

/// A fact of several parts. What cannot be read, as after going back to an older program, counts as
/// not there.
pub(super) fn kept<T: DeserializeOwned>(
    view: &View<'_>,
    name: &str,
) -> Result<Option<T>, StoreError> {
    let text: Option<String> = view
        .conn
        .prepare_cached("select value from local_state where name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Keeps a fact of several parts.
pub(super) fn keep<T: Serialize>(
    tx: &WriteTx<'_>,
    name: &str,
    value: &T,
) -> Result<(), StoreError> {
    let text = serde_json::to_string(value).map_err(|_| StoreError::Fault(None))?;
    note(tx, name, &text)
}
