//! The box from outside: real sockets on port 0, a real database in a temporary directory.
//!
//! Tests speak frames and HTTP, not functions. They never sleep: they wait for what must happen,
//! with a deadline. That something does *not* come is seen by what comes next instead.

#![allow(
    clippy::unwrap_used,
    reason = "a test that finds something else than it expects ends there"
)]

mod authorization;
mod backup;
mod bad_input;
mod chat_v1;
mod client;
mod crowd;
mod first_run;
mod golden;
mod guard;
mod harness;
mod invites;
mod journal;
mod link_board;
mod merge;
mod original_contract;
mod regress;
mod restore;
mod resume;
mod sign_in;
mod slow_reader;
mod socket;
mod tokens;
