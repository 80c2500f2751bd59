//! How the box is found: its name on the workshop's network, and its plain addresses beside it.
//!
//! In reading order: `board` (what everybody else may know), `interfaces` (which networks are the
//! workshop's, and our addresses there), `name` (what a box may be called, and what it is called when
//! another one has the name), `facts` (what is told beside it), `announce` (one name, from asking to
//! farewell), `run` (from start to stop).
//!
//! `appliance` runs it; `http` and `ops` show the [`Board`]. A box that nobody finds by name is still a
//! box: nothing that goes wrong here reaches anything else.

mod announce;
mod board;
mod facts;
mod interfaces;
mod name;
mod run;

pub use board::{Announcement, Board, Secure, Standing, Voucher};
pub use interfaces::{Interfaces, addresses};
pub use name::{Label, LabelError};
pub use run::{Discovery, Settings, Telling};
