//! Faults that were found once and must not come back.

use motoreach::appliance::MessageLimits;
use serde_json::{Value, json};

use crate::harness::{Workshop, number, on_loopback, text};

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_on_a_device_is_not_undone_by_the_next_use_of_its_link() {
    let workshop = Workshop::open().await;
    let device = uuid::Uuid::new_v4();
    let open = async || {
        let code = workshop.asha.url.as_str();
        let body = json!({"code": code, "device_id": device});
        let ask = workshop.ask("POST", "/api/auth/invite/").json(&body);
        text(&ask.send().await.expect(200).json()["access"])
    };
    let before = open().await;
    let out = workshop.ask("POST", "/api/auth/logout/").token(&before);
    out.send().await.expect(204);
    let after = open().await;
    workshop.get("/api/me/", &after).await.expect(200);
    let old = workshop.get("/api/me/", &before).await;
    old.problem(401, "signed_out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_message_needs_no_reading() {
    let workshop = Workshop::open().await;
    let (asha, admin) = (&workshop.asha, &workshop.admin.token);
    let mut last = Value::Null;
    for words in ["one", "two", "three"] {
        last = workshop.write(asha.request, &asha.token, words).await;
    }
    let (mut desk, ..) = workshop.greeted(asha.request, admin).await;
    let redact = json!({"type": "chat.redact", "id": last["id"]});
    desk.say(&redact).await;
    desk.until("chat.redacted").await;
    let marked = workshop.mark_read(asha.request, admin).await;
    assert_eq!(number(&marked["updated_count"]), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_not_opened_under_the_id_of_a_message() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let message = workshop.write(asha.request, &asha.token, "Hello").await;
    let body = json!({
        "client_id": message["client_id"],
        "customer": {"full_name": "Somebody Else"},
        "vehicle": {"plate": "KL 1"},
        "description": "Brakes",
    });
    let answer = workshop
        .post("/api/service-requests/", &workshop.admin.token, &body)
        .await;
    answer.problem(409, "id_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_request_tells_each_side_its_own_number_of_unread_messages() {
    let workshop = Workshop::open().await;
    let (asha, admin) = (&workshop.asha, &workshop.admin.token);
    workshop
        .write(asha.request, &asha.token, "Is it ready?")
        .await;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let (mut desk, ..) = workshop.greeted(asha.request, admin).await;
    let path = format!("/api/service-requests/{}/", asha.request);
    let edit = json!({"description": "Brakes and clutch"});
    workshop.patch(&path, admin, &edit).await.expect(200);
    let told = phone.until("chat.changed").await;
    assert_eq!(number(&told["request"]["unread_count"]), 0);
    let told = desk.until("chat.changed").await;
    assert_eq!(number(&told["request"]["unread_count"]), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_cannot_take_every_place_in_a_room() {
    let workshop = Workshop::open_with(on_loopback(), MessageLimits::On).await;
    let asha = &workshop.asha;
    let mut tabs = Vec::new();
    for _ in 0..motoreach::hub::SOCKETS_PER_PERSON_MAX {
        let (tab, ..) = workshop.greeted(asha.request, &asha.token).await;
        tabs.push(tab);
    }
    let mut one_more = workshop.chat_v1(asha.request, &asha.token).await;
    assert_eq!(one_more.next().await, Err(1013));
    let (_desk, hello, _) = workshop.greeted(asha.request, &workshop.admin.token).await;
    assert_eq!(hello["type"], "chat.hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_was_altered_does_not_keep_a_page_from_coming_back() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (_, hello, _) = workshop.greeted(asha.request, &asha.token).await;
    workshop.write(asha.request, &asha.token, "Hello").await;
    workshop
        .mark_read(asha.request, &workshop.admin.token)
        .await;
    let altered = "update event set body = replace(body, 'workshop', 'wirkshop')
                   where kind = 'messages_read'";
    assert_eq!(workshop.database().execute(altered, []).unwrap(), 1);
    let path = format!(
        "/ws/service-chat/{}/?token={}&after={}&log={}",
        asha.request,
        asha.token,
        hello["rev"],
        text(&hello["log"])
    );
    let mut phone = workshop.socket(&path, Some("motoreach.v1")).await;
    phone.hear_a("chat.hello").await;
    let history = phone.hear_a("chat.history").await;
    assert_eq!(history["messages"][0]["content"], "Hello");
}
