//! What crosses the wire to browsers: serde types, their limits, and the way to and from `domain`.
//! The contract is the wire document; `tests/fixtures/wire/*.json` holds both sides to it.
//!
//! Nothing here knows sockets, HTTP status codes or the database.

pub mod api;
pub mod client;
pub mod export;
pub mod link;
pub mod message;
pub mod owner;
pub mod server;

use jiff::fmt::temporal::DateTimePrinter;

use crate::domain::{Role, Side, Timestamp};

/// The newest messages that a page or a socket gets without asking for a number (`wire.md` §4, §6).
pub const HISTORY_MESSAGES_DEFAULT: usize = 50;
/// The most messages that one answer carries (`wire.md` §4).
pub const HISTORY_MESSAGES_MAX: usize = 500;
/// Changes that a reconnecting client is told one by one; more are answered with a fresh history.
pub const RESUME_CHANGES_MAX: usize = 500;
/// The number that existing clients know the one workshop of a box by.
pub const WORKSHOP_NUMBER: i64 = 1;

/// RFC 3339 with milliseconds and `Z`.
pub fn rfc3339(at: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    jiff::Timestamp::from_millisecond(at.0).map_or_else(
        |_| "1970-01-01T00:00:00.000Z".to_owned(),
        |at| PRINTER.timestamp_to_string(&at),
    )
}

/// The word for a role in tokens and answers.
pub const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Admin => "workshop_admin",
        Role::Mechanic => "mechanic",
        Role::Owner => "user",
    }
}

/// The role that a word stands for.
pub fn role_from_word(word: &str) -> Option<Role> {
    [Role::Admin, Role::Mechanic, Role::Owner]
        .into_iter()
        .find(|role| role_word(*role) == word)
}

/// The word for a side.
pub const fn side_word(side: Side) -> &'static str {
    match side {
        Side::User => "USER",
        Side::Workshop => "WORKSHOP",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds_and_a_z() {
        assert_eq!(
            rfc3339(Timestamp(1_795_339_800_123)),
            "2026-11-22T09:30:00.123Z"
        );
        assert_eq!(
            rfc3339(Timestamp(1_795_339_800_000)),
            "2026-11-22T09:30:00.000Z"
        );
        assert_eq!(rfc3339(Timestamp(i64::MAX)), "1970-01-01T00:00:00.000Z");
    }
}
