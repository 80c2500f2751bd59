//! The relay: a replica of each workshop's journal and a mailbox for what owners write, for when box
//! and phone do not meet. It stores and serves bytes that it cannot read (invariant 10).
//!
//! In reading order: `store` (what must be kept, as a trait), `sqlite` (kept in SQLite), `accept` (a
//! box on the line).

pub mod accept;
pub mod store;
