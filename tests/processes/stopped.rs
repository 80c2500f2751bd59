//! SIGTERM under load: every page is told to come back, and nothing acknowledged is lost.

use std::time::Duration;

use crate::harness::{Chat, Frame, Program, Random, SOON, run, until};
use crate::history;
use crate::killed::Load;

/// Enough that messages are on their way when it is told to stop.
const ACKNOWLEDGED: u64 = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_under_load_it_loses_nothing_and_sends_everybody_away_kindly() {
    let mut random = Random::announced("stopped");
    let home = tempfile::tempdir().unwrap();
    let program = Program::start(home.path()).await;
    let sample = program.sample.clone();
    let mut listener = Chat::open(&sample, sample.owner(0), sample.request(0), None)
        .await
        .unwrap();
    listener.expect("chat.hello").await;
    let load = Load::of(&sample, &mut random);
    load.goes_to(&sample);
    let seen = async || (load.acknowledged() >= ACKNOWLEDGED).then_some(());
    until("the load is under way", SOON, seen).await;

    program.ask_to_stop();
    let closed = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            match listener.next().await {
                Frame::Json(_) => {}
                end @ (Frame::Closed(_) | Frame::Broken) => return end,
            }
        }
    });
    let closed = closed.await.expect("told to come back within 10 s");
    assert!(matches!(closed, Frame::Closed(1012)), "{closed:?}");
    drop(listener);
    let status = program.end().await;
    assert_eq!(status.code(), Some(0));

    let clients = load.abandon().await;
    let program = Program::start(home.path()).await;
    for request in [0, 1] {
        let stored = history::all(&program.sample, request).await;
        history::is_in_order(&stored);
        for client in clients.iter().filter(|client| client.request == request) {
            client.agrees_with(&stored);
        }
    }
    assert!(program.stop().await.success());
    let data = home.path().join("data/box");
    let doctor = run(
        &[],
        &["doctor", "--json", "--data", data.to_str().unwrap()],
        "",
    )
    .await;
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
}
