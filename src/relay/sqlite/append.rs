//! Applying a batch: rows, links, erasures, orphans that came back, posts that the journal now has;
//! all of it or nothing.

use rusqlite::{Connection, params};

use super::engine::Tx;
use super::trouble::Done;
use super::workshop::{self, Workshop};
use super::{blocks, invites, journal, mailbox, rows};
use crate::domain::EventId;
use crate::relay::judge::judge;
use crate::relay::store::{Appended, Fence, Wake};
use crate::seal::{Clear, SealedEntry};
use crate::wire::link::Entries;

/// Applies a batch if it follows from where the copy ends.
pub(super) fn append(tx: &mut Tx<'_>, fence: Fence, batch: &Entries) -> Done<Appended> {
    let workshop = workshop::fenced(tx.conn, fence)?;
    let end = workshop.position();
    let key = &workshop.standing.public_key;
    let reached = match judge(end, &workshop.history, key, batch) {
        Ok(reached) => reached,
        Err(why) => return Ok(why),
    };
    for entry in &batch.entries {
        if journal::contains(tx.conn, workshop.n, entry.id)? {
            return Ok(Appended::Forged);
        }
    }
    if end.is_none_or(|end| end.log != batch.log) {
        tx.conn
            .prepare_cached(
                "insert into incarnation (workshop, first_seq, log) values (?1, ?2, ?3)",
            )?
            .execute(params![
                workshop.n,
                workshop.seq.0.saturating_add(1),
                batch.log.as_bytes()
            ])?;
        // Positions that pages hold name the incarnation before.
        tx.wake(Wake::Workshop(fence.workshop));
    }
    let around = Around::look(tx.conn, &workshop, batch)?;
    for entry in &batch.entries {
        apply(tx, fence, workshop.n, &around, entry)?;
    }
    if around.orphans {
        forget_settled_runs(tx.conn, workshop.n)?;
    }
    let head = (reached.seq, reached.chain);
    workshop::set_head(tx.conn, workshop.n, head, Some(&batch.head.signature))?;
    Ok(Appended::Applied(reached))
}

/// What there is that an entry could touch; mostly nothing, which spares a look for each entry.
struct Around {
    orphans: bool,
    posts: bool,
    erased: bool,
}

impl Around {
    fn look(conn: &Connection, workshop: &Workshop, batch: &Entries) -> Done<Self> {
        let any = |sql| rows::exists(conn, sql, [workshop.n]);
        let erases = |entry: &SealedEntry| matches!(entry.clear, Some(Clear::Erased { .. }));
        Ok(Self {
            orphans: any("select 1 from run where workshop = ?1")?,
            posts: any("select 1 from post where workshop = ?1")?,
            // Or will be, by the batch itself.
            erased: batch.entries.iter().any(erases)
                || any("select 1 from erased where workshop = ?1")?,
        })
    }
}

fn apply(tx: &mut Tx<'_>, fence: Fence, n: i64, around: &Around, entry: &SealedEntry) -> Done<()> {
    if around.erased && entry.body.is_some() && is_erased(tx.conn, n, entry.id)? {
        let without = SealedEntry {
            body: None,
            ..entry.clone()
        };
        rows::insert_entry(tx.conn, n, &without)?;
    } else {
        rows::insert_entry(tx.conn, n, entry)?;
    }
    if around.orphans {
        settle(tx.conn, n, entry.id)?;
    }
    if around.posts {
        mailbox::remove(tx.conn, n, entry.id)?;
    }
    match &entry.clear {
        None => {}
        Some(Clear::Granted {
            invite,
            auth_sha,
            expires_ms,
            wraps,
        }) => {
            if let Some(thread) = entry.thread {
                invites::grant(tx.conn, n, thread, *invite, auth_sha, *expires_ms)?;
                invites::add_wraps(tx.conn, n, thread, wraps)?;
            }
        }
        Some(Clear::Revoked { invite, wraps }) => {
            if invites::revoke(tx.conn, n, *invite)? {
                tx.wake(Wake::Revoked(*invite));
            }
            if let Some(thread) = entry.thread {
                invites::add_wraps(tx.conn, n, thread, wraps)?;
            }
        }
        Some(Clear::Erased { event }) => erase(tx.conn, n, *event)?,
    }
    if let Some(thread) = entry.thread {
        tx.wake(Wake::Thread(fence.workshop, thread));
    }
    Ok(())
}

/// The body of an event is gone, here and among the orphans, and does not come back.
fn erase(conn: &Connection, n: i64, id: EventId) -> Done<()> {
    let event = params![n, id.as_bytes()];
    conn.prepare_cached(
        "insert into erased (workshop, id) values (?1, ?2) on conflict do nothing",
    )?
    .execute(event)?;
    conn.prepare_cached("update entry set body = null where workshop = ?1 and id = ?2")?
        .execute(event)?;
    conn.prepare_cached("update orphan set body = null where workshop = ?1 and id = ?2")?
        .execute(event)?;
    blocks::erase(conn, n, id)?;
    workshop::revise(conn, n)
}

fn is_erased(conn: &Connection, n: i64, id: EventId) -> Done<bool> {
    rows::exists(
        conn,
        "select 1 from erased where workshop = ?1 and id = ?2",
        params![n, id.as_bytes()],
    )
}

/// An orphan came back: it stays for the chain of its run alone.
fn settle(conn: &Connection, n: i64, id: EventId) -> Done<()> {
    conn.prepare_cached(
        "update orphan set settled = 1, body = null where workshop = ?1 and id = ?2",
    )?
    .execute(params![n, id.as_bytes()])?;
    Ok(())
}

/// Runs all of whose entries came back have done their duty.
fn forget_settled_runs(conn: &Connection, n: i64) -> Done<()> {
    let mut query = conn.prepare_cached(
        "select run from run where workshop = ?1 and not exists (
             select 1 from orphan
             where orphan.workshop = run.workshop and orphan.run = run.run and settled = 0)",
    )?;
    let runs: Vec<i64> = query
        .query_map([n], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for run in runs {
        conn.prepare_cached("delete from orphan where workshop = ?1 and run = ?2")?
            .execute([n, run])?;
        conn.prepare_cached("delete from run where workshop = ?1 and run = ?2")?
            .execute([n, run])?;
    }
    Ok(())
}
