//! The serialized form of events: JSON objects, one shape a kind. Journals are kept for years, so
//! fields may be added (with a default) but never renamed, removed or given another meaning.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{
    Event, EventId, InviteId, PersonDetails, PersonEdit, PersonKey, RequestKey, Role, Side, Status,
    Timestamp, Vehicle,
};

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

#[derive(Serialize, Deserialize)]
struct WorkshopNamed {
    name: String,
}

#[derive(Serialize, Deserialize)]
struct PersonAdded {
    number: i64,
    role: String,
    full_name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    password_hash: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct PersonChanged {
    person: Uuid,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    full_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    username: Option<String>,
    // For the next two an empty text means: none any more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    password_hash: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct RequestOpened {
    number: i64,
    owner: Uuid,
    plate: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    make: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    year: Option<i64>,
    description: String,
}

#[derive(Serialize, Deserialize)]
struct StatusChanged {
    status: String,
}

#[derive(Serialize, Deserialize)]
struct RequestAssigned {
    to: Option<Uuid>,
}

#[derive(Serialize, Deserialize)]
struct RequestDescribed {
    description: String,
}

#[derive(Serialize, Deserialize)]
struct InviteGranted {
    invite: Uuid,
    expires_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct InviteRevoked {
    invite: Uuid,
}

#[derive(Serialize, Deserialize)]
struct MessagePosted {
    side: String,
    content: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    reply_to: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    expires_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct OfMessage {
    message: Uuid,
}

#[derive(Serialize, Deserialize)]
struct MessagesRead {
    side: String,
    up_to: Uuid,
}

/// The word for a role in SQL and in the journal.
pub(super) const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Mechanic => "mechanic",
        Role::Owner => "owner",
    }
}

/// The role that a word stands for.
pub(super) fn role_from_word(word: &str) -> Option<Role> {
    [Role::Admin, Role::Mechanic, Role::Owner]
        .into_iter()
        .find(|role| role_word(*role) == word)
}

/// The word for a side in SQL and in the journal.
pub(super) const fn side_word(side: Side) -> &'static str {
    match side {
        Side::User => "user",
        Side::Workshop => "workshop",
    }
}

/// The side that a word stands for.
pub(super) fn side_from_word(word: &str) -> Option<Side> {
    [Side::User, Side::Workshop]
        .into_iter()
        .find(|side| side_word(*side) == word)
}

/// The JSON that stands in the journal.
pub(super) fn encode(event: &Event) -> String {
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
        }),
        Event::MessageRedacted { message, .. } | Event::MessageExpired { message, .. } => {
            serde_json::to_string(&OfMessage {
                message: message.uuid(),
            })
        }
        Event::MessagesRead { side, up_to, .. } => serde_json::to_string(&MessagesRead {
            side: side_word(side).to_owned(),
            up_to: up_to.uuid(),
        }),
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
            let OfMessage { message } = read(kind, body)?;
            Event::MessageRedacted {
                request: thread()?,
                message: EventId::new(message),
            }
        }
        "message_expired" => {
            let OfMessage { message } = read(kind, body)?;
            Event::MessageExpired {
                request: thread()?,
                message: EventId::new(message),
            }
        }
        "messages_read" => {
            let MessagesRead { side, up_to } = read(kind, body)?;
            Event::MessagesRead {
                request: thread()?,
                side: word(kind, &side, side_from_word)?,
                up_to: EventId::new(up_to),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn one_of_each() -> Vec<Event> {
        let request = RequestKey::from_bytes([7; 16]);
        let person = PersonKey::from_bytes([3; 16]);
        let message = EventId::from_bytes([9; 16]);
        let invite = InviteId::from_bytes([5; 16]);
        let vehicle = Vehicle {
            plate: "KL 07 AB 1234".into(),
            make: Some("Tata".into()),
            model: None,
            year: Some(2019),
        };
        vec![
            Event::WorkshopNamed {
                name: "Nair Motors".into(),
            },
            Event::PersonAdded {
                number: 4,
                details: PersonDetails {
                    role: Role::Mechanic,
                    full_name: "Ravi".into(),
                    username: Some("ravi".into()),
                    phone: None,
                    email: None,
                    password_hash: Some("$argon2id$".into()),
                },
            },
            Event::PersonChanged {
                person,
                edit: PersonEdit {
                    phone: Some(None),
                    email: Some(Some("a@b".into())),
                    active: Some(false),
                    ..PersonEdit::default()
                },
            },
            Event::RequestOpened {
                number: 7,
                owner: person,
                vehicle,
                description: "Brakes".into(),
            },
            Event::StatusChanged {
                request,
                status: Status::InProgress,
            },
            Event::RequestAssigned {
                request,
                to: Some(person),
            },
            Event::RequestAssigned { request, to: None },
            Event::RequestDescribed {
                request,
                description: "Brakes and clutch".into(),
            },
            Event::InviteGranted {
                request,
                invite,
                expires: Timestamp(12),
            },
            Event::InviteRevoked { request, invite },
            Event::MessagePosted {
                request,
                side: Side::User,
                content: "Is it \"ready\"? 🚗".into(),
                reply_to: Some(message),
                expires: Some(Timestamp(99)),
            },
            Event::MessageRedacted { request, message },
            Event::MessageExpired { request, message },
            Event::MessagesRead {
                request,
                side: Side::Workshop,
                up_to: message,
            },
        ]
    }

    #[test]
    fn every_event_reads_back_as_it_was_written() {
        for event in one_of_each() {
            let request = Some(RequestKey::from_bytes([7; 16]));
            assert_eq!(
                decode(event.kind(), request, &encode(&event)).unwrap(),
                event
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert!(matches!(
            decode("coffee_made", None, "{}"),
            Err(BodyError::UnknownKind(_))
        ));
        assert!(matches!(
            decode("message_posted", None, "{"),
            Err(BodyError::Form { .. })
        ));
        assert!(matches!(
            decode("status_changed", None, r#"{"status":"CREATED"}"#),
            Err(BodyError::NoRequest { .. })
        ));
    }
}
