//! Every event reads back as it was written; what cannot be read is named.

use super::*;
use crate::domain::{Role, Side};

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
