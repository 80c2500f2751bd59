//! Proving the database: SQLite's own integrity, the journal's chain, and that the projections are
//! what follows from the journal. Used by `motoreach doctor`, beside a running server or without one.

use std::path::Path;

use rusqlite::Connection;

use super::data_dir::DataDir;
use super::error::{OpenError, StoreError};
use super::keys::BoxKeys;
use super::tx::View;
use super::{journal, migrate, project, proof, reader};
use crate::domain::Timestamp;

/// Faults that are told one by one.
const FAULTS_MAX: usize = 20;

/// What follows from the journal, in an order in which rows may be deleted.
const PROJECTIONS: &[&str] = &[
    "receipt",
    "message",
    "link_device",
    "invite",
    "request",
    "vehicle",
    "person",
    "workshop",
    "foretold",
];

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Entries of the journal that were read.
    pub entries: i64,
    /// Messages that are in it.
    pub messages: i64,
    /// What is wrong; empty in a sound database.
    pub faults: Vec<String>,
}

/// Checks a database by reading it, also while a server uses it.
///
/// # Errors
/// It cannot be opened at all.
pub fn check(dir: &DataDir) -> Result<Report, OpenError> {
    let conn = read_only(&dir.database())?;
    let keys = BoxKeys::new(dir.root()?);
    let snapshot = conn
        .unchecked_transaction()
        .map_err(|error| OpenError::Store(error.into()))?;
    let examined = examine(&snapshot, &keys);
    if let Err(StoreError::Damaged(why)) = examined {
        return Ok(Report {
            faults: vec![why],
            ..Report::default()
        });
    }
    examined.map_err(OpenError::Store)
}

pub(super) fn examine(conn: &Connection, keys: &BoxKeys) -> Result<Report, StoreError> {
    examine_beside(conn, keys, || Ok(Connection::open_in_memory()?))
}

/// The same with what is rebuilt in an empty database that `scratch` makes, where memory is short.
pub(super) fn examine_beside(
    conn: &Connection,
    keys: &BoxKeys,
    scratch: impl FnOnce() -> Result<Connection, StoreError>,
) -> Result<Report, StoreError> {
    let mut faults = sqlite_faults(conn)?;
    let (entries, journal_faults) = proof::faults(conn, keys, FAULTS_MAX)?;
    faults.extend(journal_faults);
    if faults.is_empty() {
        faults.extend(rebuilt_faults(conn, keys, scratch()?)?);
    }
    let messages = conn.query_row("select count(*) from message", [], |row| row.get(0))?;
    Ok(Report {
        entries,
        messages,
        faults,
    })
}

fn sqlite_faults(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut faults = conn
        .prepare("pragma integrity_check(20)")?
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    faults.retain(|fault| fault != "ok");
    let mut foreign = conn.prepare("pragma foreign_key_check")?;
    let rows = foreign.query_map([], |row| row.get::<_, String>(0))?;
    for table in rows {
        faults.push(format!("a row of {} points to nothing", table?));
    }
    Ok(faults)
}

/// Rebuilds everything that follows from the journal beside the database, and compares.
fn rebuilt_faults(
    conn: &Connection,
    keys: &BoxKeys,
    mut scratch: Connection,
) -> Result<Vec<String>, StoreError> {
    migrate::migrate(&mut scratch, Timestamp(0)).map_err(OpenError::in_store)?;
    scratch.set_prepared_statement_cache_capacity(reader::STATEMENTS);
    // Never committed: only what does not fit into its cache goes to a disk, if it is on one.
    let unkept = scratch.unchecked_transaction()?;
    differences(conn, &unkept, keys)
}

/// The same, beside a database that is empty.
pub(super) fn differences(
    conn: &Connection,
    scratch: &Connection,
    keys: &BoxKeys,
) -> Result<Vec<String>, StoreError> {
    journal::each(conn, |entry| {
        journal::copy_to(scratch, &entry)?;
        replay(scratch, keys, &entry)
    })?;
    let mut faults = Vec::new();
    for table in PROJECTIONS {
        if !are_the_same(conn, scratch, table)? {
            faults.push(format!(
                "table {table} is not what follows from the journal; run `motoreach doctor --rebuild`"
            ));
        }
    }
    Ok(faults)
}

/// Throws the projections away and makes them again from the journal, in one transaction.
///
/// # Errors
/// A server is using the database, the journal itself is damaged, or the disk says no; nothing is
/// changed then.
pub fn rebuild(dir: &DataDir) -> Result<Report, OpenError> {
    let _lock = dir.lock()?;
    let keys = BoxKeys::new(dir.root()?);
    let store = |error: StoreError| OpenError::Store(error);
    let mut conn = super::open_writer(dir, &crate::clock::Clock::kept(&dir.clock_floor()))
        .map_err(|error| super::told(&dir.database(), error))?;
    let (_, faults) = proof::faults(&conn, &keys, FAULTS_MAX).map_err(store)?;
    if let Some(fault) = faults.first() {
        return Err(OpenError::Damaged {
            path: dir.database(),
            why: fault.clone(),
        });
    }
    rebuild_in(&mut conn, &keys).map_err(store)?;
    examine(&conn, &keys).map_err(store)
}

fn rebuild_in(conn: &mut Connection, keys: &BoxKeys) -> Result<(), StoreError> {
    let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    rebuild_projections(&tx, keys)?;
    tx.commit()?;
    Ok(())
}

/// Makes the projections again from the journal as it is, inside the caller's transaction.
pub(super) fn rebuild_projections(conn: &Connection, keys: &BoxKeys) -> Result<(), StoreError> {
    // Sign-ins point to people who are gone for a moment.
    conn.pragma_update(None, "defer_foreign_keys", true)?;
    for table in PROJECTIONS {
        conn.execute(&format!("delete from {table}"), [])?;
    }
    journal::each(conn, |entry| replay(conn, keys, &entry))
}

fn replay(conn: &Connection, keys: &BoxKeys, entry: &journal::Entry) -> Result<(), StoreError> {
    let event = entry.event()?;
    project::apply(
        &View {
            conn,
            keys,
            now: entry.at,
        },
        entry,
        event.as_ref(),
    )
}

/// Compares a table row by row: memory is two rows, whatever its length.
fn are_the_same(one: &Connection, other: &Connection, table: &str) -> Result<bool, StoreError> {
    let sql = format!("select * from {table} order by 1");
    let (mut one, mut other) = (one.prepare(&sql)?, other.prepare(&sql)?);
    if !one.column_names().eq(other.column_names()) {
        return Ok(false);
    }
    let columns = one.column_count();
    let (mut one, mut other) = (one.query([])?, other.query([])?);
    loop {
        let (one, other) = match (one.next()?, other.next()?) {
            (Some(one), Some(other)) => (one, other),
            (None, None) => return Ok(true),
            (Some(_), None) | (None, Some(_)) => return Ok(false),
        };
        for column in 0..columns {
            if one.get_ref(column)? != other.get_ref(column)? {
                return Ok(false);
            }
        }
    }
}

fn read_only(database: &Path) -> Result<Connection, OpenError> {
    if !database.exists() {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(OpenError::Files {
            path: database.to_owned(),
            source,
        });
    }
    reader::open(database).map_err(|error| super::told(database, OpenError::Store(error.into())))
}
