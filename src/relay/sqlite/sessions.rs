//! Sessions of boxes, and the pairing codes by which a workshop enters.

use rusqlite::{Connection, OptionalExtension, params};

use super::trouble::{Done, Trouble};
use super::workshop::{self, Workshop};
use crate::domain::{Timestamp, WorkshopKey};
use crate::relay::limits::CODE_REMEMBERED_MS;
use crate::relay::lineage::Standing;
use crate::relay::store::{Admit, Fence, PairingCode, Session, SessionAsked};
use crate::wire::link::Verdict;

/// Opens a session, or says why not.
pub(super) fn open(conn: &Connection, asked: &SessionAsked) -> Done<Session> {
    match workshop::find(conn, asked.workshop)? {
        Some(workshop) => known(conn, workshop, asked),
        None => entering(conn, asked),
    }
}

fn known(conn: &Connection, mut workshop: Workshop, asked: &SessionAsked) -> Done<Session> {
    let verdict = workshop.standing.hello(asked);
    match verdict {
        Verdict::Resume | Verdict::Restored => {
            workshop::remember(conn, workshop.n, &workshop.standing)?;
            if let Admit::Code(id) = asked.admit {
                // It needed none, but a code is not for two.
                use_up(conn, id, asked)?;
            }
            going_on(conn, &workshop, asked, verdict)
        }
        Verdict::Quarantined => {
            workshop::remember(conn, workshop.n, &workshop.standing)?;
            Ok(refused(verdict))
        }
        Verdict::Superseded | Verdict::Unknown | Verdict::BadCode => Ok(refused(verdict)),
    }
}

fn entering(conn: &Connection, asked: &SessionAsked) -> Done<Session> {
    match asked.admit {
        Admit::Known => return Ok(refused(Verdict::Unknown)),
        Admit::Code(id) if !use_up(conn, id, asked)? => return Ok(refused(Verdict::BadCode)),
        Admit::Member | Admit::Code(_) => {}
    }
    let standing = Standing::entering(asked);
    workshop::enter(conn, asked.workshop, &standing, asked.now)?;
    let workshop = workshop::find(conn, asked.workshop)?
        .ok_or(Trouble::Unreadable("a workshop that just entered"))?;
    going_on(conn, &workshop, asked, Verdict::Resume)
}

fn going_on(
    conn: &Connection,
    workshop: &Workshop,
    asked: &SessionAsked,
    verdict: Verdict,
) -> Done<Session> {
    workshop::set_doors(conn, workshop.n, &asked.doors)?;
    workshop::seen(conn, asked.workshop, asked.now)?;
    Ok(Session {
        verdict,
        lineage: Some(workshop.standing.offered),
        position: workshop.position(),
        orphans: workshop::unsettled(conn, workshop.n)?,
    })
}

const fn refused(verdict: Verdict) -> Session {
    Session {
        verdict,
        lineage: None,
        position: None,
        orphans: 0,
    }
}

/// The box has stored its grant.
pub(super) fn confirm(conn: &Connection, fence: Fence) -> Done<()> {
    let mut workshop = workshop::fenced(conn, fence)?;
    if workshop.standing.confirm(fence.generation) {
        workshop::remember(conn, workshop.n, &workshop.standing)?;
    }
    Ok(())
}

/// Uses a code up for a workshop; false when it is wrong, too old or was used by another.
fn use_up(conn: &Connection, id: i64, asked: &SessionAsked) -> Done<bool> {
    let mut query = conn.prepare_cached("select expires_ms, used_by from code where id = ?1")?;
    let found: Option<(i64, Option<[u8; 16]>)> = query
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let fits = match found {
        None => false,
        Some((_, Some(used_by))) => used_by == *asked.workshop.as_bytes(),
        Some((expires_ms, None)) => expires_ms > asked.now.0,
    };
    if fits {
        conn.prepare_cached("update code set used_by = ?2 where id = ?1")?
            .execute(params![id, asked.workshop.as_bytes()])?;
    }
    Ok(fits)
}

/// Keeps a new code.
pub(super) fn add_code(conn: &Connection, key: &[u8; 32], expires: Timestamp) -> Done<()> {
    conn.prepare_cached(
        "insert into code (key, expires_ms) values (?1, ?2)
         on conflict (key) do update set expires_ms = excluded.expires_ms",
    )?
    .execute(params![key, expires.0])?;
    Ok(())
}

/// Codes that may still be used, or were used not long ago.
pub(super) fn codes(conn: &Connection, now: Timestamp) -> Done<Vec<PairingCode>> {
    let mut query = conn.prepare_cached(
        "select id, key, expires_ms, used_by from code
         where expires_ms > ?1 or (used_by is not null and expires_ms > ?2) order by id",
    )?;
    let used_after = now.0.saturating_sub(CODE_REMEMBERED_MS);
    let codes = query.query_map([now.0, used_after], |row| {
        Ok(PairingCode {
            id: row.get(0)?,
            key: row.get(1)?,
            expires_ms: row.get(2)?,
            used_by: row.get::<_, Option<_>>(3)?.map(WorkshopKey::from_bytes),
        })
    })?;
    Ok(codes.collect::<Result<_, _>>()?)
}
