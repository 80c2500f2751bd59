//! People and the workshop.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::some;
use crate::domain::{Actor, Named, Person};
use crate::wire::{WORKSHOP_NUMBER, rfc3339, role_word};

/// A person, as far as their own page needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserBody {
    /// Their number.
    pub id: i64,
    /// Their name.
    pub full_name: String,
    /// `user` (vehicle owner), `workshop_admin` or `mechanic`.
    #[schema(example = "workshop_admin")]
    pub role: &'static str,
}

impl UserBody {
    /// Whoever is signed in.
    pub fn of(actor: &Actor) -> Self {
        Self {
            id: actor.id.0,
            full_name: actor.name.clone(),
            role: role_word(actor.role),
        }
    }
}

/// The workshop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WorkshopBody {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
}

impl WorkshopBody {
    /// The one workshop of this box.
    pub const fn named(name: String) -> Self {
        Self {
            id: WORKSHOP_NUMBER,
            name,
        }
    }
}

/// Somebody, by number and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NamedBody {
    /// Their number.
    pub id: i64,
    /// Their name.
    pub full_name: String,
}

impl From<&Named> for NamedBody {
    fn from(named: &Named) -> Self {
        Self {
            id: named.id.0,
            full_name: named.name.clone(),
        }
    }
}

impl From<&Person> for UserBody {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.0,
            full_name: person.full_name.clone(),
            role: role_word(person.role),
        }
    }
}

/// A person as the people page shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonBody {
    /// Who they are.
    #[serde(flatten)]
    pub user: UserBody,
    /// What they sign in with.
    #[schema(required)]
    pub username: Option<String>,
    /// Their telephone number.
    #[schema(required)]
    pub phone: Option<String>,
    /// Their e-mail address.
    #[schema(required)]
    pub email: Option<String>,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether they asked to be forgotten, and were.
    pub erased: bool,
    /// When they joined.
    #[schema(format = DateTime)]
    pub created_at: String,
}

impl From<&Person> for PersonBody {
    fn from(person: &Person) -> Self {
        Self {
            user: person.into(),
            username: person.username.clone(),
            phone: person.phone.clone(),
            email: person.email.clone(),
            active: person.active,
            erased: person.erased.is_some(),
            created_at: rfc3339(person.created),
        }
    }
}

/// A new colleague.
#[derive(Deserialize, ToSchema)]
pub struct NewPersonBody {
    /// Their name.
    pub full_name: String,
    /// `workshop_admin` or `mechanic`.
    #[schema(example = "mechanic", pattern = "^(workshop_admin|mechanic)$")]
    pub role: String,
    /// What they sign in with.
    pub username: String,
    /// Their first password; at least 8 characters.
    #[schema(min_length = 8, max_length = 256)]
    pub password: String,
    /// Their telephone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// Their e-mail address.
    #[serde(default)]
    pub email: Option<String>,
}

/// What of a person changes; what is left out stays.
#[derive(Deserialize, ToSchema)]
pub struct PersonEditBody {
    /// Their name.
    #[serde(default)]
    pub full_name: Option<String>,
    /// `workshop_admin` or `mechanic`.
    #[serde(default)]
    pub role: Option<String>,
    /// What they sign in with.
    #[serde(default)]
    pub username: Option<String>,
    /// Their telephone number; null takes it away.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<String>)]
    pub phone: Option<Option<String>>,
    /// Their e-mail address; null takes it away.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<String>)]
    pub email: Option<Option<String>>,
    /// Whether they may sign in.
    #[serde(default)]
    pub active: Option<bool>,
    /// A new password; at least 8 characters.
    #[serde(default)]
    #[schema(min_length = 8, max_length = 256)]
    pub password: Option<String>,
}
