//! `motoreach.v1` on the chat socket (`wire.md` §6): what is said, to whom, and what is refused.

use motoreach::appliance::MessageLimits;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::harness::{WORKSHOP, Workshop, keys, number, on_loopback, text};
use crate::socket::{Socket, V1};

/// Says a message and waits for both its broadcast and its acknowledgement, in either order.
pub(crate) async fn said(socket: &mut Socket, content: &str) -> (Value, Value) {
    let id = json!(socket.post(content).await);
    let (mut message, mut ack) = (None, None);
    while message.is_none() || ack.is_none() {
        let frame = socket.hear().await;
        assert_ne!(frame["type"], "chat.error", "{frame}");
        if frame["client_id"] == id {
            match frame["type"].as_str().unwrap() {
                "chat.message" => assert!(message.replace(frame).is_none(), "told twice"),
                "chat.ack" => assert!(ack.replace(frame).is_none(), "acknowledged twice"),
                _ => {}
            }
        }
    }
    (message.unwrap(), ack.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn hello_comes_first_then_the_newest_fifty_messages() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let mut original = workshop.chat(asha.request, &asha.token).await;
    for at in 0..51 {
        let frame = json!({"type": "chat.message", "content": at.to_string()});
        original.say(&frame).await;
        original.hear().await;
    }
    workshop
        .mark_read(asha.request, &workshop.meera.token)
        .await;
    let (_desk, hello, history) = workshop.greeted(asha.request, &workshop.admin.token).await;
    assert_eq!(
        keys(&hello),
        [
            "log",
            "peers",
            "receipts",
            "request",
            "rev",
            "type",
            "workshop_online",
            "you"
        ]
    );
    let admin = json!({"id": workshop.admin.id, "full_name": workshop.admin.name,
        "role": "workshop_admin", "side": "WORKSHOP"});
    assert_eq!(hello["you"], admin);
    let peers = hello["peers"].as_array().unwrap();
    assert!(
        peers.contains(&json!({"name": "Asha Nair", "side": "USER"})),
        "{peers:?}"
    );
    assert_eq!(hello["workshop_online"], true);
    let receipt = &hello["receipts"][0];
    assert_eq!(keys(receipt), ["at", "name", "side", "up_to"]);
    assert_eq!(receipt["name"], "Meera Pillai");
    assert_eq!(receipt["side"], "WORKSHOP");
    let path = format!("/api/service-requests/{}/", asha.request);
    let request = workshop.get(&path, &workshop.admin.token).await.json();
    assert_eq!(hello["request"], request);
    assert!(text(&hello["log"]).parse::<Uuid>().is_ok());

    assert_eq!(keys(&history), ["has_more", "messages", "type"]);
    assert_eq!(history["has_more"], true);
    let messages = history["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 50);
    assert_eq!(
        (&messages[0]["content"], &messages[49]["content"]),
        (&json!("1"), &json!("50"))
    );
    let newest = workshop.messages(asha.request, &workshop.admin.token).await;
    assert_eq!(messages[..], newest[1..], "the same shape as over HTTP");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workshop_is_online_while_anybody_of_it_has_a_page_open() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (phone, hello, _) = workshop.greeted(asha.request, &asha.token).await;
    assert_eq!(hello["workshop_online"], false);
    phone.close().await;
    let mut dots = workshop.dots(&workshop.ravi.token).await;
    dots.hear().await;
    let (_phone, hello, _) = workshop.greeted(asha.request, &asha.token).await;
    assert_eq!(hello["workshop_online"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_told_to_everybody_and_acknowledged_to_its_sender() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let (mut desk, ..) = workshop.greeted(asha.request, &workshop.meera.token).await;
    let (message, ack) = said(&mut desk, "After five.").await;
    assert_eq!(keys(&ack), ["client_id", "id", "rev", "type"]);
    assert_eq!((&ack["id"], &ack["rev"]), (&message["id"], &message["rev"]));
    let heard = phone.until("chat.message").await;
    assert_eq!(heard, message);
    for (key, expected) in [
        ("author_name", json!("Meera Pillai")),
        ("author_id", json!(workshop.meera.id)),
        ("sender_name", json!(WORKSHOP)),
        ("kind", json!("message")),
        ("attachments", json!([])),
        ("reply_to", json!(null)),
        ("expires_at", json!(null)),
        ("delivery", json!("sent")),
        ("redacted", json!(false)),
        ("damaged", json!(false)),
    ] {
        assert_eq!(message[key], expected, "{key}");
    }
    let mut over_http = workshop.messages(asha.request, &asha.token).await.remove(0);
    over_http["type"] = json!("chat.message");
    assert_eq!(over_http, message);
    // An owner's message that the box holds is at the workshop.
    let (message, _) = said(&mut phone, "Good.").await;
    assert_eq!(message["delivery"], "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_quotes_what_it_answers() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let (first, _) = said(&mut phone, &"long ".repeat(20)).await;
    let reply = json!({"type": "chat.message", "client_id": Uuid::new_v4(), "content": "Yes",
        "reply_to": first["id"], "attachments": []});
    phone.say(&reply).await;
    let reply = phone.until("chat.message").await;
    let quote = json!({"id": first["id"], "author_name": "Asha Nair",
        "excerpt": format!("{}...", "long ".repeat(10))});
    assert_eq!(reply["reply_to"], quote);
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_is_told_to_others_only() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let (mut tablet, ..) = workshop.greeted(asha.request, &asha.token).await;
    let (mut desk, ..) = workshop.greeted(asha.request, &workshop.admin.token).await;
    phone.until("chat.presence").await;
    tablet.until("chat.presence").await;
    // More often than once a second is not passed on.
    for _ in 0..5 {
        phone.say(&json!({"type": "chat.typing"})).await;
    }
    said(&mut phone, "there").await;
    let typing = desk.hear_a("chat.typing").await;
    assert_eq!(
        typing,
        json!({"type": "chat.typing", "name": "Asha Nair", "side": "USER"})
    );
    desk.hear_a("chat.message").await;
    tablet.hear_a("chat.message").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_is_of_people_and_not_of_sockets() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut desk, ..) = workshop.greeted(asha.request, &workshop.admin.token).await;
    let (phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let presence = desk.hear_a("chat.presence").await;
    let online = json!({"type": "chat.presence", "side": "USER", "online": true,
        "name": "Asha Nair"});
    assert_eq!(presence, online);
    let (mut tablet, ..) = workshop.greeted(asha.request, &asha.token).await;
    phone.close().await;
    said(&mut tablet, "still here").await;
    desk.hear_a("chat.message").await;
    tablet.cut();
    let gone = desk.hear_a("chat.presence").await;
    assert_eq!(gone["online"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_read_up_to_where_is_told_with_name_and_time() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let (mut desk, ..) = workshop.greeted(asha.request, &workshop.meera.token).await;
    let (first, _) = said(&mut phone, "one").await;
    said(&mut phone, "two").await;
    desk.say(&json!({"type": "chat.read", "up_to": first["id"]}))
        .await;
    let read = phone.until("chat.read").await;
    assert_eq!(keys(&read), ["at", "name", "rev", "side", "type", "up_to"]);
    assert_eq!(read["name"], "Meera Pillai");
    assert_eq!(read["side"], "WORKSHOP");
    assert_eq!(read["up_to"], first["id"]);
    assert!(number(&read["rev"]) > number(&first["rev"]));
    assert_eq!(
        desk.until("chat.read").await,
        read,
        "the reader's other pages learn it too"
    );
    // Again, backwards and beyond: nothing is told but what is new.
    for up_to in [number(&first["id"]), 1, 0, -5, i64::MIN] {
        desk.say(&json!({"type": "chat.read", "up_to": up_to}))
            .await;
    }
    desk.say(&json!({"type": "chat.read", "up_to": i64::MAX}))
        .await;
    let read = phone.hear_a("chat.read").await;
    let messages = workshop.messages(asha.request, &asha.token).await;
    assert_eq!(read["up_to"], messages[1]["id"], "not beyond what there is");
    assert_eq!(messages[1]["delivery"], "read");
    let (_, hello, _) = workshop.greeted(asha.request, &asha.token).await;
    assert_eq!(hello["receipts"][0]["up_to"], read["up_to"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_takes_back_ones_own_words_and_an_admin_anybodys() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let (mut bay, ..) = workshop.greeted(asha.request, &workshop.meera.token).await;
    let (mut desk, ..) = workshop.greeted(asha.request, &workshop.admin.token).await;
    let (own, _) = said(&mut phone, "my card number").await;
    let (mechanics, _) = said(&mut bay, "wrong customer").await;

    phone
        .say(&json!({"type": "chat.redact", "id": own["id"]}))
        .await;
    let redacted = bay.until("chat.redacted").await;
    assert_eq!(keys(&redacted), ["by", "id", "rev", "type", "why"]);
    assert_eq!(redacted["id"], own["id"]);
    assert_eq!(
        (&redacted["by"], &redacted["why"]),
        (&json!("Asha Nair"), &json!("redacted"))
    );
    assert_eq!(phone.until("chat.redacted").await, redacted);

    // Not others'.
    phone
        .say(&json!({"type": "chat.redact", "id": mechanics["id"]}))
        .await;
    let refused = phone.until("chat.error").await;
    assert_eq!(refused["code"], "too_late", "{refused}");
    let (second, _) = said(&mut phone, "second").await;
    bay.say(&json!({"type": "chat.redact", "id": second["id"]}))
        .await;
    assert_eq!(bay.until("chat.error").await["code"], "too_late");

    desk.say(&json!({"type": "chat.redact", "id": mechanics["id"]}))
        .await;
    let redacted = phone.until("chat.redacted").await;
    assert_eq!(
        (&redacted["id"], &redacted["by"]),
        (&mechanics["id"], &json!("Priya Sharma"))
    );
    // Once more changes nothing, and what is not there is not found.
    desk.say(&json!({"type": "chat.redact", "id": mechanics["id"]}))
        .await;
    for id in [0, -1, 999, i64::MAX] {
        desk.say(&json!({"type": "chat.redact", "id": id})).await;
        assert_eq!(desk.until("chat.error").await["code"], "not_found");
    }
    let history = workshop.messages(asha.request, &asha.token).await;
    let shown: Vec<_> = history
        .iter()
        .map(|message| {
            (
                text(&message["content"]),
                message["redacted"].as_bool().unwrap(),
            )
        })
        .collect();
    let expected = [
        (String::new(), true),
        (String::new(), true),
        ("second".to_owned(), false),
    ];
    assert_eq!(shown, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_fifteen_minutes_ones_own_words_stay() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let (message, _) = said(&mut phone, "too late").await;
    let id = number(&message["id"]);
    let aged = "update event set at_ms = at_ms - 901000 where seq = ?1";
    workshop.database().execute(aged, [id]).unwrap();
    phone.say(&json!({"type": "chat.redact", "id": id})).await;
    assert_eq!(phone.until("chat.error").await["code"], "too_late");
    let (mut desk, ..) = workshop.greeted(asha.request, &workshop.admin.token).await;
    desk.say(&json!({"type": "chat.redact", "id": id})).await;
    assert_eq!(phone.until("chat.redacted").await["id"], id);
}

#[tokio::test(flavor = "multi_thread")]
async fn erased_words_are_nowhere_in_the_files() {
    let mut workshop = Workshop::open().await;
    let asha = workshop.asha.clone();
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let secret = "xylophone-quokka-4711";
    let (message, _) = said(&mut phone, secret).await;
    phone
        .say(&json!({"type": "chat.redact", "id": message["id"]}))
        .await;
    phone.until("chat.redacted").await;
    for at in 0..20 {
        said(&mut phone, &at.to_string()).await;
    }
    phone.close().await;
    workshop.halt().await;
    let data = workshop.path().join("box");
    for file in std::fs::read_dir(&data).unwrap() {
        let file = file.unwrap().path();
        let Ok(bytes) = std::fs::read(&file) else {
            continue;
        };
        let found = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "{}", file.display());
    }
    assert_eq!(workshop.check().faults, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_erases_itself_when_its_time_is_up() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let frame = json!({"type": "chat.message", "client_id": Uuid::new_v4(),
        "content": "The code is 4711.", "expires_in": 5});
    phone.say(&frame).await;
    let message = phone.until("chat.message").await;
    assert!(message["expires_at"].is_string());
    let erased = phone.until("chat.redacted").await;
    assert_eq!(
        (&erased["id"], &erased["why"]),
        (&message["id"], &json!("expired"))
    );
    let history = workshop.messages(asha.request, &asha.token).await;
    assert_eq!(
        (&history[0]["content"], &history[0]["redacted"]),
        (&json!(""), &json!(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_frame_is_told_and_the_socket_stays_open() {
    let workshop = Workshop::open().await;
    let (asha, bilal) = (&workshop.asha, &workshop.bilal);
    let elsewhere = workshop
        .write(bilal.request, &bilal.token, "elsewhere")
        .await;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    for raw in [
        "",
        "{",
        "null",
        "[]",
        "7",
        "{}",
        r#"{"type":null}"#,
        r#"{"type":7}"#,
        r#"{"type":["chat.message"]}"#,
        r#"{"type":"chat.message","client_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7"}"#,
        r#"{"type":"chat.message","client_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","content":7}"#,
        r#"{"type":"chat.message","client_id":7,"content":"x"}"#,
        r#"{"type":"chat.read"}"#,
        r#"{"type":"chat.read","up_to":"1"}"#,
        r#"{"type":"chat.read","up_to":1e400}"#,
        r#"{"type":"chat.read","up_to":99999999999999999999}"#,
        r#"{"type":"chat.redact","id":null}"#,
        r#"{"type":"chat.history","limit":-1}"#,
        r#"{"type":"chat.message","type":"chat.typing"}"#,
        r#"{"type":"chat.typing"} x"#,
    ] {
        phone.say_text(raw).await;
        let error = phone.hear_a("chat.error").await;
        assert_eq!(error["code"], "malformed", "{raw}: {error}");
        assert!(!text(&error["detail"]).is_empty());
    }
    let nested = format!(
        r#"{{"type":"chat.read","up_to":{}1{}}}"#,
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    phone.say_text(&nested).await;
    assert_eq!(phone.hear_a("chat.error").await["code"], "malformed");

    let id = Uuid::new_v4();
    for (frame, code) in [
        (json!({"content": "x"}), "invalid"),
        (json!({"client_id": null, "content": "x"}), "invalid"),
        (json!({"client_id": "x", "content": "x"}), "invalid"),
        (json!({"client_id": Uuid::nil(), "content": "x"}), "invalid"),
        (
            json!({"client_id": id, "content": "a".repeat(8_001)}),
            "too_long",
        ),
        (json!({"client_id": id, "content": "a\u{0}b"}), "invalid"),
        (
            json!({"client_id": id, "content": "x", "reply_to": 999}),
            "not_found",
        ),
        (
            json!({"client_id": id, "content": "x", "reply_to": elsewhere["id"]}),
            "not_found",
        ),
        (
            json!({"client_id": id, "content": "x", "attachments": ["7"]}),
            "not_found",
        ),
        (
            json!({"client_id": id, "content": "x", "expires_in": 4}),
            "invalid",
        ),
        (
            json!({"client_id": id, "content": "x", "expires_in": -1}),
            "invalid",
        ),
        (
            json!({"client_id": id, "content": "x", "expires_in": i64::MAX}),
            "invalid",
        ),
    ] {
        let mut frame = frame;
        frame["type"] = json!("chat.message");
        phone.say(&frame).await;
        let error = phone.hear_a("chat.error").await;
        assert_eq!(error["code"], code, "{frame}: {error}");
        if frame["client_id"] == json!(id) {
            assert_eq!(error["client_id"], json!(id), "{error}");
        }
    }
    let (message, _) = said(&mut phone, "still here").await;
    let history = workshop.messages(asha.request, &asha.token).await;
    assert_eq!((history.len(), &history[0]["id"]), (1, &message["id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_types_and_fields_and_empty_messages_are_ignored() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    for frame in [
        json!({"type": "chat.dance"}),
        json!({"type": "chat.hello"}),
        json!({"type": "chat.ack", "client_id": Uuid::new_v4(), "id": 1, "rev": 1}),
        json!({"type": ""}),
        json!({"type": "chat.message", "client_id": Uuid::new_v4(), "content": " \n"}),
    ] {
        phone.say(&frame).await;
    }
    let id = Uuid::new_v4();
    phone
        .say(
            &json!({"type": "chat.message", "client_id": id, "content": "x",
            "from_the_future": {"a": [1]}}),
        )
        .await;
    let frame = phone.hear().await;
    assert_eq!(frame["client_id"], json!(id), "{frame}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_frame_closes_with_1003_and_one_byte_too_many_with_1009() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let path = format!("/ws/service-chat/{}/?token={}", asha.request, asha.token);
    for protocol in [None, Some(V1)] {
        let mut socket = workshop.socket(&path, protocol).await;
        socket.send(Message::binary(vec![0; 3])).await.unwrap();
        assert_eq!(socket.closed().await, 1003);

        let frame = |bytes: usize| {
            let empty = json!({"type": "unknown", "padding": ""}).to_string();
            let padding = "x".repeat(bytes - empty.len());
            json!({"type": "unknown", "padding": padding}).to_string()
        };
        let mut socket = workshop.socket(&path, protocol).await;
        socket.say_text(&frame(64 * 1024)).await;
        socket
            .say(&json!({"type": "chat.message", "content": "x", "client_id": Uuid::new_v4()}))
            .await;
        socket.until_that(|frame| frame["content"] == "x").await;
        socket.say_text(&frame(64 * 1024 + 1)).await;
        assert_eq!(socket.closed().await, 1009);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_from_two_sockets_and_http_at_once_is_stored_once_and_answered_alike() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let (mut tablet, ..) = workshop.greeted(asha.request, &asha.token).await;
    let path = format!("/api/service-requests/{}/messages/", asha.request);
    for round in 0..20 {
        let id = Uuid::new_v4();
        let words = round.to_string();
        let body = json!({"client_id": id, "content": words});
        let (posted, again, (), ()) = tokio::join!(
            workshop.post(&path, &asha.token, &body),
            workshop.post(&path, &asha.token, &body),
            phone.post_as(id, &words),
            tablet.post_as(id, &words),
        );
        let posted = posted.expect(201).json();
        assert_eq!(again.expect(201).json(), posted);
        for socket in [&mut phone, &mut tablet] {
            let mut told = 0;
            let ack = loop {
                let frame = socket.hear().await;
                match frame["type"].as_str().unwrap() {
                    "chat.ack" if told == 1 => break frame,
                    "chat.ack" => {
                        let message = socket.hear_a("chat.message").await;
                        assert_eq!(message["id"], posted["id"]);
                        break frame;
                    }
                    "chat.message" => {
                        assert_eq!(frame["id"], posted["id"]);
                        told += 1;
                        assert_eq!(told, 1, "told twice");
                    }
                    other => panic!("{other}"),
                }
            };
            assert_eq!(ack["id"], posted["id"]);
            assert_eq!(ack["client_id"], json!(id));
        }
    }
    let history = workshop.messages(asha.request, &asha.token).await;
    assert_eq!(history.len(), 20);
    // Sent again with other words: what was stored first stands.
    let first = &history[0];
    let body = json!({"client_id": first["client_id"], "content": "other words"});
    let again = workshop.post(&path, &asha.token, &body).await;
    assert_eq!(again.expect(201).json()["content"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_somebody_elses_message_is_taken() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let message = workshop.write(asha.request, &asha.token, "mine").await;
    let id: Uuid = text(&message["client_id"]).parse().unwrap();
    let body = json!({"client_id": id, "content": "mine"});
    let admin = &workshop.admin.token;
    let path = format!("/api/service-requests/{}/messages/", asha.request);
    workshop
        .post(&path, admin, &body)
        .await
        .problem(409, "id_taken");
    // The same person in another request.
    let (mut desk, ..) = workshop.greeted(asha.request, admin).await;
    desk.post_as(id, "mine").await;
    let error = desk.hear_a("chat.error").await;
    assert_eq!(
        (&error["code"], &error["client_id"]),
        (&json!("id_taken"), &json!(id))
    );
    let (_, ack) = said(&mut desk, "the admin's").await;
    let other = format!("/api/service-requests/{}/messages/", workshop.bilal.request);
    let body = json!({"client_id": ack["client_id"], "content": "the admin's"});
    workshop
        .post(&other, admin, &body)
        .await
        .problem(409, "id_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn older_messages_come_on_request_in_rising_order() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let mut ids = Vec::new();
    for at in 0..10 {
        ids.push(number(&said(&mut phone, &at.to_string()).await.0["id"]));
    }
    for (frame, expected, has_more) in [
        (json!({"before": ids[9], "limit": 3}), 6..9, true),
        (json!({"before": ids[3], "limit": 3}), 0..3, false),
        (json!({"before": ids[3], "limit": 500}), 0..3, false),
        (json!({"before": ids[3], "limit": 60_000}), 0..3, false),
        (json!({"before": ids[3], "limit": 0}), 2..3, true),
        (json!({"before": ids[0]}), 0..0, false),
        (json!({"before": -1}), 0..0, false),
        (json!({"before": i64::MAX, "limit": 2}), 8..10, true),
        (json!({"limit": 2}), 8..10, true),
    ] {
        let mut asked = frame.clone();
        asked["type"] = json!("chat.history");
        phone.say(&asked).await;
        let history = phone.hear_a("chat.history").await;
        let found: Vec<_> = history["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| number(&message["id"]))
            .collect();
        assert_eq!(found, ids[expected], "{frame}");
        assert_eq!(history["has_more"], has_more, "{frame}");
        assert_eq!(history.get("before"), frame.get("before"), "{frame}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_assignment_and_description_are_told_with_the_new_state() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let path = format!("/api/service-requests/{}/", asha.request);
    for (body, what) in [
        (json!({"status": "IN_PROGRESS"}), "status"),
        (json!({"assigned_to": workshop.ravi.id}), "assignment"),
        (json!({"description": "Brakes and horn."}), "description"),
    ] {
        let changed = workshop.patch(&path, &workshop.meera.token, &body).await;
        let changed = changed.expect(200).json();
        let frame = phone.hear_a("chat.changed").await;
        assert_eq!(keys(&frame), ["request", "rev", "type", "what"]);
        assert_eq!(frame["what"], what);
        for key in [
            "status",
            "allowed_statuses",
            "assigned_to",
            "description",
            "id",
            "customer",
        ] {
            assert_eq!(frame["request"][key], changed[key], "{key}");
        }
        // The same once more is no change.
        workshop
            .patch(&path, &workshop.meera.token, &body)
            .await
            .expect(200);
    }
    said(&mut phone, "and nothing twice").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_request_takes_no_messages_and_says_so() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let path = format!("/api/service-requests/{}/", asha.request);
    let body = json!({"status": "CANCELLED"});
    workshop
        .patch(&path, &workshop.admin.token, &body)
        .await
        .expect(200);
    phone.hear_a("chat.changed").await;
    let id = phone.post("hello?").await;
    let error = phone.hear_a("chat.error").await;
    assert_eq!(
        (&error["code"], &error["client_id"]),
        (&json!("request_closed"), &json!(id))
    );
    let messages = format!("{path}messages/");
    let refused = workshop
        .post(&messages, &asha.token, &json!({"content": "hello?"}))
        .await;
    refused.problem(409, "request_closed");
    let impossible = json!({"status": "VERIFIED"});
    let refused = workshop
        .patch(&path, &workshop.admin.token, &impossible)
        .await;
    refused.problem(409, "status_move");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_messages_are_told_so_on_the_socket_and_over_http() {
    let workshop = Workshop::open_with(on_loopback(), MessageLimits::On).await;
    let asha = &workshop.asha;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    for at in 0..40 {
        said(&mut phone, &at.to_string()).await;
    }
    let id = phone.post("one too many").await;
    let error = phone.hear_a("chat.error").await;
    assert_eq!(
        (&error["code"], &error["client_id"]),
        (&json!("rate_limited"), &json!(id))
    );
    let path = format!("/api/service-requests/{}/messages/", asha.request);
    let refused = workshop
        .post(&path, &asha.token, &json!({"content": "x"}))
        .await;
    refused.problem(429, "rate_limited");
    let wait: u64 = refused.field("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    // Nobody else has to wait for it.
    workshop
        .write(asha.request, &workshop.admin.token, "I can.")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_learns_which_request_to_fetch_again() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let path = format!("/ws/notifications/?token={}", workshop.ravi.token);
    let mut inbox = workshop.socket(&path, Some(V1)).await;
    let path = format!("/ws/notifications/?token={}", asha.token);
    let mut phone = workshop.socket(&path, Some(V1)).await;
    let mut original = workshop.dots(&workshop.ravi.token).await;
    for socket in [&mut inbox, &mut phone, &mut original] {
        assert_eq!(socket.hear().await["type"], "notification.message");
    }
    let opened = workshop
        .open_request("Chitra Das", "KL 01 B 7", Some(workshop.ravi.id))
        .await;
    let changed = inbox.until("requests.changed").await;
    let expected = json!({"type": "requests.changed", "service_request_id": opened["id"]});
    assert_eq!(changed, expected);
    let path = format!("/api/service-requests/{}/", asha.request);
    let body = json!({"status": "IN_PROGRESS"});
    workshop
        .patch(&path, &workshop.admin.token, &body)
        .await
        .expect(200);
    inbox
        .until_that(|frame| frame["service_request_id"] == asha.request)
        .await;
    // The owner heard of their own request only; the original contract of nothing but numbers.
    assert_eq!(phone.hear().await["service_request_id"], asha.request);
    let chitra = workshop
        .open_link(&text(&opened["invite"]["url"]))
        .await
        .json();
    let token = text(&chitra["access"]);
    workshop.write(number(&opened["id"]), &token, "Hello").await;
    assert_eq!(original.hear().await["data"]["total_unread_count"], 1);
}
