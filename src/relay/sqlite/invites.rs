//! Owners' links: what opens a thread, and the thread's keys for each holder.

use rusqlite::{Connection, OptionalExtension, params};

use super::trouble::Done;
use crate::domain::{InviteId, RequestKey, WorkshopKey};
use crate::relay::store::RelayInvite;
use crate::seal::Wrap;

/// A link was given out. Whoever had the id first keeps it, and one that was taken back stays so.
pub(super) fn grant(
    conn: &Connection,
    n: i64,
    thread: RequestKey,
    invite: InviteId,
    auth_sha: &[u8; 32],
    expires_ms: i64,
) -> Done<()> {
    conn.prepare_cached(
        "insert into invite (id, workshop, thread, auth_sha, expires_ms, revoked)
         values (?1, ?2, ?3, ?4, ?5, 0) on conflict do nothing",
    )?
    .execute(params![
        invite.as_bytes(),
        n,
        thread.as_bytes(),
        auth_sha,
        expires_ms
    ])?;
    Ok(())
}

/// Keys of a thread for the holders of its links; those of other threads and workshops are not
/// theirs to change.
pub(super) fn add_wraps(conn: &Connection, n: i64, thread: RequestKey, wraps: &[Wrap]) -> Done<()> {
    for wrap in wraps {
        conn.prepare_cached(
            "insert into wrap (invite, epoch, wrapped)
             select id, ?4, ?5 from invite where id = ?1 and workshop = ?2 and thread = ?3
             on conflict (invite, epoch) do update set wrapped = excluded.wrapped",
        )?
        .execute(params![
            wrap.invite.as_bytes(),
            n,
            thread.as_bytes(),
            wrap.epoch,
            wrap.wrapped
        ])?;
    }
    Ok(())
}

/// A link was taken back; true when it was not already.
pub(super) fn revoke(conn: &Connection, n: i64, invite: InviteId) -> Done<bool> {
    let changed = conn
        .prepare_cached(
            "update invite set revoked = 1 where id = ?1 and workshop = ?2 and revoked = 0",
        )?
        .execute(params![invite.as_bytes(), n])?;
    if changed > 0 {
        // Where its holder's phones could be reached is nobody's business any more.
        conn.prepare_cached("delete from subscription where invite = ?1")?
            .execute([invite.as_bytes()])?;
    }
    Ok(changed > 0)
}

/// One link.
pub(super) fn find(conn: &Connection, invite: InviteId) -> Done<Option<RelayInvite>> {
    let mut query = conn.prepare_cached(
        "select key, thread, auth_sha, expires_ms, revoked
         from invite join workshop on n = workshop where id = ?1",
    )?;
    let found = query.query_row([invite.as_bytes()], |row| {
        Ok(RelayInvite {
            invite,
            workshop: WorkshopKey::from_bytes(row.get(0)?),
            thread: RequestKey::from_bytes(row.get(1)?),
            auth_sha: row.get(2)?,
            expires_ms: row.get(3)?,
            revoked: row.get(4)?,
        })
    });
    Ok(found.optional()?)
}

/// The thread's keys for one link's holder, oldest first.
pub(super) fn wraps(conn: &Connection, invite: InviteId) -> Done<Vec<Wrap>> {
    let mut query =
        conn.prepare_cached("select epoch, wrapped from wrap where invite = ?1 order by epoch")?;
    let wraps = query.query_map([invite.as_bytes()], |row| {
        Ok(Wrap {
            invite,
            epoch: row.get(0)?,
            wrapped: row.get(1)?,
        })
    })?;
    Ok(wraps.collect::<Result<_, _>>()?)
}
