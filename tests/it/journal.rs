//! The journal proves itself (sync.md §2; quality §1.2, R12): a flipped bit is found, a damaged message
//! is shown as damaged and never with a wrong word, and everything else follows from it.

use rusqlite::types::Value as Sql;
use serde_json::json;
use uuid::Uuid;

use crate::chat_v1::said;
use crate::crowd::Random;
use crate::harness::{Workshop, number, text};
use crate::resume::resumed;

const PROJECTIONS: [&str; 7] = [
    "workshop", "person", "vehicle", "request", "message", "receipt", "invite",
];

/// Something of everything happens.
async fn busy() -> Workshop {
    let workshop = Workshop::open().await;
    let (asha, bilal) = (&workshop.asha, &workshop.bilal);
    let admin = &workshop.admin.token;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    for at in 0..10 {
        said(&mut phone, &format!("message {at}")).await;
    }
    let (gone, _) = said(&mut phone, "taken back").await;
    phone
        .say(&json!({"type": "chat.redact", "id": gone["id"]}))
        .await;
    phone.until("chat.redacted").await;
    let brief = json!({"type": "chat.message", "client_id": Uuid::new_v4(), "content": "brief",
        "expires_in": 5});
    phone.say(&brief).await;
    let brief = phone.until("chat.message").await;
    let reply = json!({"type": "chat.message", "client_id": Uuid::new_v4(), "content": "reply",
        "reply_to": brief["id"]});
    phone.say(&reply).await;
    phone.until("chat.redacted").await;
    workshop.mark_read(asha.request, admin).await;
    workshop
        .write(bilal.request, &workshop.ravi.token, "Hello")
        .await;
    workshop.mark_read(bilal.request, &bilal.token).await;
    let path = format!("/api/service-requests/{}/", asha.request);
    for body in [
        json!({"status": "IN_PROGRESS", "assigned_to": workshop.ravi.id}),
        json!({"description": "Brakes and horn.", "assigned_to": null}),
        json!({"status": "COMPLETED"}),
    ] {
        workshop.patch(&path, admin, &body).await.expect(200);
    }
    let invite = format!("{path}invites/{}/", asha.invite);
    let revoked = workshop.ask("DELETE", &invite).token(admin).send().await;
    revoked.expect(204);
    let issued = workshop
        .ask("POST", &format!("{path}invites/"))
        .token(admin);
    let issued = issued.send().await.expect(201).json();
    let asha = workshop
        .open_link(&text(&issued["url"]))
        .await
        .expect(200)
        .json();
    // Under the thread's next key.
    workshop
        .write(workshop.asha.request, &text(&asha["access"]), "back again")
        .await;
    for (id, body) in [
        (
            workshop.ravi.id,
            json!({"full_name": "Ravi K.", "phone": "+91 1 234"}),
        ),
        (
            workshop.ravi.id,
            json!({"phone": null, "role": "workshop_admin"}),
        ),
        (workshop.meera.id, json!({"active": false})),
    ] {
        let path = format!("/api/people/{id}/");
        workshop.patch(&path, admin, &body).await.expect(200);
    }
    workshop
}

fn faults(workshop: &Workshop) -> Vec<String> {
    workshop.check().faults
}

fn rows(workshop: &Workshop, table: &str) -> Vec<Vec<Sql>> {
    let conn = workshop.database();
    let mut query = conn
        .prepare(&format!("select * from {table} order by 1"))
        .unwrap();
    let columns = query.column_count();
    let rows = query.query_map([], |row| (0..columns).map(|at| row.get(at)).collect());
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_box_is_sound_while_it_runs_and_after_it_stopped() {
    let mut workshop = busy().await;
    let running = workshop.check();
    assert_eq!(running.faults, Vec::<String>::new());
    assert!(running.entries > 30 && running.messages > 10, "{running:?}");
    workshop.halt().await;
    assert_eq!(workshop.check(), running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_gives_the_same_tables() {
    let mut workshop = busy().await;
    assert!(workshop.rebuild().is_err(), "not beside a running box");
    workshop.halt().await;
    let before: Vec<_> = PROJECTIONS.map(|table| rows(&workshop, table)).into();
    let sessions = rows(&workshop, "session");
    let report = workshop.rebuild().unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    for (table, before) in PROJECTIONS.into_iter().zip(before) {
        assert!(!before.is_empty(), "{table} has nothing to compare");
        assert_eq!(rows(&workshop, table), before, "{table}");
    }
    assert_eq!(
        rows(&workshop, "session"),
        sessions,
        "nobody is signed out by it"
    );
    workshop.restart().await;
    let path = format!("/api/service-requests/{}/", workshop.asha.request);
    workshop.get(&path, &workshop.admin.token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_follow_from_the_journal_is_found_and_put_right() {
    let mut workshop = busy().await;
    workshop.halt().await;
    for change in [
        "update person set role = 'admin' where id = 2",
        "update request set workshop_read_seq = 0",
        "update message set side = 'workshop'",
        "delete from receipt",
        "update invite set revoked_ms = null",
        "update workshop set name = 'Another'",
        "update vehicle set plate = 'X'",
    ] {
        assert_eq!(faults(&workshop), Vec::<String>::new());
        assert!(
            workshop.database().execute(change, []).unwrap() > 0,
            "{change}"
        );
        assert_eq!(
            faults(&workshop).len(),
            1,
            "{change}: {:?}",
            faults(&workshop)
        );
        let rebuilt = workshop.rebuild().unwrap();
        assert_eq!(rebuilt.faults, Vec::<String>::new(), "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_byte_anywhere_in_an_entry_is_found() {
    let mut workshop = busy().await;
    workshop.halt().await;
    let entries = i64::try_from(rows(&workshop, "event").len()).unwrap();
    for (at, change) in [
        "body = replace(body, 'e', 'f')",
        "body = body || ' '",
        "body = ''",
        "body = null",
        "body_sha = zeroblob(32)",
        "chain = zeroblob(32)",
        "id = randomblob(16)",
        "kind = 'message_redacted'",
        "kind = cast(x'ff' as text)",
        "flags = flags + 1",
        "epoch = epoch + 1",
        "at_ms = at_ms + 1",
        "author = randomblob(16)",
        "request_id = 2",
    ]
    .into_iter()
    .enumerate()
    {
        let seq = match change {
            // In an incarnation's last entry as well as in the middle.
            "chain = zeroblob(32)" => entries,
            _ => message_in(&workshop, workshop.asha.request, at % 8),
        };
        let conn = workshop.database();
        conn.execute_batch("pragma foreign_keys = off; begin")
            .unwrap();
        conn.execute(
            "create temp table kept as select * from event where seq = ?1",
            [seq],
        )
        .unwrap();
        let changed = format!("update event set {change} where seq = ?1");
        assert_eq!(conn.execute(&changed, [seq]).unwrap(), 1);
        conn.execute_batch("commit").unwrap();
        assert!(!faults(&workshop).is_empty(), "{change}");
        conn.execute("delete from event where seq = ?1", [seq])
            .unwrap();
        assert!(!faults(&workshop).is_empty(), "a missing entry");
        conn.execute_batch("insert into event select * from temp.kept; drop table temp.kept")
            .unwrap();
        assert_eq!(
            faults(&workshop),
            Vec::<String>::new(),
            "put back after {change}"
        );
    }
}

/// The place of the n-th message of a request that has words.
fn message_in(workshop: &Workshop, request: i64, nth: usize) -> i64 {
    workshop
        .database()
        .query_row(
            "select seq from message where request_id = ?1 and erased_why is null
             order by seq limit 1 offset ?2",
            [request, i64::try_from(nth).unwrap()],
            |row| row.get(0),
        )
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_message_is_shown_as_damaged_and_never_with_a_wrong_word() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let admin = &workshop.admin.token;
    let (mut phone, hello, _) = workshop.greeted(asha.request, &asha.token).await;
    let (first, _) = said(&mut phone, "sound").await;
    let (damaged, _) = said(&mut phone, "pay 100 rupees").await;
    let (rev, log) = (first["rev"].to_string(), text(&hello["log"]));
    let id = number(&damaged["id"]);
    let flip = "update event set body = replace(body, '100', '900') where seq = ?1";
    assert_eq!(workshop.database().execute(flip, [id]).unwrap(), 1);

    let history = workshop.messages(asha.request, admin).await;
    assert_eq!(history[0]["content"], "sound");
    let (_desk, _, fresh) = workshop.greeted(asha.request, admin).await;
    let (mut back, _) = resumed(&workshop, asha.request, admin, &rev, &log).await;
    let missed = back.hear_a("chat.message").await;
    for shown in [&history[1], &fresh["messages"][1], &missed] {
        assert_eq!((&shown["id"], &shown["content"]), (&json!(id), &json!("")));
        assert_eq!(
            (&shown["damaged"], &shown["redacted"]),
            (&json!(true), &json!(false))
        );
    }
    let path = format!("/api/service-requests/{}/", asha.request);
    let request = workshop.get(&path, admin).await.expect(200).json();
    assert_eq!(request["last_message"]["content"], "");
    let summary = workshop.get("/api/messages/unread-summary/", admin).await;
    assert_eq!(summary.json()["items"][0]["last_message_excerpt"], "");
    // Nor in an answer to it.
    let reply = json!({"type": "chat.message", "client_id": Uuid::new_v4(), "content": "How much?",
        "reply_to": id});
    phone.say(&reply).await;
    let reply = phone.until("chat.message").await;
    assert_eq!(reply["reply_to"]["excerpt"], "");
    // Nor when it is sent again under its id.
    let body = json!({"client_id": damaged["client_id"], "content": "pay 100 rupees"});
    let again = workshop
        .post(&format!("{path}messages/"), &asha.token, &body)
        .await;
    assert_eq!(again.expect(201).json()["content"], "");
    let found = faults(&workshop);
    assert!(
        found.iter().any(|fault| fault.contains(&id.to_string())),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn flipped_bits_never_change_a_shown_word() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    for at in 0..40 {
        let words = format!("message number {at}: the quick brown fox");
        workshop.write(asha.request, &asha.token, &words).await;
    }
    let mut random = Random::printed();
    let before = workshop.messages(asha.request, &asha.token).await;
    let conn = workshop.database();
    for message in &before {
        let seq = number(&message["id"]);
        let body: String = conn
            .query_row("select body from event where seq = ?1", [seq], |row| {
                row.get(0)
            })
            .unwrap();
        let mut bytes = body.into_bytes();
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
        // Written as text, as a bit that flips on the card would be found.
        conn.execute(
            "update event set body = cast(?2 as text) where seq = ?1",
            (seq, bytes),
        )
        .unwrap();
    }
    let path = format!("/api/service-requests/{}/messages/?limit=500", asha.request);
    let after = workshop.get(&path, &asha.token).await;
    if after.status == 200 {
        for (before, after) in before.iter().zip(after.json().as_array().unwrap()) {
            assert_eq!(after["id"], before["id"]);
            let is_shown_rightly = after["content"] == before["content"];
            assert!(is_shown_rightly || after["damaged"] == true, "{after}");
            assert!(is_shown_rightly || after["content"] == "", "{after}");
        }
    }
    assert_eq!(after.status, 200, "{}", after.text());
    assert!(!faults(&workshop).is_empty());
}
