//! The words for roles and sides in SQL and in the journal.

use crate::domain::{Role, Side};

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
