//! Connections that can only read: opened read-only, `query_only`, never checkpointing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use r2d2::ManageConnection;
use rusqlite::{Connection, OpenFlags};
use scheduled_thread_pool::ScheduledThreadPool;

use super::error::StoreError;

/// Readers at once; a Pi has four cores.
pub(crate) const READERS: u32 = 4;
/// Longest wait for a free reader.
const READER_WAIT: Duration = Duration::from_secs(5);
/// Longest wait for a lock inside SQLite; readers in WAL mode wait only while the log is reset.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Page cache of one reader, in KiB.
const CACHE_KIB: i64 = 2_048;
/// Prepared statements kept by each connection.
pub(super) const STATEMENTS: usize = 96;

/// Makes readers for r2d2. (`r2d2_sqlite` is bound to an older rusqlite.)
#[derive(Debug)]
pub(crate) struct Readers {
    database: PathBuf,
}

impl ManageConnection for Readers {
    type Connection = Connection;
    type Error = rusqlite::Error;

    fn connect(&self) -> Result<Connection, rusqlite::Error> {
        open(&self.database)
    }

    fn is_valid(&self, conn: &mut Connection) -> Result<(), rusqlite::Error> {
        conn.query_row("select 1", [], |_| Ok(()))
    }

    fn has_broken(&self, conn: &mut Connection) -> bool {
        !conn.is_autocommit()
    }
}

/// A connection that can only read.
pub(super) fn open(database: &std::path::Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(database, flags)?;
    conn.busy_timeout(LOCK_WAIT)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}

pub(crate) type Pool = r2d2::Pool<Readers>;

/// A pool of readers; none is opened before it is needed.
pub(crate) fn pool(database: PathBuf) -> Result<Pool, StoreError> {
    r2d2::Pool::builder()
        .max_size(READERS)
        .min_idle(Some(1))
        .test_on_check_out(false)
        .connection_timeout(READER_WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
        .thread_pool(Arc::new(ScheduledThreadPool::new(1)))
        .build(Readers { database })
        .map_err(|_| StoreError::Busy)
}
