//! `kill -9` at each named point (`src/crash.rs`): between a commit and what it promises, inside a
//! fork, inside a swap, between welcome and first frame. Afterwards everything is there, once.

use crate::harness::{RelayPlan, SOON, Workshop};

use super::Said;

const ROUNDS: usize = 4;

/// The relay's points that are passed in an ordinary conversation, and the time of passing at which
/// it ends.
const RELAY_POINTS: [&str; 6] = [
    "relay-session-opened",
    "relay-welcome-sent",
    "relay-applied",
    "relay-applied:3",
    "relay-post-kept",
    "relay-post-kept:2",
];

/// The box's.
const BOX_POINTS: [&str; 3] = [
    "box-grant-stored",
    "box-post-committed",
    "box-post-committed:2",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_dies_between_a_commit_and_its_answer_has_everything_once() {
    let mut workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    for point in RELAY_POINTS {
        workshop.kill_relay();
        workshop
            .start_relay_as(RelayPlan::that_ends_at(point))
            .await;
        // One after the other, so that each passes its points by itself.
        while !workshop.relay_has_ended() {
            said.by_both(&workshop, &owner, 1).await;
            workshop.relay_catches_up_or_ends().await;
        }
        workshop.relay_ends().await;
        said.by_both(&workshop, &owner, 1).await;
        workshop.start_relay().await;
        println!("{point}: came back");
        said.is_everywhere(&workshop, &owner).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_that_dies_between_a_commit_and_its_answer_has_everything_once() {
    let mut workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    for point in BOX_POINTS {
        workshop.kill_box();
        let written: Vec<_> = (0..ROUNDS).map(|_| said.by_owner(&owner)).collect();
        owner.are_stored(&written).await;
        workshop.starts_and_ends_at(point).await;
        workshop.start_box().await;
        said.by_both(&workshop, &owner, 1).await;
        println!("{point}: came back");
        said.is_everywhere(&workshop, &owner).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_that_is_interrupted_anywhere_is_done_once() {
    for point in ["box-fork-staged", "box-fork-committed", "relay-forked"] {
        let mut workshop = Workshop::open().await;
        let owner = workshop.owner(0).await;
        let mut said = Said::default();
        said.on_two_copies(&mut workshop, &owner).await;
        workshop.line.heals();

        if point.starts_with("box-") {
            workshop.starts_and_ends_at(point).await;
        } else {
            workshop.kill_relay();
            workshop
                .start_relay_as(RelayPlan::that_ends_at(point))
                .await;
            workshop.start_box().await;
            workshop.relay_ends().await;
            workshop.stop_box().await;
            workshop.start_relay().await;
        }
        workshop.start_box().await;
        workshop.link_is("online", SOON).await;
        println!("{point}: came back");
        said.is_everywhere(&workshop, &owner).await;
        said.by_both(&workshop, &owner, ROUNDS).await;
        said.is_everywhere(&workshop, &owner).await;
    }
}
