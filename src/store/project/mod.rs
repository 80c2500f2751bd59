//! The rows that an event changes. What it means to whoever listens is in `describe`.
//!
//! A rebuild runs nothing but this, so it may use nothing but the entry, the rows before it and the
//! box's keys: no clock, no randomness, no entry that comes later.
//!
//! Where copies of the journal were brought together, two branches may contradict each other, and an
//! entry may speak of something that is not there (any more). Nothing fails for that: what makes no
//! sense changes no row, a name that is taken is varied, and erasing and revoking win whatever came
//! first (`foretold`).

mod erased;
mod talk;

use rusqlite::{Connection, OptionalExtension, params};

pub(super) use erased::lesser;
use talk::{Foretold, foretell};

use super::error::StoreError;
use super::journal::Entry;
use super::tx::View;
use super::words::role_word;
use super::{invites, people};
use crate::domain::{
    ErasedWhy, Event, EventId, InviteId, PersonDetails, PersonEdit, PersonKey, Plate, RequestKey,
    Seq, Timestamp, Vehicle,
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
        return Ok(talk::message_without_words(conn, entry)?);
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
            let to = match to {
                None => None,
                // Nobody by that key: it stays whose it was.
                Some(to) => match person_id(conn, *to)? {
                    None => return Ok(()),
                    found => found,
                },
            };
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
        } => invite_granted(view, entry, *request, *invite, *expires)?,
        Event::InviteRevoked { request, invite } => {
            let known = conn
                .prepare_cached(
                    "update invite set revoked_ms = coalesce(revoked_ms, ?2) where id = ?1",
                )?
                .execute(params![invite.as_bytes(), entry.at.0])?;
            if known == 0 {
                foretell(conn, entry, *invite.as_bytes(), Foretold::Revoked)?;
            }
            // Whoever held the old key reads nothing that is written from here on.
            conn.prepare_cached("update request set epoch = epoch + 1 where key = ?1")?
                .execute([request.as_bytes()])?;
        }
        Event::MessagePosted {
            side,
            reply_to,
            expires,
            ..
        } => talk::posted(conn, entry, *side, *reply_to, *expires)?,
        Event::MessageRedacted { message, .. } => {
            talk::erase(conn, entry, *message, ErasedWhy::Redacted)?;
        }
        Event::MessageExpired { message, .. } => {
            talk::erase(conn, entry, *message, ErasedWhy::Expired)?;
        }
        Event::MessagesRead {
            request,
            side,
            up_to,
        } => talk::read(conn, entry, *request, *side, *up_to)?,
        Event::DeviceLinked {
            invite,
            device,
            name,
            ..
        } => {
            conn.prepare_cached(
                "insert into link_device (invite_id, device_id, name, first_ms, named_ms)
                 values (?1, ?2, ?3, ?4, ?4)
                 on conflict (invite_id, device_id) do update set
                     name = excluded.name, named_ms = excluded.named_ms",
            )?
            .execute(params![
                invite.as_bytes(),
                device.as_bytes(),
                name,
                entry.at.0
            ])?;
        }
        Event::PersonErased { person, extent } => {
            erased::person(conn, entry, *person, *extent)?;
        }
        Event::EventErased { event, remains, .. } => {
            erased::event(conn, entry, *event, remains.as_deref())?;
        }
        // Only its page needs to know.
        Event::PostRefused { .. } => {}
    }
    Ok(())
}

fn person_added(
    conn: &Connection,
    entry: &Entry,
    number: i64,
    details: &PersonDetails,
) -> rusqlite::Result<()> {
    let username = match details.username.as_deref() {
        None => None,
        Some(wish) => Some(people::username_or_next(conn, wish)?),
    };
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
        username,
        details.phone,
        details.email,
        details.password_hash,
        entry.at.0,
    ])?;
    erased::person_who_came_later(conn, entry)
}

fn person_changed(conn: &Connection, person: PersonKey, edit: &PersonEdit) -> rusqlite::Result<()> {
    if people::is_erased(conn, person)? {
        // Who they were does not come back, whatever another copy of the journal knew.
        return erased::person_changed(conn, person, edit);
    }
    // A name that somebody else has by now changes nothing.
    let username = match edit.username.as_deref() {
        Some(name) if people::username_is_anothers(conn, name, person)? => None,
        name => name,
    };
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
        username,
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
    let (Some(owner), Some(number)) = (person_id(conn, owner)?, entry.request) else {
        return Ok(());
    };
    let plate_key = plate_key(&vehicle.plate);
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
        number.0,
        entry.id.as_bytes(),
        owner,
        vehicle,
        description,
        entry.at.0,
        entry.seq.0,
    ])?;
    Ok(())
}

/// What a plate is looked up by.
fn plate_key(plate: &str) -> String {
    Plate::parse(plate).map_or_else(|_| plate.to_owned(), |plate| plate.key())
}

fn invite_granted(
    view: &View<'_>,
    entry: &Entry,
    request: RequestKey,
    invite: InviteId,
    expires: Timestamp,
) -> rusqlite::Result<()> {
    let conn = view.conn;
    let Some(request) = request_id(conn, request)? else {
        return Ok(());
    };
    let revoked = talk::foretold(conn, *invite.as_bytes())?.map(|foretold| foretold.at.0);
    conn.prepare_cached(
        "insert into invite (id, request_id, auth_sha, created_ms, expires_ms, revoked_ms)
         values (?1, ?2, ?3, ?4, ?5, ?6) on conflict (id) do nothing",
    )?
    .execute(params![
        invite.as_bytes(),
        request,
        invites::auth_sha_of(view, invite),
        entry.at.0,
        expires.0,
        revoked,
    ])?;
    Ok(())
}

fn active(conn: &Connection, request: RequestKey, entry: &Entry) -> rusqlite::Result<()> {
    conn.prepare_cached("update request set activity_seq = ?2, active_ms = ?3 where key = ?1")?
        .execute(params![request.as_bytes(), entry.seq.0, entry.at.0])?;
    Ok(())
}

/// Where an event stands in the journal, if it stands there before a position.
pub(super) fn seq_before(
    conn: &Connection,
    id: EventId,
    before: Seq,
) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("select seq from event where id = ?1 and seq < ?2")?
        .query_row(params![id.as_bytes(), before.0], |row| row.get(0))
        .optional()
}

fn person_id(conn: &Connection, key: PersonKey) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("select id from person where key = ?1")?
        .query_row([key.as_bytes()], |row| row.get(0))
        .optional()
}

fn request_id(conn: &Connection, key: RequestKey) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("select id from request where key = ?1")?
        .query_row([key.as_bytes()], |row| row.get(0))
        .optional()
}
