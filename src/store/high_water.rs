//! How far the journal once was, written down beside the database: an older copy that was put back in
//! its place gives itself away at the next start, without anybody to ask.
//!
//! ```text
//! high-water   <log id> <position>
//! ```
//!
//! The database is on disk before the file says so, so it can only be behind the file when it is not
//! the database that the file speaks of. Then (and when it says of itself that it is a backup) a new
//! incarnation begins at once: what is written from here on can never be taken for what the lost
//! part of the journal held at the same positions (`sync.md` §4).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::data_dir::DataDir;
use super::incarnations;
use crate::clock::stopwatch;
use crate::domain::{LogId, Seq};

/// In `local_state` of our backups.
pub(super) const IS_BACKUP: &str = "is_backup";
/// The file is written again after at least so long: a card wears out.
const PAUSE: Duration = Duration::from_secs(60);

/// Writes the file down as the journal grows.
pub(super) struct HighWater {
    path: PathBuf,
    written: Instant,
}

impl HighWater {
    /// Looks whether this is the database that the file speaks of, begins a new incarnation if not,
    /// and writes the file.
    ///
    /// # Errors
    /// The database cannot be read or written. The file never stops a box: it may be missing.
    pub(super) fn begin(dir: &DataDir, conn: &Connection) -> Result<Self, rusqlite::Error> {
        let path = dir.high_water();
        let tx = conn.unchecked_transaction()?;
        let backup = tx.execute("delete from local_state where name = ?1", [IS_BACKUP])? > 0;
        let behind = match read(&path) {
            None => false,
            Some((log, seq)) => !reaches(&tx, log, seq)?,
        };
        if backup || behind {
            incarnations::renew(&tx)?;
            tracing::warn!(
                backup,
                behind,
                "an older copy of the database was put back; the journal begins a new incarnation"
            );
        }
        tx.commit()?;
        let mut begun = Self {
            path,
            written: stopwatch(),
        };
        begun.write(conn);
        Ok(begun)
    }

    /// The journal grew; it is on disk.
    pub(super) fn grown(&mut self, conn: &Connection) {
        if self.written.elapsed() >= PAUSE {
            self.write(conn);
        }
    }

    /// Writes the file now. Whole or not at all, but not forced to disk: an older one serves too.
    pub(super) fn write(&mut self, conn: &Connection) {
        self.written = stopwatch();
        let written = incarnations::last(conn)
            .and_then(|(seq, _)| Ok((incarnations::current_log(conn)?, seq)))
            .map_err(io::Error::other)
            .and_then(|(log, seq)| {
                let beside = self.path.with_extension("new");
                fs::write(&beside, format!("{log} {seq}\n"))?;
                fs::rename(&beside, &self.path)
            });
        if let Err(error) = written {
            tracing::debug!(%error, "how far the journal is was not written down");
        }
    }
}

/// What the file says; nothing when it is missing or torn.
fn read(path: &Path) -> Option<(LogId, Seq)> {
    let text = fs::read_to_string(path).ok()?;
    let (log, seq) = text.trim_end().split_once(' ')?;
    Some((log.parse().ok()?, Seq(seq.parse().ok()?)))
}

/// Whether the journal has a position in an incarnation, or had it and went on.
fn reaches(conn: &Connection, log: LogId, seq: Seq) -> Result<bool, rusqlite::Error> {
    let known: bool = conn
        .prepare_cached("select exists (select 1 from log where log_id = ?1)")?
        .query_row([log.as_bytes()], |row| row.get(0))?;
    let (head, _) = incarnations::last(conn)?;
    Ok(known && head >= seq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::commands::SetUp;
    use crate::domain::{Actor, Event, EventId, FullName, Username};
    use crate::store::{Store, head, local, verify};

    async fn open(dir: &DataDir) -> Store {
        Store::open(dir.clone(), Clock::system(), Box::new(|_| {})).unwrap()
    }

    /// Gives the directory back too.
    async fn close(store: Store) {
        store.close().await;
    }

    async fn rename(store: &Store, name: &str) {
        let event = Event::WorkshopNamed { name: name.into() };
        let id = EventId::new(uuid::Uuid::new_v4());
        store
            .write(move |tx| {
                tx.record(id, &Actor::the_box(), &event)?;
                Ok(())
            })
            .await
            .unwrap();
    }

    /// A workshop that was closed, and a copy of its database as it was then.
    async fn closed() -> (tempfile::TempDir, DataDir, LogId) {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path());
        let store = open(&dir).await;
        let set_up = SetUp {
            workshop_name: FullName::parse("Nair Motors").unwrap(),
            full_name: FullName::parse("Meera Nair").unwrap(),
            username: Username::parse("meera").unwrap(),
            password_hash: "none".to_owned(),
        };
        store.write(|tx| set_up.run(tx)).await.unwrap();
        let log = store.read(head).await.unwrap().log;
        close(store).await;
        fs::copy(dir.database(), temp.path().join("copy")).unwrap();
        (temp, dir, log)
    }

    #[tokio::test]
    async fn a_database_that_goes_on_is_the_same_incarnation() {
        let (_temp, dir, log) = closed().await;
        for _ in 0..2 {
            let store = open(&dir).await;
            rename(&store, "Nair & Daughters").await;
            assert_eq!(store.read(head).await.unwrap().log, log);
            close(store).await;
        }
        // A power cut: the file is older than the database, or torn.
        for text in [format!("{log} 1\n"), String::new(), "\u{0}\u{0}".into()] {
            fs::write(dir.high_water(), text).unwrap();
            let store = open(&dir).await;
            assert_eq!(store.read(head).await.unwrap().log, log);
            close(store).await;
        }
    }

    #[tokio::test]
    async fn an_older_copy_that_was_put_back_begins_a_new_incarnation_once() {
        let (temp, dir, log) = closed().await;
        let store = open(&dir).await;
        rename(&store, "Nair & Daughters").await;
        close(store).await;
        fs::copy(temp.path().join("copy"), dir.database()).unwrap();
        let store = open(&dir).await;
        let renewed = store.read(head).await.unwrap().log;
        assert_ne!(renewed, log);
        rename(&store, "Nair & Sons").await;
        close(store).await;
        let store = open(&dir).await;
        assert_eq!(store.read(head).await.unwrap().log, renewed);
        close(store).await;
        assert_eq!(verify::check(&dir).unwrap().faults, Vec::<String>::new());
        // The copy again: it does not know the incarnation that the file speaks of.
        fs::copy(temp.path().join("copy"), dir.database()).unwrap();
        let store = open(&dir).await;
        let again = store.read(head).await.unwrap().log;
        assert!(again != log && again != renewed);
        close(store).await;
    }

    #[tokio::test]
    async fn a_backup_begins_a_new_incarnation_wherever_it_is_put() {
        let (_temp, dir, log) = closed().await;
        let store = open(&dir).await;
        store
            .write(|tx| Ok(local::note(tx, IS_BACKUP, "yes")?))
            .await
            .unwrap();
        close(store).await;
        let store = open(&dir).await;
        let renewed = store.read(head).await.unwrap().log;
        assert_ne!(renewed, log);
        close(store).await;
        let store = open(&dir).await;
        let once = store.read(head).await.unwrap().log;
        assert_eq!(once, renewed, "it is a backup no more");
        close(store).await;
        assert_eq!(verify::check(&dir).unwrap().faults, Vec::<String>::new());
    }
}
