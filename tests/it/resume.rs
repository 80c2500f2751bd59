//! Coming back (`wire.md` §6): nothing is lost, doubled or out of order across a reconnect, and what
//! cannot be told one by one is told afresh.

use std::sync::atomic::{AtomicUsize, Ordering};

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

/// Somebody who writes as long as anybody reads.
async fn flood(workshop: &Workshop, request: i64, token: &str, readers: &AtomicUsize) {
    let mut socket = workshop.chat(request, token).await;
    let mut said = 0;
    while readers.load(Ordering::Relaxed) > 0 {
        for _ in 0..8 {
            let frame = json!({"type": "chat.message", "content": said.to_string()});
            socket.say(&frame).await;
            said += 1;
        }
        for _ in 0..8 {
            socket.hear().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_back_while_others_write_loses_and_doubles_nothing() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (phone, hello, _) = workshop.greeted(asha.request, &asha.token).await;
    phone.close().await;
    let (first, log) = (number(&hello["rev"]), text(&hello["log"]));
    let readers = AtomicUsize::new(4);
    // Everybody comes back again and again, each time to where they were.
    let reader = async || {
        let (mut seen, mut at) = (Vec::new(), first);
        for _ in 0..60 {
            let after = at.to_string();
            let (mut socket, hello) =
                resumed(&workshop, asha.request, &asha.token, &after, &log).await;
            let head = number(&hello["rev"]);
            while at <= head {
                let frame = socket
                    .until_that(|frame| frame["type"] != "chat.presence")
                    .await;
                assert_eq!(frame["type"], "chat.message", "{frame}");
                assert!(number(&frame["rev"]) > at, "{frame} came again after {at}");
                at = number(&frame["rev"]);
                seen.push(at);
            }
            socket.cut();
        }
        readers.fetch_sub(1, Ordering::Relaxed);
        seen
    };
    let ((), one, two, three, four) = tokio::join!(
        flood(&workshop, asha.request, &workshop.admin.token, &readers),
        reader(),
        reader(),
        reader(),
        reader(),
    );
    let ids = "select seq from message order by seq";
    let conn = workshop.database();
    let mut query = conn.prepare(ids).unwrap();
    let stored: Vec<i64> = query
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for seen in [one, two, three, four] {
        assert!(seen.len() > 50, "only {}", seen.len());
        assert_eq!(seen, stored[..seen.len()]);
    }
}

/// What a page of the original contract does: it opens its socket, and once that is open asks for
/// history. What the socket says next must follow on from there.
#[tokio::test(flavor = "multi_thread")]
async fn an_original_page_that_asks_for_history_once_its_socket_is_open_misses_nothing() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let readers = AtomicUsize::new(8);
    let reader = async || {
        let mut joints = Vec::new();
        for _ in 0..40 {
            let mut socket = workshop.chat(asha.request, &asha.token).await;
            let path = format!("/api/service-requests/{}/messages/?limit=1", asha.request);
            let newest = workshop.get(&path, &asha.token).await.expect(200).json();
            let newest = newest[0]["id"].as_i64().unwrap_or_default();
            let next = socket
                .until_that(|message| number(&message["id"]) > newest)
                .await;
            joints.push((newest, number(&next["id"])));
            socket.cut();
        }
        readers.fetch_sub(1, Ordering::Relaxed);
        joints
    };
    let ((), all) = tokio::join!(
        flood(&workshop, asha.request, &workshop.admin.token, &readers),
        futures_util::future::join_all((0..8).map(|_| reader()))
    );
    let conn = workshop.database();
    let between = "select count(*) from message where seq > ?1 and seq < ?2";
    for (newest, next) in all.into_iter().flatten() {
        let missed: i64 = conn
            .query_row(between, [newest, next], |row| row.get(0))
            .unwrap();
        assert_eq!(missed, 0, "between {newest} and {next}");
    }
}
