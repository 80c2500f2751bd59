//! Boxes that want their admin's phones told when they are silent, and those phones.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::SqliteRelay;
use super::trouble::Done;
use super::workshop;
use crate::domain::{Timestamp, WorkshopKey};
use crate::relay::alarm::{AlarmStore, Asked, Phone, Watched};
use crate::relay::limits::ALARM_PHONES_MAX;
use crate::relay::store::{Fence, Kept};
use crate::wire::link::Alarm;

impl AlarmStore for SqliteRelay {
    async fn set_alarm(&self, fence: Fence, alarm: Option<Alarm>) -> Kept<()> {
        let engine = &self.inner.engine;
        engine.write(move |tx| set(tx.conn, fence, alarm)).await
    }

    async fn alarm(&self, workshop: WorkshopKey) -> Kept<Option<Watched>> {
        let engine = &self.inner.engine;
        engine.read(move |conn| one(conn, workshop)).await
    }

    async fn alarms(&self) -> Kept<Vec<Watched>> {
        self.inner.engine.read(all).await
    }

    async fn phones(&self, workshop: WorkshopKey) -> Kept<Vec<Phone>> {
        let engine = &self.inner.engine;
        engine.read(move |conn| phones(conn, workshop)).await
    }

    async fn add_phone(&self, workshop: WorkshopKey, sha: [u8; 32], phone: Phone) -> Kept<bool> {
        let engine = &self.inner.engine;
        engine
            .write(move |tx| add(tx.conn, workshop, &sha, &phone))
            .await
    }

    async fn forget_phone(&self, workshop: WorkshopKey, endpoint: String) -> Kept<()> {
        let engine = &self.inner.engine;
        engine
            .write(move |tx| forget(tx.conn, workshop, &endpoint))
            .await
    }

    async fn told(&self, workshop: WorkshopKey, at: Option<Timestamp>) -> Kept<()> {
        let engine = &self.inner.engine;
        engine.write(move |tx| told(tx.conn, workshop, at)).await
    }
}

fn set(conn: &Connection, fence: Fence, alarm: Option<Alarm>) -> Done<()> {
    let n = workshop::fenced(conn, fence)?.n;
    let sha = alarm.map(|alarm| alarm.secret_sha);
    // Phones of another link, or of none, go first: they hang on it.
    let stale =
        "workshop in (select workshop from alarm where workshop = ?1 and secret_sha is not ?2)";
    conn.prepare_cached(&format!("delete from alarm_phone where {stale}"))?
        .execute(params![n, sha])?;
    conn.prepare_cached(&format!("delete from alarm where {stale}"))?
        .execute(params![n, sha])?;
    if let Some(alarm) = alarm {
        conn.prepare_cached(
            "insert into alarm (workshop, secret_sha, after_ms) values (?1, ?2, ?3)
             on conflict (workshop) do update set after_ms = excluded.after_ms",
        )?
        .execute(params![n, alarm.secret_sha, alarm.after_ms])?;
    }
    Ok(())
}

const WATCHED: &str = "select key, secret_sha, after_ms, told_ms, seen_ms
     from alarm join workshop on workshop.n = alarm.workshop";

fn watched(row: &Row<'_>) -> Result<Watched, rusqlite::Error> {
    Ok(Watched {
        workshop: WorkshopKey::from_bytes(row.get(0)?),
        asked: Asked {
            alarm: Alarm {
                secret_sha: row.get(1)?,
                after_ms: row.get(2)?,
            },
            told_ms: row.get(3)?,
        },
        seen_ms: row.get(4)?,
    })
}

fn one(conn: &Connection, key: WorkshopKey) -> Done<Option<Watched>> {
    let mut query = conn.prepare_cached(&format!("{WATCHED} where key = ?1"))?;
    Ok(query.query_row([key.as_bytes()], watched).optional()?)
}

fn all(conn: &Connection) -> Done<Vec<Watched>> {
    let mut query = conn.prepare_cached(&format!("{WATCHED} order by n"))?;
    Ok(query.query_map([], watched)?.collect::<Result<_, _>>()?)
}

fn phones(conn: &Connection, key: WorkshopKey) -> Done<Vec<Phone>> {
    let mut query = conn.prepare_cached(
        "select endpoint, p256dh, auth from alarm_phone
         join workshop on workshop.n = alarm_phone.workshop where key = ?1 order by alarm_phone.n",
    )?;
    let found = query.query_map([key.as_bytes()], |row| {
        Ok(Phone {
            endpoint: row.get(0)?,
            p256dh: row.get(1)?,
            auth: row.get(2)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn add(conn: &Connection, key: WorkshopKey, sha: &[u8; 32], phone: &Phone) -> Done<bool> {
    let opens = one(conn, key)?.is_some_and(|known| known.asked.alarm.secret_sha == *sha);
    if !opens {
        return Ok(false);
    }
    // A newer row of the same endpoint is the newest, so that the oldest can go.
    forget(conn, key, &phone.endpoint)?;
    conn.prepare_cached(
        "insert into alarm_phone (workshop, endpoint, p256dh, auth)
             select n, ?2, ?3, ?4 from workshop where key = ?1",
    )?
    .execute(params![
        key.as_bytes(),
        phone.endpoint,
        phone.p256dh,
        phone.auth
    ])?;
    conn.prepare_cached(
        "delete from alarm_phone where n in (
             select alarm_phone.n from alarm_phone
             join workshop on workshop.n = alarm_phone.workshop where key = ?1
             order by alarm_phone.n desc limit -1 offset ?2)",
    )?
    .execute(params![key.as_bytes(), ALARM_PHONES_MAX])?;
    Ok(true)
}

fn forget(conn: &Connection, key: WorkshopKey, endpoint: &str) -> Done<()> {
    conn.prepare_cached(
        "delete from alarm_phone
         where endpoint = ?2 and workshop = (select n from workshop where key = ?1)",
    )?
    .execute(params![key.as_bytes(), endpoint])?;
    Ok(())
}

fn told(conn: &Connection, key: WorkshopKey, at: Option<Timestamp>) -> Done<()> {
    conn.prepare_cached(
        "update alarm set told_ms = ?2 where workshop = (select n from workshop where key = ?1)",
    )?
    .execute(params![key.as_bytes(), at.map(|at| at.0)])?;
    Ok(())
}
