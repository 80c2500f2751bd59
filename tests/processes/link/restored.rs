//! A box that died: on an empty card everything comes back from the relay, with nothing but the words.

use std::fs;
use std::path::Path;

use motoreach::seal::RootSecret;
use serde_json::{Value, json};

use super::Said;
use crate::harness::agreement::{incarnations, journal, journal_head};
use crate::harness::{Outcome, SOON, Served, Workshop, copy_directory, get, post, run, until};

const ROUNDS: usize = 4;
const STATE: &str = "/api/setup/restore/";

/// What is on the paper of the workshop whose box this is.
fn words_of(data: &Path) -> String {
    let secret = fs::read(data.join("root.secret")).unwrap();
    paper(secret.try_into().unwrap())
}

fn paper(secret: [u8; 32]) -> String {
    RootSecret::from_bytes(secret).recovery_words().join(" ")
}

/// A workshop with a conversation in it, its owner's page, and its words.
async fn talked() -> (Workshop, crate::harness::Owner, Said, String) {
    let workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    workshop.agrees(&[&owner]).await;
    let words = words_of(&workshop.box_data());
    (workshop, owner, said, words)
}

/// `motoreach restore --json`, with these words before it and after it.
async fn restore(url: &str, data: &Path, words: &str, before: &[&str], more: &[&str]) -> Outcome {
    let data = data.to_str().unwrap();
    let mut arguments = vec!["restore", "--json", "--from-relay", url, "--data", data];
    arguments.extend(more);
    run(before, &arguments, words).await
}

fn code(outcome: &Outcome) -> String {
    outcome.json()["error"]["code"].as_str().unwrap().to_owned()
}

async fn is_sound(data: &Path) {
    let doctor = run(
        &[],
        &["doctor", "--json", "--data", data.to_str().unwrap()],
        "",
    )
    .await;
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    for left in ["restoring", "restored"] {
        assert!(!data.join(left).exists(), "{left} is still there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_comes_back_on_an_empty_card_and_goes_on() {
    let (mut workshop, owner, mut said, words) = talked().await;
    let before = journal(&workshop.box_data());
    workshop.kill_box();
    fs::remove_dir_all(workshop.box_data()).unwrap();
    // The owner notices nothing but that the workshop is away.
    let id = said.by_owner(&owner);
    owner.are_stored(&[id]).await;

    let (data, url) = (workshop.box_data(), workshop.line.url());
    let place = data.to_str().unwrap();
    let arguments = ["restore", "--from-relay", &url, "--data", place];
    let back = run(&[], &arguments, &words).await;
    assert_eq!(back.code, Some(0), "{back:?}");
    assert!(back.out.contains("entries so far"), "{back:?}");
    assert!(back.out.contains(" messages in 3 requests, "), "{back:?}");
    is_sound(&data).await;
    let after = journal(&data);
    assert_eq!(before[..], after[..before.len()]);
    assert!(incarnations(&data) > 1);

    workshop.start_box().await;
    workshop.link_is("online", SOON).await;
    let login = workshop.sample().admin_login();
    let signed_in = post(workshop.sample().url(), "/api/auth/login/", "", &login).await;
    assert_eq!(signed_in.unwrap().status, 200, "old passwords count");
    said.is_everywhere(&workshop, &owner).await;
    said.by_both(&workshop, &owner, ROUNDS).await;
    said.is_everywhere(&workshop, &owner).await;
    let link = workshop.link().await;
    assert_eq!(
        (&link["waiting_entries"], &link["url"]),
        (&json!(0), &json!(url))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_restored_is_said_in_words_and_changes_nothing() {
    let (workshop, owner, mut said, words) = talked().await;
    let (url, data) = (workshop.line.url(), workshop.beside("new"));
    let (first, rest) = words.split_once(' ').unwrap();
    let another = if first == "zoo" { "abandon" } else { "zoo" };
    let misread = format!("{another} {rest}");
    for (wrong, sentence) in [
        (rest, "there must be 24 recovery words, here are 23"),
        (misread.as_str(), "do not belong together"),
    ] {
        let refused = restore(&url, &data, wrong, &[], &[]).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.err.contains(sentence), "{refused:?}");
        assert!(!data.exists(), "nothing is begun with wrong words");
    }
    // A relay that is none, nobody at all, and an address that cannot be one.
    let the_box = workshop.sample().url();
    let nowhere = "http://127.0.0.1:1";
    assert_eq!(
        code(&restore(the_box, &data, &words, &[], &[]).await),
        "not_a_relay"
    );
    assert_eq!(
        code(&restore(nowhere, &data, &words, &[], &[]).await),
        "no_answer"
    );
    let no_address = restore("http://relay.example", &data, &words, &[], &[]).await;
    assert_eq!(no_address.code, Some(2), "{no_address:?}");
    // The words of a workshop that this relay never saw.
    let stranger = restore(&url, &data, &paper([9; 32]), &[], &[]).await;
    assert_eq!(
        (stranger.code, code(&stranger).as_str()),
        (Some(1), "unknown_workshop")
    );
    assert!(!data.join("restoring").exists() && !data.join("root.secret").exists());
    // A workshop is never overwritten, whether it runs or not.
    let running = restore(&url, &workshop.box_data(), &words, &[], &[]).await;
    assert_eq!((running.code, code(&running).as_str()), (Some(3), "in_use"));
    // Nobody was taken for a copy by any of it.
    said.by_both(&workshop, &owner, ROUNDS).await;
    said.is_everywhere(&workshop, &owner).await;
    let mut workshop = workshop;
    let head = journal_head(&workshop.box_data());
    workshop.stop_box().await;
    let set_up = restore(&url, &workshop.box_data(), &words, &[], &[]).await;
    assert_eq!(
        (set_up.code, code(&set_up).as_str()),
        (Some(3), "already_set_up")
    );
    assert_eq!(journal_head(&workshop.box_data()), head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_is_killed_anywhere_leaves_nothing_or_everything() {
    let (mut workshop, _, _, words) = talked().await;
    workshop.kill_box();
    let before = journal(&workshop.box_data());
    let url = workshop.line.url();
    for (point, is_decided) in [
        ("box-grant-stored", false),
        ("box-fork-staged", false),
        ("box-fork-committed", false),
        ("restore-at-rest", false),
        ("restore-decided", true),
        ("restore-cleared", true),
        ("restore-database-moved", true),
        ("restore-secret-moved", true),
    ] {
        let data = workshop.beside(point);
        // A box that was started on the empty card before anybody thought of restoring.
        let empty = Served::start(&data, &[]).await;
        drop(empty);
        let ends = format!("MOTOREACH_CRASH_AT={point}");
        // For the relay each is one more copy, of which this is the real one.
        let killed = restore(&url, &data, &words, &["env", &ends], &["--claim"]).await;
        assert_eq!(killed.code, None, "{point}: it is killed: {killed:?}");
        let again = restore(&url, &data, &words, &[], &[]).await;
        if is_decided {
            // Whoever comes next finds it there.
            assert_eq!(
                (again.code, code(&again).as_str()),
                (Some(3), "already_set_up")
            );
        } else {
            assert_eq!(again.code, Some(0), "{point}: {again:?}");
        }
        is_sound(&data).await;
        assert_eq!(before[..], journal(&data)[..before.len()], "{point}");
        assert_eq!(words_of(&data), words, "{point}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_box_that_comes_back_to_life_is_taken_for_the_copy_that_it_is() {
    let (mut workshop, owner, mut said, words) = talked().await;
    workshop.stop_box().await;
    let old_home = workshop.beside("old");
    copy_directory(&workshop.box_data(), &old_home.join("data/box"));
    fs::remove_dir_all(workshop.box_data()).unwrap();
    let url = workshop.line.url();
    let back = restore(&url, &workshop.box_data(), &words, &[], &[]).await;
    assert_eq!(back.code, Some(0), "{back:?}");
    workshop.start_box().await;
    workshop.link_is("online", SOON).await;
    said.by_both(&workshop, &owner, ROUNDS).await;
    said.is_everywhere(&workshop, &owner).await;

    // Somebody plugs the old one in again: it is turned away, and so is this one until an admin decides.
    let old = workshop.another_box(&old_home).await;
    assert_eq!(old.link_is("stopped", SOON).await["why"], "quarantined");
    workshop.line.break_off();
    assert_eq!(
        workshop.link_is("stopped", SOON).await["why"],
        "quarantined"
    );
    // Neither does a third one get in by its words alone.
    let third = workshop.beside("third");
    let refused = restore(&url, &third, &words, &[], &[]).await;
    assert_eq!(
        (refused.code, code(&refused).as_str()),
        (Some(1), "two_alive")
    );
    assert!(refused.err.contains("--claim"), "{refused:?}");
    old.stop().await;
    let (sample, nothing) = (workshop.sample(), json!({}));
    let claimed = post(sample.url(), "/api/relay/claim/", sample.admin(), &nothing).await;
    assert_eq!(claimed.unwrap().status, 200);
    workshop.link_is("online", SOON).await;
    said.by_both(&workshop, &owner, ROUNDS).await;
    said.is_everywhere(&workshop, &owner).await;
    let old = workshop.another_box(&old_home).await;
    assert_eq!(old.link_is("stopped", SOON).await["why"], "superseded");
    old.stop().await;

    // The restored one dies too: who restores again says that it is gone.
    workshop.kill_box();
    let back = restore(&url, &third, &words, &[], &["--claim"]).await;
    assert_eq!(back.code, Some(0), "{back:?}");
    is_sound(&third).await;
}

/// Hands the words in at the first page.
async fn asks(served: &Served, url: &str, words: &str) {
    let body = json!({ "url": url, "words": words, "claim": true });
    let begun = post(served.url(), STATE, "", &body).await.unwrap();
    assert_eq!(begun.status, 202, "{begun:?}");
}

/// Whether the box waits for its first run; none while it does not answer. It looks how the restore
/// stands, too, as a page does: the box waits a moment for that.
async fn is_empty(served: &Served) -> Option<bool> {
    get(served.url(), STATE, "").await.ok()?;
    let state = get(served.url(), "/api/setup/", "").await.ok()?;
    state.body["needed"].as_bool()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_page_brings_a_workshop_back_and_the_box_starts_again_with_it() {
    let (mut workshop, owner, mut said, words) = talked().await;
    let (url, login) = (workshop.line.url(), workshop.sample().admin_login());
    workshop.kill_box();
    fs::remove_dir_all(workshop.box_data()).unwrap();
    let data = workshop.box_data();
    let served = Served::start(&data, &[]).await;
    assert_eq!(is_empty(&served).await, Some(true));
    asks(&served, &url, &words).await;
    // What came back is told before the box goes away for a moment.
    let told = async || {
        let state = get(served.url(), STATE, "").await.ok()?.body;
        assert_ne!(state["state"], "failed", "{state}");
        (state["state"] == "done").then(|| state["restored"].clone())
    };
    let restored: Value = until("everything is back", SOON, told).await;
    assert_eq!(restored["requests"], 3, "{restored}");
    let serves = async || (!is_empty(&served).await?).then_some(());
    until("the box serves what came back", SOON, serves).await;
    let signed_in = post(served.url(), "/api/auth/login/", "", &login).await;
    assert_eq!(signed_in.unwrap().status, 200);
    drop(served);
    is_sound(&data).await;
    workshop.start_box().await;
    workshop.link_is("online", SOON).await;
    said.by_both(&workshop, &owner, ROUNDS).await;
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_that_is_killed_while_its_page_restores_is_empty_or_restored() {
    let (mut workshop, _, _, words) = talked().await;
    let (url, login) = (workshop.line.url(), workshop.sample().admin_login());
    workshop.kill_box();
    for (point, is_decided) in [
        ("box-fork-staged", false),
        ("restore-at-rest", false),
        ("restore-decided", true),
        ("restore-database-moved", true),
    ] {
        let data = workshop.beside(point);
        let served = Served::start(&data, &[("MOTOREACH_CRASH_AT", point)]).await;
        asks(&served, &url, &words).await;
        let ends = async || is_empty(&served).await.is_none().then_some(());
        until("the box is gone", SOON, ends).await;
        served.end().await;
        let served = Served::start(&data, &[]).await;
        assert_eq!(is_empty(&served).await, Some(!is_decided), "{point}");
        if !is_decided {
            asks(&served, &url, &words).await;
            let serves = async || (!is_empty(&served).await?).then_some(());
            until("the box serves what came back", SOON, serves).await;
        }
        let signed_in = post(served.url(), "/api/auth/login/", "", &login).await;
        assert_eq!(signed_in.unwrap().status, 200, "{point}");
        drop(served);
        is_sound(&data).await;
    }
}
