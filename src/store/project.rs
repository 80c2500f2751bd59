//! The rows that an event changes. What it means to whoever listens is in `describe`.
//!
//! A rebuild runs nothing but this, so it may use nothing but the entry, the rows before it and the
//! box's keys: no clock, no randomness.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::StoreError;
use super::journal::Entry;
use super::tx::View;
use super::words::{role_word, side_word};
use super::{invites, people};
use crate::domain::{
    ErasedWhy, Event, EventId, PersonDetails, PersonEdit, PersonKey, Plate, RequestKey, Role, Side,
    Vehicle,
};

/// Changes the projections as this entry says. `event` is `None` where its body is erased: then only
/// that it was there is known.
pub(super) fn apply(
    view: &View<'_>,
    entry: &Entry,
    event: Option<&Event>,
) -> Result<(), StoreError> {
    let conn = view.conn;
    let Some(event) = event else {
        return Ok(erased_message(conn, entry)?);
    };
    match event {
        Event::WorkshopNamed { name } => {
            conn.prepare_cached(
                "insert into workshop (id, name) values (1, ?1)
                 on conflict (id) do update set name = excluded.name",
            )?
            .execute([name])?;
        }
        Event::PersonAdded { number, details } => person_added(conn, entry, *number, details)?,
        Event::PersonChanged { person, edit } => person_changed(conn, *person, edit)?,
        Event::RequestOpened {
            owner,
            vehicle,
            description,
            ..
        } => {
            request_opened(conn, entry, *owner, vehicle, description)?;
        }
        Event::StatusChanged { request, status } => {
            conn.prepare_cached("update request set status = ?2 where key = ?1")?
                .execute(params![request.as_bytes(), status.word()])?;
            active(conn, *request, entry)?;
        }
        Event::RequestAssigned { request, to } => {
            let to = to.map(|to| person_id(conn, to)).transpose()?;
            conn.prepare_cached("update request set assigned_to = ?2 where key = ?1")?
                .execute(params![request.as_bytes(), to])?;
            active(conn, *request, entry)?;
        }
        Event::RequestDescribed {
            request,
            description,
        } => {
            conn.prepare_cached("update request set description = ?2 where key = ?1")?
                .execute(params![request.as_bytes(), description])?;
        }
        Event::InviteGranted {
            request,
            invite,
            expires,
        } => {
            let sha = invites::auth_sha_of(view, *invite);
            conn.prepare_cached(
                "insert into invite (id, request_id, auth_sha, created_ms, expires_ms)
                 values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                invite.as_bytes(),
                request_id(conn, *request)?,
                sha,
                entry.at.0,
                expires.0
            ])?;
        }
        Event::InviteRevoked { request, invite } => {
            conn.prepare_cached("update invite set revoked_ms = ?2 where id = ?1")?
                .execute(params![invite.as_bytes(), entry.at.0])?;
            // Whoever held the old key reads nothing that is written from here on.
            conn.prepare_cached("update request set epoch = epoch + 1 where key = ?1")?
                .execute([request.as_bytes()])?;
        }
        Event::MessagePosted {
            request,
            side,
            reply_to,
            expires,
            ..
        } => {
            conn.prepare_cached(
                "insert into message (seq, request_id, side, author_id, reply_to_seq, expires_ms)
                 values (?1, ?2, ?3, (select id from person where key = ?4),
                         (select seq from event where id = ?5), ?6)",
            )?
            .execute(params![
                entry.seq.0,
                entry.request.map(|request| request.0),
                side_word(*side),
                entry.author.as_bytes(),
                reply_to.map(|id| *id.as_bytes()),
                expires.map(|at| at.0),
            ])?;
            newest_message(conn, *request, entry, Some(*side))?;
        }
        Event::MessageRedacted { message, .. } => {
            let by = person_id(conn, entry.author).optional()?;
            erase(conn, *message, ErasedWhy::Redacted, by)?;
        }
        Event::MessageExpired { message, .. } => {
            erase(conn, *message, ErasedWhy::Expired, None)?;
        }
        Event::MessagesRead {
            request,
            side,
            up_to,
        } => read(conn, entry, *request, *side, *up_to)?,
    }
    Ok(())
}

fn person_added(
    conn: &Connection,
    entry: &Entry,
    number: i64,
    details: &PersonDetails,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "insert into person (id, key, role, full_name, username, phone, email, password_hash,
                             active, token_version, created_ms)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, 1, ?9)",
    )?
    .execute(params![
        people::number_or_next(conn, number)?,
        entry.id.as_bytes(),
        role_word(details.role),
        details.full_name,
        details.username,
        details.phone,
        details.email,
        details.password_hash,
        entry.at.0,
    ])?;
    Ok(())
}

fn person_changed(conn: &Connection, person: PersonKey, edit: &PersonEdit) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "update person set
             full_name = coalesce(?2, full_name),
             role = coalesce(?3, role),
             username = coalesce(?4, username),
             phone = case when ?5 then ?6 else phone end,
             email = case when ?7 then ?8 else email end,
             active = coalesce(?9, active),
             password_hash = coalesce(?10, password_hash),
             token_version = token_version + ?11
         where key = ?1",
    )?
    .execute(params![
        person.as_bytes(),
        edit.full_name,
        edit.role.map(role_word),
        edit.username,
        edit.phone.is_some(),
        edit.phone.clone().flatten(),
        edit.email.is_some(),
        edit.email.clone().flatten(),
        edit.active,
        edit.password_hash,
        i64::from(edit.ends_sessions()),
    ])?;
    Ok(())
}

fn request_opened(
    conn: &Connection,
    entry: &Entry,
    owner: PersonKey,
    vehicle: &Vehicle,
    description: &str,
) -> rusqlite::Result<()> {
    let owner = person_id(conn, owner)?;
    let plate_key =
        Plate::parse(&vehicle.plate).map_or_else(|_| vehicle.plate.clone(), |plate| plate.key());
    let vehicle: i64 = conn
        .prepare_cached(
            "insert into vehicle (owner_id, plate_key, plate, make, model, year)
             values (?1, ?2, ?3, ?4, ?5, ?6)
             on conflict (owner_id, plate_key) do update set
                 plate = excluded.plate,
                 make = coalesce(excluded.make, make),
                 model = coalesce(excluded.model, model),
                 year = coalesce(excluded.year, year)
             returning id",
        )?
        .query_row(
            params![
                owner,
                plate_key,
                vehicle.plate,
                vehicle.make,
                vehicle.model,
                vehicle.year
            ],
            |row| row.get(0),
        )?;
    conn.prepare_cached(
        "insert into request (id, key, owner_id, vehicle_id, description, status, epoch,
                              created_ms, active_ms, activity_seq, user_read_seq, workshop_read_seq,
                              user_unread, workshop_unread)
         values (?1, ?2, ?3, ?4, ?5, 'CREATED', 0, ?6, ?6, ?7, 0, 0, 0, 0)",
    )?
    .execute(params![
        entry.request.map(|request| request.0),
        entry.id.as_bytes(),
        owner,
        vehicle,
        description,
        entry.at.0,
        entry.seq.0,
    ])?;
    Ok(())
}

/// A message whose words are gone: its side follows from who wrote it.
fn erased_message(conn: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let (Some(request), Some(thread)) = (entry.request, entry.thread) else {
        return Ok(());
    };
    let (author, role): (i64, String) = conn
        .prepare_cached("select id, role from person where key = ?1")?
        .query_row([entry.author.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let side = if role == role_word(Role::Owner) {
        Side::User
    } else {
        Side::Workshop
    };
    conn.prepare_cached(
        "insert into message (seq, request_id, side, author_id) values (?1, ?2, ?3, ?4)",
    )?
    .execute(params![entry.seq.0, request.0, side_word(side), author])?;
    newest_message(conn, thread, entry, None)
}

/// The conversation ends with this message; the other side of `from` has one more to read. Of a
/// message whose words are gone (`None`) nobody has anything to read.
fn newest_message(
    conn: &Connection,
    request: RequestKey,
    entry: &Entry,
    from: Option<Side>,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "update request set last_message_seq = ?2, activity_seq = ?2, active_ms = ?3,
             user_unread = user_unread + ?4, workshop_unread = workshop_unread + ?5
         where key = ?1",
    )?
    .execute(params![
        request.as_bytes(),
        entry.seq.0,
        entry.at.0,
        i64::from(from == Some(Side::Workshop)),
        i64::from(from == Some(Side::User)),
    ])?;
    Ok(())
}

fn active(conn: &Connection, request: RequestKey, entry: &Entry) -> rusqlite::Result<()> {
    conn.prepare_cached("update request set activity_seq = ?2, active_ms = ?3 where key = ?1")?
        .execute(params![request.as_bytes(), entry.seq.0, entry.at.0])?;
    Ok(())
}

/// The words go; that there was a message, when and from whom, stays (and the chain still verifies).
fn erase(
    conn: &Connection,
    message: EventId,
    why: ErasedWhy,
    by: Option<i64>,
) -> rusqlite::Result<()> {
    let why = match why {
        ErasedWhy::Redacted => "redacted",
        ErasedWhy::Expired => "expired",
    };
    let seq = seq_of(conn, message)?;
    conn.prepare_cached("update event set body = null where seq = ?1")?
        .execute([seq])?;
    conn.prepare_cached(
        "update message set erased_why = ?2, erased_by = ?3, reply_to_seq = null, expires_ms = null
         where seq = ?1",
    )?
    .execute(params![seq, why, by])?;
    let request = conn
        .prepare_cached("select request_id from message where seq = ?1")?
        .query_row([seq], |row| row.get(0))?;
    recount(conn, request)
}

/// Counts what each side has not read. Words that are gone need no reading; that they are gone is
/// asked of the event, because a replay meets the message before it meets its erasing.
fn recount(conn: &Connection, request: i64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "update request set
             user_unread = (select count(*) from message m join event e on e.seq = m.seq
                 where m.request_id = ?1 and m.seq > user_read_seq
                   and m.side = 'workshop' and e.body is not null),
             workshop_unread = (select count(*) from message m join event e on e.seq = m.seq
                 where m.request_id = ?1 and m.seq > workshop_read_seq
                   and m.side = 'user' and e.body is not null)
         where id = ?1",
    )?
    .execute([request])?;
    Ok(())
}

fn read(
    conn: &Connection,
    entry: &Entry,
    request: RequestKey,
    side: Side,
    up_to: EventId,
) -> rusqlite::Result<()> {
    let up_to = seq_of(conn, up_to)?;
    conn.prepare_cached(
        "insert into receipt (seq, request_id, side, person_id, up_to_seq, at_ms)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        entry.seq.0,
        request_id(conn, request)?,
        side_word(side),
        person_id(conn, entry.author)?,
        up_to,
        entry.at.0,
    ])?;
    let update = match side {
        Side::User => "update request set user_read_seq = max(user_read_seq, ?2) where key = ?1",
        Side::Workshop => {
            "update request set workshop_read_seq = max(workshop_read_seq, ?2) where key = ?1"
        }
    };
    conn.prepare_cached(update)?
        .execute(params![request.as_bytes(), up_to])?;
    recount(conn, request_id(conn, request)?)
}

/// Where an event stands in the journal.
pub(super) fn seq_of(conn: &Connection, id: EventId) -> rusqlite::Result<i64> {
    conn.prepare_cached("select seq from event where id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
}

fn person_id(conn: &Connection, key: PersonKey) -> rusqlite::Result<i64> {
    conn.prepare_cached("select id from person where key = ?1")?
        .query_row([key.as_bytes()], |row| row.get(0))
}

fn request_id(conn: &Connection, key: RequestKey) -> rusqlite::Result<i64> {
    conn.prepare_cached("select id from request where key = ?1")?
        .query_row([key.as_bytes()], |row| row.get(0))
}
