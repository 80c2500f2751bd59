//! A new program on trial: it stays when it is good, and goes when it is not.

use super::{Bench, Trait};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_newer_program_takes_the_old_ones_place_and_nothing_is_lost() {
    let mut bench = Bench::new().await;
    let new = bench.release("0.2.0", &[]);
    let done = bench.update(&[new.word()]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.json()["verdict"], "updated");
    bench.serves("0.2.0").await;
    bench.writes("with the new one").await;
    assert!(!bench.is_on_trial());

    // And back again on purpose, by the same way.
    let back = bench.update(&["--roll-back"]).await;
    assert_eq!(back.code, Some(0), "{back:?}");
    assert_eq!(back.json()["to"], "0.1.0");
    bench.serves("0.1.0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_changes_nothing() {
    let mut bench = Bench::new().await;
    let new = bench.release("0.2.0", &[Trait::Migrates]);
    let done = bench.update(&[new.word(), "--check"]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    let json = done.json();
    assert_eq!(
        (&json["to"], &json["migrates"]),
        (&"0.2.0".into(), &true.into())
    );
    assert!(!bench.at("bin/motoreach.new").exists());
    bench.serves("0.1.0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_dies_at_its_start_gives_the_old_one_its_place_back() {
    let mut bench = Bench::new().await;
    bench.with_trial_unit();
    let new = bench.release("0.2.0", &[Trait::DiesAtStart]);
    let done = bench.update(&[new.word()]).await;
    assert_eq!(done.code, Some(1), "{done:?}");
    let json = done.json();
    assert_eq!(json["verdict"], "went_back", "{json}");
    assert!(json["why"].as_str().unwrap().contains("3 times"), "{json}");
    bench.serves("0.1.0").await;
    bench.writes("still here").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_hangs_at_its_start_gives_the_old_one_its_place_back() {
    let mut bench = Bench::new().await;
    let new = bench.release("0.2.0", &[Trait::HangsAtStart]);
    let done = bench.update(&[new.word(), "--limit", "2"]).await;
    assert_eq!(done.json()["verdict"], "went_back", "{done:?}");
    bench.serves("0.1.0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_changed_the_database_and_dies_leaves_it_as_it_was() {
    let mut bench = Bench::new().await;
    let new = bench.release("0.2.0", &[Trait::Migrates, Trait::DiesServing]);
    let done = bench.update(&[new.word()]).await;
    assert_eq!(done.json()["verdict"], "went_back", "{done:?}");
    bench.serves("0.1.0").await;
    bench.writes("still here").await;
    assert!(!bench.state().join("kept").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_wrote_with_the_new_program_counts_for_more_than_the_old_one() {
    let mut bench = Bench::new().await;
    let new = bench.release("0.2.0", &[Trait::Migrates]);
    // It serves well, somebody writes, and then it ends again and again.
    let mut command = bench.update_command(&[], &[new.word(), "--stays-up", "600"]);
    let updating = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    bench.serves("0.2.0").await;
    bench.writes("written on trial").await;
    for _ in 0..3 {
        bench.ends_and_comes_again().await;
    }
    let waiting = tokio::task::spawn_blocking(move || updating.wait_with_output().unwrap());
    let output = waiting.await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let json = bench.outcome();
    assert_eq!(json["verdict"], "stayed", "{json}");
    let why = json["why"].as_str().unwrap();
    assert!(
        why.contains("lose 1 entries") && why.contains("backup"),
        "{why}"
    );
    bench.serves("0.2.0").await;
    assert!(bench.state().join("kept/motoreach.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_died_without_changing_the_database_goes_with_all_that_was_written() {
    let mut bench = Bench::new().await;
    let new = bench.release("0.2.0", &[]);
    let mut command = bench.update_command(&[], &[new.word(), "--stays-up", "600"]);
    let mut updating = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    bench.serves("0.2.0").await;
    bench.writes("written on trial").await;
    for _ in 0..3 {
        bench.ends_and_comes_again().await;
    }
    tokio::task::spawn_blocking(move || updating.wait().unwrap())
        .await
        .unwrap();
    assert_eq!(bench.outcome()["verdict"], "went_back");
    bench.serves("0.1.0").await;
}
