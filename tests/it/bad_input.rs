//! Whatever is sent, the answer is a sentence and never a 5xx (quality S2). Values are generated from
//! the OpenAPI schema: every field of every POST and PATCH, every parameter of everything.

use serde_json::{Map, Value, json};

use crate::client::Answer;
use crate::harness::Workshop;

/// What no field expects, as raw JSON.
fn hostile() -> Vec<String> {
    let mut values: Vec<String> = [
        "null",
        "true",
        "0",
        "-1",
        "1.5",
        "1e400",
        "-1e400",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "99999999999999999999999999999999",
        "\"\"",
        "\" \"",
        "\"\\u0000\"",
        "\"a\\u0000b\"",
        "\"\\n\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\u{202e}gnp.exe\u{feff}\"",
        "\"' or 1=1 --\"",
        "\"../../etc/passwd\"",
        "\"<script>alert(1)</script>\"",
        "[]",
        "{}",
        "[null]",
        "{\"a\":{\"b\":[]}}",
    ]
    .map(str::to_owned)
    .into();
    values.push(format!("\"{}\"", "x".repeat(9_000)));
    values.push(format!("{}1{}", "[".repeat(300), "]".repeat(300)));
    values
}

#[track_caller]
fn check(answer: &Answer, what: &str) {
    assert!(
        answer.status < 500,
        "{what}: {} {}",
        answer.status,
        answer.text()
    );
    if answer.status >= 400 {
        answer.is_problem();
    }
}

/// The schema behind a `$ref`.
fn resolved<'a>(openapi: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        return resolved(openapi, &openapi["components"]["schemas"][name]);
    }
    let choices = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
    match choices.and_then(|all| all.iter().find(|one| one["type"] != "null")) {
        Some(one) => resolved(openapi, one),
        None => schema,
    }
}

/// A body that has every field of a schema, with a plausible value in each.
fn sample(openapi: &Value, schema: &Value) -> Value {
    let schema = resolved(openapi, schema);
    if let Some(fields) = schema["properties"].as_object() {
        let fields = fields.iter();
        return fields
            .map(|(name, field)| (name.clone(), sample(openapi, field)))
            .collect::<Map<_, _>>()
            .into();
    }
    let is_a = |kind: &str| {
        schema["type"] == kind
            || schema["type"]
                .as_array()
                .is_some_and(|all| all.contains(&json!(kind)))
    };
    if schema["format"] == "uuid" {
        json!(uuid::Uuid::new_v4())
    } else if is_a("integer") {
        json!(2)
    } else if is_a("boolean") {
        json!(true)
    } else {
        json!("long enough")
    }
}

/// Every body that differs from the sample in one field.
fn variations(sample: &Value, at: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let Some(fields) = sample.as_object() else {
        return all;
    };
    for (name, value) in fields {
        let path = format!("{at}{name}");
        let with = |raw: &str| {
            let mark = "@@@";
            let mut marked = sample.clone();
            marked[name] = json!(mark);
            marked.to_string().replacen(&format!("\"{mark}\""), raw, 1)
        };
        for raw in hostile() {
            all.push((path.clone(), with(&raw)));
        }
        let mut without = sample.clone();
        without.as_object_mut().unwrap().remove(name);
        all.push((path.clone(), without.to_string()));
        for (path, inner) in variations(value, &format!("{path}.")) {
            all.push((path, with(&inner)));
        }
    }
    all
}

/// Bodies that are wrong as a whole.
fn bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "}",
        "[",
        "\"",
        "nul",
        "null",
        "7",
        "\"x\"",
        "[]",
        "{}",
        "{}{}",
        "{\"a\":}",
        "{'a':1}",
        "{\"a\":1,}",
        "\u{feff}{}",
        "<xml/>",
        "a=b&c=d",
    ]
    .map(|body| body.as_bytes().to_vec())
    .into();
    bodies.push(vec![0xff, 0xfe, 0x00]);
    bodies.push(b"{\"content\":\"\xff\"}".to_vec());
    bodies.push("[".repeat(100_000).into_bytes());
    bodies.push(format!("{{\"content\":{}", "{\"a\":".repeat(10_000)).into_bytes());
    bodies.push(format!("{{\"content\":\"{}\"}}", "x".repeat(127 * 1_024)).into_bytes());
    bodies
}

/// Operations with a body, and a sample of it.
async fn operations(workshop: &Workshop) -> Vec<(String, String, Option<Value>)> {
    let openapi = workshop.ask("GET", "/api/openapi.json").send().await;
    let openapi = openapi.expect(200).json();
    let mut all = Vec::new();
    for (path, methods) in openapi["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let sample = (!schema.is_null()).then(|| sample(&openapi, schema));
            all.push((method.to_uppercase(), path.clone(), sample));
        }
    }
    all
}

fn at_hand(workshop: &Workshop, path: &str) -> String {
    let id = if path.starts_with("/api/people/") {
        workshop.ravi.id
    } else {
        workshop.asha.request
    };
    path.replace("{id}", &id.to_string())
        .replace("{invite}", &workshop.bilal.invite)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_value_of_every_field_is_answered_with_a_sentence() {
    let first = Workshop::open().await;
    let mut checked = 0;
    let mut refused = 0;
    for (method, path, sample) in operations(&first).await {
        let Some(sample) = sample else { continue };
        // A box of its own for each: some change what the next would need.
        let workshop = Workshop::open().await;
        let at = at_hand(&workshop, &path);
        for (field, body) in variations(&sample, "") {
            let ask = workshop
                .ask(&method, &at)
                .token(&workshop.admin.token)
                .body("application/json", body.as_bytes());
            let answer = ask.send().await;
            check(&answer, &format!("{method} {at} {field} {body:.200}"));
            checked += 1;
            refused += usize::from(answer.status >= 400);
        }
    }
    assert!(checked > 1_000, "only {checked} bodies were tried");
    assert!(
        refused * 2 > checked,
        "only {refused} of {checked} were refused"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_body_is_answered_with_a_sentence() {
    let workshop = Workshop::open().await;
    // Of no sign-in: one of the operations signs out.
    let token = &workshop.token_at(workshop.admin.id, 0, 900).await;
    for (method, path, sample) in operations(&workshop).await {
        let at = at_hand(&workshop, &path);
        let reads = method == "GET" || sample.is_none();
        for body in bodies() {
            let ask = workshop.ask(&method, &at).token(token);
            let answer = ask.body("application/json", &body).send().await;
            let what = format!("{method} {at} {:.60}", String::from_utf8_lossy(&body));
            check(&answer, &what);
            if !reads && !path.ends_with("mark-read/") {
                assert!(
                    answer.status >= 400 || path.contains("{id}"),
                    "{what}: {}",
                    answer.status
                );
            }
        }
        if sample.is_none() {
            continue;
        }
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "",
        ] {
            let ask = workshop.ask(&method, &at).token(token);
            let answer = ask.body(kind, b"{\"content\":\"x\"}").send().await;
            answer.problem(415, "unsupported_media_type");
        }
        let huge = format!("{{\"content\":\"{}\"}}", "x".repeat(128 * 1_024));
        let ask = workshop.ask(&method, &at).token(token);
        let answer = ask.body("application/json", huge.as_bytes()).send().await;
        answer.problem(413, "too_large");
    }
    let history = workshop.messages(workshop.asha.request, token).await;
    assert!(history.is_empty(), "{history:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_id_and_parameter_is_answered_with_a_sentence() {
    let workshop = Workshop::open().await;
    let token = &workshop.admin.token;
    let wrong = [
        "0",
        "-1",
        "999",
        "abc",
        "1.0",
        "1e3",
        "+1",
        "%31",
        "%00",
        "%ff",
        "..",
        "%2e%2e",
        "a%2fb",
        "%20",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "99999999999999999999",
        "%F0%9F%94%A7",
        "null",
        "1;drop",
        "'",
    ];
    for (method, path, sample) in operations(&workshop).await {
        for id in wrong {
            if !path.contains("{id}") {
                continue;
            }
            // The first request of a box has number 1.
            let ask = |at: &str| {
                let ask = workshop.ask(&method, at).token(token);
                sample.as_ref().map_or(ask.clone(), |body| ask.json(body))
            };
            let at = path
                .replace("{id}", id)
                .replace("{invite}", &workshop.asha.invite);
            check(&ask(&at).send().await, &format!("{method} {at}"));
            let at = path.replace("{id}", "1").replace("{invite}", id);
            if path.contains("{invite}") {
                let answer = ask(&at).send().await;
                assert!(
                    [404, 405].contains(&answer.status),
                    "{at}: {}",
                    answer.status
                );
                check(&answer, &at);
            }
        }
    }
    let parameters = [
        "limit", "before", "state", "search", "assigned", "role", "unknown", "a[b]",
    ];
    let values = [
        "",
        "0",
        "-1",
        "x",
        "1e9",
        "9223372036854775807",
        "99999999999999999999",
        "%00",
        "%ff",
        "%",
        "%25",
        "'",
        "open",
        "user",
        "me",
        "%F0%9F%94%A7",
        "*",
        "_",
        "\\",
    ];
    for path in [
        "/api/service-requests/".to_owned(),
        "/api/people/".to_owned(),
        format!("/api/service-requests/{}/messages/", workshop.asha.request),
    ] {
        for parameter in parameters {
            for value in values {
                for query in [
                    format!("{parameter}={value}"),
                    format!("{parameter}={value}&{parameter}={value}"),
                ] {
                    let at = format!("{path}?{query}");
                    check(&workshop.get(&at, token).await, &at);
                }
            }
        }
        let long = format!("{path}?search={}", "x".repeat(10_000));
        check(&workshop.get(&long, token).await, "a long search");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_not_done_are_problems_too() {
    let workshop = Workshop::open().await;
    let token = &workshop.admin.token;
    for path in [
        "/api/",
        "/api/nothing/",
        "/api/me/more/",
        "/ws/",
        "/ws/nothing/",
        "/nothing",
    ] {
        workshop.get(path, token).await.problem(404, "not_found");
    }
    for (method, path) in [
        ("DELETE", "/api/me/"),
        ("PUT", "/api/people/"),
        ("POST", "/api/me/"),
        ("GET", "/api/auth/login/"),
        ("TRACE", "/api/me/"),
        ("BREW", "/api/me/"),
        ("POST", "/ws/notifications/"),
    ] {
        let answer = workshop.ask(method, path).token(token).send().await;
        answer.problem(405, "method_not_allowed");
        assert!(answer.field("allow").is_some(), "{method} {path}");
    }
}
