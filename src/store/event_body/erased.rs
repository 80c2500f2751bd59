//! The shapes of erasing: that somebody was erased, and what stays of each event of theirs.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{BodyError, Names, decode, encode, read, word};
use crate::domain::{Event, EventId, Extent, PersonKey, RequestKey};

#[derive(Serialize, Deserialize)]
struct PersonErased {
    person: Uuid,
    extent: String,
}

#[derive(Serialize, Deserialize)]
struct EventErased {
    event: Uuid,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    remains: Option<Remains>,
}

/// An event as it would stand in the journal: a JSON text, so that it is compared letter by letter.
#[derive(Serialize, Deserialize)]
struct Remains {
    kind: String,
    body: String,
}

pub(super) fn person(person: PersonKey, extent: Extent) -> serde_json::Result<String> {
    serde_json::to_string(&PersonErased {
        person: person.uuid(),
        extent: extent.word().to_owned(),
    })
}

pub(super) fn event(event: EventId, remains: Option<&Event>) -> serde_json::Result<String> {
    serde_json::to_string(&EventErased {
        event: event.uuid(),
        remains: remains.map(|remains| Remains {
            kind: remains.kind().to_owned(),
            body: encode(remains, Names::default()),
        }),
    })
}

pub(super) fn read_person(kind: &str, body: &str) -> Result<Event, BodyError> {
    let PersonErased { person, extent } = read(kind, body)?;
    Ok(Event::PersonErased {
        person: PersonKey::new(person),
        extent: word(kind, &extent, Extent::from_word)?,
    })
}

pub(super) fn read_event(
    kind: &str,
    request: Option<RequestKey>,
    body: &str,
) -> Result<Event, BodyError> {
    let EventErased { event, remains } = read(kind, body)?;
    let remains = match remains {
        None => None,
        // An erasing never erases another one, so this ends.
        Some(Remains { kind, .. }) if kind == "event_erased" => {
            return Err(BodyError::UnknownKind("erased erasing".to_owned()));
        }
        Some(Remains { kind, body }) => Some(Box::new(decode(&kind, request, &body)?)),
    };
    Ok(Event::EventErased {
        request,
        event: EventId::new(event),
        remains,
    })
}
