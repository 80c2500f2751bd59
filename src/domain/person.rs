//! A person: staff or vehicle owner.

use super::{Extent, PersonId, PersonKey, Role, Timestamp};

/// A person as the people page shows them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// Their number.
    pub id: PersonId,
    /// Their permanent key.
    pub key: PersonKey,
    /// What they are.
    pub role: Role,
    /// Their name.
    pub full_name: String,
    /// What they sign in with.
    pub username: Option<String>,
    /// Their telephone number.
    pub phone: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Whether they may sign in.
    pub active: bool,
    /// How much of them was erased, if they asked to be forgotten.
    pub erased: Option<Extent>,
    /// Tokens of an older version are worth nothing.
    pub token_version: i64,
    /// When they joined.
    pub created: Timestamp,
}
