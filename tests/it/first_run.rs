//! The first run: the workshop gets its name, its first admin and its recovery words.

use std::net::{IpAddr, UdpSocket};

use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::client::{Answer, Ask};
use crate::harness::{FreshBox, PASSWORD, WORKSHOP, keys, text};

fn set_up() -> Value {
    json!({"workshop_name": WORKSHOP, "full_name": "Priya Sharma", "username": "priya",
        "password": PASSWORD})
}

async fn post(fresh: &FreshBox, body: &Value) -> Answer {
    fresh.ask("POST", "/api/setup/").json(body).send().await
}

async fn state(fresh: &FreshBox) -> Value {
    fresh
        .ask("GET", "/api/setup/")
        .send()
        .await
        .expect(200)
        .json()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_once() {
    let fresh = FreshBox::start().await;
    let needed = json!({"needed": true, "code_required": false, "workshop_name": null});
    assert_eq!(state(&fresh).await, needed);
    let (one, two) = (set_up(), set_up());
    let (one, two) = tokio::join!(post(&fresh, &one), post(&fresh, &two));
    let (done, refused) = if one.status == 201 {
        (one, two)
    } else {
        (two, one)
    };
    assert_eq!(refused.status, 409, "{}", refused.text());
    refused.is_problem();
    let done = done.expect(201).json();
    assert_eq!(
        keys(&done),
        ["access", "recovery_words", "user", "workshop"]
    );
    assert_eq!(done["user"]["role"], "workshop_admin");
    assert_eq!(done["workshop"]["name"], WORKSHOP);
    let known = json!({"needed": false, "code_required": false, "workshop_name": WORKSHOP});
    assert_eq!(state(&fresh).await, known);
    let mut other = set_up();
    other["username"] = json!("intruder");
    assert_eq!(post(&fresh, &other).await.status, 409);
    let me = fresh.ask("GET", "/api/me/").token(&text(&done["access"]));
    me.send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_are_the_root_secret_and_are_shown_until_they_are_kept() {
    let fresh = FreshBox::start().await;
    let done = post(&fresh, &set_up()).await.expect(201).json();
    let token = text(&done["access"]);
    let words: Vec<_> = done["recovery_words"]
        .as_array()
        .unwrap()
        .iter()
        .map(text)
        .collect();
    assert_eq!(words.len(), 24);
    let mnemonic: bip39::Mnemonic = words.join(" ").parse().unwrap();
    let secret = std::fs::read(fresh.path().join("box/root.secret")).unwrap();
    assert_eq!(mnemonic.to_entropy(), secret);
    let path = "/api/setup/recovery-words/";
    for _ in 0..2 {
        let shown = fresh.ask("GET", path).token(&token).send().await;
        assert_eq!(shown.expect(200).json(), json!({"words": words}));
    }
    let kept = fresh
        .ask("POST", "/api/setup/recovery-words/kept/")
        .token(&token);
    kept.send().await.expect(204);
    let gone = fresh.ask("GET", path).token(&token).send().await;
    gone.problem(410, "words_gone");
    let again = fresh
        .ask("POST", "/api/setup/recovery-words/kept/")
        .token(&token);
    again.send().await.expect(204);
    let nobody = fresh.ask("GET", path).send().await;
    assert_eq!(nobody.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_not_do_is_told_by_field_and_sets_nothing_up() {
    let fresh = FreshBox::start().await;
    for (field, value) in [
        ("workshop_name", json!("")),
        ("workshop_name", json!("x".repeat(121))),
        ("full_name", json!(" \n")),
        ("full_name", json!("two\nlines")),
        ("username", json!("")),
        ("username", json!("with space")),
        ("username", json!("x")),
        ("password", json!("short")),
        ("password", json!("x".repeat(257))),
    ] {
        let mut body = set_up();
        body[field] = value.clone();
        let refused = post(&fresh, &body).await;
        assert_eq!(refused.status, 422, "{field} {value}: {}", refused.text());
        refused.is_problem();
        assert!(
            refused.json()["errors"][field].is_array(),
            "{}",
            refused.text()
        );
    }
    assert_eq!(state(&fresh).await["needed"], true);
    let login = fresh.ask("POST", "/api/auth/login/");
    let login = login.json(&json!({"username": "priya", "password": PASSWORD}));
    login.send().await.problem(401, "wrong_password");
}

/// An address of this machine that is not loopback: what comes from it to 127.0.0.1 does not look
/// like this machine. No packet is sent to find it.
fn another_address() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket
        .connect("192.0.2.1:9")
        .expect("this test needs a network interface other than loopback, up and with a route");
    socket.local_addr().unwrap().ip()
}

pub(crate) async fn from_elsewhere(ask: Ask) -> Answer {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((another_address(), 0).into()).unwrap();
    ask.send_on(socket).await
}

#[tokio::test(flavor = "multi_thread")]
async fn from_another_machine_it_takes_the_printed_code() {
    let fresh = FreshBox::start().await;
    let code = fresh.running().set_up_code().unwrap().to_owned();
    let asked = from_elsewhere(fresh.ask("GET", "/api/setup/")).await;
    assert_eq!(asked.expect(200).json()["code_required"], true);
    let body = |code: Value| {
        let mut body = set_up();
        body["code"] = code;
        fresh.ask("POST", "/api/setup/").json(&body)
    };
    let wrong = if code.starts_with('0') {
        "100-000"
    } else {
        "000-000"
    };
    for wrong in [
        json!(null),
        json!(""),
        json!(wrong),
        json!(format!("{code}0")),
    ] {
        let refused = from_elsewhere(body(wrong)).await;
        let problem = refused.problem(403, "set_up_code_wrong");
        assert!(problem["errors"]["code"].is_array());
    }
    let typed = format!(" {} ", code.replace('-', " "));
    from_elsewhere(body(json!(typed))).await.expect(201);
    let asked = from_elsewhere(fresh.ask("GET", "/api/setup/")).await;
    assert_eq!(asked.json()["code_required"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_the_code_ends_after_ten_but_not_for_whoever_sits_at_the_box() {
    let fresh = FreshBox::start().await;
    let code = fresh.running().set_up_code().unwrap().to_owned();
    let body = |code: &str| {
        let mut body = set_up();
        body["code"] = json!(code);
        fresh.ask("POST", "/api/setup/").json(&body)
    };
    for _ in 0..10 {
        let refused = from_elsewhere(body("")).await;
        refused.problem(403, "set_up_code_wrong");
    }
    let refused = from_elsewhere(body(&code)).await;
    refused.problem(429, "rate_limited");
    post(&fresh, &set_up()).await.expect(201);
}
