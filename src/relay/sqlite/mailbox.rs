//! The mailbox: what owners sent stays until the journal has it, or until the box refused it.

use rusqlite::{Connection, OptionalExtension, params};

use super::engine::Tx;
use super::trouble::{Done, Trouble};
use super::workshop;
use super::{journal, rows};
use crate::domain::{EventId, RequestKey, Timestamp, WorkshopKey};
use crate::relay::limits::{
    POST_BYTES_PER_WORKSHOP_MAX, POST_KEPT_MS, POSTS_PER_INVITE_MAX, POSTS_PER_WORKSHOP_MAX,
    REFUSED_PER_INVITE_MAX,
};
use crate::relay::store::{Fate, Fence, Posted, Wake};
use crate::seal::SealedPost;

/// Keeps a post, unless the journal or the mailbox has it.
pub(super) fn post(
    tx: &mut Tx<'_>,
    key: WorkshopKey,
    post: &SealedPost,
    now: Timestamp,
) -> Done<Posted> {
    let workshop = workshop::find(tx.conn, key)?.ok_or(Trouble::Fenced)?;
    if journal::contains(tx.conn, workshop.n, post.id)? {
        return Ok(Posted::InJournal);
    }
    if state(tx.conn, workshop.n, post.id)? == Some(Fate::Waiting) {
        return Ok(Posted::Kept);
    }
    if !has_room(tx.conn, workshop.n, post)? {
        return Ok(Posted::TooMany);
    }
    // One that was refused waits again, behind the others.
    remove(tx.conn, workshop.n, post.id)?;
    tx.conn
        .prepare_cached(
            "insert into post (workshop, id, thread, invite, device, kind, epoch, sealed, kept_ms)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            workshop.n,
            post.id.as_bytes(),
            post.thread.as_bytes(),
            post.invite.as_bytes(),
            post.device.as_bytes(),
            post.kind,
            post.epoch,
            post.sealed,
            now.0,
        ])?;
    tx.wake(Wake::Posts(key));
    Ok(Posted::Kept)
}

fn has_room(conn: &Connection, n: i64, post: &SealedPost) -> Done<bool> {
    let mut query = conn.prepare_cached(
        "select posts, post_bytes,
                (select count(*) from post
                 where post.workshop = workshop.n and invite = ?2 and refused is null)
         from workshop where n = ?1",
    )?;
    let (posts, bytes, of_invite): (i64, i64, i64) = query
        .query_row(params![n, post.invite.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let more = i64::try_from(post.sealed.len()).unwrap_or(i64::MAX);
    Ok(of_invite < POSTS_PER_INVITE_MAX
        && posts < POSTS_PER_WORKSHOP_MAX
        && bytes.saturating_add(more) <= POST_BYTES_PER_WORKSHOP_MAX)
}

/// Whether a post waits here or was refused.
fn state(conn: &Connection, n: i64, id: EventId) -> Done<Option<Fate>> {
    let mut query =
        conn.prepare_cached("select refused from post where workshop = ?1 and id = ?2")?;
    let refused: Option<Option<String>> = query
        .query_row(params![n, id.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(refused.map(|why| why.map_or(Fate::Waiting, Fate::Refused)))
}

/// The journal has it: it need not wait any more.
pub(super) fn remove(conn: &Connection, n: i64, id: EventId) -> Done<()> {
    conn.prepare_cached("delete from post where workshop = ?1 and id = ?2")?
        .execute(params![n, id.as_bytes()])?;
    Ok(())
}

/// Posts that wait after a place, oldest first.
pub(super) fn posts_after(
    conn: &Connection,
    key: WorkshopKey,
    after: i64,
    limit: u32,
) -> Done<Vec<(i64, SealedPost)>> {
    let mut query = conn.prepare_cached(
        "select place, id, thread, invite, device, post.kind, epoch, sealed
         from post join workshop on n = workshop
         where key = ?1 and refused is null and place > ?2 order by place limit ?3",
    )?;
    let posts = query.query_map(params![key.as_bytes(), after, limit], |row| {
        Ok((row.get(0)?, rows::post(row, 1)?))
    })?;
    Ok(posts.collect::<Result<_, _>>()?)
}

/// The box will not take it: the words go, the reason stays until its page was told.
pub(super) fn refuse(tx: &mut Tx<'_>, fence: Fence, id: EventId, why: &str) -> Done<()> {
    let workshop = workshop::fenced(tx.conn, fence)?;
    let mut query = tx.conn.prepare_cached(
        "select thread, invite from post where workshop = ?1 and id = ?2 and refused is null",
    )?;
    let waiting: Option<([u8; 16], [u8; 16])> = query
        .query_row(params![workshop.n, id.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((thread, invite)) = waiting else {
        return Ok(());
    };
    tx.conn
        .prepare_cached(
            "update post set refused = ?3, sealed = null where workshop = ?1 and id = ?2",
        )?
        .execute(params![workshop.n, id.as_bytes(), why])?;
    tx.conn
        .prepare_cached(
            "delete from post where place in (
                 select place from post
                 where workshop = ?1 and invite = ?2 and refused is not null
                 order by place desc limit -1 offset ?3)",
        )?
        .execute(params![workshop.n, invite, REFUSED_PER_INVITE_MAX])?;
    tx.wake(Wake::Refused(id, RequestKey::from_bytes(thread)));
    Ok(())
}

/// What became of some posts; those that nobody knows are left out.
pub(super) fn fate(
    conn: &Connection,
    key: WorkshopKey,
    ids: &[EventId],
) -> Done<Vec<(EventId, Fate)>> {
    let Some(workshop) = workshop::find(conn, key)? else {
        return Ok(Vec::new());
    };
    let mut fates = Vec::new();
    for id in ids {
        let fate = if journal::contains(conn, workshop.n, *id)? {
            Some(Fate::InJournal)
        } else {
            state(conn, workshop.n, *id)?
        };
        fates.extend(fate.map(|fate| (*id, fate)));
    }
    Ok(fates)
}

/// Gives up what nobody asked for in a very long time.
pub(super) fn forget_old(conn: &Connection, n: i64, now: Timestamp) -> Done<()> {
    conn.prepare_cached("delete from post where workshop = ?1 and kept_ms <= ?2")?
        .execute([n, now.0.saturating_sub(POST_KEPT_MS)])?;
    Ok(())
}
