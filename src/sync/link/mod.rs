//! Both ends of the link as machines without IO: frames and answers in, wishes out (`sync.md` §3, §4).
//!
//! `sync::dial` drives the box's end, `relay::accept` the relay's. The property test drives both
//! against each other, over real stores and a network that cuts, loses, doubles and delays, with
//! boxes and relays restored from old copies: nothing is lost, doubled or different afterwards.

mod box_end;
mod box_live;
mod box_wishes;
pub mod handshake;
pub mod kept;
#[cfg(test)]
mod machines_test;
#[cfg(test)]
mod property;
mod pulse;
mod relay_end;
mod relay_wishes;
mod said;
mod search;
mod transcript;

pub use box_end::BoxEnd;
pub use box_wishes::{
    Adopted, BoxAnswer, BoxFacts, BoxNews, BoxOrder, BoxWish, Grant, PostFate, SealedPostFate,
};
pub use pulse::{Beat, DEAD_AFTER_MS, PING_AFTER_MS, Pulse};
pub use relay_end::RelayEnd;
pub use relay_wishes::{RelayAnswer, RelayFacts, RelayNews, RelayOrder, RelayWish};

use crate::wire::link::Verdict;

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The other end said what it must not say there, or a signature is wrong.
    Protocol,
    /// The other end speaks no version that we speak.
    Version,
    /// It is not the relay that this box belongs to.
    OtherRelay,
    /// The relay said no.
    Refused(Verdict),
    /// The relay gave back something that this box never wrote.
    NotOurs,
    /// The relay's copy is not where it was: begin again.
    Rewound,
    /// The other end sent more than it may.
    TooMany,
    /// Our own store failed; it may pass.
    Store,
    /// A newer session of the same workshop is open.
    Fenced,
    /// The line was closed, by the other end or by the network.
    Closed,
    /// The other end went silent, or does not take what is sent.
    Silent,
    /// The other end says what is no frame: it is something else.
    Garbage,
    /// The other end asked us to leave.
    SentAway {
        /// When to come back, in milliseconds.
        reconnect_in_ms: u32,
        /// Its word for the reason.
        why: String,
    },
}
