//! A disk that reports errors for a while (quality.md §1.1): nothing is acknowledged meanwhile,
//! and nothing that was acknowledged before or after is lost.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use crate::harness::{Program, get, post, run, until};
use crate::history;

/// Commits of the writer that work before the disk fails, and the flushes that fail then. Every try
/// to prove the disk costs one.
const FAILS: &str = "inject=fdatasync,fsync:error=EIO:when=40..60";
/// Past the failing ones with certainty.
const TRIES_MAX: usize = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_disk_fails_nothing_is_acknowledged_and_afterwards_nothing_is_missing() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    // Made without the fault: it shall hit a box at work, not one that is being set up.
    assert!(Program::start(home.path()).await.stop().await.success());
    let strace = [
        "strace",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fdatasync,fsync",
        "-e",
        FAILS,
    ];
    let program = Program::start_with(home.path(), &data, &strace).await;
    let sample = program.sample.clone();
    let (url, owner) = (sample.url(), sample.owner(0));
    let messages = format!("/api/service-requests/{}/messages/", sample.request(0));
    let mut acknowledged = Vec::new();
    let (mut failures, mut again) = (0, 0);

    for number in 0..TRIES_MAX {
        let name = Uuid::now_v7();
        let body = json!({ "content": number.to_string(), "client_id": name });
        let answer = post(url, &messages, owner, &body).await.unwrap();
        match answer.status {
            201 => {
                acknowledged.push((answer.body["id"].clone(), name));
                again += usize::from(failures > 0);
            }
            503 => {
                assert_eq!(again, 0, "failed twice: {answer:?}");
                assert_eq!(answer.code(), "storage_failing", "{answer:?}");
                failures += 1;
                let read = get(url, &messages, owner).await.unwrap();
                assert_eq!(read.status, 200, "reading goes on: {read:?}");
                assert_eq!(get(url, "/readyz", "").await.unwrap().status, 503);
            }
            _ => panic!("{answer:?}"),
        }
        if again == 20 {
            break;
        }
    }
    println!("{failures} refused, {} acknowledged", acknowledged.len());
    assert!(
        failures > 0,
        "strace(1) injected nothing: is ptrace allowed here?"
    );
    assert_eq!(again, 20, "it works again by itself when the disk does");
    // The proof that the disk takes writes is good for two seconds.
    until("ready again", Duration::from_secs(5), async || {
        (get(url, "/readyz", "").await.unwrap().status == 200).then_some(())
    })
    .await;

    program.kill();
    let program = Program::start(home.path()).await;
    let stored = history::all(&program.sample, 0).await;
    history::is_in_order(&stored);
    for (id, name) in acknowledged {
        let found = stored.iter().find(|message| message["id"] == id);
        let found = found.unwrap_or_else(|| panic!("message {id} was acknowledged and is lost"));
        assert_eq!(found["client_id"], name.to_string());
    }
    assert!(program.stop().await.success());
    let data = data.join("box");
    let doctor = run(
        &[],
        &["doctor", "--json", "--data", data.to_str().unwrap()],
        "",
    )
    .await;
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
}
