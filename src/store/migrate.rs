//! A database's own version: migrations are numbered, append-only and applied before anybody is
//! listened to. The box's are here; the relay brings a list of its own.

use ring::digest;
use rusqlite::{Connection, params};

use super::error::{OpenError, StoreError};
use crate::domain::Timestamp;

/// One step of a database from one version to the next.
pub(crate) struct Migration {
    /// Its number, from 1.
    pub(crate) number: i64,
    /// What it does.
    pub(crate) sql: &'static str,
}

pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        sql: include_str!("../../migrations/appliance/0001_journal.sql"),
    },
    Migration {
        number: 2,
        sql: include_str!("../../migrations/appliance/0002_link.sql"),
    },
    Migration {
        number: 3,
        sql: include_str!("../../migrations/appliance/0003_erasure.sql"),
    },
];

/// Brings the box's database to this program's version.
///
/// # Errors
/// As `apply`.
pub(super) fn migrate(conn: &mut Connection, now: Timestamp) -> Result<(), OpenError> {
    apply(conn, now, MIGRATIONS)?;
    pretend(conn)
}

/// The version that this program brings a box's database to.
pub(super) fn newest() -> i64 {
    let pretended = crate::crash::pretended(PRETENDED).map_or(0, |_| PRETENDED_NUMBER);
    MIGRATIONS
        .last()
        .map_or(0, |migration| migration.number)
        .max(pretended)
}

/// A test has this program be a later one with a migration of its own: `fails` is one that does.
const PRETENDED: &str = "MOTOREACH_PRETEND_MIGRATION";
const PRETENDED_NUMBER: i64 = 9_000;

fn pretend(conn: &mut Connection) -> Result<(), OpenError> {
    let Some(how) = crate::crash::pretended(PRETENDED) else {
        return Ok(());
    };
    let store = |error: rusqlite::Error| OpenError::Store(StoreError::from(error));
    let tx = conn.transaction().map_err(store)?;
    tx.execute_batch("create table if not exists pretended (x integer) strict")
        .map_err(store)?;
    if how == "fails" {
        tx.execute_batch("insert into nowhere values (1)")
            .map_err(store)?;
    }
    tx.execute(
        "insert or ignore into migration (number, sha256, applied_ms) values (?1, 'pretended', 0)",
        [PRETENDED_NUMBER],
    )
    .map_err(store)?;
    tx.commit().map_err(store)
}

/// Brings a database to the newest of the known versions, all in one transaction.
///
/// # Errors
/// The database is newer than the program, a migration was changed after it was applied, or the disk
/// says no. Nothing is changed then.
pub(crate) fn apply(
    conn: &mut Connection,
    now: Timestamp,
    known: &[Migration],
) -> Result<(), OpenError> {
    let store = |error: rusqlite::Error| OpenError::Store(StoreError::from(error));
    let tx = conn
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(store)?;
    tx.execute_batch(
        "create table if not exists migration (
             number integer primary key, sha256 text not null, applied_ms integer not null
         ) strict",
    )
    .map_err(store)?;
    let applied = tx
        .prepare("select number, sha256 from migration order by number")
        .and_then(|mut query| {
            query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<Vec<_>, _>>()
        })
        .map_err(store)?;
    let newest_known = known.last().map_or(0, |migration| migration.number);
    for (number, sha) in &applied {
        let (number, sha): (i64, &String) = (*number, sha);
        match known.iter().find(|migration| migration.number == number) {
            None if number == PRETENDED_NUMBER && newest() == number => {}
            None => {
                return Err(OpenError::Newer {
                    found: number,
                    known: newest_known,
                });
            }
            Some(migration) if hash(migration.sql) != *sha => {
                return Err(OpenError::Edited(number));
            }
            Some(_) => {}
        }
    }
    for migration in known {
        if applied
            .iter()
            .any(|(number, _)| *number == migration.number)
        {
            continue;
        }
        tx.execute_batch(migration.sql).map_err(store)?;
        tx.execute(
            "insert into migration (number, sha256, applied_ms) values (?1, ?2, ?3)",
            params![migration.number, hash(migration.sql), now.0],
        )
        .map_err(store)?;
        tracing::info!(migration = migration.number, "database migrated");
    }
    tx.commit().map_err(store)
}

fn hash(sql: &str) -> String {
    use std::fmt::Write;
    let digest = digest::digest(&digest::SHA256, sql.as_bytes());
    digest
        .as_ref()
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Migration = Migration {
        number: 1,
        sql: "create table a (x integer) strict",
    };
    const ONE_EDITED: Migration = Migration {
        number: 1,
        sql: "create table a (y integer) strict",
    };
    const TWO: Migration = Migration {
        number: 2,
        sql: "create table b (x integer) strict",
    };

    fn tables(conn: &Connection) -> i64 {
        conn.query_row(
            "select count(*) from sqlite_schema where name in ('a', 'b')",
            [],
            |row| row.get(0),
        )
        .unwrap()
    }

    #[test]
    fn migrations_are_applied_once_and_later_ones_are_added() {
        let mut conn = Connection::open_in_memory().unwrap();
        apply(&mut conn, Timestamp(1), &[ONE]).unwrap();
        apply(&mut conn, Timestamp(2), &[ONE, TWO]).unwrap();
        apply(&mut conn, Timestamp(3), &[ONE, TWO]).unwrap();
        assert_eq!(tables(&conn), 2);
    }

    #[test]
    fn a_newer_database_and_an_edited_migration_are_refused_with_a_sentence() {
        let mut conn = Connection::open_in_memory().unwrap();
        apply(&mut conn, Timestamp(1), &[ONE, TWO]).unwrap();
        let newer = apply(&mut conn, Timestamp(2), &[ONE]).unwrap_err();
        assert!(newer.to_string().contains("newer MotoReach"), "{newer}");
        let edited = apply(&mut conn, Timestamp(2), &[ONE_EDITED, TWO]).unwrap_err();
        assert!(edited.to_string().contains("Migration 1"), "{edited}");
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        const BROKEN: Migration = Migration {
            number: 2,
            sql: "create table b (x integer) strict; create nonsense",
        };
        let mut conn = Connection::open_in_memory().unwrap();
        assert!(apply(&mut conn, Timestamp(1), &[ONE, BROKEN]).is_err());
        assert_eq!(tables(&conn), 0);
    }
}
