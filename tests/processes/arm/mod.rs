//! The program for a Raspberry Pi, run as it is: static, on an emulated processor, in a conversation.
//!
//! `make arm` builds it and names it by `MOTOREACH_ARM_BINARY`; without that there is nothing here to
//! run, and each test says so and ends.

mod conversation;
mod names;
mod shape;

use std::path::Path;

use crate::harness::Plan;

/// Names the program; `make arm` sets it.
const NAMED_BY: &str = "MOTOREACH_ARM_BINARY";
/// Runs it here.
const EMULATOR: &str = "qemu-aarch64-static";

/// The program. None, with a word about it, where nobody built one.
fn program() -> Option<String> {
    let Ok(program) = std::env::var(NAMED_BY) else {
        println!(
            "not run: `make arm` builds the Raspberry Pi's program and runs this test with it"
        );
        return None;
    };
    assert!(
        Path::new(&program).is_file(),
        "{NAMED_BY} names {program}, which is not there: `make arm` builds it"
    );
    Some(program)
}

/// How it is run.
fn emulated(program: &str) -> Plan<'_> {
    Plan {
        before: &[EMULATOR],
        program: Some(program),
        ..Plan::default()
    }
}
