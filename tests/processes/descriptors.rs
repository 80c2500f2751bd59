//! Sixty-four descriptors and more peers than that (R19).

use std::time::Duration;

use motoreach::clock::stopwatch;
use tokio::net::TcpStream;

use crate::harness::{Program, get, until};

/// More than the server can take.
const PEERS: usize = 120;
/// How long it is watched while it has no descriptor left. Shorter than the header timeout.
const WATCHED: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_descriptors_it_waits_calmly_and_is_back_at_once() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let few = ["prlimit", "--nofile=64:64"];
    let mut program = Program::start_with(home.path(), &data, &few).await;
    let sample = program.sample.clone();

    let mut peers = Vec::new();
    for _ in 0..PEERS {
        // The kernel takes them into its queue; the server cannot take them out.
        peers.push(TcpStream::connect(sample.address()).await.unwrap());
    }
    let (before, watch) = (program.process().processor_time(), stopwatch());
    tokio::time::sleep(WATCHED).await;
    let busy = program.process().processor_time().saturating_sub(before);
    assert!(program.is_alive(), "it ended: {}", program.log());
    assert!(
        busy < watch.elapsed() / 4,
        "a busy loop: {busy:?} of {:?}",
        watch.elapsed()
    );

    drop(peers);
    until("normal again", Duration::from_secs(1), async || {
        let asked = tokio::time::timeout(Duration::from_secs(1), get(sample.url(), "/healthz", ""));
        asked.await.ok()?.ok().filter(|answer| answer.status == 200)
    })
    .await;
    assert!(program.stop().await.success());
}
