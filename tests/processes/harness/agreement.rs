//! Whether box, relay and owners have one and the same: the journal at the box, its copy at the relay,
//! and what each owner opened, everything once and in one order.
//!
//! The databases are read as they lie on the disk, so that no part of the program vouches for itself.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use uuid::Uuid;

use super::{Owner, run};

/// One event of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub seq: i64,
    pub id: Uuid,
    pub kind: String,
    pub thread: Option<Uuid>,
    pub staff_only: bool,
    pub chain: Vec<u8>,
    /// None once erased. At the box its JSON, at the relay sealed.
    pub body: Option<Vec<u8>>,
}

/// The journal of the box whose data this is.
pub fn journal(data: &Path) -> Vec<Entry> {
    entries(
        &data.join("motoreach.db"),
        "select seq, id, kind, thread, flags, chain, cast(body as blob) from event order by seq",
    )
}

/// The copy of the only workshop at the relay whose data this is, without what it packed away.
pub fn copy(data: &Path) -> Vec<Entry> {
    entries(
        &data.join("relay.db"),
        "select seq, id, kind, thread, flags, chain, body from entry order by seq",
    )
}

/// Where the copy ends: its position and chain.
pub fn copy_head(data: &Path) -> Option<(i64, Vec<u8>)> {
    let database = open(&data.join("relay.db"));
    let head = "select head_seq, head_chain from workshop";
    let row = database.query_row(head, [], |row| Ok((row.get(0)?, row.get(1)?)));
    row.ok()
}

/// Where the journal ends: its position and chain.
pub fn journal_head(data: &Path) -> (i64, Vec<u8>) {
    let database = open(&data.join("motoreach.db"));
    let head = "select seq, chain from event order by seq desc limit 1";
    database
        .query_row(head, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
}

/// The newest entry of a thread that its owner may read; 0 if there is none.
pub fn newest_for_owner(data: &Path, thread: Uuid) -> i64 {
    let database = open(&data.join("motoreach.db"));
    let newest = "select coalesce(max(seq), 0) from event where thread = ?1 and flags & 1 = 0";
    database
        .query_row(newest, [thread.as_bytes()], |row| row.get(0))
        .unwrap()
}

/// The incarnations of the journal, oldest first.
pub fn incarnations(data: &Path) -> usize {
    let database = open(&data.join("motoreach.db"));
    let count = "select count(*) from log";
    database
        .query_row(count, [], |row| row.get::<_, i64>(0))
        .unwrap()
        .try_into()
        .unwrap()
}

/// Posts that wait at the relay.
pub fn mailbox(data: &Path) -> i64 {
    let database = open(&data.join("relay.db"));
    let count = "select count(*) from post where refused is null";
    database.query_row(count, [], |row| row.get(0)).unwrap()
}

/// Packed blocks at the relay.
pub fn blocks(data: &Path) -> i64 {
    let database = open(&data.join("relay.db"));
    let count = "select count(*) from block";
    database.query_row(count, [], |row| row.get(0)).unwrap()
}

/// The box, which does not run, has a proven backup of everything that it wrote so far.
pub fn proves_backup(data: &Path) {
    let (seq, _) = journal_head(data);
    let database = Connection::open(data.join("motoreach.db")).unwrap();
    let note = "insert into local_state (name, value) values ('backup_proven_up_to', ?1)";
    database.execute(note, [seq.to_string()]).unwrap();
}

/// Checks that all of them have the same. The relay has caught up; see `Workshop::agrees`.
pub async fn is_the_same_everywhere(box_data: &Path, relay_data: &Path, owners: &[&Owner]) {
    let (journal, copy) = (journal(box_data), copy(relay_data));
    let mut ids = HashSet::new();
    for (place, entry) in journal.iter().enumerate() {
        assert_eq!(entry.seq, place as i64 + 1, "the journal is dense");
        assert!(ids.insert(entry.id), "twice in the journal: {entry:?}");
    }
    assert_eq!(Some(journal_head(box_data)), copy_head(relay_data));
    for kept in &copy {
        let written = &journal[usize::try_from(kept.seq).unwrap() - 1];
        let head = |entry: &Entry| (entry.seq, entry.id, entry.kind.clone(), entry.chain.clone());
        assert_eq!(head(kept), head(written), "box and relay differ");
        assert_eq!(kept.staff_only, written.staff_only, "{kept:?}");
        if written.body.is_none() {
            assert_eq!(kept.body, None, "erased at the box, kept at the relay");
        }
    }
    for owner in owners {
        let thread = owner.thread();
        let mine = journal
            .iter()
            .filter(|entry| entry.thread == Some(thread) && !entry.staff_only);
        let mine: Vec<_> = mine.collect();
        let shown = owner.shown();
        assert_eq!(
            shown.iter().map(|it| (it.seq, it.id)).collect::<Vec<_>>(),
            mine.iter().map(|it| (it.seq, it.id)).collect::<Vec<_>>(),
            "the owner's page differs from the journal"
        );
        for (shown, written) in shown.iter().zip(mine) {
            let body = written.body.as_deref();
            let written = body.map_or(Value::Null, |body| serde_json::from_slice(body).unwrap());
            assert_eq!(shown.body["content"], written["content"], "{shown:?}");
        }
        assert_eq!(owner.waiting(), 0, "something still waits on the phone");
    }
    let data = box_data.to_str().unwrap();
    let doctor = run(&[], &["doctor", "--json", "--data", data], "").await;
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
}

fn entries(database: &Path, sql: &str) -> Vec<Entry> {
    let database = open(database);
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        let uuid = |bytes: Vec<u8>| Uuid::from_slice(&bytes).unwrap();
        Ok(Entry {
            seq: row.get(0)?,
            id: uuid(row.get(1)?),
            kind: row.get(2)?,
            thread: row.get::<_, Option<Vec<u8>>>(3)?.map(uuid),
            staff_only: row.get::<_, i64>(4)? & 1 != 0,
            chain: row.get(5)?,
            body: row.get(6)?,
        })
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

fn open(database: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags);
    let connection = connection.unwrap_or_else(|error| panic!("{}: {error}", database.display()));
    connection.busy_timeout(super::SOON).unwrap();
    connection
}
