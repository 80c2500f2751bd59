//! What an event means to whoever listens: everything a frame says, looked up in the transaction that
//! stored it, or later for a reader who was away.

use super::error::StoreError;
use super::event_body::Names;
use super::journal::Entry;
use super::project::seq_before;
use super::tx::View;
use super::{local, messages, people, receipts, requests};
use crate::domain::{
    Audience, Change, Committed, ErasedWhy, Event, EventId, MessageId, PersonKey, RequestAspect,
    Seq,
};

/// Whom an event concerns, as things stand.
pub(super) fn audience(view: &View<'_>, event: &Event) -> Result<Option<Audience>, StoreError> {
    match event.request() {
        None => Ok(None),
        Some(key) => Ok(requests::audience(view, key)?),
    }
}

/// What an event that was just applied means to whoever listens.
pub(super) fn committed(
    view: &View<'_>,
    entry: &Entry,
    event: &Event,
    before: Option<Audience>,
) -> Result<Committed, StoreError> {
    let mut audience = match entry.thread {
        None => None,
        Some(key) => requests::audience(view, key)?,
    };
    if let (Some(now), Some(before)) = (&mut audience, before) {
        for mechanic in before.mechanics {
            if !now.mechanics.contains(&mechanic) {
                now.mechanics.push(mechanic);
            }
        }
    }
    let change = change(view, entry, event)?;
    Ok(Committed {
        seq: entry.seq,
        audience,
        change,
    })
}

/// The meaning of an entry as things stand now; also for a reader who was away and asks again.
pub(super) fn change(view: &View<'_>, entry: &Entry, event: &Event) -> Result<Change, StoreError> {
    let of_request = |aspect| -> Result<Change, StoreError> {
        let request = match entry.request {
            None => None,
            Some(id) => requests::load(view, id)?,
        };
        Ok(request.map_or(Change::Quiet, |request| {
            Change::Request(aspect, Box::new(request))
        }))
    };
    match event {
        Event::MessagePosted { .. } => posted(view, entry.seq),
        Event::MessageRedacted { message, .. } => {
            erased(view, entry, *message, ErasedWhy::Redacted)
        }
        Event::MessageExpired { message, .. } => erased(view, entry, *message, ErasedWhy::Expired),
        Event::MessagesRead { .. } => {
            Ok(receipts::at(view, entry.seq)?.map_or(Change::Quiet, Change::Read))
        }
        Event::RequestOpened { .. } => of_request(RequestAspect::Opened),
        Event::StatusChanged { .. } => of_request(RequestAspect::Status),
        Event::RequestAssigned { .. } => of_request(RequestAspect::Assignment),
        Event::RequestDescribed { .. } => of_request(RequestAspect::Description),
        Event::InviteRevoked { invite, .. } => Ok(Change::InviteRevoked(*invite)),
        Event::PersonChanged { person, edit } if edit.ends_sessions() => {
            let person = people::by_key(view, *person)?;
            Ok(person.map_or(Change::Quiet, |person| Change::PersonSignedOut(person.id)))
        }
        Event::PersonErased { person, .. } => {
            let person = people::by_key(view, *person)?;
            Ok(person.map_or(Change::Quiet, |person| Change::PersonSignedOut(person.id)))
        }
        Event::EventErased {
            event,
            remains: None,
            ..
        } => erased(view, entry, *event, ErasedWhy::Forgotten),
        Event::EventErased {
            remains: Some(remains),
            ..
        } if matches!(
            **remains,
            Event::RequestOpened { .. } | Event::RequestDescribed { .. }
        ) =>
        {
            of_request(RequestAspect::Description)
        }
        Event::PersonChanged { .. }
        | Event::EventErased { .. }
        | Event::PersonAdded { .. }
        | Event::WorkshopNamed { .. }
        | Event::InviteGranted { .. }
        | Event::DeviceLinked { .. }
        | Event::PostRefused { .. } => Ok(Change::Quiet),
    }
}

/// The names that an event's readers at the relay cannot look up; none for events that they never see.
pub(super) fn names(
    view: &View<'_>,
    author: PersonKey,
    event: &Event,
) -> Result<Names, StoreError> {
    let owner = match event {
        Event::RequestOpened { owner, .. } => people::by_key(view, *owner)?,
        Event::MessagePosted { request, .. } => match requests::audience(view, *request)? {
            Some(audience) => people::load(view, audience.owner)?,
            None => None,
        },
        Event::MessageRedacted { .. }
        | Event::MessageExpired { .. }
        | Event::MessagesRead { .. } => None,
        Event::WorkshopNamed { .. }
        | Event::PersonAdded { .. }
        | Event::PersonChanged { .. }
        | Event::PersonErased { .. }
        | Event::EventErased { .. }
        | Event::StatusChanged { .. }
        | Event::RequestAssigned { .. }
        | Event::RequestDescribed { .. }
        | Event::InviteGranted { .. }
        | Event::InviteRevoked { .. }
        | Event::DeviceLinked { .. }
        | Event::PostRefused { .. } => return Ok(Names::default()),
    };
    Ok(Names {
        by: people::by_key(view, author)?.map(|person| person.full_name),
        owner: owner.map(|person| person.full_name),
        workshop: local::workshop_name(view)?,
    })
}

/// A message as it stands now.
pub(super) fn posted(view: &View<'_>, seq: Seq) -> Result<Change, StoreError> {
    let message = messages::load(view, seq.message())?;
    Ok(message.map_or(Change::Quiet, |message| Change::Posted(Box::new(message))))
}

fn erased(
    view: &View<'_>,
    entry: &Entry,
    message: EventId,
    why: ErasedWhy,
) -> Result<Change, StoreError> {
    let by =
        people::by_key(view, entry.author)?.map_or_else(String::new, |person| person.full_name);
    let message = seq_before(view.conn, message, entry.seq)?.map(MessageId);
    Ok(message.map_or(Change::Quiet, |message| Change::Erased { message, why, by }))
}
