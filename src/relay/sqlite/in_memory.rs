//! A relay's database in memory, without threads, for tests that make thousands of them.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use rusqlite::Connection;
use rusqlite::backup::Backup;
use tokio::sync::broadcast;

use super::engine::Engine;
use super::open::{As, bring_up};
use super::{Inner, SqliteRelay};
use crate::domain::Timestamp;
use crate::relay::limits::WAKES_MAX;

impl SqliteRelay {
    /// A new, empty one. Its futures are ready at once, whatever polls them.
    pub(crate) fn in_memory() -> Self {
        Self::direct(copy_of(&template()))
    }

    /// What a backup of it would hold now, as another one.
    pub(crate) fn copy(&self) -> Self {
        let Engine::Direct(conn, _) = &self.inner.engine else {
            panic!("only a database in memory is copied");
        };
        Self::direct(copy_of(&conn.lock().unwrap()))
    }

    fn direct(conn: Connection) -> Self {
        conn.pragma_update(None, "foreign_keys", true).unwrap();
        conn.set_prepared_statement_cache_capacity(128);
        let (wakes, _) = broadcast::channel(WAKES_MAX);
        Self {
            inner: Arc::new(Inner {
                engine: Engine::Direct(Mutex::new(conn), wakes.clone()),
                wakes,
                _lock: None,
            }),
        }
    }
}

/// Migrated once: making a database is copying some pages then.
fn template() -> MutexGuard<'static, Connection> {
    static TEMPLATE: OnceLock<Mutex<Connection>> = OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        let mut conn = Connection::open_in_memory().unwrap();
        bring_up(&mut conn, As::Relay, Timestamp(0)).unwrap();
        Mutex::new(conn)
    });
    template.lock().unwrap()
}

fn copy_of(from: &Connection) -> Connection {
    let mut to = Connection::open_in_memory().unwrap();
    Backup::new(from, &mut to).unwrap().step(-1).unwrap();
    to
}
