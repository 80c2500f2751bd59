//! What owners write.

use serde_json::json;

use super::{Page, Running, event};
use crate::relay::conformance::pen::{Draft, workshop};
use crate::relay::store::RelayStore;

#[tokio::test]
async fn a_post_is_kept_once_until_the_journal_has_it() {
    let running = Running::start();
    let mut pen = running.workshop(1, &[1]).await;
    let (mut page, _) = Page::ready(&running, 1).await;
    for _ in 0..2 {
        page.post(event(70), "message").await;
        assert_eq!(page.next("stored").await["id"], json!(event(70).uuid()));
    }
    let waiting = running.relay.store.posts_after(workshop(1), 0, 9).await;
    assert_eq!(waiting.unwrap().len(), 1);
    pen.write(Draft::message(70).by_owner());
    running.sync(&pen, 1).await;
    let entry = &page.next("entries").await["entries"][0];
    assert_eq!(entry["id"], json!(event(70).uuid()));
    assert_eq!(entry["from_owner"], true);
    let waiting = running.relay.store.posts_after(workshop(1), 0, 9).await;
    assert!(waiting.unwrap().is_empty());
    page.post(event(70), "message").await;
    page.next("stored").await;
}

#[tokio::test]
async fn a_post_that_the_box_refuses_is_told() {
    let running = Running::start();
    let pen = running.workshop(1, &[1]).await;
    let (mut page, _) = Page::ready(&running, 1).await;
    page.post(event(71), "message").await;
    page.next("stored").await;
    let why = "unreadable".to_owned();
    let refused = running.relay.store.refuse_post(pen.fence(), event(71), why);
    refused.await.unwrap();
    let told = page.next("refused").await;
    assert_eq!(told["why"], "unreadable");
    assert_eq!(told["id"], json!(event(71).uuid()));
}

#[tokio::test]
async fn what_no_box_would_take_is_refused_at_once() {
    let running = Running::start();
    running.workshop(1, &[1]).await;
    let (mut page, _) = Page::ready(&running, 1).await;
    page.post(event(72), "estimate").await;
    let error = page.next("error").await;
    assert_eq!(error["code"], "not_allowed");
    assert_eq!(error["id"], json!(event(72).uuid()));
    let id = event(73).uuid();
    for sealed in ["", "not base64!"] {
        page.say(&json!({
            "type": "post", "id": id, "kind": "message", "epoch": 0, "sealed": sealed,
        }))
        .await;
        assert_eq!(page.next("error").await["code"], "not_allowed");
    }
    page.say(&json!({ "type": "something.new" })).await;
    assert_eq!(page.next("error").await["code"], "malformed");
}

#[tokio::test]
async fn a_flood_is_slowed_down_and_what_is_kept_already_is_not_counted() {
    let running = Running::start();
    running.workshop(1, &[1]).await;
    let (mut page, _) = Page::ready(&running, 1).await;
    let mut refused = 0;
    for number in 0..80 {
        page.post(event(1_000 + number), "message").await;
        let answer = page.next_of(&["stored", "error"]).await;
        if answer["type"] == "error" {
            assert_eq!(answer["code"], "rate_limited");
            assert!(answer["retry_after_s"].as_u64().unwrap() >= 1);
            refused += 1;
        }
    }
    assert!(refused >= 10, "{refused} of 80 refused");
    // Offered again after a long way, all of it: nothing of it is new.
    for number in 0..50 {
        page.post(event(1_000 + number), "message").await;
        page.next("stored").await;
    }
}
