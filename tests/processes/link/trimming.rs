//! A relay that forgets what it may: words of requests closed long ago go, what a proven backup has is
//! packed away. Killed between staging and swapping it has one or the other, and never half of each.

use crate::harness::agreement::{blocks, copy, journal_head, proves_backup};
use crate::harness::{RelayPlan, SOON, Workshop, put_back, until};

use super::Said;

/// Enough for several blocks of 64 entries.
const REQUESTS: u32 = 60;
/// Longer than the 90 days for which a closed request's words are kept.
const LATER_S: &str = "8640000";
const LATER: (&str, &str) = ("MOTOREACH_CLOCK_SHIFT_S", LATER_S);
const TRIMS_OFTEN: (&str, &str) = ("MOTOREACH_TRIM_EVERY_MS", "200");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_killed_while_it_packs_has_every_entry_once_and_gives_all_of_them_back() {
    let mut workshop = Workshop::open_large(REQUESTS).await;
    workshop.stop_box().await;
    let old = workshop.keep_copy(&workshop.box_data(), "old");
    proves_backup(&workshop.box_data());
    workshop.kill_relay();
    let before = copy(&workshop.relay_data()).len();

    for point in ["relay-snapshot-staged", "relay-snapshot-swapped"] {
        let mut plan = RelayPlan::that_ends_at(point);
        plan.environment.push(TRIMS_OFTEN);
        workshop.start_relay_as(plan).await;
        // The box says in each session what may be forgotten.
        workshop.start_box_with(&[LATER]).await;
        workshop.relay_ends().await;
        workshop.stop_box().await;
        println!("{point}: {} blocks", blocks(&workshop.relay_data()));
    }
    workshop.start_relay_as(trims_often()).await;
    workshop.start_box_with(&[LATER]).await;
    let there = workshop.relay_data();
    let packed = async || (blocks(&there) > 1).then_some(());
    until("the relay packs", SOON, packed).await;
    assert!(copy(&there).len() < before, "packed rows are gone");

    // The same conversation as ever above the line.
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, 3).await;
    said.is_everywhere(&workshop, &owner).await;

    // And below it: a box that went back behind everything packed gets all of it again, and a card
    // with less makes the relay part from within a block.
    let head = journal_head(&workshop.box_data());
    workshop.kill_box();
    put_back(&old, &workshop.box_data());
    workshop.start_box_with(&[LATER]).await;
    workshop.link_is("online", SOON).await;
    said.is_everywhere(&workshop, &owner).await;
    assert!(journal_head(&workshop.box_data()).0 >= head.0);
}

fn trims_often() -> RelayPlan {
    RelayPlan {
        environment: vec![TRIMS_OFTEN],
        ..RelayPlan::default()
    }
}
