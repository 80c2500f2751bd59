//! The serialized form of events: JSON objects, one shape a kind. Journals are kept for years, so
//! fields may be added (with a default) but never renamed, removed or given another meaning.

use serde::Deserialize;

use super::words::{role_from_word, role_word, side_from_word, side_word};
mod erased;
mod shapes;
#[cfg(test)]
mod tests;

use crate::domain::{
    DeviceId, Event, EventId, InviteId, PersonDetails, PersonEdit, PersonKey, RequestKey, Side,
    Status, Timestamp, Vehicle,
};
use shapes::{
    DeviceLinked, InviteGranted, InviteRevoked, MessagePosted, MessagesRead, OfMessage,
    PersonAdded, PersonChanged, PostRefused, RequestAssigned, RequestDescribed, RequestOpened,
    StatusChanged, WorkshopNamed,
};

/// Names as they were when something happened: an owner's page at the relay has nobody to ask. They
/// are for showing; whoever reads the journal on the box looks them up.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Names {
    /// Whoever did it; nobody, when the box itself did.
    pub(super) by: Option<String>,
    /// The owner's.
    pub(super) owner: Option<String>,
    /// The workshop's.
    pub(super) workshop: Option<String>,
}

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("an event of the unknown kind {0}: written by a newer MotoReach")]
    UnknownKind(String),
    #[error("a {kind} event that cannot be read: {source}")]
    Form {
        kind: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("a {kind} event without its request")]
    NoRequest { kind: String },
}

/// The JSON that stands in the journal.
pub(super) fn encode(event: &Event, names: Names) -> String {
    let Names {
        by,
        owner: owner_name,
        workshop,
    } = names;
    let encoded = match event.clone() {
        Event::WorkshopNamed { name } => serde_json::to_string(&WorkshopNamed { name }),
        Event::PersonAdded { number, details } => serde_json::to_string(&PersonAdded {
            number,
            role: role_word(details.role).to_owned(),
            full_name: details.full_name,
            username: details.username,
            phone: details.phone,
            email: details.email,
            password_hash: details.password_hash,
        }),
        Event::PersonChanged { person, edit } => serde_json::to_string(&PersonChanged {
            person: person.uuid(),
            full_name: edit.full_name,
            role: edit.role.map(|role| role_word(role).to_owned()),
            username: edit.username,
            phone: edit.phone.map(Option::unwrap_or_default),
            email: edit.email.map(Option::unwrap_or_default),
            active: edit.active,
            password_hash: edit.password_hash,
        }),
        Event::RequestOpened {
            number,
            owner,
            vehicle,
            description,
        } => {
            let Vehicle {
                plate,
                make,
                model,
                year,
            } = vehicle;
            let owner = owner.uuid();
            serde_json::to_string(&RequestOpened {
                number,
                owner,
                plate,
                make,
                model,
                year,
                description,
                workshop,
                owner_name,
            })
        }
        Event::StatusChanged { status, .. } => serde_json::to_string(&StatusChanged {
            status: status.word().to_owned(),
        }),
        Event::RequestAssigned { to, .. } => serde_json::to_string(&RequestAssigned {
            to: to.map(PersonKey::uuid),
        }),
        Event::RequestDescribed { description, .. } => {
            serde_json::to_string(&RequestDescribed { description })
        }
        Event::InviteGranted {
            invite, expires, ..
        } => serde_json::to_string(&InviteGranted {
            invite: invite.uuid(),
            expires_ms: expires.0,
        }),
        Event::InviteRevoked { invite, .. } => serde_json::to_string(&InviteRevoked {
            invite: invite.uuid(),
        }),
        Event::MessagePosted {
            side,
            content,
            reply_to,
            expires,
            ..
        } => serde_json::to_string(&MessagePosted {
            side: side_word(side).to_owned(),
            content,
            reply_to: reply_to.map(EventId::uuid),
            expires_ms: expires.map(|at| at.0),
            by,
            from: match side {
                Side::User => owner_name,
                Side::Workshop => workshop,
            },
        }),
        Event::MessageRedacted { message, .. } | Event::MessageExpired { message, .. } => {
            serde_json::to_string(&OfMessage {
                message: message.uuid(),
                by,
            })
        }
        Event::MessagesRead { side, up_to, .. } => serde_json::to_string(&MessagesRead {
            side: side_word(side).to_owned(),
            up_to: up_to.uuid(),
            by,
        }),
        Event::DeviceLinked {
            invite,
            device,
            name,
            ..
        } => serde_json::to_string(&DeviceLinked {
            invite: invite.uuid(),
            device: device.uuid(),
            name,
        }),
        Event::PersonErased { person, extent } => erased::person(person, extent),
        Event::EventErased { event, remains, .. } => erased::event(event, remains.as_deref()),
        Event::PostRefused { why, .. } => serde_json::to_string(&PostRefused { why }),
    };
    encoded.expect("structs of texts and numbers always have a JSON form")
}

/// The event that a journal entry of this kind says.
pub(super) fn decode(
    kind: &str,
    request: Option<RequestKey>,
    body: &str,
) -> Result<Event, BodyError> {
    let thread = || {
        request.ok_or_else(|| BodyError::NoRequest {
            kind: kind.to_owned(),
        })
    };
    Ok(match kind {
        "workshop_named" => {
            let WorkshopNamed { name } = read(kind, body)?;
            Event::WorkshopNamed { name }
        }
        "person_added" => {
            let body: PersonAdded = read(kind, body)?;
            Event::PersonAdded {
                number: body.number,
                details: PersonDetails {
                    role: word(kind, &body.role, role_from_word)?,
                    full_name: body.full_name,
                    username: body.username,
                    phone: body.phone,
                    email: body.email,
                    password_hash: body.password_hash,
                },
            }
        }
        "person_changed" => {
            let body: PersonChanged = read(kind, body)?;
            let none_if_empty = |text: String| Some(text).filter(|text| !text.is_empty());
            Event::PersonChanged {
                person: PersonKey::new(body.person),
                edit: PersonEdit {
                    full_name: body.full_name,
                    role: body
                        .role
                        .map(|role| word(kind, &role, role_from_word))
                        .transpose()?,
                    username: body.username,
                    phone: body.phone.map(none_if_empty),
                    email: body.email.map(none_if_empty),
                    active: body.active,
                    password_hash: body.password_hash,
                },
            }
        }
        "request_opened" => {
            let RequestOpened {
                number,
                owner,
                plate,
                make,
                model,
                year,
                description,
                ..
            } = read(kind, body)?;
            let vehicle = Vehicle {
                plate,
                make,
                model,
                year,
            };
            Event::RequestOpened {
                number,
                owner: PersonKey::new(owner),
                vehicle,
                description,
            }
        }
        "status_changed" => {
            let StatusChanged { status } = read(kind, body)?;
            Event::StatusChanged {
                request: thread()?,
                status: word(kind, &status, Status::from_word)?,
            }
        }
        "request_assigned" => {
            let RequestAssigned { to } = read(kind, body)?;
            Event::RequestAssigned {
                request: thread()?,
                to: to.map(PersonKey::new),
            }
        }
        "request_described" => {
            let RequestDescribed { description } = read(kind, body)?;
            Event::RequestDescribed {
                request: thread()?,
                description,
            }
        }
        "invite_granted" => {
            let InviteGranted { invite, expires_ms } = read(kind, body)?;
            let expires = Timestamp(expires_ms);
            Event::InviteGranted {
                request: thread()?,
                invite: InviteId::new(invite),
                expires,
            }
        }
        "invite_revoked" => {
            let InviteRevoked { invite } = read(kind, body)?;
            Event::InviteRevoked {
                request: thread()?,
                invite: InviteId::new(invite),
            }
        }
        "message_posted" => {
            let MessagePosted {
                side,
                content,
                reply_to,
                expires_ms,
                ..
            } = read(kind, body)?;
            Event::MessagePosted {
                request: thread()?,
                side: word(kind, &side, side_from_word)?,
                content,
                reply_to: reply_to.map(EventId::new),
                expires: expires_ms.map(Timestamp),
            }
        }
        "message_redacted" => {
            let OfMessage { message, .. } = read(kind, body)?;
            Event::MessageRedacted {
                request: thread()?,
                message: EventId::new(message),
            }
        }
        "message_expired" => {
            let OfMessage { message, .. } = read(kind, body)?;
            Event::MessageExpired {
                request: thread()?,
                message: EventId::new(message),
            }
        }
        "messages_read" => {
            let MessagesRead { side, up_to, .. } = read(kind, body)?;
            Event::MessagesRead {
                request: thread()?,
                side: word(kind, &side, side_from_word)?,
                up_to: EventId::new(up_to),
            }
        }
        "device_linked" => {
            let DeviceLinked {
                invite,
                device,
                name,
            } = read(kind, body)?;
            Event::DeviceLinked {
                request: thread()?,
                invite: InviteId::new(invite),
                device: DeviceId::new(device),
                name,
            }
        }
        "person_erased" => erased::read_person(kind, body)?,
        "event_erased" => erased::read_event(kind, request, body)?,
        "post_refused" => {
            let PostRefused { why } = read(kind, body)?;
            Event::PostRefused {
                request: thread()?,
                why,
            }
        }
        unknown => return Err(BodyError::UnknownKind(unknown.to_owned())),
    })
}

fn read<'a, T: Deserialize<'a>>(kind: &str, body: &'a str) -> Result<T, BodyError> {
    serde_json::from_str(body).map_err(|source| BodyError::Form {
        kind: kind.to_owned(),
        source,
    })
}

fn word<T>(kind: &str, word: &str, parse: fn(&str) -> Option<T>) -> Result<T, BodyError> {
    parse(word).ok_or_else(|| {
        let source = serde::de::Error::custom(format!("the unknown word {word}"));
        BodyError::Form {
            kind: kind.to_owned(),
            source,
        }
    })
}
