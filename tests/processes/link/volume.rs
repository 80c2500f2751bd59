//! A long time without internet: what piles up at the box goes over in order, with memory that does
//! not depend on how much it is, and the other way round.

use std::time::Duration;

use motoreach::clock::stopwatch;
use uuid::Uuid;

use crate::harness::agreement::{copy_head, is_the_same_everywhere, journal_head};
use crate::harness::{Chat, Frame, Owner, Workshop, until};

/// Entries in `make test`; `make prove` asks for 100,000.
const BACKLOG: usize = 8_000;
/// Messages of one socket on their way to the box.
const UNDERWAY_MAX: usize = 64;
/// Conversations that are written in at once: the sample's requests.
const WRITERS: usize = 3;
/// By when all of it is at the relay; a slow machine applies a thousand a second.
const CAUGHT_UP_MAX: Duration = Duration::from_secs(600);
/// What either program may grow by while the backlog goes over: windows, caches, the database's own.
const GROWTH_BYTES_MAX: u64 = 48 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_backlog_goes_over_in_order_with_memory_that_does_not_grow() {
    let entries = std::env::var("MOTOREACH_BACKLOG").map_or(BACKLOG, |it| it.parse().unwrap());
    let workshop = Workshop::open().await;
    let mut owners = Vec::new();
    for k in 0..WRITERS {
        owners.push(workshop.owner(k).await);
    }
    let owners: Vec<&Owner> = owners.iter().collect();
    workshop.cut();
    let watch = stopwatch();
    let writing = (0..WRITERS).map(|writer| writes(&workshop, writer, entries / WRITERS));
    futures_util::future::join_all(writing).await;
    println!("{entries} messages written in {:.1?}", watch.elapsed());

    let (here, there) = (workshop.box_data(), workshop.relay_data());
    let head = journal_head(&here);
    let box_process = workshop.program().process();
    let relay_process = workshop.relay().process();
    let before = (box_process.memory_bytes(), relay_process.memory_bytes());
    let began_at = copy_head(&there).unwrap().0;
    workshop.line.heals();
    let watch = stopwatch();
    let mut first = None;
    let mut most = before;
    let caught_up = async || {
        most.0 = most.0.max(box_process.memory_bytes());
        most.1 = most.1.max(relay_process.memory_bytes());
        let now = copy_head(&there);
        if first.is_none() && now.as_ref().is_some_and(|it| it.0 > began_at) {
            first = Some(watch.elapsed());
        }
        (now.as_ref() == Some(&head)).then_some(())
    };
    until("the backlog is at the relay", CAUGHT_UP_MAX, caught_up).await;
    let took = watch.elapsed() - first.unwrap();
    let grown = (most.0 - before.0, most.1 - before.1);
    println!(
        "{entries} entries went over in {took:.1?} ({:.0} a second), the first after {:.1?}; the box \
         grew by {} KiB, the relay by {} KiB",
        entries as f64 / took.as_secs_f64(),
        first.unwrap(),
        grown.0 / 1_024,
        grown.1 / 1_024,
    );
    assert!(
        grown.0 < GROWTH_BYTES_MAX && grown.1 < GROWTH_BYTES_MAX,
        "{grown:?}"
    );
    workshop.line_is_at_rest(&owners, CAUGHT_UP_MAX).await;
    is_the_same_everywhere(&here, &there, &owners).await;
    for (writer, owner) in owners.iter().enumerate() {
        let begin = format!("writer {writer}: ");
        let conversation = owner.conversation();
        let numbers = conversation.iter().filter_map(|it| it.strip_prefix(&begin));
        let numbers: Vec<usize> = numbers.map(|it| it.parse().unwrap()).collect();
        assert!(numbers.iter().copied().eq(0..entries / WRITERS), "{begin}");
    }
}

/// Writes so many messages in a conversation of its own, as fast as they are acknowledged.
async fn writes(workshop: &Workshop, writer: usize, messages: usize) {
    let sample = workshop.sample();
    let mut chat = Chat::open(sample, sample.admin(), sample.request(writer), None)
        .await
        .unwrap();
    let (mut sent, mut acknowledged) = (0, 0);
    while acknowledged < messages {
        while sent < messages && sent - acknowledged < UNDERWAY_MAX {
            let words = format!("writer {writer}: {sent}");
            chat.say(Uuid::new_v4(), &words).await.unwrap();
            sent += 1;
        }
        match chat.next().await {
            Frame::Json(frame) if frame["type"] == "chat.ack" => acknowledged += 1,
            Frame::Json(frame) => assert_ne!(frame["type"], "chat.error", "{frame}"),
            end @ (Frame::Closed(_) | Frame::Broken) => panic!("{end:?}"),
        }
    }
}

/// Posts of one owner while the box is away; more than the relay takes from one link at once.
const POSTS: usize = 80;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_mailbox_comes_to_the_box_oldest_first() {
    let workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    workshop.cut();
    let words: Vec<String> = (0..POSTS).map(|number| format!("post {number}")).collect();
    for word in &words {
        owner.writes(word);
    }
    workshop.line.heals();
    workshop.line_is_at_rest(&[&owner], CAUGHT_UP_MAX).await;
    workshop.agrees(&[&owner]).await;
    let conversation = owner.conversation();
    let posted: Vec<_> = conversation
        .iter()
        .filter(|it| it.starts_with("post "))
        .collect();
    assert_eq!(posted, words.iter().collect::<Vec<_>>());
}
