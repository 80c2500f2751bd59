//! Bringing a workshop back from the first-run page: who may, what is refused in words, and that it is
//! one thing at a time. That it works, with a relay, is for `tests/processes`.

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::client::{Answer, Ask};
use crate::first_run::from_elsewhere;
use crate::harness::{FreshBox, PASSWORD, PATIENCE, WORKSHOP};

const PATH: &str = "/api/setup/restore/";

fn words() -> String {
    format!("{}art", "abandon ".repeat(23))
}

fn asked(fresh: &FreshBox, url: &str) -> Ask {
    let body = json!({"url": url, "words": words()});
    fresh.ask("POST", PATH).json(&body)
}

async fn set_up(fresh: &FreshBox) -> Answer {
    let body = json!({"workshop_name": WORKSHOP, "full_name": "Priya Sharma", "username": "priya",
        "password": PASSWORD});
    fresh.ask("POST", "/api/setup/").json(&body).send().await
}

/// How the restore stands, once it stands so.
async fn stands(fresh: &FreshBox, state: &str) -> Value {
    let looking = async {
        loop {
            let now = fresh.ask("GET", PATH).send().await.expect(200).json();
            if now["state"] == state {
                return now;
            }
        }
    };
    timeout(PATIENCE, looking).await.expect("it stands so")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_wrong_is_told_by_field_and_begins_nothing() {
    let fresh = FreshBox::start().await;
    let relay = "https://relay.example";
    for (field, url, words) in [
        ("url", "", words()),
        ("url", "http://relay.example", words()),
        ("words", relay, String::new()),
        ("words", relay, "abandon ".repeat(23)),
        ("words", relay, "abandon ".repeat(24)),
        ("words", relay, words().replacen("abandon", "motoreach", 1)),
    ] {
        let body = json!({"url": url, "words": words});
        let refused = fresh.ask("POST", PATH).json(&body).send().await;
        assert_eq!(refused.status, 422, "{url} {words}: {}", refused.text());
        refused.is_problem();
        assert!(refused.json()["errors"][field].is_array(), "{field}");
        assert!(!refused.text().contains("motoreach"), "a word is repeated");
    }
    assert_eq!(stands(&fresh, "idle").await["entries"], 0);
    set_up(&fresh).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_another_machine_it_takes_the_printed_code() {
    let fresh = FreshBox::start().await;
    let refused = from_elsewhere(asked(&fresh, "https://relay.example")).await;
    refused.problem(403, "set_up_code_wrong");
    let code = fresh.running().set_up_code().unwrap();
    let body = json!({"url": "http://127.0.0.1:1", "words": words(), "code": code});
    let begun = from_elsewhere(fresh.ask("POST", PATH).json(&body)).await;
    begun.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_relay_is_said_and_another_try_may_be_made() {
    let fresh = FreshBox::start().await;
    // The box itself answers, and is none.
    let url = format!("http://{}", fresh.address());
    for _ in 0..2 {
        asked(&fresh, &url).send().await.expect(202);
        let failed = stands(&fresh, "failed").await;
        assert_eq!(failed["why"], "not_a_relay");
        assert!(failed["detail"].as_str().unwrap().contains("no relay"));
    }
    set_up(&fresh).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_workshop_comes_back_no_other_is_made() {
    let fresh = FreshBox::start().await;
    // It takes the connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    asked(&fresh, &url).send().await.expect(202);
    stands(&fresh, "running").await;
    asked(&fresh, &url)
        .send()
        .await
        .problem(409, "restore_under_way");
    set_up(&fresh).await.problem(409, "restore_under_way");
    drop(silent);
    let failed = stands(&fresh, "failed").await;
    assert_eq!(failed["why"], "no_answer");
    set_up(&fresh).await.expect(201);
    asked(&fresh, &url)
        .send()
        .await
        .problem(409, "already_set_up");
}
