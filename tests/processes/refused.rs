//! Data that cannot be used: refused with exit code 3 and a sentence that says what to do.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Namespace, Outcome, Program, run};

/// A data directory with a sample workshop in it, at rest.
async fn at_rest(home: &Path) -> PathBuf {
    assert!(Program::start(home).await.stop().await.success());
    home.join("data/box")
}

async fn serve(before: &[&str], data: &Path) -> Outcome {
    let data = data.to_str().unwrap();
    run(
        before,
        &["serve", "--listen", "127.0.0.1:0", "--data", data],
        "",
    )
    .await
}

/// Refused, and told what to do.
#[track_caller]
fn is_refused(outcome: &Outcome, words: &[&str]) {
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    for word in words {
        assert!(
            outcome.err.contains(word),
            "{word:?} is not in {:?}",
            outcome.err
        );
    }
    assert!(!outcome.err.contains("panicked"), "{outcome:?}");
}

#[tokio::test]
async fn a_second_start_on_the_same_data_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let mut first = Program::start(home.path()).await;
    let second = serve(&[], &home.path().join("data/box")).await;
    is_refused(&second, &["is in use by another MotoReach", "--data"]);
    assert!(first.is_alive());
    assert!(first.stop().await.success());
}

#[tokio::test]
async fn a_database_that_may_only_be_read_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    fs::create_dir(&data).unwrap();
    let mut disk = Namespace::new();
    disk.mount(&data, "48M");
    let program = Program::start_with(home.path(), &data, &disk.enter()).await;
    assert!(program.stop().await.success());
    disk.remount(&data, "ro");
    let outcome = serve(&disk.enter(), &data.join("box")).await;
    is_refused(&outcome, &["read-only", "writable", "start again"]);
}

#[tokio::test]
async fn a_database_that_is_none_is_refused_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let data = at_rest(home.path()).await;
    let database = data.join("motoreach.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[..100].fill(0x5a);
    fs::write(&database, &bytes).unwrap();
    let outcome = serve(&[], &data).await;
    is_refused(
        &outcome,
        &[
            "damaged",
            "Nothing was changed",
            "motoreach doctor",
            "backup",
        ],
    );
    assert_eq!(fs::read(&database).unwrap(), bytes);
    let doctor = run(&[], &["doctor", "--data", data.to_str().unwrap()], "").await;
    assert!(matches!(doctor.code, Some(3 | 4)), "{doctor:?}");
}

#[tokio::test]
async fn a_database_with_damaged_pages_is_refused_or_found_by_doctor() {
    let home = tempfile::tempdir().unwrap();
    let data = at_rest(home.path()).await;
    let database = data.join("motoreach.db");
    let sound = fs::read(&database).unwrap();
    // The first page holds the schema, behind the header of 100 bytes: without it nothing can be
    // read.
    let mut broken = sound.clone();
    broken[100..4_096].fill(0xff);
    fs::write(&database, &broken).unwrap();
    is_refused(
        &serve(&[], &data).await,
        &["damaged", "motoreach doctor", "backup"],
    );

    // SQLite does not notice what it does not read (quality.md §1.2); doctor does.
    for page in 1..sound.len() / 4_096 {
        let mut broken = sound.clone();
        let at = page * 4_096;
        if broken[at..at + 4_096].iter().all(|byte| *byte == 0) {
            continue;
        }
        broken[at..at + 4_096].fill(0xff);
        fs::write(&database, &broken).unwrap();
        let doctor = run(
            &[],
            &["doctor", "--json", "--data", data.to_str().unwrap()],
            "",
        )
        .await;
        assert!(
            matches!(doctor.code, Some(3 | 4)),
            "page {}: {doctor:?}",
            page + 1
        );
    }
    fs::write(&database, &sound).unwrap();
    let doctor = run(
        &[],
        &["doctor", "--json", "--data", data.to_str().unwrap()],
        "",
    )
    .await;
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let data = at_rest(home.path()).await;
    let database = rusqlite::Connection::open(data.join("motoreach.db")).unwrap();
    let newer = "insert into migration (number, sha256, applied_ms) values (9000, 'f', 0)";
    database.execute(newer, []).unwrap();
    drop(database);
    is_refused(
        &serve(&[], &data).await,
        &["9000", "newer MotoReach", "Install that one"],
    );
}

#[tokio::test]
async fn a_database_without_its_root_secret_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let data = at_rest(home.path()).await;
    fs::remove_file(data.join("root.secret")).unwrap();
    let outcome = serve(&[], &data).await;
    is_refused(&outcome, &["root.secret", "missing", "--recovery-words"]);
    assert!(
        !data.join("root.secret").exists(),
        "it must not make another one"
    );
}

#[tokio::test]
async fn a_command_line_that_is_not_right_is_refused_with_2() {
    for wrong in [
        &["serve", "--lisen"][..],
        &["serve", "--listen", "here"],
        &["nonsense"],
        &[],
    ] {
        let outcome = run(&[], wrong, "").await;
        assert_eq!(outcome.code, Some(2), "{wrong:?}: {outcome:?}");
    }
}
