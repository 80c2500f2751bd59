//! A small disk that fills up and gets room again (R8).

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use crate::harness::{Chat, Namespace, Program, SOON, get, post, run, until};
use crate::history;

/// Room for a sample workshop and a few megabytes of messages.
const SMALL: &str = "12M";
/// A message that takes room: as long as one may be.
const LONG: usize = 8_000;
/// So many refusals one after the other: there is no room.
const FULL: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_messages_in_words_and_goes_on_with_everything_else() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mut disk = Namespace::new();
    disk.mount(&data, SMALL);
    let enter = disk.enter();
    let program = Program::start_with(home.path(), &data, &enter).await;
    let sample = program.sample.clone();
    let (url, owner, admin) = (sample.url(), sample.owner(0), sample.admin());
    let request = sample.request(0);
    let messages = format!("/api/service-requests/{request}/messages/");
    let mut acknowledged = Vec::new();

    // The first refusal makes the server tidy up its log, which may give room for some more.
    let mut refused_in_a_row = 0;
    let refused = loop {
        let content = format!("{:0LONG$}", acknowledged.len());
        let body = json!({ "content": content, "client_id": Uuid::now_v7() });
        let answer = post(url, &messages, owner, &body).await.unwrap();
        match answer.status {
            201 => {
                acknowledged.push(answer.body["id"].as_i64().unwrap());
                refused_in_a_row = 0;
            }
            507 => refused_in_a_row += 1,
            _ => panic!("{answer:?}"),
        }
        if refused_in_a_row == FULL {
            break answer;
        }
    };
    println!("{} messages of {LONG} characters fit", acknowledged.len());
    assert_eq!(refused.code(), "disk_full");
    assert!(
        refused.body["detail"].as_str().unwrap().contains("full"),
        "{refused:?}"
    );

    let mut chat = Chat::open(&sample, owner, request, None).await.unwrap();
    let name = Uuid::now_v7();
    chat.say(name, "One more?").await.unwrap();
    let error = chat.expect("chat.error").await;
    assert_eq!(error["code"], "disk_full");
    assert_eq!(error["client_id"], name.to_string());

    let read = get(url, &messages, admin).await.unwrap();
    assert_eq!(read.status, 200, "reading goes on");
    let login = post(url, "/api/auth/login/", "", &sample.admin_login())
        .await
        .unwrap();
    assert_eq!(login.status, 200, "signing in goes on: {login:?}");
    let path = format!("{messages}mark-read/");
    let marked = post(url, &path, admin, &json!({})).await.unwrap();
    assert_eq!(marked.status, 200, "marking as read goes on: {marked:?}");
    assert_eq!(
        get(url, "/healthz", "").await.unwrap().status,
        200,
        "full is not dead"
    );
    assert_eq!(get(url, "/readyz", "").await.unwrap().status, 507);

    disk.remount(&data, "size=32M");
    let accepted = until(
        "writing goes on when there is room",
        Duration::from_secs(1),
        async || {
            let body = json!({ "content": "There is room", "client_id": name });
            let answer = post(url, &messages, owner, &body).await.unwrap();
            (answer.status == 201).then_some(answer.body["id"].as_i64().unwrap())
        },
    );
    acknowledged.push(accepted.await);
    chat.say(Uuid::now_v7(), "And here").await.unwrap();
    chat.expect_within("chat.ack", SOON).await;

    // What was acknowledged survives the hardest end, too.
    program.kill();
    let program = Program::start_with(home.path(), &data, &disk.enter()).await;
    let stored = history::all(&program.sample, 0).await;
    history::is_in_order(&stored);
    for id in acknowledged {
        let there = stored
            .iter()
            .any(|message| message["id"].as_i64() == Some(id));
        assert!(there, "message {id} was acknowledged and is lost");
    }
    assert!(program.stop().await.success());
    let data = data.join("box");
    let arguments = ["doctor", "--json", "--data", data.to_str().unwrap()];
    let doctor = run(&disk.enter(), &arguments, "").await;
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
}
