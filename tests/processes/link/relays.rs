//! Relays that come back with less than they had, or somewhere else: restored from an older copy,
//! wiped, moved. The box and the phones bring everything back.

use std::fs;

use crate::harness::agreement::{copy, incarnations, mailbox};
use crate::harness::{SOON, Workshop, put_back};

use super::Said;

const ROUNDS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_put_back_to_an_older_copy_gets_everything_again() {
    let mut workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    workshop.agrees(&[&owner]).await;
    workshop.kill_relay();
    let old = workshop.keep_copy(&workshop.relay_data(), "old-relay");
    workshop.start_relay().await;
    said.by_both(&workshop, &owner, ROUNDS).await;
    workshop.agrees(&[&owner]).await;

    // What waits in the mailbox is lost with it: the phone still has it.
    workshop.cut();
    let written: Vec<_> = (0..ROUNDS).map(|_| said.by_owner(&owner)).collect();
    owner.are_stored(&written).await;
    let waiting = i64::try_from(ROUNDS).unwrap();
    assert_eq!(mailbox(&workshop.relay_data()), waiting);
    workshop.kill_relay();
    put_back(&old, &workshop.relay_data());
    workshop.start_relay().await;
    workshop.line.heals();
    workshop.link_is("online", SOON).await;
    said.is_everywhere(&workshop, &owner).await;
    assert_eq!(incarnations(&workshop.box_data()), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_lost_its_database_and_kept_its_secret_gets_everything_again() {
    let mut workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    workshop.agrees(&[&owner]).await;
    workshop.kill_relay();
    for name in ["relay.db", "relay.db-wal", "relay.db-shm"] {
        let _ = fs::remove_file(workshop.relay_data().join(name));
    }
    workshop.start_relay().await;
    workshop.link_is("online", SOON).await;
    workshop.relay_catches_up(SOON).await;
    // The link was unknown there for a moment: whoever came in that moment opens it again.
    let owner = match owner.gone() {
        None => owner,
        Some(_) => workshop.owner(0).await,
    };
    said.by_both(&workshop, &owner, ROUNDS).await;
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_moved_to_another_address_is_the_same_relay() {
    let mut workshop = Workshop::open().await;
    let mut owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    workshop.agrees(&[&owner]).await;
    workshop.kill_relay();
    owner.switch_off().await;
    workshop.moves_the_relay().await;

    // Its new address is typed, and a code as ever.
    workshop.pairs().await;
    workshop.link_is("online", SOON).await;
    owner.comes_by(workshop.door.address());
    said.by_both(&workshop, &owner, ROUNDS).await;
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_relay_at_the_same_address_is_not_believed() {
    let mut workshop = Workshop::open().await;
    let mut said = Said::default();
    workshop.kill_relay();
    fs::remove_dir_all(workshop.relay_data()).unwrap();
    workshop.start_relay().await;
    let link = workshop.link_is("stopped", SOON).await;
    assert_eq!(link["why"], "other_relay", "{link}");
    said.by_staff(&workshop).await;
    assert!(copy(&workshop.relay_data()).is_empty());
}
