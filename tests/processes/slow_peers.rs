//! Peers that do not keep up, by weakness or by malice: slow heads, slow bodies, no reading (R17, R18).

use std::time::Duration;

use motoreach::clock::stopwatch;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::harness::{Chat, Frame, Program, SOON, get};

/// Slow peers of one kind.
const PEERS: usize = 60;
/// Longer than the promised ten seconds by what two busy cores may add.
const DROPPED: Duration = Duration::from_secs(12);
/// Between two bytes of a slow peer: often enough to look alive.
const DRIP: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_sends_a_head_or_a_body_drop_by_drop_is_dropped_within_ten_seconds() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::start(home.path()).await;
    let sample = program.sample.clone();
    let head = format!(
        "GET /healthz HTTP/1.1\r\nHost: {}\r\nX-Slow: ",
        sample.address()
    );
    let body = format!(
        "POST /api/service-requests/{}/messages/ HTTP/1.1\r\nHost: {}\r\n\
         Authorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 30000\r\n\r\n{{\"content\": \"",
        sample.request(0),
        sample.address(),
        sample.owner(0)
    );
    let mut peers = tokio::task::JoinSet::new();
    for number in 0..PEERS {
        let beginning = if number % 2 == 0 {
            head.clone()
        } else {
            body.clone()
        };
        let address = sample.address().to_owned();
        peers.spawn(async move { drip(&address, &beginning).await });
    }
    // Meanwhile everybody else is served.
    while !peers.is_empty() {
        assert_eq!(get(sample.url(), "/healthz", "").await.unwrap().status, 200);
        let waited = tokio::time::timeout(DRIP, peers.join_next()).await;
        if let Ok(Some(held)) = waited {
            let held = held.unwrap();
            assert!(held < DROPPED, "held for {held:?}");
        }
    }
    assert!(program.stop().await.success());
}

/// Sends a letter now and then until the server has had enough; says after how long.
async fn drip(address: &str, beginning: &str) -> Duration {
    let watch = stopwatch();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(beginning.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let mut answer = Vec::new();
    let ended = async {
        // An answer (408) or none: either way the connection must end.
        let _ = reading.read_to_end(&mut answer).await;
    };
    let drops = async {
        while writing.write_all(b"a").await.is_ok() {
            tokio::time::sleep(DRIP).await;
        }
    };
    tokio::select! {
        () = ended => {}
        () = drops => {}
        () = tokio::time::sleep(DROPPED) => {}
    }
    watch.elapsed()
}

/// Sockets that stop reading.
const DEAF: usize = 40;
/// Messages they do not read: 5 MB for each of them.
const UNREAD: usize = 640;
/// What all of them may cost. Unbounded, it would be 200 MB.
const MEMORY_MAX_BYTES: u64 = 96 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_stop_reading_cost_little_and_hold_nobody_up() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::start(home.path()).await;
    let sample = program.sample.clone();
    let (request, owner) = (sample.request(0), sample.owner(0));
    let mut deaf = Vec::new();
    for _ in 0..DEAF {
        let mut chat = Chat::open(&sample, sample.admin(), request, None)
            .await
            .unwrap();
        chat.expect("chat.history").await;
        deaf.push(chat);
    }
    let mut healthy = Chat::open(&sample, owner, request, None).await.unwrap();
    healthy.expect("chat.history").await;
    let before = program.process().memory_bytes();

    let long = "x".repeat(8_000);
    let mut most = before;
    for _ in 0..UNREAD {
        healthy.say(Uuid::now_v7(), &long).await.unwrap();
        healthy.expect("chat.ack").await;
        most = most.max(program.process().memory_bytes());
    }
    let grown = most - before;
    println!("{DEAF} deaf readers cost {} KiB", grown >> 10);
    assert!(grown < MEMORY_MAX_BYTES, "grown by {grown} bytes");

    for mut chat in deaf {
        let end = tokio::time::timeout(SOON, async {
            loop {
                match chat.next().await {
                    Frame::Json(_) => {}
                    end @ (Frame::Closed(_) | Frame::Broken) => return end,
                }
            }
        });
        let end = end.await.expect("a deaf reader is cut");
        assert!(
            matches!(end, Frame::Closed(4408) | Frame::Broken),
            "{end:?}"
        );
    }
    assert!(program.stop().await.success());
}
