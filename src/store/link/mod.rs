//! What the link to a relay needs of the box's database: where the journal ends, entries sealed for
//! the way, how far the relay has them, and bringing two copies together (`sync.md` §3, §4).
//!
//! `sync::dial` calls it for the machine of `sync::link`. Everything here is one look or one command;
//! nothing of it waits for the network.

pub mod adopt;
mod alarm;
mod batch;
mod clear;
mod delivery;
mod devices;
mod facts;
mod merges;
pub mod posts;
mod retention;
mod settings;
#[cfg(test)]
mod tests;

pub use alarm::{alarm_secret, set_alarm};
pub use batch::batch_after;
pub use delivery::{Waiting, applied, delivered_up_to, waiting};
pub use devices::{LinkDevice, devices};
pub use facts::{LinkFacts, chains, facts, sign};
pub use merges::{Merge, merges};
pub use posts::post_gaps;
pub(super) use retention::BACKED_UP;
pub use retention::retention;
pub use settings::{Settings, claim, connect, disconnect, granted, refused, settings};
