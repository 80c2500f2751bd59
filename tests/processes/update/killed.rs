//! The power goes at every named point of an update, and the machine starts again: one whole program
//! serves, every message is there, and the update is over, one way or the other.

use super::{Bench, Trait};
use crate::harness::{SOON, until};

/// Before anything is decided: the old program goes on, and the next update may begin.
const BEFORE: &[&str] = &[
    "update-found",
    "update-backed-up",
    "update-copied",
    "update-tested",
];
/// From then on the new program comes, whatever happens.
const AFTER: &[&str] = &[
    "update-decided",
    "update-stopped",
    "update-kept",
    "update-noted",
    "update-swapped",
    "update-started",
];
/// On the way back, the old one comes.
const BACK: &[&str] = &[
    "update-going-back",
    "update-program-back",
    "update-data-back",
];

/// Ends the update at this point, and everything else with it; then the machine starts.
async fn power_goes_at(bench: &Bench, point: &str, program: &super::Program) {
    let environment = [("MOTOREACH_CRASH_AT", point)];
    let ended = bench.update_with(&environment, &[program.word()]).await;
    assert_eq!(ended.code, None, "{point} was not reached: {ended:?}");
    bench.loses_power();
    bench.boots();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_before_the_decision_leaves_the_old_program_and_a_second_try() {
    let mut bench = Bench::new().await;
    let new = bench.release("0.2.0", &[Trait::Migrates]);
    for point in BEFORE {
        power_goes_at(&bench, point, &new).await;
        assert!(!bench.is_on_trial(), "{point}");
        bench.serves("0.1.0").await;
        bench.writes(point).await;
    }
    let done = bench.update(&[new.word()]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    bench.serves("0.2.0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_after_the_decision_brings_the_new_program() {
    for point in AFTER {
        let mut bench = Bench::new().await;
        let new = bench.release("0.2.0", &[Trait::Migrates]);
        power_goes_at(&bench, point, &new).await;
        assert!(bench.is_on_trial(), "{point}");
        // Whoever runs meanwhile serves people, who write.
        until("somebody serves", SOON, async || bench.version().await).await;
        let version = bench.version().await.unwrap();
        bench.serves(&version).await;
        bench.writes(point).await;
        let done = bench.goes_on(&[]).await;
        assert_eq!(done.code, Some(0), "{point}: {done:?}");
        assert_eq!(bench.outcome()["verdict"], "updated", "{point}");
        bench.serves("0.2.0").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_on_the_way_back_still_leads_back() {
    for point in BACK {
        let mut bench = Bench::new().await;
        let new = bench.release("0.2.0", &[Trait::Migrates, Trait::DiesServing]);
        power_goes_at(&bench, point, &new).await;
        let done = bench.goes_on(&[]).await;
        assert_eq!(done.code, Some(0), "{point}: {done:?}");
        assert_eq!(bench.outcome()["verdict"], "went_back", "{point}");
        bench.serves("0.1.0").await;
        bench.writes(point).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_goes_down_again_and_again_gets_its_old_program_back() {
    let mut bench = Bench::new().await;
    let new = bench.release("0.2.0", &[]);
    power_goes_at(&bench, "update-started", &new).await;
    for _ in 0..3 {
        let ended = bench
            .goes_on(&[("MOTOREACH_CRASH_AT", "update-started")])
            .await;
        assert_eq!(ended.code, None, "{ended:?}");
        bench.loses_power();
        bench.boots();
    }
    let done = bench.goes_on(&[]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(bench.outcome()["verdict"], "went_back");
    bench.serves("0.1.0").await;
}
