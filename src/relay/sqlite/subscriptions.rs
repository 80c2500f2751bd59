//! Where to push to.

use rusqlite::{Connection, params};

use super::trouble::{Done, Trouble};
use super::workshop;
use crate::domain::{DeviceId, InviteId, RequestKey, Timestamp, WorkshopKey};
use crate::relay::limits::SUBSCRIPTIONS_PER_INVITE_MAX;
use crate::relay::store::Subscription;

/// Remembers where to push to; an endpoint stands once for each thread.
pub(super) fn subscribe(
    conn: &Connection,
    key: WorkshopKey,
    thread: RequestKey,
    subscription: &Subscription,
) -> Done<()> {
    let workshop = workshop::find(conn, key)?.ok_or(Trouble::Fenced)?;
    let invite = subscription.invite.as_bytes();
    // A newer row of the same endpoint is the newest, so that the oldest can go.
    conn.prepare_cached(
        "delete from subscription where endpoint = ?1 and workshop = ?2 and thread = ?3",
    )?
    .execute(params![
        subscription.endpoint,
        workshop.n,
        thread.as_bytes()
    ])?;
    conn.prepare_cached(
        "insert into subscription
            (workshop, thread, endpoint, p256dh, auth, invite, device, shown)
         select ?1, ?2, ?3, ?4, ?5, id, ?7, ?8 from invite
         where id = ?6 and workshop = ?1 and thread = ?2",
    )?
    .execute(params![
        workshop.n,
        thread.as_bytes(),
        subscription.endpoint,
        subscription.p256dh,
        subscription.auth,
        invite,
        subscription.device.as_bytes(),
        subscription.shown,
    ])?;
    conn.prepare_cached(
        "delete from subscription where n in (
             select n from subscription where invite = ?1 order by n desc limit -1 offset ?2)",
    )?
    .execute(params![invite, SUBSCRIPTIONS_PER_INVITE_MAX])?;
    Ok(())
}

/// Forgets an endpoint.
pub(super) fn unsubscribe(conn: &Connection, endpoint: &str) -> Done<()> {
    conn.prepare_cached("delete from subscription where endpoint = ?1")?
        .execute([endpoint])?;
    conn.prepare_cached("delete from alarm_phone where endpoint = ?1")?
        .execute([endpoint])?;
    Ok(())
}

/// Notes whether something is shown at an endpoint.
pub(super) fn shown(conn: &Connection, endpoint: &str, shown: bool) -> Done<()> {
    conn.prepare_cached("update subscription set shown = ?2 where endpoint = ?1")?
        .execute(params![endpoint, shown])?;
    Ok(())
}

/// Everywhere to push to for a thread whose link still opens it, oldest first.
pub(super) fn of_thread(
    conn: &Connection,
    key: WorkshopKey,
    thread: RequestKey,
    now: Timestamp,
) -> Done<Vec<Subscription>> {
    let mut query = conn.prepare_cached(
        "select endpoint, p256dh, auth, invite, device, shown
         from subscription
         join workshop on workshop.n = subscription.workshop
         join invite on invite.id = subscription.invite
         where key = ?1 and subscription.thread = ?2 and not revoked and expires_ms > ?3
         order by subscription.n",
    )?;
    let found = query.query_map(params![key.as_bytes(), thread.as_bytes(), now.0], |row| {
        Ok(Subscription {
            endpoint: row.get(0)?,
            p256dh: row.get(1)?,
            auth: row.get(2)?,
            invite: InviteId::from_bytes(row.get(3)?),
            device: DeviceId::from_bytes(row.get(4)?),
            shown: row.get(5)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}
