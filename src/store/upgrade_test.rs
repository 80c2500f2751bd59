//! A database of an earlier version is the same database afterwards, as if it had always been of this
//! one.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use uuid::Uuid;

use super::memory::MemoryStore;
use super::{migrate, proof, verify};
use crate::clock::Clock;
use crate::commands::{
    Customer, InviteOwner, MarkRead, OpenRequest, PostMessage, RedactMessage, RevokeInvite, SetUp,
};
use crate::domain::{
    Actor, Body, Description, EventId, FullName, LogId, Role, Scope, Timestamp, Username, Vehicle,
};
use crate::seal::RootSecret;

/// What the first version had, in an order in which rows may be put in.
const TABLES: [&str; 9] = [
    "log", "event", "workshop", "person", "vehicle", "request", "message", "receipt", "invite",
];

fn busy() -> MemoryStore {
    let log = LogId::new(Uuid::new_v4());
    let clock = Clock::manual(Timestamp(0));
    let store = MemoryStore::new(RootSecret::from_bytes([7; 32]), log, clock);
    let set_up = SetUp {
        workshop_name: FullName::parse("Nair Motors").unwrap(),
        full_name: FullName::parse("Meera Nair").unwrap(),
        username: Username::parse("meera").unwrap(),
        password_hash: "none".to_owned(),
    };
    let person = store.write(|tx| set_up.run(tx)).unwrap();
    let meera = Actor {
        id: person.id,
        key: person.key,
        name: person.full_name,
        role: Role::Admin,
        scope: Scope::Everything,
    };
    for name in ["Asha", "Bilal"] {
        let open = OpenRequest {
            id: EventId::new(Uuid::new_v4()),
            customer: Customer::Named {
                full_name: FullName::parse(name).unwrap(),
                phone: None,
                email: None,
            },
            vehicle: Vehicle {
                plate: name.into(),
                make: None,
                model: None,
                year: None,
            },
            description: Description::parse("Brakes").unwrap(),
            assign_to: None,
        };
        let opened = store.write(|tx| open.run(tx, &meera)).unwrap();
        let request = opened.request.id;
        let say = |text: &str| PostMessage {
            id: EventId::new(Uuid::new_v4()),
            request,
            body: Body::parse(text).unwrap(),
            reply_to: None,
            expires_in_s: None,
        };
        store.write(|tx| say("Good day").run(tx, &meera)).unwrap();
        let gone = store.write(|tx| say("Tommorow").run(tx, &meera)).unwrap();
        let message = gone.message.id;
        let redact = RedactMessage { request, message };
        store.write(|tx| redact.run(tx, &meera)).unwrap();
        let read = MarkRead {
            request,
            up_to: None,
        };
        store.write(|tx| read.run(tx, &meera)).unwrap();
        let invite = opened.invite.id;
        let revoke = RevokeInvite { request, invite };
        store.write(|tx| revoke.run(tx, &meera)).unwrap();
        store
            .write(|tx| InviteOwner { request }.run(tx, &meera))
            .unwrap();
    }
    store
}

fn columns(conn: &Connection, table: &str) -> Vec<String> {
    conn.prepare(&format!("select name from pragma_table_info('{table}')"))
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

fn rows(conn: &Connection, table: &str, columns: &[String]) -> Vec<Vec<Value>> {
    let sql = format!("select {} from {table} order by 1", columns.join(", "));
    conn.prepare(&sql)
        .unwrap()
        .query_map([], |row| (0..columns.len()).map(|at| row.get(at)).collect())
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[test]
fn a_database_of_the_first_version_is_brought_to_this_one() {
    let now = busy();
    let mut old = Connection::open_in_memory().unwrap();
    old.pragma_update(None, "foreign_keys", "on").unwrap();
    migrate::apply(&mut old, Timestamp(1), &migrate::MIGRATIONS[..1]).unwrap();
    for table in TABLES {
        let columns = columns(&old, table);
        let places = vec!["?"; columns.len()].join(", ");
        let insert = format!(
            "insert into {table} ({}) values ({places})",
            columns.join(", ")
        );
        for row in rows(now.conn(), table, &columns) {
            old.execute(&insert, params_from_iter(row)).unwrap();
        }
    }
    migrate::migrate(&mut old, Timestamp(2)).unwrap();
    for table in TABLES {
        let columns = columns(now.conn(), table);
        assert_eq!(columns, self::columns(&old, table), "{table}");
        let expected = rows(now.conn(), table, &columns);
        assert!(!expected.is_empty() || table == "receipt", "{table}");
        assert_eq!(rows(&old, table, &columns), expected, "{table}");
    }
    let (_, faults) = proof::faults(&old, now.keys(), 9).unwrap();
    assert_eq!(faults, Vec::<String>::new());
    let faults = verify::examine(&old, now.keys()).unwrap().faults;
    assert_eq!(faults, Vec::<String>::new());
}
