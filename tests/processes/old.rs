//! A database as the first version left it.

use std::fs;
use std::path::Path;

use ring::digest;
use rusqlite::{Connection, params};

/// What the first version had that is not made anew, in an order in which rows may be put in.
const TABLES: [&str; 11] = [
    "log",
    "event",
    "workshop",
    "person",
    "vehicle",
    "request",
    "message",
    "receipt",
    "invite",
    "session",
    "local_state",
];
const FIRST: &str = "migrations/appliance/0001_journal.sql";

/// Takes a database back to the first version.
pub fn becomes_of_the_first_version(database: &Path) {
    let now = Connection::open(database).unwrap();
    let sql = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIRST);
    let sql = fs::read_to_string(sql).unwrap();
    let beside = database.with_extension("old");
    let old = Connection::open(&beside).unwrap();
    old.execute_batch(&sql).unwrap();
    old.execute_batch(
        "create table migration (number integer primary key, sha256 text not null,
                                 applied_ms integer not null) strict",
    )
    .unwrap();
    let sha = digest::digest(&digest::SHA256, sql.as_bytes());
    let sha: String = sha.as_ref().iter().map(|it| format!("{it:02x}")).collect();
    let insert = "insert into migration values (1, ?1, 1)";
    old.execute(insert, params![sha]).unwrap();
    let columns = |table: &str| -> String {
        let columns: Vec<String> = old
            .prepare("select name from pragma_table_info(?1)")
            .unwrap()
            .query_map([table], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        columns.join(", ")
    };
    let columns = TABLES.map(columns);
    drop(old);
    now.execute("attach ?1 as old", [beside.to_str().unwrap()])
        .unwrap();
    for (table, columns) in TABLES.iter().zip(columns) {
        let copy =
            format!("insert into old.{table} ({columns}) select {columns} from main.{table}");
        now.execute(&copy, []).unwrap();
    }
    drop(now);
    fs::rename(beside, database).unwrap();
}
