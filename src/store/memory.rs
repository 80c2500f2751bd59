//! A box's database in memory, without threads: for tests that make thousands of them, copy them as a
//! backup would, and let the copies go on.

use std::sync::{Arc, OnceLock};

use rusqlite::Connection;
use rusqlite::backup::Backup;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::StoreError;
use super::keys::BoxKeys;
use super::tx::{CommandResult, View, WriteTx};
use super::{incarnations, migrate, proof, verify};
use crate::clock::Clock;
use crate::domain::{LogId, Timestamp};
use crate::seal::RootSecret;

/// A database in memory.
pub(crate) struct MemoryStore {
    conn: Connection,
    keys: Arc<BoxKeys>,
    clock: Clock,
}

impl MemoryStore {
    /// An empty journal whose first incarnation is `log`.
    pub(crate) fn new(root: RootSecret, log: LogId, clock: Clock) -> Self {
        let store = Self {
            conn: copy_of(&template()),
            keys: Arc::new(BoxKeys::new(root)),
            clock,
        };
        incarnations::begin(&store.conn, log).unwrap();
        store
    }

    /// Runs one command in a transaction of its own; what it recorded is published to nobody.
    pub(crate) fn write<T>(
        &self,
        command: impl FnOnce(&mut WriteTx<'_>) -> CommandResult<T>,
    ) -> CommandResult<T> {
        self.conn.execute_batch("begin immediate").unwrap();
        let done = command(&mut WriteTx::new(self.view()));
        let end = if done.is_ok() { "commit" } else { "rollback" };
        self.conn.execute_batch(end).unwrap();
        done
    }

    /// Looks at the database as it is.
    pub(crate) fn read<T, E>(&self, look: impl FnOnce(&View<'_>) -> Result<T, E>) -> Result<T, E> {
        look(&self.view())
    }

    /// The box's keys.
    pub(crate) fn keys(&self) -> &BoxKeys {
        &self.keys
    }

    /// The same database as it stands now, to go on by itself: a backup that was put back, a clone.
    pub(crate) fn copy(&self) -> Self {
        Self {
            conn: copy_of(&self.conn),
            keys: Arc::clone(&self.keys),
            clock: self.clock.clone(),
        }
    }

    /// What is wrong with journal and projections; nothing in a sound database.
    pub(crate) fn faults(&self) -> Result<Vec<String>, StoreError> {
        let (_, mut faults) = proof::faults(&self.conn, &self.keys, 20)?;
        faults.extend(verify::differences(
            &self.conn,
            &copy_of(&template()),
            &self.keys,
        )?);
        Ok(faults)
    }

    /// Its connection.
    pub(super) const fn conn(&self) -> &Connection {
        &self.conn
    }

    fn view(&self) -> View<'_> {
        View {
            conn: &self.conn,
            keys: &self.keys,
            now: self.clock.now(),
        }
    }
}

/// Migrated once: making a database is copying some pages then.
fn template() -> MutexGuard<'static, Connection> {
    static TEMPLATE: OnceLock<Mutex<Connection>> = OnceLock::new();
    TEMPLATE
        .get_or_init(|| {
            let mut conn = Connection::open_in_memory().unwrap();
            migrate::migrate(&mut conn, Timestamp(0)).unwrap();
            Mutex::new(conn)
        })
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

fn copy_of(from: &Connection) -> Connection {
    let mut to = Connection::open_in_memory().unwrap();
    Backup::new(from, &mut to).unwrap().step(-1).unwrap();
    to.pragma_update(None, "foreign_keys", "on").unwrap();
    to.set_prepared_statement_cache_capacity(super::reader::STATEMENTS);
    to
}
