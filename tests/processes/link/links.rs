//! Owners' links at the relay: taken back, given out again, opened after their end.

use std::time::Duration;

use crate::harness::{Owner, SOON, Workshop, until};

use super::Said;

/// By when a socket is closed whose link was taken back.
const CLOSED_MAX: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_taken_back_opens_nothing_and_the_others_go_on_under_a_new_key() {
    let workshop = Workshop::open().await;
    let first = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &first, 3).await;
    let again = workshop.grants(0).await;
    workshop.relay_catches_up(SOON).await;
    let second = Owner::opens(&again, workshop.door.address());
    second.is_open().await;
    said.is_everywhere(&workshop, &second).await;

    workshop.revokes(0, workshop.sample().invite_url(0)).await;
    let gone = async || first.gone();
    let why = until("the page of the link is closed", CLOSED_MAX, gone).await;
    assert_eq!(why, "revoked");
    // Under the thread's next key, which only the second link's holder gets.
    said.by_both(&workshop, &second, 3).await;
    said.is_everywhere(&workshop, &second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_under_a_link_that_was_taken_back_meanwhile_does_not_come_in() {
    let workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    workshop.cut();
    let id = owner.writes("too late");
    owner.are_stored(&[id]).await;
    workshop.revokes(0, workshop.sample().invite_url(0)).await;
    workshop.line.heals();
    let gone = async || owner.gone();
    let why = until("the page of the link is closed", 3 * SOON, gone).await;
    assert_eq!(why, "revoked");
    workshop.relay_catches_up(SOON).await;
    let read = workshop.staff_reads(0).await;
    assert!(read.iter().all(|it| it["content"] != "too late"));
}
