//! Opening the relay's database: who may, in what state, and brought to this program's version.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::trouble::RelayOpenError;
use crate::domain::Timestamp;
use crate::store::migrate::{self, Migration};
use crate::store::{OpenError, StoreError, only_owner_may_read, writer};

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        sql: include_str!("../../../migrations/relay/0001_relay.sql"),
    },
    Migration {
        number: 2,
        sql: include_str!("../../../migrations/relay/0002_alarm.sql"),
    },
];

/// Which of a directory's two users opens it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    /// The relay itself, which holds the directory.
    Relay,
    /// A command beside a relay that may be running.
    Guest,
}

/// The database file in a relay's directory.
pub(super) fn database(dir: &Path) -> PathBuf {
    dir.join("relay.db")
}

/// Opens the connection that writes, and brings the database to this program's version.
pub(super) fn open(path: &Path, who: As, now: Timestamp) -> Result<Connection, RelayOpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags)
        .map_err(store)
        .and_then(|mut conn| {
            writer::prepare(&conn).map_err(store)?;
            if who == As::Relay {
                // What the last run could not prove to be on disk is written again first.
                writer::empty_log(&conn)?;
            }
            bring_up(&mut conn, who, now)?;
            Ok(conn)
        });
    only_owner_may_read(path);
    opened.map_err(|error| told(path, error))
}

/// Migrates; the relay itself also drops blocks that a dead one had only staged.
pub(super) fn bring_up(conn: &mut Connection, who: As, now: Timestamp) -> Result<(), OpenError> {
    migrate::apply(conn, now, MIGRATIONS)?;
    if who == As::Relay {
        conn.execute("delete from staged", []).map_err(store)?;
    }
    Ok(())
}

fn store(error: rusqlite::Error) -> OpenError {
    OpenError::Store(StoreError::from(error))
}

/// The sentence for what went wrong while opening.
fn told(path: &Path, error: OpenError) -> RelayOpenError {
    let path = path.to_owned();
    let OpenError::Store(cause) = error else {
        return RelayOpenError::Disk(error);
    };
    RelayOpenError::Disk(match cause {
        StoreError::Damaged(why) => return RelayOpenError::Damaged { path, why },
        StoreError::ReadOnly => OpenError::ReadOnly(path),
        StoreError::Full => OpenError::Full(path),
        StoreError::Busy => OpenError::BeingRead(path),
        cause @ (StoreError::Failing(_)
        | StoreError::Unknown
        | StoreError::Stopped
        | StoreError::Fault(_)) => OpenError::Store(cause),
    })
}
