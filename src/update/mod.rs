//! A new program takes the old one's place: what may (signature, version, machine), what is noted on
//! the way, and the files that are swapped. Nothing here talks to a service manager or opens the
//! database; `ops::update` does the work, `http::appliance` takes what the page brings.
//!
//! In reading order: `version` (what runs), `key` (who may sign), `release` (what is signed), `refusal`
//! (why not, in sentences), `place` (where everything lies), `note` (what survives a power cut), `files`
//! (whole files or none), `swap` (one program for another), `fetch` (from elsewhere),
//! `desk` (the page's).
//!
//! # What is signed
//!
//! `motoreach-0.2.0-aarch64-unknown-linux-musl.minisig` is a minisign signature (prehashed Ed25519) of
//! the bare program, whose trusted comment says `version:0.2.0 target:aarch64-unknown-linux-musl`. The
//! trusted comment is under the signature too, so an old program cannot be passed off as a new one, nor
//! one for another machine.

pub mod desk;
pub mod fetch;
mod files;
pub mod key;
pub mod note;
pub mod place;
pub mod refusal;
pub mod release;
pub mod swap;
pub mod version;

pub use files::{Removed, remove};
pub use key::UpdateKey;
pub use note::{Outcome, Phase, Progress, Step, Trial, Verdict};
pub use place::{Held, Place, Staging};
pub use refusal::Refusal;
pub use release::{Consent, Release};
pub use version::{TARGET, Version};
