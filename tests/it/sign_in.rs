//! Signing in, going on, signing out, and what ends a sign-in (`wire.md` §1; quality S5, S8).

use std::time::Duration;

use motoreach::clock::stopwatch;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::harness::{FreshBox, PASSWORD, STAFF_COOKIE, Workshop, keys, text};
use crate::socket::Socket;

/// How soon an open socket must end with its sign-in (quality S5).
pub(crate) const CLOSED_MAX: Duration = Duration::from_secs(2);

async fn login(workshop: &FreshBox, body: &Value) -> Answer {
    workshop
        .ask("POST", "/api/auth/login/")
        .json(body)
        .send()
        .await
}

async fn refresh(workshop: &FreshBox, cookie: &str) -> Answer {
    workshop
        .ask("POST", "/api/auth/token/refresh/")
        .field("Cookie", cookie)
        .send()
        .await
}

/// Does something that must end these sockets, and sees them end in time.
pub(crate) async fn ends(sockets: Vec<&mut Socket>, act: impl Future<Output = ()>) {
    act.await;
    let since = stopwatch();
    for socket in sockets {
        assert_eq!(socket.closed().await, 4401);
    }
    assert!(since.elapsed() < CLOSED_MAX, "{:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_by_name_by_e_mail_and_by_telephone() {
    let workshop = Workshop::open().await;
    let path = format!("/api/people/{}/", workshop.meera.id);
    let body = json!({"email": "Meera@Example.com", "phone": "+91 98450-11223"});
    let changed = workshop.patch(&path, &workshop.admin.token, &body).await;
    changed.expect(200);
    for name in [
        json!({"username": "meera"}),
        json!({"username": " MEERA "}),
        json!({"email": "meera@example.com"}),
        json!({"email": "MEERA@EXAMPLE.COM"}),
        json!({"phone": "+919845011223"}),
        json!({"phone": "+91 (98450) 11 223"}),
    ] {
        let mut body = name.clone();
        body["password"] = json!(PASSWORD);
        let answer = login(&workshop, &body).await.expect(200);
        let cookie = answer.field("set-cookie").unwrap().to_owned();
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/api/auth/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        let session = answer.json();
        assert_eq!(keys(&session), ["access", "user", "workshop"]);
        let user = json!({"id": workshop.meera.id, "full_name": "Meera Pillai",
            "role": "mechanic"});
        assert_eq!(session["user"], user, "{name}");
        let me = workshop.get("/api/me/", &text(&session["access"])).await;
        assert_eq!(me.expect(200).json()["user"], user);
    }
    for body in [
        json!({"password": PASSWORD}),
        json!({"username": "meera", "email": "meera@example.com", "password": PASSWORD}),
        json!({"username": null, "password": PASSWORD}),
    ] {
        login(&workshop, &body).await.problem(422, "invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_sign_in_cannot_tell_why() {
    let workshop = Workshop::open().await;
    let path = format!("/api/people/{}/", workshop.ravi.id);
    let leaves = json!({"active": false});
    workshop
        .patch(&path, &workshop.admin.token, &leaves)
        .await
        .expect(200);
    let mut answers = Vec::new();
    for body in [
        json!({"username": "priya", "password": "not it, not it"}),
        json!({"username": "nobody", "password": PASSWORD}),
        json!({"username": "ravi", "password": PASSWORD}),
        json!({"username": "", "password": PASSWORD}),
        json!({"username": "no such name", "password": ""}),
        json!({"username": "x".repeat(10_000), "password": "x".repeat(10_000)}),
        json!({"email": "nobody@example.com", "password": PASSWORD}),
        json!({"email": "no address", "password": PASSWORD}),
        json!({"phone": "+91 98450 11223", "password": PASSWORD}),
        json!({"phone": "no number", "password": PASSWORD}),
    ] {
        let answer = login(&workshop, &body).await;
        answer.problem(401, "wrong_password");
        assert_eq!(answer.field("set-cookie"), None);
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_wrong_passwords_lock_an_account_for_a_while_and_no_other() {
    let workshop = Workshop::open().await;
    let wrong = json!({"username": "meera", "password": "not it, not it"});
    let right = json!({"username": "Meera", "password": PASSWORD});
    for _ in 0..9 {
        login(&workshop, &wrong)
            .await
            .problem(401, "wrong_password");
    }
    for _ in 0..15 {
        // What was right does not count.
        login(&workshop, &right).await.expect(200);
    }
    login(&workshop, &wrong)
        .await
        .problem(401, "wrong_password");
    for body in [&wrong, &right] {
        let answer = login(&workshop, body).await;
        answer.problem(429, "rate_limited");
        let wait: u64 = answer.field("retry-after").unwrap().parse().unwrap();
        assert!((1..=900).contains(&wait), "{wait}");
    }
    let other = json!({"username": "ravi", "password": PASSWORD});
    login(&workshop, &other).await.expect(200);
    // Whoever is signed in goes on.
    workshop
        .get("/api/me/", &workshop.meera.token)
        .await
        .expect(200);
    refresh(&workshop, &workshop.meera.cookie).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_ten_guesses_under_all_its_names_together() {
    let workshop = Workshop::open().await;
    let path = format!("/api/people/{}/", workshop.meera.id);
    let body = json!({"email": "meera@example.com", "phone": "+919845011223"});
    let changed = workshop.patch(&path, &workshop.admin.token, &body).await;
    changed.expect(200);
    let names = [
        ("username", "meera"),
        ("email", "meera@example.com"),
        ("phone", "+919845011223"),
    ];
    for (kind, name) in names.iter().cycle().take(10) {
        let body = json!({*kind: name, "password": "not it, not it"});
        login(&workshop, &body).await.problem(401, "wrong_password");
    }
    for (kind, name) in names {
        let body = json!({kind: name, "password": PASSWORD});
        login(&workshop, &body).await.problem(429, "rate_limited");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_guesses_from_one_address_are_enough_whatever_is_guessed_at() {
    let workshop = Workshop::open().await;
    for at in 0..30 {
        let body = json!({"username": format!("nobody{at}"), "password": "not it, not it"});
        login(&workshop, &body).await.problem(401, "wrong_password");
        let code = motoreach_code(at);
        let guess = workshop
            .ask("POST", "/api/auth/invite/")
            .json(&json!({"code": code}));
        guess.send().await.problem(401, "invite_invalid");
    }
    let body = json!({"username": "meera", "password": PASSWORD});
    login(&workshop, &body).await.problem(429, "rate_limited");
    let url = workshop.asha.url.clone();
    workshop.open_link(&url).await.problem(429, "rate_limited");
    let own = json!({"current": "not it, not it", "new": "another password"});
    let own = workshop.post("/api/auth/password/", &workshop.meera.token, &own);
    own.await.problem(429, "rate_limited");
}

fn motoreach_code(at: u8) -> String {
    use base64::Engine;
    base64::prelude::BASE64_URL_SAFE_NO_PAD.encode([at; 32])
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_tokens_rotate_and_a_replayed_one_ends_its_family() {
    let workshop = Workshop::open().await;
    let (first, other) = (workshop.sign_in("meera").await, &workshop.meera);
    let second = refresh(&workshop, &first.cookie).await.expect(200);
    assert_eq!(keys(&second.json()), ["access", "user", "workshop"]);
    let second = second.cookie(STAFF_COOKIE).unwrap();
    assert_ne!(second, first.cookie);
    let third = refresh(&workshop, &second).await.expect(200);
    let access = text(&third.json()["access"]);
    let third = third.cookie(STAFF_COOKIE).unwrap();

    let (mut chat, ..) = workshop.greeted(workshop.asha.request, &access).await;
    let mut dots = workshop.dots(&first.token).await;
    let mut dots_elsewhere = workshop.dots(&other.token).await;
    dots.hear().await;
    dots_elsewhere.hear().await;
    ends(vec![&mut chat, &mut dots], async {
        let replayed = refresh(&workshop, &first.cookie).await;
        replayed.problem(401, "signed_out");
    })
    .await;
    refresh(&workshop, &third).await.problem(401, "signed_out");
    for token in [&access, &first.token] {
        workshop
            .get("/api/me/", token)
            .await
            .problem(401, "signed_out");
    }
    // The same person's other sign-in goes on.
    workshop.get("/api/me/", &other.token).await.expect(200);
    workshop
        .write(workshop.asha.request, &workshop.asha.token, "x")
        .await;
    dots_elsewhere.hear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_may_refresh_in_the_same_moment_but_not_later() {
    let workshop = Workshop::open().await;
    let tab = workshop.sign_in("meera").await;
    let (one, two) = tokio::join!(
        refresh(&workshop, &tab.cookie),
        refresh(&workshop, &tab.cookie)
    );
    let cookies: Vec<_> = [one.expect(200), two.expect(200)]
        .iter()
        .filter_map(|answer| answer.cookie(STAFF_COOKIE))
        .collect();
    assert_eq!(cookies.len(), 2);
    assert_eq!(cookies[0], cookies[1], "both get the same next token");
    // Whoever lost the answer asks again and gets it again.
    let again = refresh(&workshop, &tab.cookie).await.expect(200);
    assert_eq!(again.cookie(STAFF_COOKIE).as_ref(), Some(&cookies[0]));
    let next = refresh(&workshop, &cookies[0]).await.expect(200);
    let next = next.cookie(STAFF_COOKIE).unwrap();
    // Eleven seconds later the one before is a replay.
    let aged = "update session set rotated_ms = rotated_ms - 11000";
    workshop.database().execute(aged, []).unwrap();
    refresh(&workshop, &cookies[0])
        .await
        .problem(401, "signed_out");
    refresh(&workshop, &next).await.problem(401, "signed_out");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_refresh_token_refreshes_nothing() {
    let workshop = Workshop::open().await;
    let no_cookie = workshop.ask("POST", "/api/auth/token/refresh/");
    no_cookie.send().await.problem(401, "signed_out");
    let nil = uuid::Uuid::nil();
    for cookie in [
        String::new(),
        "garbage".to_owned(),
        format!("{STAFF_COOKIE}="),
        format!("{STAFF_COOKIE}=a.b"),
        format!("{STAFF_COOKIE}={nil}.{}", motoreach_code(1)),
        format!("{STAFF_COOKIE}={}", workshop.admin.token),
        format!("other={}", workshop.admin.cookie),
    ] {
        let answer = refresh(&workshop, &cookie).await;
        answer.problem(401, "signed_out");
    }
    refresh(&workshop, &workshop.admin.cookie).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_this_sign_in_and_its_sockets_and_no_other() {
    let workshop = Workshop::open().await;
    let here = workshop.sign_in("meera").await;
    let (mut chat, ..) = workshop.greeted(workshop.asha.request, &here.token).await;
    let mut dots = workshop.dots(&here.token).await;
    ends(vec![&mut chat, &mut dots], async {
        let out = workshop
            .ask("POST", "/api/auth/logout/")
            .field("Cookie", &here.cookie);
        let out = out.send().await.expect(204);
        assert!(out.field("set-cookie").unwrap().contains("Max-Age=0"));
    })
    .await;
    refresh(&workshop, &here.cookie)
        .await
        .problem(401, "signed_out");
    workshop
        .get("/api/me/", &here.token)
        .await
        .problem(401, "signed_out");
    workshop
        .get("/api/me/", &workshop.meera.token)
        .await
        .expect(200);

    // With the access token alone, and when nobody is signed in.
    let there = workshop.sign_in("meera").await;
    let out = workshop
        .ask("POST", "/api/auth/logout/")
        .token(&there.token);
    out.send().await.expect(204);
    workshop
        .get("/api/me/", &there.token)
        .await
        .problem(401, "signed_out");
    let out = workshop.ask("POST", "/api/auth/logout/").token("garbage");
    out.send().await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_knows_a_session_but_not_its_secret_cannot_sign_it_out() {
    let workshop = Workshop::open().await;
    let session = workshop.meera.cookie.split(['=', '.']).nth(1).unwrap();
    let forged = format!("{STAFF_COOKIE}={session}.{}", motoreach_code(7));
    let out = workshop
        .ask("POST", "/api/auth/logout/")
        .field("Cookie", &forged);
    out.send().await.expect(204);
    workshop
        .get("/api/me/", &workshop.meera.token)
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_the_other_sign_ins() {
    let workshop = Workshop::open().await;
    let (here, elsewhere) = (workshop.sign_in("meera").await, &workshop.meera);
    let path = "/api/auth/password/";
    for (current, new, field) in [
        ("not it, not it", "a new password", "current"),
        (PASSWORD, "short", "new"),
        (PASSWORD, "", "new"),
    ] {
        let body = json!({"current": current, "new": new});
        let refused = workshop.post(path, &here.token, &body).await;
        let problem = refused.problem(422, "invalid");
        assert!(problem["errors"][field].is_array(), "{problem}");
    }
    let mut dots = workshop.dots(&elsewhere.token).await;
    ends(vec![&mut dots], async {
        let body = json!({"current": PASSWORD, "new": "a new password"});
        let changed = workshop.post(path, &here.token, &body).await;
        changed.expect(204);
    })
    .await;
    workshop
        .get("/api/me/", &elsewhere.token)
        .await
        .problem(401, "signed_out");
    refresh(&workshop, &elsewhere.cookie)
        .await
        .problem(401, "signed_out");
    // This one goes on with its refresh token.
    let on = refresh(&workshop, &here.cookie).await.expect(200).json();
    workshop
        .get("/api/me/", &text(&on["access"]))
        .await
        .expect(200);
    let old = json!({"username": "meera", "password": PASSWORD});
    login(&workshop, &old).await.problem(401, "wrong_password");
    let new = json!({"username": "meera", "password": "a new password"});
    login(&workshop, &new).await.expect(200);

    // One that an admin sets ends all of them.
    let person = format!("/api/people/{}/", workshop.meera.id);
    let body = json!({"password": "yet another password"});
    workshop
        .patch(&person, &workshop.admin.token, &body)
        .await
        .expect(200);
    refresh(&workshop, &here.cookie)
        .await
        .problem(401, "signed_out");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_is_out_within_two_seconds_and_for_good() {
    let workshop = Workshop::open().await;
    let meera = &workshop.meera;
    let operators = workshop.token_at(meera.id, 0, 900).await;
    let (mut chat, ..) = workshop.greeted(workshop.asha.request, &meera.token).await;
    let mut original = workshop.chat(workshop.bilal.request, &meera.token).await;
    let mut dots = workshop.dots(&operators).await;
    dots.hear().await;
    let ticket = workshop.ticket(&meera.token).await;
    let person = format!("/api/people/{}/", meera.id);
    let change = async |body: Value| {
        let changed = workshop.patch(&person, &workshop.admin.token, &body).await;
        changed.expect(200);
    };
    ends(
        vec![&mut chat, &mut original, &mut dots],
        change(json!({"active": false})),
    )
    .await;
    let path = format!("/ws/notifications/?token={ticket}");
    assert_eq!(workshop.socket(&path, None).await.next().await, Err(4401));
    // Coming back revives nothing.
    for active in [false, true] {
        change(json!({"active": active})).await;
        for token in [&meera.token, &operators] {
            workshop
                .get("/api/me/", token)
                .await
                .problem(401, "signed_out");
            assert_eq!(workshop.dots(token).await.next().await, Err(4401));
        }
        refresh(&workshop, &meera.cookie)
            .await
            .problem(401, "signed_out");
    }
    workshop.sign_in("meera").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_role_takes_a_new_sign_in() {
    let workshop = Workshop::open().await;
    let meera = &workshop.meera;
    let mut dots = workshop.dots(&meera.token).await;
    let person = format!("/api/people/{}/", meera.id);
    ends(vec![&mut dots], async {
        let body = json!({"role": "workshop_admin"});
        let changed = workshop.patch(&person, &workshop.admin.token, &body).await;
        assert_eq!(changed.expect(200).json()["role"], "workshop_admin");
    })
    .await;
    workshop
        .get("/api/me/", &meera.token)
        .await
        .problem(401, "signed_out");
    let meera = workshop.sign_in("meera").await;
    // Now the first admin may go, and then she is the last.
    let first = format!("/api/people/{}/", workshop.admin.id);
    let leaves = json!({"active": false});
    workshop
        .patch(&first, &meera.token, &leaves)
        .await
        .expect(200);
    for body in [leaves, json!({"role": "mechanic"})] {
        let refused = workshop.patch(&person, &meera.token, &body).await;
        refused.problem(409, "last_admin");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_socket_once() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    for path in [
        "/ws/notifications/".to_owned(),
        format!("/ws/service-chat/{}/", asha.request),
    ] {
        let ticket = workshop.ticket(&asha.token).await;
        let me = workshop.get("/api/me/", &ticket).await;
        me.problem(401, "signed_out");
        let path = format!("{path}?token={ticket}");
        let mut first = workshop.socket(&path, Some(crate::socket::V1)).await;
        first.hear().await;
        let mut second = workshop.socket(&path, None).await;
        assert_eq!(second.next().await, Err(4401));
        first.close().await;
    }
    // It reaches no further than the sign-in that it came from.
    let ticket = workshop.ticket(&asha.token).await;
    let other = workshop.bilal.request;
    let path = format!("/ws/service-chat/{other}/?token={ticket}");
    assert_eq!(workshop.socket(&path, None).await.next().await, Err(4403));
    // And dies with it.
    let here = workshop.sign_in("meera").await;
    let ticket = workshop.ticket(&here.token).await;
    let out = workshop.ask("POST", "/api/auth/logout/").token(&here.token);
    out.send().await.expect(204);
    let path = format!("/ws/notifications/?token={ticket}");
    assert_eq!(workshop.socket(&path, None).await.next().await, Err(4401));
}
