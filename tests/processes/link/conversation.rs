//! An owner at the relay and staff at the box, on good days and on those when the line or one of the
//! programs goes away in between.

use std::time::Duration;

use crate::harness::{SOON, Workshop, until};

use super::Said;

/// What is said at once on a bad day.
const ROUNDS: usize = 12;
/// By when the link is back after an end that the box noticed at once.
const BACK_MAX: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_at_the_relay_and_staff_at_the_box_have_one_conversation() {
    let workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    said.is_everywhere(&workshop, &owner).await;

    // The owner's other phone opens the same thread with the same link.
    let other = workshop.owner(0).await;
    assert_eq!(other.shown(), owner.shown());
    let id = other.writes("from the other phone");
    owner.sees("from the other phone").await;
    assert!(owner.shown().iter().any(|entry| entry.id == id));

    // What is read over the relay is read at the box.
    let newest = owner.shown().last().unwrap().id;
    owner.reads(newest);
    workshop.agrees(&[&owner, &other]).await;
    let read = workshop.staff_reads(0).await;
    let by_staff = read.iter().filter(|it| it["sender_type"] == "WORKSHOP");
    assert!(by_staff.clone().count() >= ROUNDS);
    assert!(by_staff.into_iter().all(|it| it["read_by_user"] == true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_write_while_the_line_is_cut_and_see_one_order_when_it_is_back() {
    let workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, 2).await;
    said.is_everywhere(&workshop, &owner).await;

    workshop.cut();
    let mut written = Vec::new();
    for _ in 0..ROUNDS {
        written.push(said.by_owner(&owner));
        said.by_staff(&workshop).await;
    }
    // One tick, and no more: the relay has them, the workshop does not.
    owner.are_stored(&written).await;
    assert_eq!(owner.waiting(), ROUNDS);
    assert!(owner.shown().iter().all(|it| !written.contains(&it.id)));
    let link = workshop.link_is("waiting", SOON).await;
    assert_eq!(link["waiting_messages"], ROUNDS, "{link}");
    let told = async || (owner.workshop_online() == Some(false)).then_some(());
    until("the owner is told that the workshop is offline", SOON, told).await;

    workshop.line.heals();
    workshop.link_is("online", BACK_MAX).await;
    said.is_everywhere(&workshop, &owner).await;
    let link = workshop.link().await;
    assert_eq!(link["waiting_messages"], 0, "{link}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_write_while_the_owners_line_is_cut_again_and_again() {
    let workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    for _ in 0..ROUNDS {
        let before = owner.connects();
        workshop.door.break_off();
        said.by_both(&workshop, &owner, 1).await;
        let back = async || (owner.connects() > before).then_some(());
        until("the phone comes back", SOON, back).await;
    }
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_that_was_killed_takes_what_owners_wrote_meanwhile() {
    let mut workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    workshop.kill_box();
    let written: Vec<_> = (0..ROUNDS).map(|_| said.by_owner(&owner)).collect();
    owner.are_stored(&written).await;
    workshop.start_box().await;
    said.by_staff(&workshop).await;
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_was_killed_has_everything_that_it_said_it_has() {
    let mut workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    workshop.kill_relay();
    // Neither goes anywhere: one waits on the phone, the other in the journal.
    said.by_both(&workshop, &owner, ROUNDS).await;
    workshop.start_relay().await;
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_phone_wrote_while_it_was_off_comes_when_it_is_on_again() {
    let workshop = Workshop::open().await;
    let mut owner = workshop.owner(0).await;
    let mut said = Said::default();
    owner.switch_off().await;
    said.by_both(&workshop, &owner, ROUNDS).await;
    owner.switch_on();
    said.is_everywhere(&workshop, &owner).await;
}
