//! Forgetting an owner who asks for it: how much goes, and what stays of each event so that the work
//! that was done can still be told.
//!
//! What goes: who they are (name, telephone, e-mail), what they wrote, what their devices call
//! themselves, and the plate of a vehicle that is theirs alone. What stays: that there was a request,
//! when it moved on, make and model, and by default what the *workshop* wrote, which is its own record
//! of its work; `Extent::Everything` takes that, too.

use super::{Event, PersonDetails, PersonEdit, Vehicle};

/// The name of somebody who was erased.
pub const ERASED_NAME: &str = "Erased owner";

/// How much of an owner is erased.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// Who they are and what they wrote.
    Words,
    /// Also what the workshop wrote to them and noted of the work.
    Everything,
}

impl Extent {
    /// The word for it in the journal and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Everything => "everything",
        }
    }

    /// The extent that a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Words, Self::Everything]
            .into_iter()
            .find(|extent| extent.word() == word)
    }
}

/// The plate of an erased owner's vehicle, by its place among theirs.
pub fn erased_plate(place: i64) -> String {
    format!("ERASED {place}")
}

/// What stays of an event; `None`: nothing. `plate` is what stands in the place of the plate.
pub fn remains(event: Event, extent: Extent, plate: String) -> Option<Event> {
    let noted = |text: String| match extent {
        Extent::Words => text,
        Extent::Everything => String::new(),
    };
    match event {
        Event::PersonAdded { number, details } => Some(Event::PersonAdded {
            number,
            details: PersonDetails {
                role: details.role,
                full_name: ERASED_NAME.to_owned(),
                username: None,
                phone: None,
                email: None,
                password_hash: None,
            },
        }),
        Event::PersonChanged { person, edit } => Some(Event::PersonChanged {
            person,
            edit: PersonEdit {
                role: edit.role,
                active: edit.active,
                // That there was one ended sign-ins.
                password_hash: edit.password_hash.map(|_| String::new()),
                ..PersonEdit::default()
            },
        }),
        Event::RequestOpened {
            number,
            owner,
            vehicle,
            description,
        } => Some(Event::RequestOpened {
            number,
            owner,
            vehicle: Vehicle { plate, ..vehicle },
            description: noted(description),
        }),
        Event::RequestDescribed {
            request,
            description,
        } => Some(Event::RequestDescribed {
            request,
            description: noted(description),
        }),
        Event::DeviceLinked {
            request,
            invite,
            device,
            name: _,
        } => Some(Event::DeviceLinked {
            request,
            invite,
            device,
            name: String::new(),
        }),
        Event::MessagePosted { .. } => None,
        // Nothing in these is personal but the name of whoever did it, which goes with the body.
        event @ (Event::MessagesRead { .. }
        | Event::MessageRedacted { .. }
        | Event::MessageExpired { .. }
        | Event::WorkshopNamed { .. }
        | Event::StatusChanged { .. }
        | Event::RequestAssigned { .. }
        | Event::InviteGranted { .. }
        | Event::InviteRevoked { .. }
        | Event::PersonErased { .. }
        | Event::EventErased { .. }
        | Event::PostRefused { .. }) => Some(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PersonKey, RequestKey, Role};

    #[test]
    fn nothing_personal_stays_of_a_person_or_their_vehicle() {
        let added = Event::PersonAdded {
            number: 3,
            details: PersonDetails {
                role: Role::Owner,
                full_name: "Asha Nair".to_owned(),
                username: None,
                phone: Some("1".to_owned()),
                email: Some("a@b".to_owned()),
                password_hash: None,
            },
        };
        let opened = Event::RequestOpened {
            number: 7,
            owner: PersonKey::from_bytes([1; 16]),
            vehicle: Vehicle {
                plate: "KL 07".to_owned(),
                make: Some("Maruti".to_owned()),
                model: None,
                year: None,
            },
            description: "Brakes".to_owned(),
        };
        let shown = |event: &Event, extent| {
            format!("{:?}", remains(event.clone(), extent, erased_plate(1)))
        };
        for word in ["Asha", "a@b", "Some(\"1\")"] {
            assert!(!shown(&added, Extent::Words).contains(word), "{word}");
        }
        assert!(!shown(&opened, Extent::Words).contains("KL 07"));
        assert!(shown(&opened, Extent::Words).contains("Brakes"));
        assert!(!shown(&opened, Extent::Everything).contains("Brakes"));
        assert!(shown(&opened, Extent::Everything).contains("Maruti"));
    }

    #[test]
    fn nothing_stays_of_a_message() {
        let posted = Event::MessagePosted {
            request: RequestKey::from_bytes([2; 16]),
            side: crate::domain::Side::User,
            content: "Hello".to_owned(),
            reply_to: None,
            expires: None,
        };
        assert_eq!(remains(posted, Extent::Words, String::new()), None);
    }

    #[test]
    fn extents_are_read_as_they_are_written() {
        for extent in [Extent::Words, Extent::Everything] {
            assert_eq!(Extent::from_word(extent.word()), Some(extent));
        }
    }
}
