//! Coming back (`wire.md` §6): nothing is lost, doubled or out of order across a reconnect, and what
//! cannot be told one by one is told afresh.

use serde_json::{Value, json};

use crate::chat_v1::said;
use crate::harness::{Workshop, number, text};
use crate::socket::{Socket, V1};

/// A chat socket that asks for what it missed, and its hello.
pub(crate) async fn resumed(
    workshop: &Workshop,
    request: i64,
    token: &str,
    after: &str,
    log: &str,
) -> (Socket, Value) {
    let path = format!("/ws/service-chat/{request}/?token={token}&after={after}&log={log}");
    let mut socket = workshop.socket(&path, Some(V1)).await;
    let hello = socket.hear_a("chat.hello").await;
    (socket, hello)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_comes_in_order_and_nothing_else() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, hello, _) = workshop.greeted(asha.request, &asha.token).await;
    let (mut desk, ..) = workshop.greeted(asha.request, &workshop.admin.token).await;
    let (seen, _) = said(&mut phone, "seen, then taken back").await;
    let after = seen["rev"].to_string();
    let log = text(&hello["log"]);
    phone.close().await;

    // While she is away; elsewhere too, which is none of her business.
    let (missed, _) = said(&mut desk, "missed").await;
    workshop
        .write(workshop.bilal.request, &workshop.bilal.token, "elsewhere")
        .await;
    desk.say(&json!({"type": "chat.read", "up_to": seen["id"]}))
        .await;
    desk.until("chat.read").await;
    desk.say(&json!({"type": "chat.redact", "id": seen["id"]}))
        .await;
    desk.until("chat.redacted").await;
    let (gone, _) = said(&mut desk, "missed, and taken back").await;
    desk.say(&json!({"type": "chat.redact", "id": gone["id"]}))
        .await;
    desk.until("chat.redacted").await;
    let path = format!("/api/service-requests/{}/", asha.request);
    let body = json!({"status": "IN_PROGRESS"});
    workshop
        .patch(&path, &workshop.meera.token, &body)
        .await
        .expect(200);

    let (mut phone, hello) = resumed(&workshop, asha.request, &asha.token, &after, &log).await;
    let mut told = Vec::new();
    let mut last = number(&seen["rev"]);
    for _ in 0..6 {
        let frame = phone.hear().await;
        // A message's place is its id; of everything else, its rev.
        assert!(number(&frame["rev"]) > last, "{frame} after {last}");
        last = number(&frame["rev"]);
        told.push((text(&frame["type"]), frame));
    }
    let kinds: Vec<_> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    let expected = [
        "chat.message",
        "chat.read",
        "chat.redacted",
        "chat.message",
        "chat.redacted",
        "chat.changed",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(told[0].1["id"], missed["id"]);
    assert_eq!(told[2].1["id"], seen["id"]);
    assert_eq!(
        (&told[3].1["content"], &told[3].1["redacted"]),
        (&json!(""), &json!(true)),
        "erased words do not come back"
    );
    assert_eq!(told[5].1["request"]["status"], "IN_PROGRESS");
    assert!(number(&hello["rev"]) >= last);
    said(&mut phone, "back").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_missed_nothing_is_told_nothing() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, hello, _) = workshop.greeted(asha.request, &asha.token).await;
    let (message, _) = said(&mut phone, "one").await;
    phone.close().await;
    let (after, log) = (message["rev"].to_string(), text(&hello["log"]));
    let (mut phone, _) = resumed(&workshop, asha.request, &asha.token, &after, &log).await;
    phone.post("two").await;
    let next = phone.until_that(|frame| frame["type"] != "chat.ack").await;
    assert_eq!(next["content"], "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_is_not_of_this_log_gets_a_fresh_history() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, hello, _) = workshop.greeted(asha.request, &asha.token).await;
    let (message, _) = said(&mut phone, "one").await;
    let (rev, log) = (number(&message["rev"]), text(&hello["log"]));
    let another = uuid::Uuid::new_v4().to_string();
    for (after, log) in [
        (rev.to_string(), another.as_str()),
        (rev.to_string(), "garbage"),
        (rev.to_string(), ""),
        ((rev + 1_000).to_string(), &log),
        (i64::MAX.to_string(), &log),
        ("99999999999999999999".to_owned(), &log),
        ("x".to_owned(), &log),
        (String::new(), &log),
    ] {
        let (mut phone, _) = resumed(&workshop, asha.request, &asha.token, &after, log).await;
        let history = phone.hear_a("chat.history").await;
        assert_eq!(history["messages"][0]["id"], message["id"], "{after} {log}");
        assert_eq!(history["has_more"], false);
    }
    // From before the beginning everything was missed.
    for after in ["0", "-1", "-9223372036854775808"] {
        let (mut phone, _) = resumed(&workshop, asha.request, &asha.token, after, &log).await;
        let told = phone
            .until_that(|frame| frame["type"] != "chat.changed")
            .await;
        assert_eq!(told["id"], message["id"], "{after}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_changes_come_one_by_one_and_more_as_a_fresh_history() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (phone, hello, _) = workshop.greeted(asha.request, &asha.token).await;
    phone.close().await;
    let (after, log) = (hello["rev"].to_string(), text(&hello["log"]));
    let mut desk = workshop.chat(asha.request, &workshop.admin.token).await;
    for at in 0..501 {
        if at == 500 {
            let (mut phone, _) = resumed(&workshop, asha.request, &asha.token, &after, &log).await;
            for at in 0..500 {
                let message = phone.hear_a("chat.message").await;
                assert_eq!(message["content"], at.to_string());
            }
            phone.close().await;
        }
        desk.say(&json!({"type": "chat.message", "content": at.to_string()}))
            .await;
        desk.hear().await;
    }
    let (mut phone, _) = resumed(&workshop, asha.request, &asha.token, &after, &log).await;
    let history = phone.hear_a("chat.history").await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 50);
    assert_eq!(history["messages"][49]["content"], "500");
    assert_eq!(history["has_more"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graceful_stop_closes_with_1012_and_keeps_what_was_acknowledged() {
    let mut workshop = Workshop::open().await;
    let asha = workshop.asha.clone();
    let (mut phone, hello, _) = workshop.greeted(asha.request, &asha.token).await;
    let mut desk = workshop.chat(asha.request, &workshop.admin.token).await;
    let mut dots = workshop.dots(&workshop.admin.token).await;
    for _ in 0..200 {
        phone.post("under way").await;
    }
    let first = phone.until("chat.ack").await;
    let listening = async {
        let mut acknowledged = vec![first];
        loop {
            match phone.next().await {
                Ok(frame) if frame["type"] == "chat.ack" => acknowledged.push(frame),
                Ok(_) => {}
                Err(code) => return (acknowledged, code),
            }
        }
    };
    let ((acknowledged, code), desk, dots, ()) =
        tokio::join!(listening, desk.closed(), dots.closed(), workshop.restart());
    assert_eq!((code, desk, dots), (1012, 1012, 1012));
    let kept = workshop.messages(asha.request, &asha.token).await;
    let log = text(&hello["log"]);
    for ack in &acknowledged {
        let stored = kept
            .iter()
            .filter(|kept| kept["client_id"] == ack["client_id"]);
        let ids: Vec<_> = stored.map(|kept| &kept["id"]).collect();
        assert_eq!(ids, [&ack["id"]]);
    }
    // The log is the same, so a page resumes over the restart.
    let after = kept[0]["rev"].to_string();
    let (mut phone, _) = resumed(&workshop, asha.request, &asha.token, &after, &log).await;
    for kept in &kept[1..] {
        assert_eq!(phone.hear_a("chat.message").await["id"], kept["id"]);
    }
    assert_eq!(workshop.check().faults, Vec::<String>::new());
}
