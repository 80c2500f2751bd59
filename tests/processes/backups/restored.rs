//! Restoring them.

use std::fs;

use serde_json::{Value, json};

use super::{backup, code, is_sound, names, paper, restore, stopped_workshop, words_of};
use crate::harness::agreement::{incarnations, journal};
use crate::harness::{Namespace, SOON, Served, Workshop, get, post, until};
use crate::link::Said;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_after_the_backup_comes_back_from_the_relay_and_the_conversation_goes_on() {
    let mut workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, 3).await;
    workshop.agrees(&[&owner]).await;
    let (data, words) = (workshop.box_data(), words_of(&workshop.box_data()));
    let file = workshop.beside("one.backup");
    // The running server makes it.
    let made = backup(&data, &[], &["--to", file.to_str().unwrap()]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    said.by_both(&workshop, &owner, 3).await;
    workshop.agrees(&[&owner]).await;
    let before = journal(&data);

    workshop.kill_box();
    fs::remove_dir_all(&data).unwrap();
    let back = restore(&file, &data, &words, &[]).await;
    assert_eq!(back.code, Some(0), "{back:?}");
    assert!(back.json()["as_of"].is_string(), "{back:?}");
    is_sound(&data).await;
    assert!(journal(&data).len() < before.len());
    workshop.start_box().await;
    workshop.link_is("online", SOON).await;
    said.is_everywhere(&workshop, &owner).await;
    assert!(incarnations(&data) > 1);
    let login = workshop.sample().admin_login();
    let signed_in = post(workshop.sample().url(), "/api/auth/login/", "", &login).await;
    assert_eq!(signed_in.unwrap().status, 200, "old passwords count");
    said.by_both(&workshop, &owner, 3).await;
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_restored_is_said_in_words_and_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let data = stopped_workshop(home.path()).await;
    let words = words_of(&data);
    let file = home.path().join("one.backup");
    let plain = home.path().join("plain.backup");
    for (file, more) in [(&file, &[][..]), (&plain, &["--plain"][..])] {
        let to = [&["--to", file.to_str().unwrap()], more].concat();
        assert_eq!(backup(&data, &[], &to).await.code, Some(0));
    }
    let new = home.path().join("new");
    let whole = fs::read(&file).unwrap();
    let bent = |name: &str, bytes: &[u8]| {
        let path = home.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for (bad, expected) in [
        (bent("flipped", &flipped), "backup_damaged"),
        (bent("cut", &whole[..whole.len() / 2]), "backup_damaged"),
        (bent("header", &whole[..4_096]), "backup_cut_off"),
        (bent("empty", b""), "not_a_backup"),
        (bent("page", b"<!doctype html>"), "not_a_backup"),
        (home.path().join("missing"), "backup_gone"),
        (home.path().to_owned(), "backup_gone"),
    ] {
        let refused = restore(&bad, &new, &words, &[]).await;
        assert_eq!(refused.code, Some(1), "{expected}: {refused:?}");
        assert_eq!(code(&refused), expected, "{refused:?}");
        let left = names(&new);
        assert!(left.is_empty() || left == ["lock"], "{expected}: {left:?}");
    }
    for file in [&file, &plain] {
        let stranger = restore(file, &new, &paper([9; 32]), &[]).await;
        assert_eq!(code(&stranger), "other_workshop", "{stranger:?}");
        let mistyped = restore(file, &new, "abandon", &[]).await;
        assert_eq!(mistyped.code, Some(1), "{mistyped:?}");
        assert!(mistyped.err.contains("24 recovery words"), "{mistyped:?}");
    }
    let onto_itself = restore(&file, &data, &words, &[]).await;
    assert_eq!(
        (onto_itself.code, code(&onto_itself).as_str()),
        (Some(3), "already_set_up")
    );
    // A disk that is too small, then the same with room.
    fs::create_dir_all(&new).unwrap();
    let mut disk = Namespace::new();
    disk.mount(&new, "256k");
    let full = restore(&file, &new, &words, &disk.enter()).await;
    assert_eq!(code(&full), "storage_failing", "{full:?}");
    disk.sh(&format!("test ! -e {}/restoring", new.display()));
    disk.remount(&new, "size=64M");
    let back = restore(&file, &new, &words, &disk.enter()).await;
    assert_eq!(back.code, Some(0), "{back:?}");
    let of_plain = home.path().join("of-plain");
    let back = restore(&plain, &of_plain, &words, &[]).await;
    assert_eq!(back.code, Some(0), "{back:?}");
    is_sound(&of_plain).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_is_killed_anywhere_leaves_nothing_or_everything() {
    let home = tempfile::tempdir().unwrap();
    let data = stopped_workshop(home.path()).await;
    let (words, before) = (words_of(&data), journal(&data));
    let file = home.path().join("one.backup");
    let made = backup(&data, &[], &["--to", file.to_str().unwrap()]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    for (point, is_decided) in [
        ("restore-unpacked", false),
        ("restore-at-rest", false),
        ("restore-decided", true),
        ("restore-cleared", true),
        ("restore-database-moved", true),
        ("restore-secret-moved", true),
    ] {
        let new = home.path().join(point);
        let ends = format!("MOTOREACH_CRASH_AT={point}");
        let killed = restore(&file, &new, &words, &["env", &ends]).await;
        assert_eq!(killed.code, None, "{point}: it is killed: {killed:?}");
        let again = restore(&file, &new, &words, &[]).await;
        if is_decided {
            assert_eq!(code(&again), "already_set_up", "{point}: {again:?}");
        } else {
            assert_eq!(again.code, Some(0), "{point}: {again:?}");
        }
        is_sound(&new).await;
        assert_eq!(journal(&new), before, "{point}");
        assert_eq!(words_of(&new), words, "{point}");
        for left in ["restoring", "restored"] {
            assert!(!new.join(left).exists(), "{point}: {left} is still there");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_page_finds_a_backup_and_the_box_starts_again_with_it() {
    let home = tempfile::tempdir().unwrap();
    let data = stopped_workshop(home.path()).await;
    let words = words_of(&data);
    let new = home.path().join("new");
    fs::create_dir_all(new.join("backups")).unwrap();
    let file = new.join("backups/one.backup");
    let made = backup(&data, &[], &["--to", file.to_str().unwrap()]).await;
    assert_eq!(made.code, Some(0), "{made:?}");

    let served = Served::start(&new, &[]).await;
    let found = get(served.url(), "/api/setup/backups/", "").await.unwrap();
    let found: &Value = &found.body["found"][0];
    assert_eq!(found["path"], json!(file), "{found}");
    let ask = async |words: &str| {
        let body = json!({ "words": words, "from": { "path": file } });
        post(served.url(), "/api/setup/restore/", "", &body)
            .await
            .unwrap()
    };
    let stranger = ask(&paper([9; 32])).await;
    assert_eq!(
        (stranger.status, stranger.code()),
        (422, "recovery_words_wrong")
    );
    assert_eq!(ask(&words).await.status, 202);
    let told = async || {
        let state = get(served.url(), "/api/setup/restore/", "")
            .await
            .ok()?
            .body;
        assert_ne!(state["state"], "failed", "{state}");
        (state["state"] == "done").then(|| state["restored"].clone())
    };
    let restored = until("everything is back", SOON, told).await;
    assert_eq!(restored["messages"], made.json()["messages"]);
    assert!(restored["as_of"].is_string(), "{restored}");
    let serves = async || {
        let state = get(served.url(), "/api/setup/", "").await.ok()?;
        (state.body["needed"] == false).then_some(())
    };
    until("the box serves what came back", SOON, serves).await;
    drop(served);
    is_sound(&new).await;
}
