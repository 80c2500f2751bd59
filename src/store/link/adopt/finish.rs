//! Adopting what was staged, in the one transaction of its command.
//!
//! The order of what comes back is the relay's last stretch first (its copy up to now), then older
//! stretches, the newest first. So everything that an entry speaks of comes before it: a stretch was
//! once the end of the relay's copy, and whatever came before it there is still in the copy, or went
//! into a stretch that was cut off later. What was here and is not in any stretch comes last, in its
//! own order.

use super::flagged::flagged;
use super::place::Placing;
use super::{Adopted, Recovered};
use crate::domain::{Change, Committed, LogId, RequestKey, Seq};
use crate::seal::{Chain, Position};
use crate::store::error::StoreError;
use crate::store::link::delivery::applied_at_most;
use crate::store::link::merges;
use crate::store::link::posts::numbers_unsure;
use crate::store::link::retention::proven_at_most;
use crate::store::tx::{CommandResult, WriteTx};
use crate::store::{incarnations, local, sessions, verify};

/// The run in which the box's own entries wait, after all that came back.
pub(super) const OWN_RUN: i64 = -1;

/// Adopts what was staged. `common` is the last position that both copies have, `relay_head` where the
/// relay's copy ends.
///
/// # Errors
/// Only what the disk says; nothing is changed then.
pub fn finish(tx: &mut WriteTx<'_>, common: Seq, relay_head: Seq) -> CommandResult<Adopted> {
    let adopted = adopt(tx, common, relay_head)?;
    super::clear(tx)?;
    if let Adopted::FastForward { head, recovered }
    | Adopted::Forked {
        head, recovered, ..
    } = &adopted
        && recovered.entries > 0
    {
        super::empty::explain(tx)?;
        numbers_unsure(tx)?;
        let workshop = local::workshop_name(tx)?.unwrap_or_default();
        tracing::info!(
            entries = recovered.entries,
            messages = recovered.messages,
            flagged = recovered.flagged.len(),
            "two copies of the journal were brought together"
        );
        tx.announce(Committed {
            seq: head.seq,
            audience: None,
            change: Change::Merged { workshop },
        });
    }
    Ok(adopted)
}

fn adopt(tx: &mut WriteTx<'_>, common: Seq, relay_head: Seq) -> Result<Adopted, StoreError> {
    let common = incarnations::position_at(tx.conn, common)?
        .ok_or_else(|| StoreError::Damaged(format!("entry {common} is missing")))?;
    let head = incarnations::head(tx.conn)?;
    forget_what_nobody_signed(tx)?;
    let mut recovered = count(tx)?;
    if recovered.entries == 0 {
        // Nothing is new. An earlier session may have adopted it and then lost its line.
        applied_at_most(tx, common)?;
        return Ok(if relay_head == common.seq {
            Adopted::Kept
        } else {
            Adopted::Forked {
                common,
                head,
                recovered,
            }
        });
    }
    if goes_on_as_it_stands(tx, common, head, relay_head)? {
        incarnations::forget_after(tx.conn, common.seq)?;
        super::erased::look_ahead(tx)?;
        let mut placing = Placing::after(tx, common)?;
        placing.all_as_they_stand(tx)?;
        incarnations::renew(tx.conn)?;
        merges::remember(tx, &recovered, &[])?;
        let head = incarnations::head(tx.conn)?;
        return Ok(Adopted::FastForward { head, recovered });
    }
    let flagged = flagged(tx, common.seq)?;
    let numbers = sessions::Owners::remember(tx.conn)?;
    forget_what_is_common(tx, common.seq)?;
    move_own(tx, common.seq)?;
    super::erased::look_ahead(tx)?;
    verify::rebuild_projections(tx.conn, tx.keys)?;
    incarnations::enter(tx.conn, Seq(common.seq.0 + 1), new_log())?;
    let mut placing = Placing::after(tx, common)?;
    placing.all_in_a_new_incarnation(tx)?;
    numbers.restore(tx.conn)?;
    applied_at_most(tx, common)?;
    proven_at_most(tx, common.seq)?;
    merges::remember(tx, &recovered, &flagged)?;
    recovered.flagged = merges::numbers(tx, flagged.iter().copied())?;
    Ok(Adopted::Forked {
        common,
        head: incarnations::head(tx.conn)?,
        recovered,
    })
}

fn new_log() -> LogId {
    LogId::new(uuid::Uuid::new_v4())
}

/// Without the signature at its end nothing of a stretch is believed.
fn forget_what_nobody_signed(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    tx.conn.execute(
        "delete from staged_entry where run not in (select run from staged_run where ended = 1)",
        [],
    )?;
    tx.conn
        .execute("delete from staged_run where ended = 0", [])?;
    Ok(())
}

/// What of the staged entries is not here yet.
fn count(tx: &WriteTx<'_>) -> Result<Recovered, StoreError> {
    let (entries, messages) = tx.conn.query_row(
        "select count(*), count(*) filter (where kind = 'message_posted') from staged_entry s
         where not exists (select 1 from event e where e.id = s.id)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(Recovered {
        entries,
        messages,
        flagged: Vec::new(),
    })
}

/// Whether the journal can go on with the relay's entries as they stand: nothing here after `common`,
/// one stretch that begins there, whole, of which nothing is known.
fn goes_on_as_it_stands(
    tx: &WriteTx<'_>,
    common: Position,
    head: Position,
    relay_head: Seq,
) -> Result<bool, StoreError> {
    if head != common {
        return Ok(false);
    }
    let runs = tx
        .conn
        .prepare("select begins, first_seq, seq from staged_run limit 2")?
        .query_map([], |row| {
            Ok((
                Chain::from_bytes(row.get(0)?),
                Seq(row.get(1)?),
                Seq(row.get(2)?),
            ))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let [(begins, first, last)] = runs.as_slice() else {
        return Ok(false);
    };
    let staged: i64 = tx.conn.query_row(
        "select count(*) from staged_entry s
         where not exists (select 1 from event e where e.id = s.id)",
        [],
        |row| row.get(0),
    )?;
    Ok(*begins == common.chain
        && first.0 == common.seq.0 + 1
        && staged == last.0 - common.seq.0
        && (*last == relay_head || relay_head == common.seq))
}

fn forget_what_is_common(tx: &WriteTx<'_>, common: Seq) -> Result<(), StoreError> {
    tx.conn.execute(
        "delete from staged_entry where id in (select id from event where seq <= ?1)",
        [common.0],
    )?;
    Ok(())
}

/// Takes what was written here after `common` out of the journal, to be put behind what came back. Of
/// what is in both, the relay's place counts; what only one of the two still knows of it is kept.
/// (Erasing wins all the same: the entry that says so comes too.)
fn move_own(tx: &WriteTx<'_>, common: Seq) -> Result<(), StoreError> {
    tx.conn.execute(
        "insert into staged_entry (run, seq, id, log, request_id, thread, kind, flags, epoch, at_ms,
                                   author, body, body_sha, remains)
         select ?2, seq, id, zeroblob(16), request_id, thread, kind, flags, epoch, at_ms, author,
                body, body_sha, remains
         from event where seq > ?1
         on conflict (id) do update set request_id = excluded.request_id, remains = excluded.remains,
             at_ms = case when body_sha = excluded.body_sha
                 then coalesce(at_ms, excluded.at_ms) else at_ms end,
             author = case when body_sha = excluded.body_sha
                 then coalesce(author, excluded.author) else author end,
             body = case when body_sha = excluded.body_sha
                 then coalesce(body, excluded.body) else body end",
        [common.0, OWN_RUN],
    )?;
    // Rows that point at what moves are made again with the projections.
    tx.conn.pragma_update(None, "defer_foreign_keys", true)?;
    tx.conn
        .execute("delete from event where seq > ?1", [common.0])?;
    Ok(())
}

/// Request keys as they stand in a column.
pub(super) fn keys(
    rows: impl Iterator<Item = rusqlite::Result<[u8; 16]>>,
) -> rusqlite::Result<Vec<RequestKey>> {
    rows.map(|row| row.map(RequestKey::from_bytes)).collect()
}
