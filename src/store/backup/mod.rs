//! Backups: making them, proving them by restoring them, and what is noted of them.

mod record;

pub use record::{Chosen, Settings, last, last_proof, note_last, note_proof, set, settings};
