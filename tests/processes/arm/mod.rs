//! The program for a Raspberry Pi, run as it is: static, on an emulated processor, in a conversation.
//!
//! `make arm` builds it, names it by `MOTOREACH_ARM_BINARY` and runs these tests, which are ignored
//! otherwise.

mod conversation;
mod names;
mod shape;

use std::path::Path;

use crate::harness::Plan;

/// Names the program; `make arm` sets it.
const NAMED_BY: &str = "MOTOREACH_ARM_BINARY";
/// Runs it here.
const EMULATOR: &str = "qemu-aarch64-static";

/// The program.
fn program() -> String {
    let program = std::env::var(NAMED_BY)
        .unwrap_or_else(|_| panic!("{NAMED_BY} names the program: `make arm` sets it"));
    assert!(
        Path::new(&program).is_file(),
        "{NAMED_BY} names {program}, which is not there: `make arm` builds it"
    );
    program
}

/// How it is run.
fn emulated(program: &str) -> Plan<'_> {
    Plan {
        before: &[EMULATOR],
        program: Some(program),
        ..Plan::default()
    }
}
