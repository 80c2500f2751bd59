//! The online copy: the database as it stands at one moment, while messages go on.
//!
//! The source stays in one read transaction, so the copy is of one moment and never has to begin again
//! however much is written meanwhile; the writer is never waited for and never waits (its log grows by
//! what is written in these seconds). The copy is not forced to the card: it is gone again before the
//! system writes most of it there.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, params};

use super::record::NOTES;
use super::trouble::Trouble;
use super::watch::Watch;
use crate::domain::{BackupFault, BackupStep};
use crate::seal::Position;
use crate::store::{high_water, incarnations, reader};

/// Pages copied at once; between two of these it is looked whether to go on.
const PAGES_AT_ONCE: i32 = 256;
/// The disk belongs to the writer first: it gets a moment after each megabyte.
const PAUSE: Duration = Duration::from_millis(2);
/// A lock that is held by whoever checkpoints is waited for by `busy_timeout`; so often at most.
const BUSY_MAX: u32 = 12;

/// Tables of which a copy carries nothing: sign-ins of devices, and what is under way.
const LEFT_OUT: [&str; 4] = ["session", "staged_entry", "staged_run", "post_quota"];

/// What the copy is a copy of.
pub(super) struct Copied {
    /// Where the journal ends in it.
    pub(super) head: Position,
    /// Messages in it.
    pub(super) messages: u64,
    /// The newest of its migrations.
    pub(super) migration: u32,
    /// What the workshop is called.
    pub(super) workshop: String,
}

/// Copies the database to a file that is not there yet.
pub(super) fn copy(from: &Path, to: &Path, watch: &Watch<'_>) -> Result<Copied, Trouble> {
    let source = reader::open(from).map_err(Trouble::of_sql)?;
    let moment = source.unchecked_transaction().map_err(Trouble::of_sql)?;
    let copied = facts(&moment)?;
    let mut target = Connection::open(to).map_err(Trouble::of_sql)?;
    target
        .pragma_update(None, "synchronous", "off")
        .map_err(Trouble::of_sql)?;
    copy_pages(&moment, &mut target, watch)?;
    drop(moment);
    make_a_backup(&target).map_err(Trouble::of_sql)?;
    Ok(copied)
}

fn facts(conn: &Connection) -> Result<Copied, Trouble> {
    let workshop: Option<String> = conn
        .query_row("select max(name) from workshop", [], |row| row.get(0))
        .map_err(Trouble::of_sql)?;
    let (seq, _) = incarnations::last(conn).map_err(Trouble::of_sql)?;
    let head = incarnations::position_at(conn, seq).map_err(Trouble::of_sql)?;
    let (Some(workshop), Some(head)) = (workshop, head) else {
        return Err(BackupFault::NotSetUp.into());
    };
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let messages = number("select count(*) from message").map_err(Trouble::of_sql)?;
    let migration = number("select max(number) from migration").map_err(Trouble::of_sql)?;
    Ok(Copied {
        head,
        messages: messages.unsigned_abs(),
        migration: u32::try_from(migration).unwrap_or(u32::MAX),
        workshop,
    })
}

fn copy_pages(from: &Connection, to: &mut Connection, watch: &Watch<'_>) -> Result<(), Trouble> {
    let page: i64 = from
        .query_row("pragma page_size", [], |row| row.get(0))
        .map_err(Trouble::of_sql)?;
    let bytes = |pages: i32| i64::from(pages).saturating_mul(page).unsigned_abs();
    let backup = Backup::new(from, to).map_err(Trouble::of_sql)?;
    let mut busy = 0;
    loop {
        let step = backup.step(PAGES_AT_ONCE).map_err(Trouble::of_sql)?;
        let progress = backup.progress();
        let of = bytes(progress.pagecount);
        let done = of - bytes(progress.remaining).min(of);
        watch.done(BackupStep::Copying, done, of)?;
        if step == StepResult::Done {
            return Ok(());
        }
        if step == StepResult::More {
            std::thread::sleep(PAUSE);
        } else if busy < BUSY_MAX {
            busy += 1;
        } else {
            return Err(BackupFault::BoxFails.into());
        }
    }
}

/// The copy says of itself that it is one, and leaves out what is of no use elsewhere, or dangerous.
fn make_a_backup(copy: &Connection) -> Result<(), rusqlite::Error> {
    // One file is all there is of it; what is left out is overwritten, not only unlinked.
    copy.pragma_update_and_check(None, "journal_mode", "memory", |_| Ok(()))?;
    copy.pragma_update(None, "secure_delete", "on")?;
    let tx = copy.unchecked_transaction()?;
    for table in LEFT_OUT {
        tx.execute(&format!("delete from {table}"), [])?;
    }
    for name in NOTES {
        tx.execute("delete from local_state where name = ?1", [name])?;
    }
    tx.execute(
        "insert or replace into local_state (name, value) values (?1, ?2)",
        params![high_water::IS_BACKUP, "yes"],
    )?;
    tx.commit()
}
