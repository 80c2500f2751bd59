//! Looking at a data directory from outside: what is in it, and whose it is. For `motoreach doctor`,
//! beside a running server or without one; it reads and never writes.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::data_dir::DataDir;
use super::error::{OpenError, StoreError};
use super::health::{self, Noted};
use super::keys::BoxKeys;
use super::link::{self, Merge, Settings, Waiting};
use super::tx::View;
use super::{backup, journal, migrate, reader};
use crate::clock::Clock;
use crate::domain::{Seq, Timestamp};

/// Entries that are tried before recovery words are believed to belong to a database.
const ENTRIES_TRIED_MAX: i64 = 64;

/// What is in a database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The newest migration that was applied.
    pub version: i64,
    /// The workshop's name; `None` before the first run is over.
    pub workshop: Option<String>,
    /// People who may sign in and work here.
    pub staff: i64,
    /// Vehicle owners.
    pub owners: i64,
    /// Service requests.
    pub requests: i64,
    /// Messages.
    pub messages: i64,
    /// Entries of the journal.
    pub entries: i64,
    /// What the database and its log take on the disk, in bytes.
    pub bytes: u64,
}

/// What is known of the link to the relay, and when it was looked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relay {
    /// The relay that is set up.
    pub settings: Option<Settings>,
    /// How far it has the journal.
    pub delivered_up_to: Option<Seq>,
    /// What it does not have yet.
    pub waiting: Waiting,
    /// Copies that were brought together, the newest first.
    pub merges: Vec<Merge>,
    /// Posts that owners' devices counted and that never came here.
    pub post_gaps: i64,
    /// When this was.
    pub now: Timestamp,
}

/// Whose database it is, as far as recovery words are concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Belonging {
    /// The seals of its journal are made with these keys.
    Theirs,
    /// They are made with other keys.
    Another,
    /// There is nothing sealed in it yet: nobody can tell.
    Empty,
}

/// The version of SQLite inside this program.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// Counts what is in the database.
///
/// # Errors
/// It cannot be opened or read at all.
pub fn facts(dir: &DataDir) -> Result<Facts, OpenError> {
    let path = dir.database();
    let conn = open(&path)?;
    up_to_date(&conn).map_err(|error| super::told(&path, error))?;
    let bytes = ["", "-wal"].map(|suffix| {
        let mut file = path.clone().into_os_string();
        file.push(suffix);
        std::fs::metadata(file).map_or(0, |file| file.len())
    });
    counted(&conn, bytes.iter().sum()).map_err(|error| super::told(&path, OpenError::Store(error)))
}

/// What an older program wrote lacks tables that everything here looks at.
fn up_to_date(conn: &Connection) -> Result<(), OpenError> {
    let found = conn
        .query_row(
            "select coalesce(max(number), 0) from migration",
            [],
            |row| row.get(0),
        )
        .map_err(|error| OpenError::Store(error.into()))?;
    let known = migrate::MIGRATIONS.last().map_or(0, |last| last.number);
    if found < known {
        return Err(OpenError::Older { found, known });
    }
    Ok(())
}

fn counted(conn: &Connection, bytes: u64) -> Result<Facts, StoreError> {
    let snapshot = conn.unchecked_transaction()?;
    let one = |sql: &str| snapshot.query_row(sql, [], |row| row.get::<_, i64>(0));
    Ok(Facts {
        version: one("select coalesce(max(number), 0) from migration")?,
        workshop: snapshot.query_row("select max(name) from workshop", [], |row| row.get(0))?,
        staff: one("select count(*) from person where role <> 'owner' and active")?,
        owners: one("select count(*) from person where role = 'owner'")?,
        requests: one("select count(*) from request")?,
        messages: one("select count(*) from message")?,
        entries: one("select count(*) from event")?,
        bytes,
    })
}

/// What the database knows of the link to the relay; `None` where there is nothing to look with: the
/// secret is missing, or the database has not been brought to this program's version yet.
///
/// # Errors
/// The database cannot be opened or read at all.
pub fn relay(dir: &DataDir) -> Result<Option<Relay>, OpenError> {
    let path = dir.database();
    let Ok(root) = dir.root() else {
        return Ok(None);
    };
    let (conn, keys) = (open(&path)?, BoxKeys::new(root));
    let now = Clock::kept(&dir.clock_floor()).now();
    linked(&conn, &keys, now).map_err(|error| super::told(&path, OpenError::Store(error)))
}

/// The folder that backups go to.
///
/// # Errors
/// The database cannot be opened or read, or its secret is missing.
pub fn backup_folder(dir: &DataDir) -> Result<PathBuf, OpenError> {
    let path = dir.database();
    let (conn, keys) = (open(&path)?, BoxKeys::new(dir.root()?));
    let view = View {
        conn: &conn,
        keys: &keys,
        now: Clock::kept(&dir.clock_floor()).now(),
    };
    let settings = backup::settings(&view).map_err(OpenError::Store)?;
    Ok(backup::folder_of(dir, &settings))
}

fn linked(conn: &Connection, keys: &BoxKeys, now: Timestamp) -> Result<Option<Relay>, StoreError> {
    let snapshot = conn.unchecked_transaction()?;
    if !snapshot.table_exists(None, "relay")? {
        return Ok(None);
    }
    let view = View {
        conn: &snapshot,
        keys,
        now,
    };
    Ok(Some(Relay {
        settings: link::settings(&view)?,
        delivered_up_to: link::delivered_up_to(&view)?,
        waiting: link::waiting(&view)?,
        merges: link::merges(&view)?,
        post_gaps: link::post_gaps(&view)?,
        now,
    }))
}

/// What the database notes of the box's health; `None` where there is nothing to look with: the secret
/// is missing, or the database has not been brought to this program's version yet.
///
/// # Errors
/// The database cannot be opened or read at all.
pub fn noted(dir: &DataDir) -> Result<Option<Noted>, OpenError> {
    let path = dir.database();
    let Ok(root) = dir.root() else {
        return Ok(None);
    };
    let (conn, keys) = (open(&path)?, BoxKeys::new(root));
    let looked = || -> Result<Option<Noted>, StoreError> {
        let snapshot = conn.unchecked_transaction()?;
        if !snapshot.table_exists(None, "relay")? {
            return Ok(None);
        }
        let view = View {
            conn: &snapshot,
            keys: &keys,
            now: Clock::system().now(),
        };
        health::noted(&view).map(Some)
    };
    looked().map_err(|error| super::told(&path, OpenError::Store(error)))
}

/// Whether the journal was sealed with these keys, by its first entries that still have a body.
///
/// # Errors
/// The database cannot be opened or read at all.
pub fn belongs_to(dir: &DataDir, keys: &BoxKeys) -> Result<Belonging, OpenError> {
    let path = dir.database();
    let conn = open(&path)?;
    let entries = journal::after(&conn, Seq(0), ENTRIES_TRIED_MAX)
        .map_err(|error| super::told(&path, OpenError::Store(error.into())))?;
    let mut seals = entries
        .iter()
        .filter_map(|entry| {
            entry
                .expected_body_sha(keys)
                .map(|sha| sha == entry.body_sha)
        })
        .peekable();
    // One that fits is proof; one that does not may be a damaged entry of the right journal.
    Ok(match (seals.peek().is_some(), seals.any(|fits| fits)) {
        (false, _) => Belonging::Empty,
        (true, true) => Belonging::Theirs,
        (true, false) => Belonging::Another,
    })
}

fn open(database: &Path) -> Result<Connection, OpenError> {
    reader::open(database).map_err(|error| super::told(database, OpenError::Store(error.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::commands::SetUp;
    use crate::domain::{FullName, Username};
    use crate::seal::RootSecret;
    use crate::store::{CommandResult, Store};

    #[tokio::test]
    async fn a_database_knows_the_keys_it_was_sealed_with() -> CommandResult<()> {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path());
        let store = Store::open(dir.clone(), Clock::system(), Box::new(|_| {})).unwrap();
        let right = BoxKeys::new(dir.root().unwrap());
        assert_eq!(belongs_to(&dir, &right).unwrap(), Belonging::Empty);
        assert_eq!(facts(&dir).unwrap().workshop, None);

        let set_up = SetUp {
            workshop_name: FullName::parse("Nair Motors").unwrap(),
            full_name: FullName::parse("Meera Nair").unwrap(),
            username: Username::parse("meera").unwrap(),
            password_hash: "none".to_owned(),
        };
        store.write(|tx| set_up.run(tx)).await?;
        let wrong = BoxKeys::new(RootSecret::from_bytes([7; 32]));
        assert_eq!(belongs_to(&dir, &right).unwrap(), Belonging::Theirs);
        assert_eq!(belongs_to(&dir, &wrong).unwrap(), Belonging::Another);

        let facts = facts(&dir).unwrap();
        assert_eq!((facts.staff, facts.owners, facts.entries), (1, 0, 2));
        assert_eq!(facts.workshop.as_deref(), Some("Nair Motors"));
        Ok(())
    }

    #[tokio::test]
    async fn what_waits_for_a_relay_is_seen_from_outside() -> CommandResult<()> {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path());
        let store = Store::open(dir.clone(), Clock::system(), Box::new(|_| {})).unwrap();
        let seen = relay(&dir).unwrap().unwrap();
        assert_eq!((seen.settings, seen.waiting), (None, Waiting::default()));
        let set_up = SetUp {
            workshop_name: FullName::parse("Nair Motors").unwrap(),
            full_name: FullName::parse("Meera Nair").unwrap(),
            username: Username::parse("meera").unwrap(),
            password_hash: "none".to_owned(),
        };
        store.write(|tx| set_up.run(tx)).await?;
        let url = "https://relay.example";
        store
            .write(move |tx| link::connect(tx, url, "code"))
            .await?;
        let seen = relay(&dir).unwrap().unwrap();
        assert_eq!(seen.settings.unwrap().url, url);
        assert_eq!((seen.waiting.entries, seen.waiting.messages), (2, 0));
        Ok(())
    }

    #[test]
    fn a_database_of_an_older_program_is_told_as_one() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path());
        let mut conn = Connection::open(dir.database()).unwrap();
        migrate::apply(&mut conn, Timestamp(0), &migrate::MIGRATIONS[..1]).unwrap();
        let told = facts(&dir).unwrap_err().to_string();
        assert!(told.contains("start the box once"), "{told}");
    }
}
