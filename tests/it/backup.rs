//! Backups as the box's own page sees them: asked for, followed, taken away, and kept somewhere else.

use std::fs;
use std::path::{Path, PathBuf};

use motoreach::seal::{BACKUP_HEADER_BYTES, BackupHeader};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::Answer;
use crate::first_run::from_elsewhere;
use crate::harness::{FreshBox, PATIENCE, Workshop, text};

const PATH: &str = "/api/box/backup/";

async fn state(workshop: &Workshop) -> Value {
    let state = workshop.get(PATH, &workshop.admin.token).await;
    state.expect(200).json()
}

/// Asks for one and waits for its end.
async fn backed_up(workshop: &Workshop) -> Value {
    let begun = workshop.post(PATH, &workshop.admin.token, &json!({})).await;
    begun.expect(202);
    let ends = async {
        loop {
            let state = state(workshop).await;
            if state["running"].is_null() {
                return state;
            }
        }
    };
    timeout(PATIENCE, ends).await.expect("it ends")
}

async fn change(workshop: &Workshop, body: &Value) -> Answer {
    let ask = workshop.ask("PUT", PATH).token(&workshop.admin.token);
    ask.json(body).send().await
}

fn header(file: &Path) -> BackupHeader {
    let bytes = fs::read(file).unwrap();
    let block: &[u8; BACKUP_HEADER_BYTES] = bytes.first_chunk().unwrap();
    BackupHeader::parse(block).unwrap()
}

fn folder(workshop: &Workshop) -> PathBuf {
    workshop.path().join("box/backups")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_asked_for_proven_and_taken_away() {
    let workshop = Workshop::open().await;
    let before = state(&workshop).await;
    assert_eq!(before["folder"], Value::Null);
    assert_eq!(before["places"][0]["label"], "This box");
    assert_eq!(
        before["keep"],
        json!({"daily": 7, "weekly": 4, "monthly": 6})
    );
    for nothing in ["running", "last", "proven"] {
        assert_eq!(before[nothing], Value::Null, "{nothing}");
    }
    for number in 0..5 {
        let content = format!("Message {number}");
        workshop
            .write(workshop.asha.request, &workshop.meera.token, &content)
            .await;
    }

    let after = backed_up(&workshop).await;
    let last = &after["last"];
    assert_eq!(last["fault"], Value::Null, "{after}");
    assert_eq!(
        (&last["proven"]["messages"], &last["proven"]["of"]),
        (&json!(5), &json!(5))
    );
    assert_eq!(after["proven"], last["proven"]);
    let name = text(&last["file"]);
    assert!(name.starts_with("motoreach-sharma-motors-"), "{name}");
    assert_eq!(after["files"][0]["name"], json!(name));
    let there = folder(&workshop).join(&name);
    let told = header(&there);
    assert_eq!((told.messages, told.sealed), (5, true));
    // Nothing of it is left in the data directory but the file.
    let left: Vec<_> = fs::read_dir(folder(&workshop)).unwrap().collect();
    assert_eq!(left.len(), 1);
    assert!(!workshop.path().join("box/backing-up").exists());
    // What a relay may forget now.
    let line: String = workshop
        .database()
        .query_row(
            "select value from local_state where name = 'backup_proven_up_to'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(line, told.head.seq.to_string());

    let path = format!("{PATH}files/{name}/");
    let taken = workshop.get(&path, &workshop.admin.token).await.expect(200);
    assert_eq!(taken.body, fs::read(&there).unwrap());
    let disposition = taken.field("content-disposition").unwrap();
    assert_eq!(disposition, format!("attachment; filename=\"{name}\""));
    for other in [
        "..%2Fmotoreach.db",
        "..%2F..%2Fbox%2Froot.secret",
        "nothing.backup",
    ] {
        let path = format!("{PATH}files/{other}/");
        let refused = workshop.get(&path, &workshop.admin.token).await;
        refused.problem(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_and_the_rules_are_changed_and_what_cannot_be_is_told_by_field() {
    let workshop = Workshop::open().await;
    let stick = workshop.path().join("stick");
    fs::create_dir(&stick).unwrap();
    let chosen = stick.join("motoreach-backups");
    let body = json!({"folder": chosen, "keep": {"daily": 2, "weekly": 0, "monthly": 0}});
    let changed = change(&workshop, &body).await.expect(200).json();
    assert_eq!(changed["folder"], json!(chosen));
    assert_eq!(changed["keep"]["daily"], 2);
    let made = backed_up(&workshop).await;
    assert!(chosen.join(text(&made["last"]["file"])).exists());
    assert!(!folder(&workshop).exists());

    for (field, code, body) in [
        ("folder", "value", json!({"folder": "stick"})),
        (
            "folder",
            "folder_gone",
            json!({"folder": stick.join("a/b")}),
        ),
        (
            "folder",
            "folder_read_only",
            json!({"folder": "/proc/backups"}),
        ),
        (
            "keep",
            "value",
            json!({"keep": {"daily": 0, "weekly": 0, "monthly": 0}}),
        ),
        (
            "keep",
            "value",
            json!({"keep": {"daily": 1, "weekly": 999, "monthly": 0}}),
        ),
    ] {
        let refused = change(&workshop, &body).await;
        assert_eq!(refused.status, 422, "{body}: {refused:?}");
        let problem = refused.json();
        assert!(problem["errors"][field].is_array(), "{code}: {problem}");
    }
    assert_eq!(state(&workshop).await["folder"], json!(chosen));

    // The stick is pulled out: no folder is made in its place, and the page says so.
    fs::remove_dir_all(&stick).unwrap();
    let failed = backed_up(&workshop).await;
    assert_eq!(failed["last"]["fault"]["code"], "folder_gone");
    assert_eq!(
        (&failed["last"]["file"], &failed["files"]),
        (&Value::Null, &json!([]))
    );
    assert!(!stick.exists());
    // That the earlier one was proven is not forgotten.
    assert_eq!(failed["proven"]["file"], made["last"]["file"]);

    let back = change(&workshop, &json!({"folder": null}))
        .await
        .expect(200);
    assert_eq!(back.json()["folder"], Value::Null);
    assert_eq!(backed_up(&workshop).await["last"]["fault"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_backup_at_a_time_and_messages_go_on() {
    let workshop = Workshop::open().await;
    let first = workshop.post(PATH, &workshop.admin.token, &json!({})).await;
    first.expect(202);
    let second = workshop.post(PATH, &workshop.admin.token, &json!({})).await;
    // The first may be over already on a quick machine; it never takes both at once.
    if second.status != 202 {
        second.problem(409, "backup_under_way");
    }
    workshop
        .write(workshop.asha.request, &workshop.meera.token, "Goes on")
        .await;
    let ends = async { while !state(&workshop).await["running"].is_null() {} };
    timeout(PATIENCE, ends).await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_older_ones_of_ours_give_way() {
    let workshop = Workshop::open().await;
    let body = json!({"keep": {"daily": 1, "weekly": 0, "monthly": 0}});
    change(&workshop, &body).await.expect(200);
    let first = text(&backed_up(&workshop).await["last"]["file"]);
    // One of another workshop under a name of ours, one that somebody named, and something else.
    let theirs = [
        "motoreach-2020-01-01T0000Z.backup",
        "before-the-move.backup",
        "motoreach-2020-01-02T0000Z.backup",
    ];
    let mut other = header(&folder(&workshop).join(&first));
    other.workshop = motoreach::domain::WorkshopKey::from_bytes([9; 16]);
    fs::write(folder(&workshop).join(theirs[0]), other.block()).unwrap();
    let from = folder(&workshop).join(&first);
    fs::copy(&from, folder(&workshop).join(theirs[1])).unwrap();
    fs::write(folder(&workshop).join(theirs[2]), b"holiday photos").unwrap();
    let newest = text(&backed_up(&workshop).await["last"]["file"]);
    assert_ne!(first, newest);
    assert!(!folder(&workshop).join(&first).exists(), "it gave way");
    for name in theirs.iter().copied().chain([newest.as_str()]) {
        assert!(folder(&workshop).join(name).exists(), "{name} is gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_handed_in_at_the_first_run_comes_back() {
    let workshop = Workshop::open().await;
    workshop
        .write(workshop.asha.request, &workshop.meera.token, "Ready")
        .await;
    let name = text(&backed_up(&workshop).await["last"]["file"]);
    let backup = fs::read(folder(&workshop).join(name)).unwrap();
    let words = workshop.running().store().keys().recovery_words().join(" ");

    let fresh = FreshBox::start().await;
    let hand_in = |bytes: &[u8]| {
        let ask = fresh.ask("PUT", "/api/setup/backup/");
        ask.body("application/octet-stream", bytes)
    };
    for other in [&b"holiday photos"[..], &backup[..4_000], &[7; 300_000]] {
        let refused = hand_in(other).send().await;
        refused.problem(422, "not_a_backup");
    }
    // From another machine it takes the printed code.
    let refused = from_elsewhere(hand_in(&backup)).await;
    refused.problem(403, "set_up_code_wrong");
    let code = fresh.running().set_up_code().unwrap().to_owned();
    let coded = hand_in(&backup).field("X-Setup-Code", &code);
    from_elsewhere(coded).await.expect(200);

    let taken = hand_in(&backup).send().await.expect(200).json();
    assert_eq!(
        (&taken["bytes"], &taken["sealed"]),
        (&json!(backup.len()), &json!(true))
    );
    let ask = |from: Value| {
        let body = json!({"words": words, "from": from});
        fresh.ask("POST", "/api/setup/restore/").json(&body)
    };
    // One that was replaced, one that nobody found, and a file that is none of its business.
    for from in [
        json!({"upload": "00000000-0000-4000-8000-000000000000"}),
        json!({"path": "/etc/passwd"}),
    ] {
        ask(from).send().await.problem(422, "backup_gone");
    }
    ask(json!({})).send().await.problem(422, "invalid");
    let begun = ask(json!({"upload": taken["upload"]})).send().await;
    begun.expect(202);
    let ends = async {
        loop {
            let path = "/api/setup/restore/";
            let state = fresh.ask("GET", path).send().await.expect(200).json();
            assert_ne!(state["state"], "failed", "{state}");
            if state["state"] == "done" {
                return state;
            }
        }
    };
    let state = timeout(PATIENCE, ends).await.expect("it comes back");
    assert_eq!(state["restored"]["messages"], 1);
    assert_eq!(state["restored"]["workshop_name"], "Sharma Motors");
    timeout(PATIENCE, fresh.running().restored())
        .await
        .expect("the box is to start again with it");
}
