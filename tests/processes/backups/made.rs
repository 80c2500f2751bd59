//! Making them.

use std::fs;
use std::time::Duration;

use serde_json::json;

use super::{backup, code, header, is_sound, names, stopped_workshop};
use crate::harness::{Namespace, Program, post};

/// Where a backup may be cut off, and whether the file is in its place by then.
const POINTS: [(&str, bool); 5] = [
    ("backup-copied", false),
    ("backup-written", false),
    ("backup-in-place", true),
    ("backup-restored", true),
    ("backup-proven", true),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_killed_anywhere_leaves_a_whole_backup_or_none() {
    let home = tempfile::tempdir().unwrap();
    let data = stopped_workshop(home.path()).await;
    let folder = data.join("backups");
    let mut whole = 0;
    for (point, is_in_place) in POINTS {
        let ends = format!("MOTOREACH_CRASH_AT={point}");
        let killed = backup(&data, &["env", &ends], &[]).await;
        assert_eq!(killed.code, None, "{point}: it is killed: {killed:?}");
        whole += usize::from(is_in_place);
        let there = names(&folder);
        let backups = there.iter().filter(|name| name.ends_with(".backup"));
        assert_eq!(backups.count(), whole, "{point}: {there:?}");
        // The next one sweeps up after it.
        let made = backup(&data, &[], &[]).await;
        assert_eq!(made.code, Some(0), "{point}: {made:?}");
        assert_eq!(made.json()["messages"], made.json()["of"], "{point}");
        assert!(!data.join("backing-up").exists(), "{point}");
        // Older ones of the same day gave way to it.
        assert!(names(&folder).iter().all(|name| name.ends_with(".backup")));
        whole = names(&folder).len();
    }
    is_sound(&data).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_and_nothing_is_left_on_it() {
    let home = tempfile::tempdir().unwrap();
    let data = stopped_workshop(home.path()).await;
    let stick = home.path().join("stick");
    fs::create_dir(&stick).unwrap();
    let mut disk = Namespace::new();
    // Too small for the file, at whatever piece of it.
    disk.mount(&stick, "16k");
    let to = ["--to", stick.to_str().unwrap()];
    let refused = backup(&data, &disk.enter(), &to).await;
    assert_eq!(
        (refused.code, code(&refused).as_str()),
        (Some(1), "folder_full")
    );
    assert!(refused.err.contains("full"), "{refused:?}");
    disk.sh(&format!("test -z \"$(ls -A {})\"", stick.display()));
    // With room it works at once.
    disk.remount(&stick, "size=8M");
    let made = backup(&data, &disk.enter(), &to).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    // A write-protected one.
    disk.remount(&stick, "ro");
    let refused = backup(&data, &disk.enter(), &to).await;
    assert_eq!(code(&refused), "folder_read_only");
    is_sound(&data).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_boxs_own_disk_is_never_filled_by_a_backup() {
    let home = tempfile::tempdir().unwrap();
    let data = stopped_workshop(home.path()).await;
    let small = home.path().join("small");
    fs::create_dir(&small).unwrap();
    let mut disk = Namespace::new();
    disk.mount(&small, "2M");
    let (from, to) = (data.display(), small.display());
    fs::remove_file(data.join("reserve")).unwrap();
    disk.sh(&format!("cp -a {from} {to}/box"));
    // So much is left that a copy would take the rest.
    disk.sh(&format!(
        "dd if=/dev/zero of={to}/fill bs=1k count=$(($(df --output=avail -k {to} | tail -n 1) - 300))"
    ));
    let refused = backup(&small.join("box"), &disk.enter(), &[]).await;
    assert_eq!(code(&refused), "disk_full", "{refused:?}");
    disk.sh(&format!("test ! -e {to}/box/backing-up"));
    disk.sh(&format!("rm {to}/fill"));
    disk.remount(&small, "size=64M");
    let made = backup(&small.join("box"), &disk.enter(), &[]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_pulled_out_half_way_is_told_and_the_next_one_works() {
    let home = tempfile::tempdir().unwrap();
    let data = stopped_workshop(home.path()).await;
    let file = home.path().join("stick.backup");
    let (to, beside) = (
        file.to_str().unwrap(),
        format!("{}.part", file.to_str().unwrap()),
    );
    // What a stick that was pulled out answers, from its third write on.
    let strace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-P",
        &beside,
        "-e",
        "trace=write",
        "-e",
        "inject=write:error=EIO:when=2+",
    ];
    let failed = backup(&data, &strace, &["--to", to]).await;
    assert_eq!(
        (failed.code, code(&failed).as_str()),
        (Some(1), "folder_failing"),
        "{failed:?}"
    );
    assert!(!file.exists() && !data.join("backing-up").exists());
    // The same when it fails only at being forced to its disk.
    let strace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-P",
        &beside,
        "-e",
        "trace=fsync",
        "-e",
        "inject=fsync:error=EIO:when=1+",
    ];
    let failed = backup(&data, &strace, &["--to", to]).await;
    assert_eq!(code(&failed), "folder_failing", "{failed:?}");
    let gone = backup(&data, &[], &["--to", "/nowhere/at/all"]).await;
    assert_eq!(code(&gone), "folder_gone");
    let made = backup(&data, &[], &["--to", to]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    let again = backup(&data, &[], &["--to", to]).await;
    assert_eq!(code(&again), "file_exists");
    is_sound(&data).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_in_1970_makes_backups_and_removes_none() {
    let home = tempfile::tempdir().unwrap();
    let data = stopped_workshop(home.path()).await;
    let mut made = Vec::new();
    // Back in 1970, then a hundred years ahead, then as it is.
    for shift in ["-1790000000", "3155760000", "0"] {
        let shifted = format!("MOTOREACH_CLOCK_SHIFT_S={shift}");
        // The next start must not learn from this one what time it is.
        let _ = fs::remove_file(data.join("clock-floor"));
        let done = backup(&data, &["env", &shifted], &[]).await;
        assert_eq!(done.code, Some(0), "{shift}: {done:?}");
        made.push(done.json()["file"].as_str().unwrap().to_owned());
    }
    for file in made {
        assert!(fs::exists(&file).unwrap(), "{file} is gone");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_go_on_while_one_is_made_and_it_is_of_one_moment() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::start(home.path()).await;
    let data = home.path().join("data/box");
    let sample = program.sample.clone();
    let path = format!("/api/service-requests/{}/messages/", sample.request(0));
    let (mut slowest, mut written) = (Duration::ZERO, 0);
    let making = backup(&data, &[], &[]);
    let mut making = std::pin::pin!(making);
    let made = loop {
        let content = json!({ "content": format!("{written} {:0500}", 0) });
        let began = motoreach::clock::stopwatch();
        tokio::select! {
            made = making.as_mut() => break made,
            answer = post(sample.url(), &path, sample.admin(), &content) => {
                assert_eq!(answer.unwrap().status, 201);
                slowest = slowest.max(began.elapsed());
                written += 1;
            }
        }
    };
    println!("{written} messages while a backup was made; the slowest took {slowest:?}");
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(made.json()["messages"], made.json()["of"]);
    assert!(
        written > 0 && slowest < Duration::from_secs(5),
        "{slowest:?}"
    );
    let file = made.json()["file"].as_str().unwrap().to_owned();
    assert!(header(file.as_ref()).messages > 0);
    assert!(program.stop().await.success());
    is_sound(&data).await;
}
