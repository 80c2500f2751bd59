//! The real program, started, killed, starved and lied to (quality.md §1, §2): what only a process
//! of its own can show.
//!
//! No test waits for time to pass; each waits for what must happen, with a deadline. A random test
//! prints its seed; `MOTOREACH_SEED` runs it again.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails where it stands, and prints its seed and its figures"
)]
#![expect(
    unreachable_pub,
    reason = "a test has no outside: `pub` says what its modules share"
)]

mod harness;
mod history;

mod arm;
mod backups;
mod bad_days;
mod clock;
mod descriptors;
mod discovery;
mod disk_fails;
mod disk_full;
mod killed;
mod link;
mod old;
mod operator;
mod power;
mod refused;
mod sample;
mod service;
mod slow_peers;
mod stopped;
mod update;
mod wear;
