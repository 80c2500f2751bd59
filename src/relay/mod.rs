//! The relay: a replica of each workshop's journal and a mailbox for what owners write, for when box
//! and phone do not meet. It stores and serves bytes that it cannot read (invariant 10).
//!
//! In reading order: `store` (what must be kept, as a trait), `lineage`, `judge`, `limits` (rules that
//! every store shares), `sqlite` (kept in SQLite), `accept` (a box on the line), `secrets` (who the
//! relay is), `presence`, `watch` (who is there, and what is new for them), `pace`, `rates` (how often
//! who may do what), `push` (browsers that are not there), `edge` (owners' pages and sockets),
//! `alarm` (an admin's phones, when a box is silent), `pairing`, `upkeep`, `config`, `run` (the relay put together).

pub mod accept;
pub mod alarm;
pub mod config;
pub mod edge;
mod judge;
pub mod limits;
pub mod lineage;
mod pace;
pub mod pairing;
pub mod presence;
pub mod push;
pub mod rates;
pub mod run;
pub mod secrets;
pub mod sqlite;
pub mod store;
mod upkeep;
pub mod watch;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod memory;
