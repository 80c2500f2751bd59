//! The program's commands, one file each: what `main` calls once the command line is understood.
//!
//! `serve` and `demo` run the box, `relay` the relay; `desk` finds out whether the data is at hand or a running server
//! has it, and `operator` orders things through it; `doctor` looks for itself, `restore` fills an
//! empty directory, and `update` puts another program in this one's place. Answers go to stdout, the log and what went wrong to stderr.

mod back_up;
mod backup;
pub mod bench;
pub mod control;
mod copy;
mod demo;
mod desk;
mod doctor;
pub mod ear;
mod erase;
mod execute;
mod export;
mod failure;
mod figures;
mod found;
mod install;
mod log;
mod new_password;
mod operator;
mod order;
mod recovery;
mod relay;
mod restore;
mod restore_file;
mod roster;
mod sample;
mod self_test;
mod serve;
mod service;
mod signals;
mod stdin;
mod ttl;
mod update;
mod usb;
mod verify;

use std::io::{self, Write};

use tokio::runtime::{Builder, Runtime};

pub use backup::run as backup;
pub use copy::run as copy;
pub use demo::run as demo;
pub use doctor::run as doctor;
pub use export::run as export;
pub use failure::{Exit, conclude};
pub use install::{run as install, tell as tell_where, uninstall};
pub use log::run as log;
pub use operator::{person, request, token};
pub use relay::run as relay;
pub use restore::run as restore;
pub use self_test::run as self_test;
pub use serve::run as serve;
pub use ttl::Ttl;
pub use update::run as update;
pub use usb::run as usb;
pub use verify::run as verify;

/// One line on stdout. Whoever stopped reading (`| head`) is no error.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// A server's runtime: as many threads as the machine has cores.
fn many_threads() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}

/// A command's runtime: it waits for one thing at a time.
fn one_thread() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
