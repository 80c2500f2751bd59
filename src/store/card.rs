//! How the card is spared, and how it is made to keep what it says: the settings of a connection that
//! writes, and when the log is moved into the database.
//!
//! A message changes about seven pages (its event and that one's two indexes, its row and the index of
//! its conversation, the conversation's row and its place in the list). Each goes into the log once,
//! whole; so a page is 1 KiB instead of SQLite's 4, which nothing here is too large for. Measured by
//! the bytes that the process writes to the database and its log (`tests/processes/wear.rs`):
//!
//! | page | a single message | a message among 16 at once |
//! |---|---|---|
//! | 4 KiB | 30.5 kB | 6.6 kB |
//! | 1 KiB | 9.7 kB | 3.1 kB |
//!
//! The log is moved into the database after 4 MiB: pages that changed many times meanwhile are written
//! there once. It is not cut back then but written over from its beginning, so that the file system
//! need not write down its size again at every commit. A box that nobody uses writes nothing; that it
//! could is proven once a minute at most, and only while somebody asks.

use std::time::Duration;

use rusqlite::Connection;

use super::error::{OpenError, StoreError};
use super::reader::STATEMENTS;

/// The page of a new database, in bytes.
const PAGE_BYTES: i64 = 1_024;
/// The log is moved into the database when it has this many bytes of pages.
const CHECKPOINT_BYTES: i64 = 4 << 20;
/// Fewer pages would be moved with nearly every message.
const CHECKPOINT_PAGES_MIN: i64 = 64;
/// What the log is cut back to when it is reset, in bytes.
const LOG_BYTES_MAX: i64 = 8 << 20;
/// Page cache, in KiB.
const CACHE_KIB: i64 = 8_192;
/// Longest wait for a lock; only a reader of another process, such as doctor, could hold one.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Starts wait so many times `LOCK_WAIT`, a minute, for a reader of another process.
const START_TRIES: u32 = 12;
/// That the disk took a write is proof enough for so long.
pub(super) const PROBE_LIFE: Duration = Duration::from_secs(60);

/// Sets up a connection that writes: `Ok` from its commits means that the disk has it (invariant 1).
pub(crate) fn prepare(conn: &Connection) -> Result<(), rusqlite::Error> {
    conn.busy_timeout(LOCK_WAIT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // Counts for a database that is made now; one that is there keeps its pages.
    conn.pragma_update(None, "page_size", PAGE_BYTES)?;
    for (pragma, value) in [
        ("journal_mode", "wal"),
        ("synchronous", synchronous()),
        ("foreign_keys", "on"),
        ("secure_delete", "on"), // erased words are overwritten, not only unlinked
        ("trusted_schema", "off"),
        ("temp_store", "memory"),
    ] {
        conn.pragma_update(None, pragma, value)?;
    }
    conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
    checkpoint_after(conn, CHECKPOINT_BYTES)?;
    conn.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)
}

/// `full`: the disk has what was acknowledged. A test that must see loss asks for less by
/// `MOTOREACH_SYNCHRONOUS`; only builds with debug assertions look.
#[cfg(debug_assertions)]
fn synchronous() -> &'static str {
    match std::env::var("MOTOREACH_SYNCHRONOUS").as_deref() {
        Ok("normal") => "normal",
        Ok(_) | Err(_) => "full",
    }
}

#[cfg(not(debug_assertions))]
const fn synchronous() -> &'static str {
    "full"
}

/// On a small disk the log is moved sooner: what it holds must fit into half of the reserve that is
/// given up when the disk is full, or it could not be moved then and the rest of the reserve with it.
///
/// # Errors
/// What the disk says.
pub(super) fn keep_log_below_half_of(
    conn: &Connection,
    reserve_bytes: u64,
) -> Result<(), rusqlite::Error> {
    let half = i64::try_from(reserve_bytes / 2).unwrap_or(i64::MAX);
    if half >= CHECKPOINT_BYTES {
        return Ok(());
    }
    checkpoint_after(conn, half)
}

fn checkpoint_after(conn: &Connection, bytes: i64) -> Result<(), rusqlite::Error> {
    let page_bytes: i64 = conn.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = (bytes / page_bytes).max(CHECKPOINT_PAGES_MIN);
    conn.pragma_update(None, "wal_autocheckpoint", pages)
}

/// Empties the log, however long a reader of another process takes to let go of it.
pub(crate) fn empty_log(conn: &Connection) -> Result<(), OpenError> {
    for _ in 0..START_TRIES {
        match checkpoint(conn) {
            Err(StoreError::Busy) => {
                tracing::warn!("another program is reading the database; waiting for it");
            }
            done => return done.map_err(OpenError::Store),
        }
    }
    Err(OpenError::Store(StoreError::Busy))
}

/// Moves the whole log into the database and empties it.
///
/// # Errors
/// `Busy` while somebody still reads from the log, or what the disk says.
pub(crate) fn checkpoint(conn: &Connection) -> Result<(), StoreError> {
    let busy: bool = conn.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))?;
    if busy { Err(StoreError::Busy) } else { Ok(()) }
}
