//! The power is cut, at any moment (quality.md R2, R4, R6): the real program is recorded by strace, the
//! contents that the disk may have at a moment are put together, and the store has to make a whole box
//! of them that holds everything that was acknowledged.

mod changes;
mod disk;
mod judge;
mod record;
mod trace;

use crate::harness::Random;
use judge::{Cuts, Verdict, cuts};
use record::{Kept, Recording, Work, at_work, failing_and_started_again, from_the_first_run};

/// Power cuts of a box at work, and half as many of a first run, unless `MOTOREACH_POWER_CUTS` says how
/// many there are in all.
const CUTS: u64 = 1_500;
/// Messages in a recording, and as many again by several people at once.
const MESSAGES: usize = 60;
const FIRST_MESSAGES: usize = 12;
/// Power cuts by which the harness shows that it can see loss.
const CUTS_THAT_LOSE: u64 = 100;
const LOST_MIN_PERCENT: u64 = 30;
/// Recordings in which the disk fails for a while, and power cuts of each.
const FAILING: u64 = 4;
const CUTS_OF_FAILING: u64 = 50;

fn cuts_asked() -> u64 {
    std::env::var("MOTOREACH_POWER_CUTS").map_or(CUTS, |cuts| cuts.parse().unwrap())
}

fn of_all<'a>(count: u64) -> Cuts<'a> {
    Cuts {
        from: 0,
        count,
        also: &judge::nothing,
    }
}

#[track_caller]
fn nothing_is_lost(verdict: &Verdict) {
    let faults = verdict.faults.len();
    println!("{} power cuts, {faults} faults", verdict.states);
    assert!(faults == 0, "{:#?}", verdict.faults);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_at_any_moment_of_the_first_run_loses_nothing() {
    let mut random = Random::announced("power, first run");
    let home = tempfile::tempdir().unwrap();
    let work = Work {
        messages: FIRST_MESSAGES,
        ..Work::default()
    };
    let recording = from_the_first_run(&home.path().join("data"), work).await;
    assert_eq!(recording.promises.len(), 1 + 2 * FIRST_MESSAGES);
    let verdict = cuts(&recording, &of_all(cuts_asked() / 4), &mut random);
    nothing_is_lost(&verdict);
    // The beginning alone: it is short, and the most is made in it.
    let set_up = recording.promises.iter().find(|it| it.what == Kept::SetUp);
    let set_up = set_up.expect("it was set up").after;
    let first = Recording {
        deeds: recording.deeds[..set_up].to_vec(),
        ..recording
    };
    nothing_is_lost(&cuts(&first, &of_all(cuts_asked() / 4), &mut random));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_at_any_moment_of_a_day_at_work_loses_nothing() {
    let mut random = Random::announced("power, at work");
    let home = tempfile::tempdir().unwrap();
    let work = Work {
        messages: MESSAGES,
        ..Work::default()
    };
    let recording = at_work(home.path(), work).await;
    assert_eq!(recording.promises.len(), 2 * MESSAGES);
    nothing_is_lost(&cuts(&recording, &of_all(cuts_asked()), &mut random));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_that_does_not_wait_for_the_disk_is_seen_to_lose_messages() {
    let mut random = Random::announced("power, careless");
    let home = tempfile::tempdir().unwrap();
    let work = Work {
        messages: MESSAGES,
        environment: &[("MOTOREACH_SYNCHRONOUS", "normal")],
        ..Work::default()
    };
    let recording = at_work(home.path(), work).await;
    let talking = Cuts {
        from: recording.promises[0].after,
        ..of_all(CUTS_THAT_LOSE)
    };
    let verdict = cuts(&recording, &talking, &mut random);
    let lost = u64::try_from(verdict.faults.len()).unwrap();
    println!("{lost} of {} power cuts lost something", verdict.states);
    assert!(lost * 100 >= verdict.states * LOST_MIN_PERCENT, "{lost}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_failed_before_the_power_was_cut_loses_nothing() {
    let mut random = Random::announced("power, failing");
    for _ in 0..FAILING {
        let home = tempfile::tempdir().unwrap();
        let first = 30 + random.below(60);
        let last = first + random.below(6);
        let fails = format!("inject=fdatasync,fsync:error=EIO:when={first}..{last}");
        let work = Work {
            messages: MESSAGES,
            strace: &["-e", &fails],
            ..Work::default()
        };
        let recording = at_work(home.path(), work).await;
        let said = recording.promises.len();
        assert!((MESSAGES / 2..2 * MESSAGES).contains(&said), "{said}");
        nothing_is_lost(&cuts(&recording, &of_all(CUTS_OF_FAILING), &mut random));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_that_was_started_again_after_its_disk_failed_loses_nothing() {
    let mut random = Random::announced("power, failing and started again");
    for _ in 0..FAILING {
        let home = tempfile::tempdir().unwrap();
        let first = 30 + random.below(60);
        let fails = format!("inject=fdatasync,fsync:error=EIO:when={first}+");
        let work = Work {
            messages: FIRST_MESSAGES,
            strace: &["-e", &fails],
            ..Work::default()
        };
        let recording = failing_and_started_again(home.path(), work).await;
        assert!(recording.promises.len() > FIRST_MESSAGES);
        nothing_is_lost(&cuts(&recording, &of_all(CUTS_OF_FAILING), &mut random));
    }
}
