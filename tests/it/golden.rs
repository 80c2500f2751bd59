//! The frames in `tests/fixtures/wire`, which the web app's tests read too: what the box really says
//! has the same fields of the same kinds, and what a client says is understood.

use std::path::PathBuf;

use motoreach::domain::Seq;
use motoreach::wire::client::{ClientFrame, Naming};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::chat_v1::said;
use crate::harness::Workshop;
use crate::socket::V1;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wire")
}

fn fixture(name: &str) -> Value {
    let path = folder().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn names() -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// What differs in fields or kinds. Null agrees with anything: it is somebody not being there.
fn differences(golden: &Value, real: &Value, at: &str, found: &mut Vec<String>) {
    match (golden, real) {
        (Value::Object(golden), Value::Object(real)) => {
            for key in golden.keys().filter(|key| !real.contains_key(*key)) {
                found.push(format!("{at}.{key} is not said"));
            }
            for key in real.keys().filter(|key| !golden.contains_key(*key)) {
                found.push(format!("{at}.{key} is not in the fixture"));
            }
            for (key, golden) in golden {
                if let Some(real) = real.get(key) {
                    differences(golden, real, &format!("{at}.{key}"), found);
                }
            }
        }
        (Value::Array(golden), Value::Array(real)) => {
            if golden.is_empty() != real.is_empty() {
                found.push(format!("{at}: one is empty"));
            }
            for golden in golden {
                for real in real {
                    differences(golden, real, &format!("{at}[]"), found);
                }
            }
        }
        (Value::Null, _)
        | (_, Value::Null)
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => {}
        _ => found.push(format!("{at}: {golden} and {real}")),
    }
}

/// One of each, as the box really says it.
async fn said_by_the_box() -> Vec<(&'static str, Value)> {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let admin = &workshop.admin.token;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let mut original = workshop.chat(asha.request, &asha.token).await;
    let path = format!("/ws/notifications/?token={admin}");
    let mut inbox = workshop.socket(&path, Some(V1)).await;
    inbox.hear().await;
    let mut all = vec![("link.state", inbox.until("link.state").await)];

    let (first, ack) = said(&mut phone, "Is it ready?").await;
    all.push(("original-message", original.hear().await));
    all.push(("notification", inbox.until("notification.message").await));
    let (_, _, _) = workshop.greeted(asha.request, admin).await;
    let (mut desk, ..) = workshop.greeted(asha.request, admin).await;
    all.push(("chat.presence", phone.until("chat.presence").await));
    desk.say(&json!({"type": "chat.read", "up_to": first["id"]}))
        .await;
    all.push(("chat.read", phone.until("chat.read").await));
    let reply = json!({"type": "chat.message", "client_id": Uuid::new_v4(),
        "content": "After five.", "reply_to": first["id"]});
    desk.say(&reply).await;
    desk.until("chat.ack").await;
    workshop.link().delivered(Seq(41));
    all.push(("chat.delivered", desk.until("chat.delivered").await));
    phone.say(&json!({"type": "chat.typing"})).await;
    all.push(("chat.typing", desk.until("chat.typing").await));
    let hello = workshop.greeted(asha.request, admin).await;
    all.push(("chat.hello", hello.1));
    all.push(("chat.history", hello.2));
    desk.say(&json!({"type": "chat.history", "before": i64::MAX}))
        .await;
    all.push(("chat.history.before", desk.until("chat.history").await));
    let path = format!("/api/service-requests/{}/", asha.request);
    let body = json!({"status": "IN_PROGRESS"});
    workshop.patch(&path, admin, &body).await.expect(200);
    all.push(("chat.changed", phone.until("chat.changed").await));
    all.push(("requests.changed", inbox.until("requests.changed").await));
    let long = "x".repeat(8_001);
    phone.post(&long).await;
    all.push(("chat.error", phone.until("chat.error").await));
    desk.say(&json!({"type": "chat.redact", "id": first["id"]}))
        .await;
    all.push(("chat.redacted", phone.until("chat.redacted").await));
    let brief = json!({"type": "chat.message", "client_id": Uuid::new_v4(), "content": "4711",
        "expires_in": 5});
    phone.say(&brief).await;
    all.push(("chat.redacted.expired", phone.until("chat.redacted").await));
    all.push(("chat.message", first));
    all.push(("chat.ack", ack));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_box_says_is_what_the_page_expects() {
    let real = said_by_the_box().await;
    let mut found = Vec::new();
    for (name, real) in &real {
        differences(&fixture(name), real, name, &mut found);
    }
    assert!(found.is_empty(), "{found:#?}");
    let untold: Vec<_> = names()
        .into_iter()
        .filter(|name| !name.starts_with("client-"))
        .filter(|name| real.iter().all(|(said, _)| said != name))
        .collect();
    assert!(untold.is_empty(), "no test says these: {untold:?}");
}

#[test]
fn what_the_page_says_is_understood() {
    let mut understood = 0;
    for name in names().iter().filter(|name| name.starts_with("client-")) {
        let naming = if name.contains("original") {
            Naming::Absent
        } else {
            Naming::Required
        };
        let frame = fixture(name);
        let parsed = ClientFrame::parse(&frame.to_string(), naming);
        let kind = frame["type"].as_str().unwrap();
        let is_it = match parsed.unwrap_or_else(|bad| panic!("{name}: {bad:?}")) {
            ClientFrame::Message { body, reply_to, .. } => {
                assert_eq!(body.as_str(), frame["content"]);
                assert_eq!(reply_to.map(|id| id.0), frame["reply_to"].as_i64());
                kind == "chat.message"
            }
            ClientFrame::Read(up_to) => kind == "chat.read" && up_to.0 == frame["up_to"],
            ClientFrame::Typing => kind == "chat.typing",
            ClientFrame::History { before, .. } => {
                kind == "chat.history" && before.map(|id| id.0) == frame["before"].as_i64()
            }
            ClientFrame::Redact(id) => kind == "chat.redact" && id.0 == frame["id"],
            ClientFrame::Ignore => false,
        };
        assert!(is_it, "{name} was taken for something else");
        understood += 1;
    }
    assert!(understood >= 6, "only {understood}");
}
