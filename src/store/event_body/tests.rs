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
        Event::DeviceLinked {
            request,
            invite,
            device: DeviceId::from_bytes([6; 16]),
            name: "Chrome on Android".into(),
        },
        Event::PostRefused {
            request,
            why: "request_closed".into(),
        },
    ]
}

#[test]
fn every_event_reads_back_as_it_was_written() {
    for event in one_of_each() {
        let request = Some(RequestKey::from_bytes([7; 16]));
        for names in [Names::default(), names()] {
            assert_eq!(
                decode(event.kind(), request, &encode(&event, names)).unwrap(),
                event
            );
        }
    }
}

/// What an owner's page at the relay shows of each kind, as it finds it in the opened body.
#[test]
fn bodies_carry_the_names_that_their_readers_cannot_look_up() {
    let found: Vec<serde_json::Value> = one_of_each()
        .iter()
        .map(|event| serde_json::from_str(&encode(event, names())).unwrap())
        .collect();
    let of = |kind: &str| {
        let at = one_of_each().iter().position(|event| event.kind() == kind);
        &found[at.unwrap()]
    };
    let message = of("message_posted");
    assert_eq!(
        (&message["by"], &message["from"]),
        (&"Asha".into(), &"Asha Nair".into())
    );
    for kind in ["message_redacted", "message_expired", "messages_read"] {
        assert_eq!(of(kind)["by"], "Asha", "{kind}");
    }
    let opened = of("request_opened");
    assert_eq!(
        (&opened["workshop"], &opened["owner_name"]),
        (&"Nair Motors".into(), &"Asha Nair".into())
    );
    assert_eq!(of("device_linked")["name"], "Chrome on Android");
    assert_eq!(of("post_refused")["why"], "request_closed");
}

fn names() -> Names {
    Names {
        by: Some("Asha".into()),
        owner: Some("Asha Nair".into()),
        workshop: Some("Nair Motors".into()),
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
