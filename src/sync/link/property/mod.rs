//! `sync_model.py` over the real machines and the real stores, on a network of this file's own.
//!
//! Sessions are cut anywhere (between a commit and its answer too), frames are doubled and come late
//! from lines that are long dead; boxes are restored from old copies, cloned, relays restored and
//! wiped. Afterwards everybody talks without faults, and every event that any survivor held must be in
//! every copy, once, in one order.
//!
//! `MOTOREACH_LINK_RUNS` says how many runs each set of faults gets (2,000), `MOTOREACH_LINK_SEED`
//! where seeds begin.

mod chance;
mod furnish;
mod line;
mod rules;
mod world;

use chance::{Faults, Seen};
use world::World;

/// Runs of each set of faults; five sets make the 10,000 that the issue asks for.
const RUNS: u64 = 2_000;
/// Things that happen in a run.
const STEPS: u32 = 60;

#[expect(clippy::print_stdout, reason = "a run that passed says what it met")]
fn many(faults: Faults) {
    let number = |name: &str, usual| {
        std::env::var(name).map_or(usual, |text| text.parse().expect("a whole number"))
    };
    let runs = number("MOTOREACH_LINK_RUNS", RUNS);
    let first = number("MOTOREACH_LINK_SEED", 1);
    let mut seen = Seen::default();
    for seed in first..first + runs {
        let mut world = World::new(seed, faults);
        for _ in 0..STEPS {
            world.step();
        }
        let broken = world.broken_rules();
        assert!(
            broken.is_empty(),
            "seed {seed}, {faults:?}: {broken:?}; again with MOTOREACH_LINK_SEED={seed} MOTOREACH_LINK_RUNS=1"
        );
        seen.add(&world.seen);
    }
    println!("seeds {first}..{} with {faults:?}: {seen:?}", first + runs);
    seen.must_have_met(faults, runs);
}

#[test]
fn nothing_is_lost_when_lines_are_cut_and_frames_doubled() {
    many(Faults::default());
}

#[test]
fn nothing_is_lost_when_boxes_are_restored_from_old_copies() {
    many(Faults {
        restored_box: true,
        ..Faults::default()
    });
}

#[test]
fn nothing_is_lost_when_relays_are_restored_or_wiped() {
    many(Faults {
        restored_relay: true,
        ..Faults::default()
    });
}

#[test]
fn nothing_is_lost_when_boxes_are_cloned() {
    many(Faults {
        cloned: true,
        ..Faults::default()
    });
}

#[test]
fn nothing_is_lost_when_everything_happens_at_once() {
    many(Faults {
        restored_box: true,
        restored_relay: true,
        cloned: true,
    });
}
