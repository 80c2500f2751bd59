//! The sample workshop of `motoreach demo`: Nair Motors, its people and what they talk about.
//!
//! `owners` makes customers and vehicles up by number, `stories` is what is said,
//! `plan` says when, `seed` and `deeds` do it. Every id is derived from what it names, so seeding again adds
//! nothing twice.

mod deeds;
mod owners;
mod plan;
mod seed;
mod stories;

use uuid::{Builder, Uuid};

pub(super) use seed::seed;

use crate::domain::Role;

/// The password of everybody in the sample workshop.
pub(super) const PASSWORD: &str = "motoreach-demo";
/// What the sample workshop is called.
pub(super) const WORKSHOP: &str = "Nair Motors";

/// Somebody of the staff.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Staff {
    /// Runs the workshop.
    Meera,
    /// The adviser at the counter.
    Joseph,
    /// A mechanic.
    Ravi,
    /// A mechanic.
    Lakshmi,
}

impl Staff {
    /// In the order in which they joined.
    pub(super) const ALL: [Self; 4] = [Self::Meera, Self::Joseph, Self::Ravi, Self::Lakshmi];

    /// Their full name.
    pub(super) const fn full_name(self) -> &'static str {
        match self {
            Self::Meera => "Meera Nair",
            Self::Joseph => "Joseph Kurian",
            Self::Ravi => "Ravi Menon",
            Self::Lakshmi => "Lakshmi Pillai",
        }
    }

    /// What they sign in with.
    pub(super) const fn username(self) -> &'static str {
        match self {
            Self::Meera => "meera",
            Self::Joseph => "joseph",
            Self::Ravi => "ravi",
            Self::Lakshmi => "lakshmi",
        }
    }

    const fn role(self) -> Role {
        match self {
            Self::Meera | Self::Joseph => Role::Admin,
            Self::Ravi | Self::Lakshmi => Role::Mechanic,
        }
    }

    const fn number(self) -> u32 {
        match self {
            Self::Meera => 1,
            Self::Joseph => 2,
            Self::Ravi => 3,
            Self::Lakshmi => 4,
        }
    }
}

/// What an id of the sample names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Thing {
    Staff(Staff),
    Owner { request: u32 },
    Request { request: u32 },
    Message { request: u32, place: u16 },
}

/// The id of a thing: the same in every sample workshop (RFC 9562 version 8).
fn sample_id(thing: Thing) -> Uuid {
    let (kind, number, place) = match thing {
        Thing::Staff(staff) => (1, staff.number(), 0),
        Thing::Owner { request } => (2, request, 0),
        Thing::Request { request } => (3, request, 0),
        Thing::Message { request, place } => (4, request, place),
    };
    let mut bytes = [0; 16];
    bytes[..5].copy_from_slice(b"nair\0");
    bytes[5] = kind;
    bytes[10..14].copy_from_slice(&number.to_be_bytes());
    bytes[14..].copy_from_slice(&place.to_be_bytes());
    Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thing_has_an_id_of_its_own() {
        let mut ids = vec![sample_id(Thing::Staff(Staff::Joseph))];
        for request in [1, 2, 256, u32::MAX] {
            ids.push(sample_id(Thing::Owner { request }));
            ids.push(sample_id(Thing::Request { request }));
            for place in [0, 1, 256, u16::MAX] {
                ids.push(sample_id(Thing::Message { request, place }));
            }
        }
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count);
        assert!(ids.iter().all(|id| id.get_version_num() == 8));
    }
}
