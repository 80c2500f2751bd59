//! What is no update is refused in a sentence, and nothing is changed.

use std::fs;

use super::bench::target;
use super::{Bench, Trait};
use crate::harness::Outcome;

#[track_caller]
fn is_refused(outcome: &Outcome, code: &str) {
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let json = outcome.json();
    assert_eq!(json["error"]["code"], code, "{outcome:?}");
    let detail = json["error"]["detail"].as_str().unwrap();
    assert!(detail.ends_with(['.', ')']), "{detail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_no_update_is_refused_and_nothing_is_changed() {
    let mut bench = Bench::new().await;
    let target = target();
    let before = fs::read(bench.program()).unwrap();

    let half = bench.release("0.2.0", &[]);
    let whole = fs::read(&half.path).unwrap();
    fs::write(&half.path, &whole[..whole.len() / 2]).unwrap();
    is_refused(&bench.update(&[half.word()]).await, "not_what_was_signed");
    fs::write(&half.path, b"").unwrap();
    is_refused(&bench.update(&[half.word()]).await, "no_program");
    fs::write(&half.path, b"<!doctype html><p>Not found").unwrap();
    is_refused(&bench.update(&[half.word()]).await, "no_program");
    fs::write(&half.signature, b"<!doctype html><p>Not found").unwrap();
    is_refused(&bench.update(&[half.word()]).await, "no_signature");

    let other = bench.release_for("0.2.0", &target, "other", &[]);
    is_refused(&bench.update(&[other.word()]).await, "other_key");
    let machine = bench.release_for("0.2.0", "sparc-sun-solaris", "ours", &[]);
    is_refused(&bench.update(&[machine.word()]).await, "other_target");
    let older = bench.release("0.0.9", &[]);
    is_refused(&bench.update(&[older.word()]).await, "older_version");
    let same = bench.release("0.1.0", &[]);
    is_refused(&bench.update(&[same.word()]).await, "same_version");

    for traits in [[Trait::DiesInTest], [Trait::CannotMigrate], [Trait::Lies]] {
        let bad = bench.release("0.2.0", &traits);
        is_refused(&bench.update(&[bad.word()]).await, "failed_self_test");
    }

    let nowhere = bench.update(&["/nowhere/motoreach"]).await;
    assert_eq!(nowhere.code, Some(1), "{nowhere:?}");
    fs::write(bench.at("motoreach.toml"), "").unwrap();
    let good = bench.release("0.2.0", &[]);
    is_refused(&bench.update(&[good.word()]).await, "no_update_key");

    assert_eq!(fs::read(bench.program()).unwrap(), before);
    assert_eq!(fs::read_dir(bench.at("bin")).unwrap().count(), 1);
    assert!(!bench.is_on_trial());
    bench.serves("0.1.0").await;
    // Consent changes it.
    fs::write(
        bench.at("motoreach.toml"),
        format!("update_key = \"{}\"\n", bench.key()),
    )
    .unwrap();
    let done = bench.update(&[older.word(), "--allow-older"]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    bench.serves("0.0.9").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_updates_at_once_one_waits_for_another_day() {
    let mut bench = Bench::new().await;
    let new = bench.release("0.2.0", &[]);
    let stalled = [("MOTOREACH_STALL_AT", "update-tested")];
    let mut first = bench.update_command(&stalled, &[new.word()]);
    let mut first = first.stdout(std::process::Stdio::null()).spawn().unwrap();
    bench.is_at("update-tested").await;
    is_refused(&bench.update(&[new.word()]).await, "update_under_way");
    first.kill().unwrap();
    first.wait().unwrap();
    let done = bench.update(&[new.word()]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    bench.serves("0.2.0").await;
}
