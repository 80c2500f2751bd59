//! Days on which the disk has no room or takes nothing: at the first run, at a migration, at work. Every
//! time it is said in words, and afterwards everything is there.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use crate::harness::{Namespace, Program, Served, copy_directory, get, post, run};
use crate::history;
use crate::old::becomes_of_the_first_version;

/// Disks on which a first run finds no room: for nothing at all, for the database, for its log.
const TOO_SMALL: [&str; 6] = ["4k", "8k", "12k", "16k", "32k", "64k"];
const ROOMY: &str = "size=48M";
/// A dead card is noticed within a second (R7); a busy machine gets three.
const NOTICED: Duration = Duration::from_secs(3);

async fn doctor(before: &[&str], data: &Path) {
    let arguments = ["doctor", "--json", "--data", data.to_str().unwrap()];
    let doctor = run(before, &arguments, "").await;
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
}

/// A start that is refused because there is no room.
async fn finds_no_room(before: &[&str], data: &Path) {
    let data = data.to_str().unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", data];
    let refused = run(before, &arguments, "").await;
    assert_eq!(refused.code, Some(3), "{refused:?}");
    for word in ["is full", "Free some space"] {
        assert!(refused.err.contains(word), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_run_without_room_says_so_and_is_made_up_for() {
    let home = tempfile::tempdir().unwrap();
    for size in TOO_SMALL {
        let place = home.path().join(size);
        fs::create_dir(&place).unwrap();
        let mut disk = Namespace::new();
        disk.mount(&place, size);
        // Not even the secret has room.
        let filler = place.join("filler");
        disk.sh(&format!(
            "dd if=/dev/zero of={} bs=1k || true",
            filler.display()
        ));
        let data = place.join("box");
        finds_no_room(&disk.enter(), &data).await;
        disk.sh(&format!("rm {}", filler.display()));
        finds_no_room(&disk.enter(), &data).await;
        disk.remount(&place, ROOMY);
        let served = Served::start_behind(&disk.enter(), &data, &[]).await;
        let state = get(served.url(), "/api/setup/", "").await.unwrap();
        assert_eq!(state.body["needed"], true, "{size}");
        served.stop().await;
        doctor(&disk.enter(), &data).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_without_room_says_so_and_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    assert!(Program::start(home.path()).await.stop().await.success());
    let old = home.path().join("data/box");
    becomes_of_the_first_version(&old.join("motoreach.db"));
    fs::remove_file(old.join("reserve")).unwrap();

    let place = home.path().join("disk");
    fs::create_dir(&place).unwrap();
    let mut disk = Namespace::new();
    disk.mount(&place, "48M");
    let data = place.join("data/box");
    let (from, to) = (old.display(), data.display());
    disk.sh(&format!("mkdir -p {to} && cp -a {from}/. {to}/"));
    // What is there, and room for the memory that is shared, but not for the log of a migration.
    let used = fs::metadata(old.join("motoreach.db")).unwrap().len() / 1_024;
    disk.remount(&place, &format!("size={}k", used + 80));
    finds_no_room(&disk.enter(), &data).await;
    disk.remount(&place, ROOMY);
    let program = Program::start_with(home.path(), &place.join("data"), &disk.enter()).await;
    let stored = history::all(&program.sample, 0).await;
    history::is_in_order(&stored);
    assert!(!stored.is_empty());
    assert!(program.stop().await.success());
    doctor(&disk.enter(), &data).await;
}

/// A box on a disk that takes nothing any more from a certain write on, for a while or for good.
async fn takes_nothing(fault: &str, forever: bool) {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    assert!(Program::start(home.path()).await.stop().await.success());
    let range = if forever { "300+" } else { "300..360" };
    let inject = format!("inject=pwrite64,ftruncate,fdatasync,fsync:error={fault}:when={range}");
    #[rustfmt::skip]
    let strace = [
        "strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null",
        "-e", "trace=pwrite64,ftruncate,fdatasync,fsync", "-e", &inject,
    ];
    let program = Program::start_with(home.path(), &data, &strace).await;
    let sample = program.sample.clone();
    let (url, admin) = (sample.url(), sample.admin());
    let messages = format!("/api/service-requests/{}/messages/", sample.request(0));
    let (mut acknowledged, mut refused, mut again) = (Vec::new(), 0, 0);
    while refused < 100 && again < 10 {
        let body = json!({ "content": "A line", "client_id": Uuid::now_v7() });
        let asked = tokio::time::timeout(NOTICED, post(url, &messages, admin, &body));
        let answer = asked.await.expect("never a hung answer").unwrap();
        match answer.status {
            201 => {
                acknowledged.push(answer.body["id"].as_i64().unwrap());
                again += usize::from(refused > 0);
            }
            503 => {
                assert_eq!(answer.code(), "storage_failing", "{answer:?}");
                refused += 1;
                let read = get(url, &messages, admin).await.unwrap();
                assert_eq!(read.status, 200, "reading goes on: {read:?}");
                let health = get(url, "/healthz", "").await.unwrap();
                assert!(health.status == 503 || !forever, "{health:?}");
            }
            _ => panic!("{answer:?}"),
        }
    }
    assert!(refused > 0 && !acknowledged.is_empty());
    assert_eq!(again, if forever { 0 } else { 10 });
    program.kill();

    // The card is put into a machine that can read it.
    let copy = home.path().join("copy");
    fs::create_dir(&copy).unwrap();
    copy_directory(&data.join("box"), &copy.join("box"));
    let program = Program::start_with(home.path(), &copy, &[]).await;
    let stored = history::all(&program.sample, 0).await;
    history::is_in_order(&stored);
    for id in acknowledged {
        let there = stored.iter().any(|it| it["id"].as_i64() == Some(id));
        assert!(there, "message {id} was acknowledged and is lost");
    }
    assert!(program.stop().await.success());
    doctor(&[], &copy.join("box")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_card_is_said_at_once_and_nothing_is_acknowledged_any_more() {
    takes_nothing("EIO", true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_that_turns_read_only_at_work_is_said_and_reading_goes_on() {
    takes_nothing("EROFS", true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_that_is_writable_again_takes_messages_again() {
    takes_nothing("EROFS", false).await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = home.path().join("box");
    let arguments = [
        "serve",
        "--listen",
        &address,
        "--data",
        data.to_str().unwrap(),
    ];
    let refused = run(&[], &arguments, "").await;
    assert_ne!(refused.code, Some(0), "{refused:?}");
    for word in ["already in use", "choose another port"] {
        assert!(refused.err.contains(word), "{refused:?}");
    }
}
