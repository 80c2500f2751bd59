//! How far the relay has the journal, and what waits for it.

use rusqlite::{OptionalExtension, params};

use crate::domain::{Seq, Timestamp};
use crate::seal::Position;
use crate::store::error::StoreError;
use crate::store::incarnations;
use crate::store::tx::{CommandResult, View, WriteTx};

/// What the relay does not have yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Waiting {
    /// Entries of the journal.
    pub entries: i64,
    /// Messages among them.
    pub messages: i64,
    /// When the oldest of these messages was accepted; of the entries, where no message waits.
    pub oldest: Option<Timestamp>,
}

/// The relay has everything up to here, durably. A position that is not on this journal says nothing.
///
/// # Errors
/// Only what the disk says.
pub fn applied(tx: &mut WriteTx<'_>, position: Position) -> CommandResult<()> {
    if incarnations::chain_at(tx.conn, position.seq)? == Some(position.chain) {
        store_applied(tx, position)?;
    }
    Ok(())
}

/// Nothing after `common` counts as being at the relay any more.
pub(super) fn applied_at_most(tx: &WriteTx<'_>, common: Position) -> Result<(), StoreError> {
    if applied_seq(tx)?.is_some_and(|seq| seq > common.seq) {
        store_applied(tx, common)?;
    }
    Ok(())
}

/// How far the relay has the journal; none while no relay is set up or it never had anything.
pub fn delivered_up_to(view: &View<'_>) -> Result<Option<Seq>, StoreError> {
    applied_seq(view)
}

/// What waits for the relay; nothing while none is set up.
pub fn waiting(view: &View<'_>) -> Result<Waiting, StoreError> {
    let is_set_up: bool = view
        .conn
        .prepare_cached("select exists (select 1 from relay where url is not null)")?
        .query_row([], |row| row.get(0))?;
    if !is_set_up {
        return Ok(Waiting::default());
    }
    let after = applied_seq(view)?.unwrap_or(Seq(0));
    let (head, _) = incarnations::last(view.conn)?;
    let (messages, first): (i64, Option<i64>) = view
        .conn
        .prepare_cached("select count(*), min(seq) from message where seq > ?1")?
        .query_row([after.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let first = first.unwrap_or(after.0 + 1);
    let oldest = view
        .conn
        .prepare_cached("select at_ms from event where seq = ?1")?
        .query_row([first], |row| row.get(0).map(Timestamp))
        .optional()?;
    Ok(Waiting {
        entries: (head.0 - after.0).max(0),
        messages,
        oldest,
    })
}

fn applied_seq(view: &View<'_>) -> Result<Option<Seq>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select applied_seq from relay where id = 1 and url is not null")?;
    let seq: Option<Option<i64>> = query.query_row([], |row| row.get(0)).optional()?;
    Ok(seq.flatten().map(Seq))
}

fn store_applied(tx: &WriteTx<'_>, position: Position) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "update relay set applied_log = ?1, applied_seq = ?2, applied_chain = ?3 where id = 1",
        )?
        .execute(params![
            position.log.as_bytes(),
            position.seq.0,
            position.chain.as_bytes(),
        ])?;
    Ok(())
}
