//! More than one copy of a box: restored from yesterday's, from one taken while it ran, a clone that
//! runs beside it. Nothing that any copy acknowledged is lost while the relay has it.

use crate::harness::agreement::{incarnations, journal};
use crate::harness::{SOON, Workshop, copy_directory, post, put_back, until};

use super::Said;

/// Said before a copy is taken, after it, and at the end.
const ROUNDS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_put_back_to_an_older_copy_gets_back_from_the_relay_what_came_after_it() {
    let mut workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    workshop.agrees(&[&owner]).await;
    workshop.stop_box().await;
    let old = workshop.keep_copy(&workshop.box_data(), "old");

    workshop.start_box().await;
    said.by_both(&workshop, &owner, ROUNDS).await;
    workshop.agrees(&[&owner]).await;
    let before = journal(&workshop.box_data());
    workshop.kill_box();
    put_back(&old, &workshop.box_data());

    workshop.start_box().await;
    workshop.link_is("online", SOON).await;
    said.is_everywhere(&workshop, &owner).await;
    keeps(&workshop, &before);
    said.by_both(&workshop, &owner, ROUNDS).await;
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_that_went_on_by_itself_is_brought_together_with_what_the_relay_has() {
    let mut workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    workshop.agrees(&[&owner]).await;
    workshop.stop_box().await;
    let old = workshop.keep_copy(&workshop.box_data(), "old");
    workshop.start_box().await;
    said.by_both(&workshop, &owner, ROUNDS).await;
    workshop.agrees(&[&owner]).await;
    let before = journal(&workshop.box_data());
    workshop.kill_box();
    put_back(&old, &workshop.box_data());

    // Offline, the old copy goes on: staff write what nobody else has seen.
    workshop.cut();
    workshop.start_box().await;
    for _ in 0..ROUNDS {
        said.by_staff(&workshop).await;
    }
    let alone = journal(&workshop.box_data());
    workshop.line.heals();
    workshop.link_is("online", SOON).await;
    // What came back comes before what the old copy wrote by itself.
    said.is_everywhere(&workshop, &owner).await;
    keeps(&workshop, &before);
    keeps(&workshop, &alone);
    assert!(incarnations(&workshop.box_data()) > 1);
    assert!(
        owner.starts_over() > 0,
        "the owner's page was told to start over"
    );
    said.by_both(&workshop, &owner, ROUNDS).await;
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_taken_while_the_box_ran_serves_as_well() {
    let mut workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    // As a careless `cp -r` would: database and log at different moments, while staff write.
    let live = workshop.beside("live");
    let copying = async {
        let (from, to) = (workshop.box_data(), live.clone());
        tokio::task::spawn_blocking(move || copy_directory(&from, &to))
            .await
            .unwrap();
    };
    let writing = async {
        for _ in 0..ROUNDS {
            said.by_staff(&workshop).await;
        }
    };
    tokio::join!(copying, writing);
    workshop.agrees(&[&owner]).await;
    let before = journal(&workshop.box_data());
    workshop.kill_box();
    put_back(&live, &workshop.box_data());
    workshop.start_box().await;
    workshop.link_is("online", SOON).await;
    said.by_both(&workshop, &owner, ROUNDS).await;
    said.is_everywhere(&workshop, &owner).await;
    keeps(&workshop, &before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clone_beside_the_box_puts_both_in_quarantine_until_an_admin_says_which_is_real() {
    let mut workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    workshop.agrees(&[&owner]).await;
    workshop.stop_box().await;
    let clone_home = workshop.beside("clone");
    copy_directory(&workshop.box_data(), &clone_home.join("data/box"));
    workshop.start_box().await;
    workshop.link_is("online", SOON).await;

    // The first that shows an old grant is taken for a restore; it is the second that gives both
    // away. Whichever is turned away keeps serving its own network.
    let clone = workshop.another_box(&clone_home).await;
    let either = async || {
        let (here, there) = (workshop.link().await, clone.link().await);
        let turned_away = [&here, &there]
            .iter()
            .any(|link| link["state"] == "stopped" && link["why"] == "quarantined");
        // Each comes back whenever its line goes; a restart of both ends the race.
        workshop.line.break_off();
        turned_away.then_some(())
    };
    until("two copies are noticed", SOON, either).await;
    said.by_staff(&workshop).await;

    clone.stop().await;
    let (sample, nothing) = (workshop.sample(), serde_json::json!({}));
    let answer = post(sample.url(), "/api/relay/claim/", sample.admin(), &nothing).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    workshop.link_is("online", SOON).await;
    said.by_both(&workshop, &owner, ROUNDS).await;
    said.is_everywhere(&workshop, &owner).await;

    // The other copy was told that it is not the one, and changes nothing.
    let head = journal(&workshop.box_data()).len();
    let clone = workshop.another_box(&clone_home).await;
    clone.link_is("stopped", SOON).await;
    assert_eq!(workshop.link().await["state"], "online");
    workshop.agrees(&[&owner]).await;
    assert_eq!(journal(&workshop.box_data()).len(), head);
    clone.stop().await;
}

/// Whether everything that was in a journal is in the box's journal still.
fn keeps(workshop: &Workshop, before: &[crate::harness::agreement::Entry]) {
    let now = journal(&workshop.box_data());
    for entry in before {
        let kept = now.iter().find(|it| it.id == entry.id);
        let kept = kept.unwrap_or_else(|| panic!("lost: {entry:?}"));
        assert_eq!((&kept.kind, kept.thread), (&entry.kind, entry.thread));
    }
}
