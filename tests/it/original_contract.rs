//! `wire.md` §2–§4 to the letter: what front ends that know nothing of `motoreach.v1` rely on.

use serde_json::{Value, json};

use crate::harness::{WORKSHOP, Workshop, keys, number, text};
use crate::socket::{Socket, V1};

const MESSAGE_KEYS: [&str; 11] = [
    "content",
    "created_at",
    "id",
    "read_by_user",
    "read_by_workshop",
    "sender_name",
    "sender_type",
    "sender_user",
    "sender_workshop",
    "service_request",
    "service_request_id",
];

const ADDED_OVER_HTTP: [&str; 11] = [
    "attachments",
    "author_id",
    "author_name",
    "client_id",
    "damaged",
    "delivery",
    "expires_at",
    "kind",
    "redacted",
    "reply_to",
    "rev",
];

fn chat(content: &str) -> Value {
    json!({"type": "chat.message", "content": content})
}

/// RFC 3339 with milliseconds and `Z`.
#[track_caller]
fn assert_is_a_time(value: &Value) {
    let time = text(value);
    let form: String = time
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(form, "0000-00-00T00:00:00.000Z", "{time}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owners_message_goes_to_everybody_in_the_room_as_one_flat_object() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let mut at_the_phone = workshop.chat(asha.request, &asha.token).await;
    let mut at_the_desk = workshop.chat(asha.request, &workshop.admin.token).await;
    at_the_phone.say(&chat("Is it ready?")).await;
    let own = at_the_phone.hear().await;
    assert_eq!(keys(&own), MESSAGE_KEYS);
    assert_is_a_time(&own["created_at"]);
    let expected = json!({"id": own["id"], "service_request": asha.request,
        "service_request_id": asha.request, "sender_type": "USER", "sender_user": asha.id,
        "sender_workshop": null, "sender_name": "Asha Nair", "content": "Is it ready?",
        "read_by_user": true, "read_by_workshop": false, "created_at": own["created_at"]});
    assert_eq!(own, expected);
    assert_eq!(at_the_desk.hear().await, own);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_anybody_on_the_staff_is_the_workshops() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let mut at_the_phone = workshop.chat(asha.request, &asha.token).await;
    let mut last = 0;
    for staff in [&workshop.admin, &workshop.meera, &workshop.ravi] {
        let mut socket = workshop.chat(asha.request, &staff.token).await;
        socket.say(&chat("After five.")).await;
        let message = at_the_phone.hear().await;
        assert_eq!(keys(&message), MESSAGE_KEYS);
        assert_eq!(message["sender_type"], "WORKSHOP");
        assert_eq!(message["sender_user"], Value::Null);
        assert_eq!(message["sender_workshop"], 1);
        assert_eq!(message["sender_name"], WORKSHOP);
        assert_eq!(message["read_by_user"], false);
        assert_eq!(message["read_by_workshop"], true);
        assert!(number(&message["id"]) > last, "ids rise");
        last = number(&message["id"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_trimmed_and_an_empty_message_is_ignored() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let mut socket = workshop.chat(asha.request, &asha.token).await;
    for content in ["", "  \n\t ", "\u{a0}\u{2003}", "  hello\nthere \u{2003}\n"] {
        socket.say(&chat(content)).await;
    }
    assert_eq!(socket.hear().await["content"], "hello\nthere");
    assert_eq!(workshop.messages(asha.request, &asha.token).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_thousand_characters_are_taken_and_one_more_is_refused() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let mut socket = workshop.chat(asha.request, &asha.token).await;
    for letter in ["a", "ñ", "🛞"] {
        socket.say(&chat(&letter.repeat(8_001))).await;
        let longest = letter.repeat(8_000);
        socket.say(&chat(&format!("  {longest}\n"))).await;
        assert_eq!(socket.hear().await["content"], longest);
    }
    let path = format!("/api/service-requests/{}/messages/", asha.request);
    let body = json!({"content": "ñ".repeat(8_001)});
    let refused = workshop.post(&path, &asha.token, &body).await;
    let problem = refused.problem(422, "too_long");
    assert!(problem["errors"]["content"].is_array(), "{problem}");
    workshop
        .write(asha.request, &asha.token, &"🛞".repeat(8_000))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_original_client_hears_message_objects_and_nothing_else() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let mut original = workshop.chat(asha.request, &asha.token).await;
    let admin = &workshop.admin.token;
    let (mut desk, ..) = workshop.greeted(asha.request, admin).await;
    // Everything but a message happens.
    let id = desk.post("to be taken back").await;
    let message = original.hear().await;
    desk.until_that(|frame| frame["type"] == "chat.ack" && frame["client_id"] == json!(id))
        .await;
    desk.say(&json!({"type": "chat.typing"})).await;
    desk.say(&json!({"type": "chat.redact", "id": message["id"]}))
        .await;
    desk.until("chat.redacted").await;
    workshop.mark_read(asha.request, &asha.token).await;
    let request = format!("/api/service-requests/{}/", asha.request);
    let status = json!({"status": "IN_PROGRESS", "assigned_to": null});
    workshop.patch(&request, admin, &status).await.expect(200);
    workshop.chat_v1(asha.request, admin).await.close().await;
    // What is no message is ignored, whatever it is.
    for nonsense in [
        "",
        "{",
        "null",
        "[]",
        "7",
        "\"chat.message\"",
        r#"{"type":"chat.message"}"#,
        r#"{"type":"chat.message","content":7}"#,
        r#"{"type":"chat.message","content":null}"#,
        r#"{"content":"no type"}"#,
        r#"{"type":"chat.read","up_to":1}"#,
        r#"{"type":"chat.typing"}"#,
        r#"{"type":"chat.history"}"#,
        r#"{"type":"chat.redact","id":1}"#,
        r#"{"type":"something.new","content":"x"}"#,
    ] {
        original.say_text(nonsense).await;
    }
    original.say(&chat("still here")).await;
    let next = original.hear().await;
    assert_eq!(next["content"], "still here");
    assert_eq!(keys(&next), MESSAGE_KEYS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_is_told_with_4401_after_the_upgrade_was_accepted() {
    let workshop = Workshop::open().await;
    let expired = workshop.token_at(workshop.admin.id, -1_000, 900).await;
    let other_box = Workshop::open().await;
    let request = workshop.asha.request;
    for path in [
        format!("/ws/service-chat/{request}/"),
        "/ws/service-chat/999/".to_owned(),
        "/ws/service-chat/abc/".to_owned(),
        "/ws/notifications/".to_owned(),
    ] {
        for query in [
            String::new(),
            "?token=".to_owned(),
            "?token=garbage".to_owned(),
            "?token=%ff%00".to_owned(),
            "?token".to_owned(),
            "?token=a&token=b".to_owned(),
            format!("?token={expired}"),
            format!("?access={expired}"),
            format!("?token={}", other_box.admin.token),
            format!("?Token={}", workshop.admin.token),
        ] {
            for protocol in [None, Some(V1)] {
                let mut socket = workshop.socket(&format!("{path}{query}"), protocol).await;
                assert_eq!(socket.next().await, Err(4401), "{path}{query} {protocol:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_request_and_a_missing_one_are_both_told_with_4403() {
    let workshop = Workshop::open().await;
    let (asha, bilal) = (&workshop.asha, &workshop.bilal);
    let not_ashas = [
        bilal.request.to_string(),
        "999".to_owned(),
        "0".to_owned(),
        "-1".to_owned(),
        "abc".to_owned(),
        "1.0".to_owned(),
        "99999999999999999999".to_owned(),
    ];
    for id in &not_ashas {
        for protocol in [None, Some(V1)] {
            let path = format!("/ws/service-chat/{id}/?token={}", asha.token);
            let mut socket = workshop.socket(&path, protocol).await;
            assert_eq!(socket.next().await, Err(4403), "{id}");
        }
    }
    let path = format!("/ws/service-chat/999/?token={}", workshop.admin.token);
    let mut socket = workshop.socket(&path, None).await;
    assert_eq!(socket.next().await, Err(4403), "staff, missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_get_of_a_socket_is_426() {
    let workshop = Workshop::open().await;
    let token = &workshop.admin.token;
    for path in [
        format!("/ws/service-chat/1/?token={token}"),
        "/ws/service-chat/1/".to_owned(),
        "/ws/service-chat/1".to_owned(),
        "/ws/notifications/".to_owned(),
        "/ws/notifications".to_owned(),
    ] {
        let answer = workshop.ask("GET", &path).send().await;
        answer.problem(426, "upgrade_required");
        assert_eq!(answer.field("upgrade"), Some("websocket"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_is_another_name_for_token_and_the_last_slash_may_be_missing() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (id, token) = (asha.request, &asha.token);
    for path in [
        format!("/ws/service-chat/{id}/?access={token}"),
        format!("/ws/service-chat/{id}?token={token}"),
        format!("/ws/service-chat/{id}?access={token}"),
        format!("/ws/service-chat/{id}/?token={token}&unknown=1"),
    ] {
        let mut socket = workshop.socket(&path, None).await;
        socket.say(&chat(&path[..20])).await;
        assert_eq!(socket.hear().await["content"], path[..20]);
        socket.close().await;
    }
    for path in [
        format!("/ws/notifications/?access={token}"),
        format!("/ws/notifications?token={token}"),
    ] {
        let mut socket = workshop.socket(&path, None).await;
        assert_eq!(socket.hear().await["event"], "notifications.update");
    }
    for path in [
        "/api/me".to_owned(),
        "/api/service-requests".to_owned(),
        format!("/api/service-requests/{id}"),
        format!("/api/service-requests/{id}/messages"),
        format!("/api/service-requests/{id}/messages?limit=1"),
        "/api/messages/unread-summary".to_owned(),
        "/api/service-requests/messages/unread-summary".to_owned(),
    ] {
        workshop.get(&path, token).await.expect(200);
    }
    let path = format!("/api/service-requests/{id}/messages");
    let posted = workshop.post(&path, token, &json!({"content": "x"})).await;
    posted.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notification_object_is_exact() {
    let workshop = Workshop::open().await;
    let (asha, bilal) = (&workshop.asha, &workshop.bilal);
    let empty = json!({"event": "notifications.update", "type": "notification.message",
        "data": {"total_unread_count": 0, "items": []}});
    let mut dots = workshop.dots(&workshop.admin.token).await;
    assert_eq!(dots.hear().await, empty);

    workshop.write(asha.request, &asha.token, "first").await;
    let fifty = "ñ".repeat(50);
    let second = workshop.write(asha.request, &asha.token, &fifty).await;
    let from_bilal = format!("{fifty}x");
    let third = workshop
        .write(bilal.request, &bilal.token, &from_bilal)
        .await;
    let told = dots
        .until_that(|told| told["data"]["total_unread_count"] == 3)
        .await;
    let expected = json!({"event": "notifications.update", "type": "notification.message",
        "data": {"total_unread_count": 3, "items": [
            {"service_request_id": bilal.request, "other_party_name": "Bilal Khan",
             "unread_count": 1, "last_message_excerpt": format!("{fifty}..."),
             "last_message_time": third["created_at"]},
            {"service_request_id": asha.request, "other_party_name": "Asha Nair",
             "unread_count": 2, "last_message_excerpt": fifty,
             "last_message_time": second["created_at"]}]}});
    assert_eq!(told, expected);
    let mut later = workshop.dots(&workshop.admin.token).await;
    assert_eq!(later.hear().await, expected, "on connect");

    // To an owner the other party is the workshop.
    let mut phone = workshop.dots(&asha.token).await;
    assert_eq!(phone.hear().await, empty);
    workshop
        .write(asha.request, &workshop.meera.token, "Done.")
        .await;
    let told = phone.hear().await;
    assert_eq!(told["data"]["items"][0]["other_party_name"], WORKSHOP);
    assert_eq!(told["data"]["total_unread_count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn red_dots_move_whichever_way_a_message_came_and_was_read() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let admin = &workshop.admin.token;
    let (mut desk, mut phone) = (workshop.dots(admin).await, workshop.dots(&asha.token).await);
    let mut original = workshop.chat(asha.request, &asha.token).await;
    let (mut v1, ..) = workshop.greeted(asha.request, admin).await;
    assert_total(&mut desk, 0).await;
    assert_total(&mut phone, 0).await;

    original.say(&chat("over the original socket")).await;
    assert_total(&mut desk, 1).await;
    workshop.write(asha.request, &asha.token, "over HTTP").await;
    assert_total(&mut desk, 2).await;
    v1.post("over v1").await;
    assert_total(&mut phone, 1).await;

    // Nobody's page marks anything read by being open; reading is said.
    let newest = workshop.messages(asha.request, admin).await[1]["id"].clone();
    v1.say(&json!({"type": "chat.read", "up_to": newest})).await;
    assert_total(&mut desk, 0).await;
    workshop.mark_read(asha.request, &asha.token).await;
    assert_total(&mut phone, 0).await;

    // What a colleague has read is no longer unread.
    original.say(&chat("again")).await;
    assert_total(&mut desk, 1).await;
    workshop.mark_read(asha.request, &workshop.ravi.token).await;
    assert_total(&mut desk, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mechanics_count_only_their_own_jobs_but_may_chat_everywhere() {
    let workshop = Workshop::open().await;
    let (asha, bilal) = (&workshop.asha, &workshop.bilal);
    let mut meera = workshop.dots(&workshop.meera.token).await;
    let mut ravi = workshop.dots(&workshop.ravi.token).await;
    let mut admin = workshop.dots(&workshop.admin.token).await;
    for dots in [&mut meera, &mut ravi, &mut admin] {
        assert_total(dots, 0).await;
    }
    workshop
        .write(bilal.request, &bilal.token, "nobody's job")
        .await;
    workshop
        .write(asha.request, &asha.token, "Meera's job")
        .await;
    let told = meera.hear().await;
    assert_eq!(told["data"]["total_unread_count"], 1);
    assert_eq!(told["data"]["items"][0]["service_request_id"], asha.request);
    assert_total(&mut admin, 2).await;

    // Bilal's request becomes Ravi's: the first thing that he hears.
    let path = format!("/api/service-requests/{}/", bilal.request);
    let to_ravi = json!({"assigned_to": workshop.ravi.id});
    workshop
        .patch(&path, &workshop.admin.token, &to_ravi)
        .await
        .expect(200);
    let told = ravi.hear().await;
    assert_eq!(told["data"]["total_unread_count"], 1);
    // And stops being his.
    let to_nobody = json!({"assigned_to": null});
    workshop
        .patch(&path, &workshop.admin.token, &to_nobody)
        .await
        .expect(200);
    assert_total(&mut ravi, 0).await;

    let mut chat_of_ravi = workshop.chat(asha.request, &workshop.ravi.token).await;
    chat_of_ravi.say(&chat("May I help?")).await;
    assert_eq!(chat_of_ravi.hear().await["sender_name"], WORKSHOP);
    workshop
        .write(bilal.request, &workshop.meera.token, "So do I.")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_comes_in_pages_that_link_to_the_one_before() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let base = format!("/api/service-requests/{}/messages/", asha.request);
    let empty = workshop.get(&base, &asha.token).await.expect(200);
    assert_eq!((empty.json(), empty.field("link")), (json!([]), None));

    let mut socket = workshop.chat(asha.request, &asha.token).await;
    for at in 0..503 {
        socket.say(&chat(&at.to_string())).await;
    }
    for at in 0..503 {
        assert_eq!(socket.hear().await["content"], at.to_string());
    }
    let numbers = |answer: &Value| -> Vec<i64> {
        let messages = answer.as_array().unwrap().iter();
        messages
            .map(|message| text(&message["content"]).parse().unwrap())
            .collect()
    };
    for (query, expected) in [
        ("", 453..503),
        ("?limit=3", 500..503),
        ("?limit=500", 3..503),
        ("?limit=501", 3..503),
        ("?limit=9223372036854775807", 3..503),
    ] {
        let page = workshop.get(&format!("{base}{query}"), &asha.token).await;
        assert_eq!(
            numbers(&page.expect(200).json()),
            expected.collect::<Vec<_>>(),
            "{query}"
        );
    }
    // Following the links finds every message once.
    let mut next = Some(format!("{base}?limit=200"));
    let mut found = Vec::new();
    while let Some(path) = next {
        let page = workshop.get(&path, &asha.token).await.expect(200);
        let mut older = numbers(&page.json());
        older.append(&mut found);
        found = older;
        next = page.field("link").map(|link| {
            let (target, rel) = link.split_once('>').unwrap();
            assert_eq!(rel, "; rel=\"prev\"");
            target.strip_prefix('<').unwrap().to_owned()
        });
    }
    assert_eq!(found, (0..503).collect::<Vec<_>>());
    for query in ["?limit=0", "?limit=-1", "?limit=x", "?before=x", "?limit="] {
        let answer = workshop.get(&format!("{base}{query}"), &asha.token).await;
        answer.problem(422, "invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_http_is_the_flat_object_and_more_and_is_told_to_everybody() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let mut desk = workshop.chat(asha.request, &workshop.admin.token).await;
    let message = workshop
        .write(asha.request, &asha.token, " Is it ready? ")
        .await;
    let mut expected: Vec<_> = MESSAGE_KEYS.into_iter().chain(ADDED_OVER_HTTP).collect();
    expected.sort_unstable();
    assert_eq!(keys(&message), expected);
    assert_eq!(message["content"], "Is it ready?");
    assert_eq!(message["author_name"], "Asha Nair");
    let heard = desk.hear().await;
    for key in MESSAGE_KEYS {
        assert_eq!(heard[key], message[key], "{key}");
    }
    let history = workshop.messages(asha.request, &asha.token).await;
    assert_eq!(history, [message]);
}

#[tokio::test(flavor = "multi_thread")]
async fn marking_read_says_how_many_there_were() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let admin = &workshop.admin.token;
    for at in 0..3 {
        workshop
            .write(asha.request, &asha.token, &at.to_string())
            .await;
    }
    let marked = workshop.mark_read(asha.request, admin).await;
    let expected = json!({"message": "Marked 3 messages as read", "updated_count": 3});
    assert_eq!(marked, expected);
    let marked = workshop.mark_read(asha.request, admin).await;
    let expected = json!({"message": "Marked 0 messages as read", "updated_count": 0});
    assert_eq!(marked, expected);

    let first = workshop.write(asha.request, &asha.token, "a").await;
    workshop.write(asha.request, &asha.token, "b").await;
    let path = format!("/api/service-requests/{}/messages/mark-read/", asha.request);
    let up_to = json!({"up_to": first["id"]});
    let marked = workshop.post(&path, admin, &up_to).await.expect(200).json();
    assert_eq!(marked["updated_count"], 1);
    let back = json!({"up_to": 1});
    let marked = workshop.post(&path, admin, &back).await.expect(200).json();
    assert_eq!(marked["updated_count"], 0, "reading never goes back");
    let history = workshop.messages(asha.request, admin).await;
    let read: Vec<_> = history
        .iter()
        .map(|message| message["read_by_workshop"].as_bool().unwrap())
        .collect();
    assert_eq!(read, [true, true, true, true, false]);
    // One's own messages are never what one has not read.
    let marked = workshop.mark_read(asha.request, &asha.token).await;
    assert_eq!(marked["updated_count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unread_summary_is_the_same_at_both_addresses_and_on_the_socket() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    workshop
        .write(asha.request, &asha.token, "Is it ready?")
        .await;
    for token in [&workshop.admin.token, &workshop.ravi.token, &asha.token] {
        let one = workshop.get("/api/messages/unread-summary/", token).await;
        let other = workshop
            .get("/api/service-requests/messages/unread-summary/", token)
            .await;
        let one = one.expect(200).json();
        assert_eq!(one, other.expect(200).json());
        assert_eq!(keys(&one), ["items", "total_unread_count"]);
        assert_eq!(workshop.dots(token).await.hear().await["data"], one);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_request_and_a_missing_one_answer_byte_for_byte_alike() {
    let workshop = Workshop::open().await;
    let (asha, bilal) = (&workshop.asha, &workshop.bilal);
    let message = workshop.write(bilal.request, &bilal.token, "mine").await;
    for (method, rest, body) in [
        ("GET", String::new(), None),
        ("PATCH", String::new(), Some(json!({"description": "x"}))),
        ("GET", "messages/".to_owned(), None),
        ("GET", format!("messages/?before={}", message["id"]), None),
        (
            "POST",
            "messages/".to_owned(),
            Some(json!({"content": "x"})),
        ),
        ("POST", "messages/mark-read/".to_owned(), None),
        ("GET", "invites/".to_owned(), None),
        ("POST", "invites/".to_owned(), None),
        ("DELETE", format!("invites/{}/", bilal.invite), None),
    ] {
        let mut answers = Vec::new();
        for id in [bilal.request, 999] {
            let path = format!("/api/service-requests/{id}/{rest}");
            let ask = workshop.ask(method, &path).token(&asha.token);
            let ask = match &body {
                Some(body) => ask.json(body),
                None => ask,
            };
            let answer = ask.send().await;
            answer.problem(404, "not_found");
            answers.push(answer.body);
        }
        assert_eq!(answers[0], answers[1], "{method} {rest}");
    }
    let history = workshop.messages(bilal.request, &bilal.token).await;
    assert_eq!(history, [message], "and nothing changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_shows_what_i_may_see_with_the_newest_activity_first() {
    let workshop = Workshop::open().await;
    let (asha, bilal) = (&workshop.asha, &workshop.bilal);
    workshop
        .write(asha.request, &asha.token, "Is it ready?")
        .await;
    let list = |token: String| {
        let workshop = &workshop;
        async move {
            let list = workshop.get("/api/service-requests/", &token).await;
            list.expect(200).json()
        }
    };
    let of_admin = list(workshop.admin.token.clone()).await;
    let ids: Vec<_> = of_admin
        .as_array()
        .unwrap()
        .iter()
        .map(|it| number(&it["id"]))
        .collect();
    assert_eq!(ids, [asha.request, bilal.request]);
    let first = &of_admin[0];
    assert_eq!(first["unread_count"], 1);
    assert_eq!(first["status"], "CONNECTED");
    assert_eq!(first["vehicle"]["plate"], "KL 07 CD 4521");
    assert_eq!(first["customer"]["full_name"], "Asha Nair");
    assert_eq!(first["last_message"]["content"], "Is it ready?");
    let of_bilal = list(bilal.token.clone()).await;
    assert_eq!(of_bilal.as_array().unwrap().len(), 1);
    assert_eq!(of_bilal[0]["id"], bilal.request);
}

async fn assert_total(dots: &mut Socket, total: i64) {
    let told = dots
        .until_that(|told| told["data"]["total_unread_count"] == total)
        .await;
    assert_eq!(keys(&told), ["data", "event", "type"]);
}
