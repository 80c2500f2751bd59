//! The rows that erasing changes. A replay meets what was erased in its reduced form and the erasing
//! later, so both ways lead to the same rows: everything here sets, nothing counts.

use rusqlite::{Connection, OptionalExtension, params};

use super::talk::{self, Foretold, foretell};
use super::{plate_key, seq_before};
use crate::domain::{ERASED_NAME, ErasedWhy, Event, EventId, Extent, PersonEdit, PersonKey};
use crate::store::event_body;
use crate::store::journal::{Entry, MESSAGE_POSTED};
use crate::store::words::role_word;

/// Who somebody was is gone.
pub(super) fn person(
    conn: &Connection,
    entry: &Entry,
    person: PersonKey,
    extent: Extent,
) -> rusqlite::Result<()> {
    // The greater extent counts, and the place of the newest entry that says so.
    let known = conn
        .prepare_cached(
            "update person set full_name = ?2, username = null, phone = null, email = null,
                 password_hash = null, active = 0, token_version = token_version + 1,
                 erased = case when erased = 'everything' then erased else ?3 end, erased_seq = ?4
             where key = ?1",
        )?
        .execute(params![
            person.as_bytes(),
            ERASED_NAME,
            extent.word(),
            entry.seq.0
        ])?;
    if known == 0 {
        foretell(
            conn,
            entry,
            *person.as_bytes(),
            Foretold::PersonErased(extent),
        )?;
    }
    Ok(())
}

/// Somebody was added who had been erased already.
pub(super) fn person_who_came_later(conn: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let Some(told) = talk::foretold(conn, *entry.id.as_bytes())? else {
        return Ok(());
    };
    match told.erased_extent() {
        None => Ok(()),
        Some(extent) => person(conn, entry, PersonKey::new(entry.id.uuid()), extent),
    }
}

/// What still changes of somebody who was erased: nothing that says who they are.
pub(super) fn person_changed(
    conn: &Connection,
    person: PersonKey,
    edit: &PersonEdit,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "update person set role = coalesce(?2, role), token_version = token_version + ?3
         where key = ?1",
    )?
    .execute(params![
        person.as_bytes(),
        edit.role.map(role_word),
        i64::from(edit.ends_sessions()),
    ])?;
    Ok(())
}

/// An entry loses its body; what stays of it says what its rows are now.
pub(super) fn event(
    conn: &Connection,
    entry: &Entry,
    event: EventId,
    remains: Option<&Event>,
) -> rusqlite::Result<()> {
    let Some(seq) = seq_before(conn, event, entry.seq)? else {
        // Of anything but a message, whoever places it was told what stays (`link::adopt::erased`).
        return foretell(
            conn,
            entry,
            *event.as_bytes(),
            Foretold::Erased(ErasedWhy::Forgotten),
        );
    };
    let Some(remains) = remains else {
        return talk::erase(conn, entry, event, ErasedWhy::Forgotten);
    };
    let text = event_body::encode(remains, event_body::Names::default());
    let known: Option<Option<String>> = conn
        .prepare_cached("select remains from event where seq = ?1 and kind <> ?2")?
        .query_row(params![seq, MESSAGE_POSTED], |row| row.get(0))
        .optional()?;
    let Some(known) = known else { return Ok(()) };
    let was = known.clone();
    let kept = lesser(known, Some(text.clone()));
    conn.prepare_cached("update event set body = null, remains = ?2 where seq = ?1")?
        .execute(params![seq, kept])?;
    if kept.as_ref() != Some(&text) && was.is_some() {
        // Another erasing left less of it, and that one's rows count.
        return Ok(());
    }
    rows(conn, event, remains)
}

/// The rows of what stays.
fn rows(conn: &Connection, event: EventId, remains: &Event) -> rusqlite::Result<()> {
    if let Event::RequestOpened {
        vehicle,
        description,
        ..
    } = remains
    {
        conn.prepare_cached(
            "update or ignore vehicle set plate = ?2, plate_key = ?3
             where id = (select vehicle_id from request where key = ?1)",
        )?
        .execute(params![
            event.as_bytes(),
            vehicle.plate,
            plate_key(&vehicle.plate)
        ])?;
        if description.is_empty() {
            no_description(conn, *event.as_bytes())?;
        }
    }
    if let Event::RequestDescribed {
        request,
        description,
    } = remains
        && description.is_empty()
    {
        no_description(conn, *request.as_bytes())?;
    }
    if let Event::DeviceLinked { invite, device, .. } = remains {
        conn.prepare_cached(
            "update link_device set name = '' where invite_id = ?1 and device_id = ?2",
        )?
        .execute(params![invite.as_bytes(), device.as_bytes()])?;
    }
    Ok(())
}

fn no_description(conn: &Connection, request: [u8; 16]) -> rusqlite::Result<()> {
    conn.prepare_cached("update request set description = '' where key = ?1")?
        .execute([request])?;
    Ok(())
}

/// Of two things that stay, the one that says less: whichever erasing comes first in a copy of the
/// journal, all copies keep the same.
pub(in crate::store) fn lesser(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) if (one.len(), &one) <= (other.len(), &other) => Some(one),
        (Some(_), Some(other)) => Some(other),
        (one, other) => one.or(other),
    }
}
