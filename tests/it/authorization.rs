//! Who may do what (quality S3): every operation of `/api/openapi.json` × role × whose object. An
//! operation without a row here fails.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{PASSWORD, Workshop};
use crate::socket::V1;

/// No such case: the operation names no object.
const NONE: u16 = 0;

/// The status for nobody, for an owner on their own request and on another's, for a mechanic, for an
/// admin, and for an admin on what does not exist.
type Row = (&'static str, &'static str, [u16; 6]);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // For everybody.
    ("get",    "/api/setup/",                                   [200, 200, NONE, 200, 200, NONE]),
    ("post",   "/api/setup/",                                   [409, 409, NONE, 409, 409, NONE]),
    ("get",    "/api/setup/restore/",                           [200, 200, NONE, 200, 200, NONE]),
    ("post",   "/api/setup/restore/",                           [409, 409, NONE, 409, 409, NONE]),
    ("get",    "/api/setup/backups/",                           [409, 409, NONE, 409, 409, NONE]),
    ("put",    "/api/setup/backup/",                            [409, 409, NONE, 409, 409, NONE]),
    ("post",   "/api/auth/login/",                              [200, 200, NONE, 200, 200, NONE]),
    ("post",   "/api/auth/invite/",                             [200, 200, NONE, 200, 200, NONE]),
    ("post",   "/api/auth/logout/",                             [204, 204, NONE, 204, 204, NONE]),
    ("get",    "/healthz",                                      [200, 200, NONE, 200, 200, NONE]),
    ("get",    "/api/door/",                                    [200, 200, NONE, 200, 200, NONE]),
    ("get",    "/readyz",                                       [200, 200, NONE, 200, 200, NONE]),
    // By cookie: an access token alone refreshes nothing.
    ("post",   "/api/auth/token/refresh/",                      [401, 401, NONE, 401, 401, NONE]),
    // For whoever is signed in. An owner has no password, so none is right.
    ("post",   "/api/auth/ws-ticket/",                          [401, 200, NONE, 200, 200, NONE]),
    ("get",    "/api/me/",                                      [401, 200, NONE, 200, 200, NONE]),
    ("get",    "/api/messages/unread-summary/",                 [401, 200, NONE, 200, 200, NONE]),
    ("get",    "/api/service-requests/",                        [401, 200, NONE, 200, 200, NONE]),
    ("post",   "/api/auth/password/",                           [401, 422, NONE, 204, 204, NONE]),
    // For admins.
    ("get",    "/api/setup/recovery-words/",                    [401, 403, NONE, 403, 200, NONE]),
    ("post",   "/api/setup/recovery-words/kept/",               [401, 403, NONE, 403, 204, NONE]),
    ("get",    "/api/box/addresses/",                           [401, 403, NONE, 403, 200, NONE]),
    ("get",    "/api/box/backup/",                              [401, 403, NONE, 403, 200, NONE]),
    ("put",    "/api/box/backup/",                              [401, 403, NONE, 403, 200, NONE]),
    ("post",   "/api/box/backup/",                              [401, 403, NONE, 403, 202, NONE]),
    ("get",    "/api/box/backup/files/{name}/",                 [401, 403, NONE, 403, NONE, 404]),
    ("get",    "/api/box/health/",                              [401, 403, NONE, 403, 200, NONE]),
    ("get",    "/api/box/update/",                              [401, 403, NONE, 403, 200, NONE]),
    ("put",    "/api/box/update/program/",                      [401, 403, NONE, 403, 422, NONE]),
    ("post",   "/api/box/update/apply/",                        [401, 403, NONE, 403, 409, NONE]),
    ("post",   "/api/people/",                                  [401, 403, NONE, 403, 201, NONE]),
    ("patch",  "/api/people/{id}/",                             [401, 403, NONE, 403, 200, 404]),
    ("put",    "/api/relay/",                                   [401, 403, NONE, 403, 200, NONE]),
    ("delete", "/api/relay/",                                   [401, 403, NONE, 403, 204, NONE]),
    ("post",   "/api/relay/claim/",                             [401, 403, NONE, 403, 409, NONE]),
    ("post",   "/api/service-requests/{id}/export/",            [401, 403, 403, 403, 200, 404]),
    ("post",   "/api/people/{id}/erase/",                       [401, 403, NONE, 403, 200, 404]),
    ("post",   "/api/people/{id}/export/",                      [401, 403, NONE, 403, 200, 404]),
    ("get",    "/api/relay/alarm/",                             [401, 403, NONE, 403, 200, NONE]),
    ("post",   "/api/relay/alarm/",                             [401, 403, NONE, 403, 200, NONE]),
    ("delete", "/api/relay/alarm/",                             [401, 403, NONE, 403, 200, NONE]),
    // For staff.
    ("get",    "/api/relay/",                                   [401, 403, NONE, 200, 200, NONE]),
    ("get",    "/api/people/",                                  [401, 403, NONE, 200, 200, NONE]),
    ("post",   "/api/service-requests/",                        [401, 403, NONE, 201, 201, NONE]),
    ("patch",  "/api/service-requests/{id}/",                   [401, 403, 404, 200, 200, 404]),
    ("get",    "/api/service-requests/{id}/invites/",           [401, 403, 404, 200, 200, 404]),
    ("post",   "/api/service-requests/{id}/invites/",           [401, 403, 404, 201, 201, 404]),
    ("delete", "/api/service-requests/{id}/invites/{invite}/",  [401, 403, 404, 204, 204, 404]),
    // For the parties of a request.
    ("get",    "/api/service-requests/{id}/",                   [401, 200, 404, 200, 200, 404]),
    ("get",    "/api/service-requests/{id}/messages/",          [401, 200, 404, 200, 200, 404]),
    ("post",   "/api/service-requests/{id}/messages/",          [401, 201, 404, 201, 201, 404]),
    ("post",   "/api/service-requests/{id}/messages/mark-read/",[401, 200, 404, 200, 200, 404]),
];

/// Sockets: 0 for one that stays open, else the code that it is closed with.
#[rustfmt::skip]
const SOCKETS: &[(&str, [u16; 6])] = &[
    ("/ws/service-chat/{id}/", [4401, 0, 4403, 0, 0, 4403]),
    ("/ws/notifications/",     [4401, 0, 0,    0, 0, 0]),
];

/// A body that will do, so that only who asks decides.
fn body(workshop: &Workshop, method: &str, path: &str) -> Option<Value> {
    let body = match (method, path) {
        ("post", "/api/setup/") => json!({"workshop_name": "Another", "full_name": "Eve",
            "username": "eve", "password": PASSWORD}),
        ("post", "/api/setup/restore/") => json!({"url": "http://127.0.0.1:1", "words": "abandon"}),
        ("post", "/api/auth/login/") => json!({"username": "ravi", "password": PASSWORD}),
        ("post", "/api/auth/invite/") => json!({"code": workshop.bilal.url}),
        ("post", "/api/auth/password/") => json!({"current": PASSWORD, "new": PASSWORD}),
        ("post", "/api/people/") => json!({"full_name": "Dev Rao", "role": "mechanic",
            "username": format!("dev{}", uuid::Uuid::new_v4()), "password": PASSWORD}),
        // Nobody listens there: it is set up, and goes on trying.
        ("put", "/api/relay/") => json!({"url": "http://127.0.0.1:1", "code": "ABCDE-FGHJK"}),
        ("put", "/api/box/backup/") => json!({"keep": {"daily": 7, "weekly": 4, "monthly": 6}}),
        ("post", "/api/people/{id}/erase/") => json!({"name": workshop.asha.name}),
        ("patch", "/api/people/{id}/") => json!({"full_name": "Ravi K."}),
        ("post", "/api/service-requests/") => json!({"customer": {"full_name": "Chitra Das"},
            "vehicle": {"plate": "KL 01"}, "description": "Horn."}),
        ("patch", "/api/service-requests/{id}/") => json!({"description": "Brakes and horn."}),
        ("post", "/api/service-requests/{id}/messages/") => json!({"content": "Hello"}),
        _ => return None,
    };
    Some(body)
}

/// Whose token and which object, for each column of the table.
fn columns(workshop: &Workshop, path: &str) -> [(&'static str, String, String); 6] {
    let of_people = path.starts_with("/api/people/");
    let of_owners = of_people && (path.ends_with("/export/") || path.ends_with("/erase/"));
    let own = if of_owners {
        workshop.asha.id
    } else if of_people {
        workshop.ravi.id
    } else {
        workshop.asha.request
    };
    let at = |id: i64, invite: &str| {
        path.replace("{id}", &id.to_string())
            .replace("{invite}", invite)
            .replace("{name}", "nothing.backup")
    };
    let (own, other, missing) = (
        at(own, &workshop.asha.invite),
        at(workshop.bilal.request, &workshop.bilal.invite),
        at(999, &workshop.asha.invite),
    );
    [
        ("nobody", String::new(), own.clone()),
        ("owner, own", workshop.asha.token.clone(), own.clone()),
        ("owner, another's", workshop.asha.token.clone(), other),
        ("mechanic", workshop.meera.token.clone(), own.clone()),
        ("admin", workshop.admin.token.clone(), own),
        ("admin, missing", workshop.admin.token.clone(), missing),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_has_a_row() {
    let workshop = Workshop::open().await;
    let openapi = workshop.ask("GET", "/api/openapi.json").send().await;
    let openapi = openapi.expect(200).json();
    assert_eq!(openapi["openapi"].as_str().map(|it| &it[..4]), Some("3.1."));
    let mut operations = BTreeSet::new();
    for (path, methods) in openapi["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            operations.insert((method.clone(), path.clone()));
        }
    }
    let rows: BTreeSet<_> = TABLE
        .iter()
        .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(rows.len(), TABLE.len(), "a row stands there twice");
    assert_eq!(operations, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_do_what_the_table_says_and_nothing_else() {
    let mut wrong = Vec::new();
    for (method, path, expected) in TABLE {
        // A box of its own for each, because some of them end sign-ins. From the least to the most
        // powerful, so that whoever may not do it meets what nobody has changed yet.
        let workshop = Workshop::open().await;
        for ((who, token, at), expected) in columns(&workshop, path).into_iter().zip(*expected) {
            if expected == NONE {
                continue;
            }
            let mut ask = workshop.ask(&method.to_uppercase(), &at);
            if !token.is_empty() {
                ask = ask.token(&token);
            }
            if let Some(body) = body(&workshop, method, path) {
                ask = ask.json(&body);
            }
            let answer = ask.send().await;
            if answer.status >= 400 {
                answer.is_problem();
            }
            if answer.status != expected {
                wrong.push(format!(
                    "{method} {at}, {who}: {} not {expected}",
                    answer.status
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_open_for_whom_the_table_says() {
    let workshop = Workshop::open().await;
    for (path, expected) in SOCKETS {
        for ((who, token, at), expected) in columns(&workshop, path).into_iter().zip(*expected) {
            let url = format!("{at}?token={token}");
            let mut socket = workshop.socket(&url, Some(V1)).await;
            let code = socket.next().await.err().unwrap_or_default();
            assert_eq!(code, expected, "{at}, {who}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_for_prometheus_are_for_this_machine() {
    let workshop = Workshop::open().await;
    let metrics = workshop.ask("GET", "/metrics").send().await.expect(200);
    assert!(metrics.text().contains("motoreach_"), "{}", metrics.text());
}
