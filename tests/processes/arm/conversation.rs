//! A conversation with it, from the first run on, over a `kill -9`.

use serde_json::{Value, json};
use uuid::Uuid;

use motoreach::clock::stopwatch;

use super::{emulated, program};
use crate::harness::{Chat, Served, get, post, run_as};
use crate::killed;

/// Each start of an emulated program takes about a second.
const KILLS: u64 = 8;
const PASSWORD: &str = "ein langes Passwort";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "`make arm` builds the program and runs this"]
async fn from_the_first_run_on_a_conversation_is_held_and_kept() {
    let program = program();
    let plan = emulated(&program);
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("box");

    let starting = stopwatch();
    let served = Served::start_as(&data, &plan).await;
    println!("start-up, emulated: {:.1?}", starting.elapsed());
    sets_up(&served).await;
    let staff = signs_in(&served).await;
    let (request, link) = opens_request(&served, &staff).await;
    let owner = opens_link(&served, &link).await;

    let mut desk = Chat::open_at(served.address(), &staff, request, None)
        .await
        .unwrap();
    let mut phone = Chat::open_at(served.address(), &owner, request, None)
        .await
        .unwrap();
    says(&mut phone, "Die Bremsen quietschen.").await;
    let asked = hears(&mut desk, "Die Bremsen quietschen.").await;
    says(&mut desk, "Wir sehen nach.").await;
    let answered = hears(&mut phone, "Wir sehen nach.").await;
    desk.has_read(asked).await.unwrap();
    assert_eq!(phone.expect("chat.read").await["up_to"], asked);
    phone.has_read(answered).await.unwrap();
    // The desk is told of its own receipt first, as its other pages are.
    assert_eq!(desk.expect("chat.read").await["up_to"], asked);
    assert_eq!(desk.expect("chat.read").await["up_to"], answered);

    let before = messages(&served, &staff, request).await;
    assert_eq!(before.len(), 2);
    served.kill();
    let served = Served::start_as(&data, &plan).await;
    let staff = signs_in(&served).await;
    assert_eq!(messages(&served, &staff, request).await, before);
    let owner = opens_link(&served, &link).await;
    let mut phone = Chat::open_at(served.address(), &owner, request, None)
        .await
        .unwrap();
    let history = phone.expect("chat.history").await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 2);
    says(&mut phone, "Danke.").await;
    drop(served);

    let doctor = ["doctor", "--json", "--data", data.to_str().unwrap()];
    let doctor = run_as(&plan, &doctor, "").await;
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "`make arm` builds the program and runs this"]
async fn killed_at_any_moment_it_has_every_acknowledged_message_once_and_in_order() {
    let program = program();
    killed::of_this_program(&emulated(&program), KILLS).await;
}

async fn sets_up(served: &Served) {
    let body = json!({"workshop_name": "Werkstatt am Wehr", "full_name": "Priya Sharma",
        "username": "priya", "password": PASSWORD});
    let done = post(served.url(), "/api/setup/", "", &body).await.unwrap();
    assert_eq!(done.status, 201, "{done:?}");
    assert_eq!(done.body["recovery_words"].as_array().unwrap().len(), 24);
}

async fn signs_in(served: &Served) -> String {
    let login = json!({"username": "priya", "password": PASSWORD});
    let signed_in = post(served.url(), "/api/auth/login/", "", &login).await;
    access(&signed_in.unwrap().body)
}

/// The request's number and its owner's link.
async fn opens_request(served: &Served, staff: &str) -> (i64, String) {
    let body = json!({"customer": {"full_name": "Asha Menon", "phone": "+91 98450 11223"},
        "vehicle": {"plate": "KL 07 CD 1234"}, "description": "Brakes squeal."});
    let opened = post(served.url(), "/api/service-requests/", staff, &body).await;
    let opened = opened.unwrap();
    assert_eq!(opened.status, 201, "{opened:?}");
    let link = opened.body["invite"]["url"].as_str().unwrap().to_owned();
    (opened.body["id"].as_i64().unwrap(), link)
}

async fn opens_link(served: &Served, link: &str) -> String {
    let body = json!({"code": link.split_once('#').unwrap().1, "device_id": Uuid::new_v4()});
    let session = post(served.url(), "/api/auth/invite/", "", &body).await;
    access(&session.unwrap().body)
}

fn access(session: &Value) -> String {
    let access = session["access"].as_str();
    access.unwrap_or_else(|| panic!("{session}")).to_owned()
}

/// Says something and waits until it is on disk.
async fn says(chat: &mut Chat, content: &str) {
    let name = Uuid::now_v7();
    chat.say(name, content).await.unwrap();
    let ack = chat.expect("chat.ack").await;
    assert_eq!(ack["client_id"], json!(name));
}

/// Waits for a message and returns its number.
async fn hears(chat: &mut Chat, content: &str) -> i64 {
    loop {
        let message = chat.expect("chat.message").await;
        if message["content"] == content {
            return message["id"].as_i64().unwrap();
        }
    }
}

async fn messages(served: &Served, staff: &str, request: i64) -> Vec<Value> {
    let path = format!("/api/service-requests/{request}/messages/");
    let answer = get(served.url(), &path, staff).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body.as_array().unwrap().clone()
}
