//! Updates on good days and bad ones: signed by a real minisign, swapped under a service manager of the
//! test's own, killed at every point, and always one whole program and every message afterwards.
//!
//! A "program" is a few lines of shell around the program under test, which say what it pretends to be:
//! another version, one with a migration, one that dies. Only builds with debug assertions pretend.

mod bench;
mod killed;
mod refused;
mod tried;

pub use bench::{Bench, Program, Trait};
