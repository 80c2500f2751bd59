//! Sign-ins. They are local to this box: never in the journal, never synchronised. Of tokens only
//! SHA-256 is kept; they are random, so a plain hash is enough.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::tx::{View, WriteTx};
use crate::domain::{DeviceId, InviteId, PersonId, SessionId, Timestamp};

/// A sign-in on one device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Who signed in.
    pub person: PersonId,
    /// By which link, if by one.
    pub invite: Option<InviteId>,
    /// What to call the device ("Chrome on Android").
    pub device_name: String,
    /// SHA-256 of the refresh token in use.
    pub refresh_sha: [u8; 32],
    /// SHA-256 of the one before.
    pub previous_sha: Option<[u8; 32]>,
    /// When the token was last changed.
    pub rotated: Timestamp,
    /// When they signed in.
    pub created: Timestamp,
    /// When it was last used.
    pub seen: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
    /// When it was ended.
    pub ended: Option<Timestamp>,
}

/// A sign-in about to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Who signs in.
    pub person: PersonId,
    /// By which link, on which device, if by one.
    pub by_link: Option<(InviteId, Option<DeviceId>)>,
    /// What to call the device.
    pub device_name: String,
    /// SHA-256 of its refresh token.
    pub refresh_sha: [u8; 32],
    /// When it ends by itself.
    pub expires: Timestamp,
}

const SESSION: &str = "select id, person_id, invite_id, device_name, refresh_sha, previous_sha,
    rotated_ms, created_ms, seen_ms, expires_ms, ended_ms from session";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: SessionId::from_bytes(row.get(0)?),
        person: PersonId(row.get(1)?),
        invite: row.get::<_, Option<[u8; 16]>>(2)?.map(InviteId::from_bytes),
        device_name: row.get(3)?,
        refresh_sha: row.get(4)?,
        previous_sha: row.get(5)?,
        rotated: Timestamp(row.get(6)?),
        created: Timestamp(row.get(7)?),
        seen: Timestamp(row.get(8)?),
        expires: Timestamp(row.get(9)?),
        ended: row.get::<_, Option<i64>>(10)?.map(Timestamp),
    })
}

/// One sign-in.
pub fn load(view: &View<'_>, id: SessionId) -> Result<Option<Session>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached(&format!("{SESSION} where id = ?1"))?;
    Ok(query.query_row([id.as_bytes()], from_row).optional()?)
}

/// Whether a sign-in still counts: not ended, and in its time.
pub(super) fn is_live(
    view: &View<'_>,
    id: SessionId,
    person: PersonId,
) -> Result<bool, StoreError> {
    let mut query = view.conn.prepare_cached(
        "select exists (select 1 from session
         where id = ?1 and person_id = ?2 and ended_ms is null and expires_ms > ?3)",
    )?;
    Ok(
        query.query_row(params![id.as_bytes(), person.0, view.now.0], |row| {
            row.get(0)
        })?,
    )
}

/// The devices that opened a link, the newest first.
pub fn of_invite(view: &View<'_>, invite: InviteId) -> Result<Vec<Session>, StoreError> {
    let sql = format!("{SESSION} where invite_id = ?1 order by seen_ms desc");
    let mut query = view.conn.prepare_cached(&sql)?;
    Ok(query
        .query_map([invite.as_bytes()], from_row)?
        .collect::<Result<_, _>>()?)
}

/// Begins a sign-in. A device that comes again by the same link goes on with the one that it has; one
/// that was signed out begins another, so that its old tokens stay worthless.
pub fn begin(tx: &WriteTx<'_>, new: &NewSession) -> Result<SessionId, StoreError> {
    let (invite, device) = match new.by_link {
        None => (None, None),
        Some((invite, device)) => (Some(invite), device),
    };
    let mut insert = tx.conn.prepare_cached(
        "insert into session (id, person_id, invite_id, device_id, device_name, refresh_sha,
                              rotated_ms, created_ms, seen_ms, expires_ms)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?7, ?8)
         on conflict (invite_id, device_id) where device_id is not null do update set
             id = case when ended_ms is null then id else excluded.id end,
             created_ms = case when ended_ms is null then created_ms else excluded.created_ms end,
             device_name = excluded.device_name, refresh_sha = excluded.refresh_sha,
             previous_sha = null, rotated_ms = excluded.rotated_ms, seen_ms = excluded.seen_ms,
             expires_ms = excluded.expires_ms, ended_ms = null
         returning id",
    )?;
    Ok(insert.query_row(
        params![
            new.id.as_bytes(),
            new.person.0,
            invite.map(|id| *id.as_bytes()),
            device.map(|id| *id.as_bytes()),
            new.device_name,
            new.refresh_sha,
            tx.now.0,
            new.expires.0,
        ],
        |row| row.get(0).map(SessionId::from_bytes),
    )?)
}

/// Gives a sign-in its next refresh token.
pub fn rotate(
    tx: &WriteTx<'_>,
    id: SessionId,
    refresh_sha: [u8; 32],
    expires: Timestamp,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "update session set previous_sha = refresh_sha, refresh_sha = ?2, rotated_ms = ?3,
                 seen_ms = ?3, expires_ms = ?4 where id = ?1",
        )?
        .execute(params![id.as_bytes(), refresh_sha, tx.now.0, expires.0])?;
    Ok(())
}

/// Ends one sign-in.
pub fn end(tx: &WriteTx<'_>, id: SessionId) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached("update session set ended_ms = ?2 where id = ?1 and ended_ms is null")?
        .execute(params![id.as_bytes(), tx.now.0])?;
    Ok(())
}

/// Ends every sign-in of a person, except one.
pub fn end_all_of(
    tx: &WriteTx<'_>,
    person: PersonId,
    except: Option<SessionId>,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "update session set ended_ms = ?2
             where person_id = ?1 and ended_ms is null and (?3 is null or id <> ?3)",
        )?
        .execute(params![person.0, tx.now.0, except.map(|id| *id.as_bytes())])?;
    Ok(())
}

/// Ends the sign-ins by a link beyond the newest `keep`.
pub fn end_oldest_by_invite(
    tx: &WriteTx<'_>,
    invite: InviteId,
    keep: i64,
) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "update session set ended_ms = ?2 where id in (
                 select id from session where invite_id = ?1 and ended_ms is null
                 order by seen_ms desc, id desc limit -1 offset ?3)",
        )?
        .execute(params![invite.as_bytes(), tx.now.0, keep])?;
    Ok(())
}

/// Whether `end_expired` has anything to do: looked at before anything is written.
pub fn any_to_sort_out(view: &View<'_>, staff_life_ms: i64) -> Result<bool, StoreError> {
    let mut query = view.conn.prepare_cached(
        "select exists (select 1 from session where ended_ms is null
         and (expires_ms <= ?1 or (invite_id is null and expires_ms > ?1 + ?2)))",
    )?;
    Ok(query.query_row([view.now.0, staff_life_ms], |row| row.get(0))?)
}

/// Ends the sign-ins whose time ran out, for good: a clock that goes back revives none. One of staff
/// that began while the clock was ahead lasts no longer than one that begins now.
pub fn end_expired(tx: &WriteTx<'_>, staff_life_ms: i64) -> Result<Vec<SessionId>, StoreError> {
    tx.conn
        .prepare_cached(
            "update session set expires_ms = ?1 + ?2
             where ended_ms is null and invite_id is null and expires_ms > ?1 + ?2",
        )?
        .execute([tx.now.0, staff_life_ms])?;
    let mut ended = tx.conn.prepare_cached(
        "update session set ended_ms = ?1 where ended_ms is null and expires_ms <= ?1 returning id",
    )?;
    let ids = ended.query_map([tx.now.0], |row| row.get(0).map(SessionId::from_bytes))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Ends every sign-in by a link.
pub fn end_by_invite(tx: &WriteTx<'_>, invite: InviteId) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "update session set ended_ms = ?2 where invite_id = ?1 and ended_ms is null",
        )?
        .execute(params![invite.as_bytes(), tx.now.0])?;
    Ok(())
}

/// Whether there are sign-ins to forget: looked at before anything is written.
pub fn any_before(view: &View<'_>, moment: Timestamp) -> Result<bool, StoreError> {
    let mut query = view.conn.prepare_cached(
        "select exists (select 1 from session
         where (ended_ms < ?1 or expires_ms < ?1))",
    )?;
    Ok(query.query_row([moment.0], |row| row.get(0))?)
}

/// Forgets sign-ins that ended or ran out before a moment.
pub fn forget_before(tx: &WriteTx<'_>, moment: Timestamp) -> Result<usize, StoreError> {
    Ok(tx
        .conn
        .prepare_cached("delete from session where (ended_ms < ?1 or expires_ms < ?1)")?
        .execute([moment.0])?)
}

/// Whose sign-ins there are, while people get other numbers: two copies of the journal may have given
/// one number to two people.
pub(super) struct Owners(Vec<(i64, [u8; 16])>);

impl Owners {
    /// Remembers by key who has the sign-ins.
    pub(super) fn remember(conn: &Connection) -> rusqlite::Result<Self> {
        conn.prepare(
            "select distinct s.person_id, p.key from session s join person p on p.id = s.person_id",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()
        .map(Self)
    }

    /// Gives them their sign-ins back. Whoever is nobody any more has none.
    pub(super) fn restore(self, conn: &Connection) -> rusqlite::Result<()> {
        // Numbers may have changed places: each is moved out of the way first.
        for (before, key) in self.0 {
            conn.prepare_cached(
                "update session set person_id = -(select id from person where key = ?2)
                 where person_id = ?1 and exists (select 1 from person where key = ?2)",
            )?
            .execute(params![before, key])?;
        }
        conn.execute("delete from session where person_id > 0", [])?;
        conn.execute("update session set person_id = -person_id", [])?;
        Ok(())
    }
}
