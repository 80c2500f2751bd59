//! Owners' links (`wire.md` §1; sync.md §5, last paragraph): what opens them, what they open, and
//! what ends them.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use motoreach::appliance::MessageLimits;
use motoreach::config::Config;
use ring::hkdf;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Answer;
use crate::harness::{Workshop, keys, number, on_loopback, text};
use crate::sign_in::ends;
use crate::socket::V1;

/// What the owner's page makes of the secret in its link, written again from api.md.
fn auth_of(url: &str) -> String {
    let secret = BASE64.decode(url.split_once('#').unwrap().1).unwrap();
    assert_eq!(secret.len(), 32);
    let key = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&secret);
    let mut auth = [0; 32];
    key.expand(&[b"auth"], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut auth))
        .unwrap();
    BASE64.encode(auth)
}

/// An invite's id as its link writes it.
fn in_link(invite: &str) -> String {
    BASE64.encode(invite.parse::<Uuid>().unwrap())
}

async fn exchange(workshop: &Workshop, body: &Value) -> Answer {
    workshop
        .ask("POST", "/api/auth/invite/")
        .json(body)
        .send()
        .await
}

async fn invites(workshop: &Workshop, request: i64) -> Vec<Value> {
    let path = format!("/api/service-requests/{request}/invites/");
    let invites = workshop.get(&path, &workshop.admin.token).await;
    invites.expect(200).json().as_array().unwrap().clone()
}

async fn revoke(workshop: &Workshop, request: i64, invite: &str) -> Answer {
    let path = format!("/api/service-requests/{request}/invites/{invite}/");
    let revoked = workshop.ask("DELETE", &path).token(&workshop.meera.token);
    revoked.send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_by_its_auth_by_its_secret_and_as_a_whole() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let base = format!("http://{}/o/{}#", workshop.address(), in_link(&asha.invite));
    assert!(asha.url.starts_with(&base), "{}", asha.url);
    let secret = asha.url.split_once('#').unwrap().1;
    for code in [auth_of(&asha.url).as_str(), secret, &asha.url] {
        let answer = exchange(&workshop, &json!({"code": code})).await;
        let session = answer.expect(200).json();
        assert_eq!(
            keys(&session),
            ["access", "service_request", "user", "workshop"]
        );
        assert_eq!(session["service_request"], asha.request);
        let user = json!({"id": asha.id, "full_name": asha.name, "role": "user"});
        assert_eq!(session["user"], user);
        let me = workshop.get("/api/me/", &text(&session["access"])).await;
        assert_eq!(me.expect(200).json()["service_request"], asha.request);
    }
    for code in [
        "",
        " ",
        "garbage",
        &"A".repeat(43),
        &"A".repeat(100_000),
        &secret[1..],
        &asha.invite,
        "http://127.0.0.1/o/#",
        &asha.url.replace(secret, &"B".repeat(43)),
    ] {
        let refused = exchange(&workshop, &json!({"code": code})).await;
        refused.problem(401, "invite_invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_a_link_consumes_nothing() {
    let workshop = Workshop::open().await;
    let opened = workshop.open_request("Chitra Das", "KL 01 B 7", None).await;
    let url = text(&opened["invite"]["url"]);
    let path = format!("/o/{}", in_link(&text(&opened["invite"]["id"])));
    for method in ["GET", "HEAD"] {
        let page = workshop.ask(method, &path).field("Accept", "text/html");
        page.send().await.expect(200);
    }
    let request = number(&opened["id"]);
    assert!(
        invites(&workshop, request).await[0]["devices"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    for _ in 0..3 {
        workshop.open_link(&url).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_phone_stays_one_device() {
    let workshop = Workshop::open().await;
    let opened = workshop.open_request("Chitra Das", "KL 01 B 7", None).await;
    let code = auth_of(&text(&opened["invite"]["url"]));
    let (phone, tablet) = (Uuid::new_v4(), Uuid::new_v4());
    let agent =
        "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36";
    let mut tokens = Vec::new();
    for device in [phone, tablet, phone, phone] {
        let ask = workshop
            .ask("POST", "/api/auth/invite/")
            .field("User-Agent", agent)
            .json(&json!({"code": code, "device_id": device}));
        tokens.push(text(&ask.send().await.expect(200).json()["access"]));
    }
    let listed = invites(&workshop, number(&opened["id"])).await;
    assert_eq!(
        keys(&listed[0]),
        [
            "created_at",
            "devices",
            "expires_at",
            "id",
            "lan_url",
            "qr_svg",
            "revoked_at",
            "url"
        ]
    );
    let devices = listed[0]["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 2, "{devices:?}");
    assert_eq!(
        keys(&devices[0]),
        ["first_seen_at", "id", "last_seen_at", "name", "via"]
    );
    assert_eq!(devices[0]["name"], "Chrome on Android");
    assert_eq!(devices[0]["via"], "lan");
    // Without a relay there is one door.
    assert_eq!(listed[0]["lan_url"], listed[0]["url"]);
    for token in tokens {
        workshop.get("/api/me/", &token).await.expect(200);
    }
    // Without a name of its own every visit is another device.
    for _ in 0..2 {
        exchange(&workshop, &json!({"code": code}))
            .await
            .expect(200);
    }
    let listed = invites(&workshop, number(&opened["id"])).await;
    assert_eq!(listed[0]["devices"].as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_taken_back_closes_its_pages_and_opens_nothing() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut chat, ..) = workshop.greeted(asha.request, &asha.token).await;
    let mut original = workshop.chat(asha.request, &asha.token).await;
    let mut dots = workshop.dots(&asha.token).await;
    let mut dots_of_bilal = workshop.dots(&workshop.bilal.token).await;
    dots.hear().await;
    dots_of_bilal.hear().await;
    ends(vec![&mut chat, &mut original, &mut dots], async {
        revoke(&workshop, asha.request, &asha.invite)
            .await
            .expect(204);
    })
    .await;
    workshop
        .open_link(&asha.url)
        .await
        .problem(410, "invite_revoked");
    workshop
        .get("/api/me/", &asha.token)
        .await
        .problem(401, "signed_out");
    let mut again = workshop.chat(asha.request, &asha.token).await;
    assert_eq!(again.next().await, Err(4401));
    let listed = invites(&workshop, asha.request).await;
    assert_eq!(
        (&listed[0]["url"], &listed[0]["qr_svg"]),
        (&json!(null), &json!(null))
    );
    assert!(listed[0]["revoked_at"].is_string());
    // Again changes nothing; what is not there is not found, and nobody else noticed.
    revoke(&workshop, asha.request, &asha.invite)
        .await
        .expect(204);
    for invite in [
        Uuid::new_v4().to_string(),
        "garbage".to_owned(),
        workshop.bilal.invite.clone(),
    ] {
        let refused = revoke(&workshop, asha.request, &invite).await;
        refused.problem(404, "not_found");
    }
    workshop
        .get("/api/me/", &workshop.bilal.token)
        .await
        .expect(200);
    workshop
        .write(workshop.bilal.request, &workshop.admin.token, "Hello")
        .await;
    assert_eq!(dots_of_bilal.hear().await["data"]["total_unread_count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stays_taken_back_after_a_restart() {
    let mut workshop = Workshop::open().await;
    let asha = workshop.asha.clone();
    revoke(&workshop, asha.request, &asha.invite)
        .await
        .expect(204);
    workshop.restart().await;
    workshop
        .open_link(&asha.url)
        .await
        .problem(410, "invite_revoked");
    workshop
        .get("/api/me/", &asha.token)
        .await
        .problem(401, "signed_out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_whose_time_is_over_opens_nothing() {
    let workshop = Workshop::open().await;
    workshop
        .database()
        .execute("update invite set expires_ms = 1", [])
        .unwrap();
    workshop
        .open_link(&workshop.asha.url)
        .await
        .problem(410, "invite_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_its_own_request_only_although_its_owner_has_two() {
    let workshop = Workshop::open().await;
    let first = workshop.asha.clone();
    let second = workshop.take_in("Asha Nair", "KL 07 XX 1", None).await;
    assert_eq!(first.id, second.id, "she is one person");
    workshop
        .write(second.request, &workshop.admin.token, "second")
        .await;
    let mut dots = workshop.dots(&first.token).await;
    assert_eq!(dots.hear().await["data"]["total_unread_count"], 0);
    let list = workshop.get("/api/service-requests/", &first.token).await;
    let list = list.expect(200).json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["id"], first.request);
    let path = format!("/api/service-requests/{}/", second.request);
    workshop
        .get(&path, &first.token)
        .await
        .problem(404, "not_found");
    let (messages, body) = (format!("{path}messages/"), json!({"content": "x"}));
    let refused = workshop.post(&messages, &first.token, &body).await;
    refused.problem(404, "not_found");
    for protocol in [None, Some(V1)] {
        let path = format!("/ws/service-chat/{}/?token={}", second.request, first.token);
        let mut socket = workshop.socket(&path, protocol).await;
        assert_eq!(socket.next().await, Err(4403));
    }
    workshop.get(&path, &second.token).await.expect(200);
    assert_eq!(
        workshop.dots(&second.token).await.hear().await["data"]["total_unread_count"],
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_link_works_beside_the_first_and_outlives_it() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let path = format!("/api/service-requests/{}/invites/", asha.request);
    let issued = workshop.ask("POST", &path).token(&workshop.meera.token);
    let issued = issued.send().await.expect(201).json();
    let url = text(&issued["url"]);
    assert_ne!(url, asha.url);
    let svg = text(&issued["qr_svg"]);
    assert!(
        svg.contains("<svg") && !svg.contains("<script"),
        "{svg:.80}"
    );
    workshop.open_link(&asha.url).await.expect(200);
    let other = workshop.open_link(&url).await.expect(200).json();
    revoke(&workshop, asha.request, &asha.invite)
        .await
        .expect(204);
    workshop
        .get("/api/me/", &text(&other["access"]))
        .await
        .expect(200);
    workshop.open_link(&url).await.expect(200);
    assert_eq!(invites(&workshop, asha.request).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_becomes_connected_once() {
    let workshop = Workshop::open().await;
    let opened = workshop.open_request("Chitra Das", "KL 01 B 7", None).await;
    let request = number(&opened["id"]);
    assert_eq!(opened["status"], "CREATED");
    let (mut desk, ..) = workshop.greeted(request, &workshop.admin.token).await;
    let url = text(&opened["invite"]["url"]);
    workshop.open_link(&url).await.expect(200);
    let changed = desk.hear_a("chat.changed").await;
    assert_eq!(changed["request"]["status"], "CONNECTED");
    workshop.open_link(&url).await.expect(200);
    let path = format!("/api/service-requests/{request}/");
    let body = json!({"status": "IN_PROGRESS"});
    workshop
        .patch(&path, &workshop.admin.token, &body)
        .await
        .expect(200);
    assert_eq!(
        desk.hear_a("chat.changed").await["request"]["status"],
        "IN_PROGRESS"
    );
    workshop.open_link(&url).await.expect(200);
    let now = workshop.get(&path, &workshop.admin.token).await.json();
    assert_eq!(now["status"], "IN_PROGRESS");
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_a_vehicle_in_twice_under_one_id_opens_one_request() {
    let workshop = Workshop::open().await;
    let body = json!({"client_id": Uuid::new_v4(), "customer": {"full_name": "Chitra Das"},
        "vehicle": {"plate": "KL 01 B 7"}, "description": "Horn."});
    let (one, two) = tokio::join!(
        workshop.post("/api/service-requests/", &workshop.admin.token, &body),
        workshop.post("/api/service-requests/", &workshop.admin.token, &body)
    );
    let (one, two) = (one.expect(201).json(), two.expect(201).json());
    assert_eq!(one, two);
    let list = workshop
        .get("/api/service-requests/", &workshop.admin.token)
        .await;
    assert_eq!(list.json().as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_begin_as_configured() {
    let config = Config {
        public_url: Some("https://chat.sharma.example/".to_owned()),
        ..on_loopback()
    };
    let workshop = Workshop::open_with(config, MessageLimits::Off).await;
    let base = format!(
        "https://chat.sharma.example/o/{}#",
        in_link(&workshop.asha.invite)
    );
    assert!(
        workshop.asha.url.starts_with(&base),
        "{}",
        workshop.asha.url
    );
}
