//! Access tokens that must not get in, at the doors themselves (quality S4): 401 over HTTP, 4401 on
//! sockets. `src/http/token/hostile.rs` has the long list, at the lock.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use motoreach::http::token::{NOT_BEFORE_LEEWAY_S, TOKEN_KEY_PURPOSE};
use motoreach::seal::SigningKey;
use serde_json::{Value, json};

use crate::harness::Workshop;

/// What of a token is what.
struct Parts {
    header: Value,
    claims: Value,
    signature: String,
}

fn parts(token: &str) -> Parts {
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let json = |part: &str| serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap();
    Parts {
        header: json(header),
        claims: json(claims),
        signature: signature.to_owned(),
    }
}

fn input(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let input = input(header, claims);
    let signature = BASE64.encode(key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

fn with(object: &Value, field: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[field] = value;
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hostile_token_gets_in_anywhere() {
    let workshop = Workshop::open().await;
    let elsewhere = Workshop::open().await;
    let key = workshop
        .running()
        .store()
        .keys()
        .signing_key(TOKEN_KEY_PURPOSE);
    let stranger = elsewhere
        .running()
        .store()
        .keys()
        .signing_key(TOKEN_KEY_PURPOSE);
    let good = workshop.admin.token.clone();
    let Parts {
        header,
        claims,
        signature,
    } = parts(&good);
    let again = signed(&key, &header, &claims);
    workshop.get("/api/me/", &again).await.expect(200);

    let mut tokens = vec![
        String::new(),
        "null".to_owned(),
        "undefined".to_owned(),
        "...".to_owned(),
        elsewhere.admin.token.clone(),
        signed(&stranger, &header, &claims),
        workshop.token_at(workshop.admin.id, -901, 900).await,
        workshop
            .token_at(workshop.admin.id, NOT_BEFORE_LEEWAY_S + 60, 900)
            .await,
        workshop.token_at(workshop.admin.id, 0, -1).await,
        workshop.token_at(workshop.admin.id, 0, 0).await,
        input(&header, &claims),
        format!("{}.", input(&header, &claims)),
        format!("{good}x"),
        format!("{good}.{signature}"),
        good[1..].to_owned(),
        good.replace('.', ".."),
    ];
    for alg in [
        "none", "None", "NONE", "", "HS256", "RS256", "ES256", "eddsa",
    ] {
        let header = with(&header, "alg", json!(alg));
        tokens.push(format!("{}.", input(&header, &claims)));
        tokens.push(format!("{}.{signature}", input(&header, &claims)));
        tokens.push(signed(&key, &header, &claims));
    }
    for secret in [key.public_key().to_vec(), b"secret".to_vec(), Vec::new()] {
        let input = input(&with(&header, "alg", json!("HS256")), &claims);
        let hmac = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
        let tag = ring::hmac::sign(&hmac, input.as_bytes());
        tokens.push(format!("{input}.{}", BASE64.encode(tag)));
    }
    let attacker = json!({"kty": "OKP", "crv": "Ed25519",
        "x": BASE64.encode(stranger.public_key())});
    for (field, value) in [
        ("jwk", attacker),
        ("jku", json!("http://127.0.0.1/keys.json")),
        ("kid", json!("another")),
        ("kid", json!("../../dev/null")),
        ("crit", json!(["exp"])),
        ("typ", json!("at+jwt")),
    ] {
        let header = with(&header, field, value);
        tokens.push(signed(&stranger, &header, &claims));
        tokens.push(signed(&key, &header, &claims));
    }
    // Somebody else's claims under a signature that was for others.
    for (field, value) in [
        ("user_id", json!(workshop.meera.id)),
        ("role", json!("user")),
        ("exp", json!(number_of(&claims["exp"]) + 900)),
    ] {
        let claims = with(&claims, field, value);
        tokens.push(format!("{}.{signature}", input(&header, &claims)));
    }
    // Our own signature over what we would never say.
    for (field, value) in [
        ("aud", json!(parts(&elsewhere.admin.token).claims["aud"])),
        ("aud", json!([claims["aud"]])),
        ("aud", json!("*")),
        ("iss", json!("another")),
        ("token_type", json!("refresh")),
        ("exp", json!(0)),
        ("exp", json!("never")),
        ("exp", json!(i64::MAX)),
        ("nbf", json!(i64::MAX)),
        ("iat", json!(i64::MAX)),
        ("user_id", json!("1 or 1=1")),
        ("user_id", json!(999)),
        ("user_id", json!(0)),
        ("user_id", json!(-1)),
        ("user_id", json!(workshop.asha.id)),
        ("sid", json!(uuid::Uuid::new_v4().to_string())),
        ("sid", json!("garbage")),
        ("ver", json!(number_of(&claims["ver"]) + 1)),
        ("ver", json!(number_of(&claims["ver"]) - 1)),
    ] {
        tokens.push(signed(&key, &header, &with(&claims, field, value)));
    }
    assert!(tokens.len() >= 60, "only {}", tokens.len());

    let request = workshop.asha.request;
    for token in tokens {
        let answer = workshop.get("/api/me/", &token).await;
        assert_eq!(answer.status, 401, "{token}");
        answer.is_problem();
        assert_eq!(answer.field("www-authenticate"), Some("Bearer"));
        for path in [
            "/ws/notifications/".to_owned(),
            format!("/ws/service-chat/{request}/"),
        ] {
            let mut socket = workshop
                .socket(&format!("{path}?token={token}"), None)
                .await;
            assert_eq!(socket.next().await, Err(4401), "{path} {token}");
        }
    }
    // Nor in another form than `Authorization: Bearer`.
    for value in ["", "Bearer", "Bearer ", "Basic cHJpeWE6eA==", good.as_str()] {
        let answer = workshop
            .ask("GET", "/api/me/")
            .field("Authorization", value);
        assert_eq!(answer.send().await.status, 401, "{value}");
    }
    let in_url = workshop.ask("GET", &format!("/api/me/?token={good}"));
    assert_eq!(in_url.send().await.status, 401);
}

fn number_of(value: &Value) -> i64 {
    crate::harness::number(value)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_in_a_token_opens_nothing() {
    let workshop = Workshop::open().await;
    let key = workshop
        .running()
        .store()
        .keys()
        .signing_key(TOKEN_KEY_PURPOSE);
    let Parts { header, claims, .. } = parts(&workshop.asha.token);
    let token = signed(
        &key,
        &header,
        &with(&claims, "role", json!("workshop_admin")),
    );
    workshop
        .get("/api/people/", &token)
        .await
        .problem(403, "not_allowed");
    // Nor does a wider reach: without `req` an owner has their own requests and no others.
    let mut wide = claims;
    wide.as_object_mut().unwrap().remove("req");
    let token = signed(&key, &header, &wide);
    let path = format!("/api/service-requests/{}/", workshop.bilal.request);
    workshop.get(&path, &token).await.problem(404, "not_found");
}
