//! Verifying what a relay gives back, a page at a time. It proves nothing by itself: every run must
//! follow from its own beginning, open with this box's keys, and end in this box's own signature.

use rusqlite::{OptionalExtension, params};

use crate::domain::{LogId, Seq};
use crate::seal::{Chain, Position, SealedEntry, SignedHead};
use crate::store::error::StoreError;
use crate::store::event_body;
use crate::store::keys::{SealHeader, Under};
use crate::store::tx::{CommandResult, View, WriteTx};
use crate::wire::link::{Given, GivenEntry};

/// What a page was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Staged {
    /// This box's own writing, as far as it goes.
    Taken,
    /// Not this box's writing: nothing of what was staged is left.
    NotOurs(&'static str),
}

/// Stretches that are taken at once: a relay keeps one for each time that copies were brought together.
const RUNS_MAX: i64 = 4_096;

/// How far a run was verified.
struct Run {
    run: i64,
    first: Option<Seq>,
    /// The newest entry, with its incarnation.
    newest: Option<(LogId, Seq)>,
    chain: Chain,
    ended: bool,
}

/// Forgets what an earlier session staged.
///
/// # Errors
/// Only what the disk says.
pub fn clear(tx: &mut WriteTx<'_>) -> CommandResult<()> {
    tx.conn
        .prepare_cached("delete from staged_entry")?
        .execute([])?;
    tx.conn
        .prepare_cached("delete from staged_run")?
        .execute([])?;
    Ok(())
}

/// Entries that wait to be adopted.
pub fn staged(view: &View<'_>) -> Result<i64, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select count(*) from staged_entry")?;
    Ok(query.query_row([], |row| row.get(0))?)
}

/// Verifies one page and stages what is in it.
///
/// # Errors
/// Only what the disk says.
pub fn stage(tx: &mut WriteTx<'_>, given: &Given) -> CommandResult<Staged> {
    match take(tx, given)? {
        Ok(()) => Ok(Staged::Taken),
        Err(why) => {
            tracing::warn!(why, "a relay gave back what this box did not write");
            clear(tx)?;
            Ok(Staged::NotOurs(why))
        }
    }
}

/// The reason why it is not ours.
type Verified = Result<(), &'static str>;

fn take(tx: &WriteTx<'_>, given: &Given) -> Result<Verified, StoreError> {
    let run = newest_run(tx)?;
    let is_open = run.as_ref().is_some_and(Run::is_open);
    if given.entries.is_empty() {
        return Ok(match (given.begins, &given.next) {
            (Some(_), _) | (None, Some(_)) => Err("a stretch without entries"),
            (None, None) if is_open => Err("a stretch without an end"),
            (None, None) => Ok(()),
        });
    }
    // First of all, so that no more is stored than this box once wrote.
    let Some(end) = given.ends.filter(|end| is_signed(tx, end)) else {
        return Ok(Err("a stretch that this box did not sign"));
    };
    let mut run = match (run, given.begins) {
        (Some(_), Some(_)) if is_open => return Ok(Err("a stretch without an end")),
        (Some(run), Some(_)) if run.run >= RUNS_MAX => return Ok(Err("too many stretches")),
        (Some(run), None) if !run.ended => run,
        (run, Some(begins)) => begin(tx, run.map_or(0, |run| run.run + 1), begins)?,
        (Some(_) | None, None) => return Ok(Err("entries of no stretch")),
    };
    for entry in &given.entries {
        if entry.entry.seq > end.position.seq {
            return Ok(Err("entries past the end of a stretch"));
        }
        if let Err(why) = take_entry(tx, &mut run, entry)? {
            return Ok(Err(why));
        }
    }
    run.ended = run.is_at(&end.position);
    if !run.ended && run.newest.is_some_and(|(_, seq)| seq >= end.position.seq) {
        return Ok(Err("a stretch that this box did not sign"));
    }
    if given.next.is_none() && run.is_open() {
        return Ok(Err("a stretch without an end"));
    }
    save(tx, &run)?;
    Ok(Ok(()))
}

impl Run {
    /// Whether it came exactly to this position.
    fn is_at(&self, end: &Position) -> bool {
        let at = self.newest.map(|(log, seq)| Position {
            log,
            seq,
            chain: self.chain,
        });
        at.as_ref() == Some(end)
    }

    /// Whether there is something in it that nobody answers for yet.
    const fn is_open(&self) -> bool {
        !self.ended && self.newest.is_some()
    }
}

fn take_entry(tx: &WriteTx<'_>, run: &mut Run, given: &GivenEntry) -> Result<Verified, StoreError> {
    let GivenEntry {
        log,
        entry,
        settled,
    } = given;
    let follows = match run.newest {
        None => entry.seq.0 >= 1,
        Some((_, newest)) => entry.seq.0 == newest.0 + 1,
    };
    if !follows || !entry.follows(run.chain, *log) {
        return Ok(Err("an entry that does not follow"));
    }
    run.first.get_or_insert(entry.seq);
    run.newest = Some((*log, entry.seq));
    run.chain = entry.chain;
    if *settled {
        return Ok(Ok(()));
    }
    keep(tx, run.run, *log, entry)
}

/// Opens an entry and keeps it. One that another stretch brought already moves here: whatever it
/// speaks of comes in this stretch or a later one (`finish` says why).
fn keep(
    tx: &WriteTx<'_>,
    run: i64,
    log: LogId,
    entry: &SealedEntry,
) -> Result<Verified, StoreError> {
    let opened = match &entry.body {
        None => None,
        Some(sealed) => {
            let header = SealHeader {
                id: entry.id,
                kind: &entry.kind,
                thread: entry.thread,
                under: Under::of(entry.flags, entry.epoch),
            };
            let Some(opened) = tx.keys.opened(&header, sealed) else {
                return Ok(Err("an entry that this box did not seal"));
            };
            if event_body::decode(&entry.kind, entry.thread, &opened.body).is_err() {
                return Ok(Err("an entry that this program cannot read"));
            }
            Some(opened)
        }
    };
    tx.conn
        .prepare_cached(
            "insert into staged_entry (run, seq, id, log, thread, kind, flags, epoch, at_ms, author,
                                       body, body_sha)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             on conflict (id) do update set run = excluded.run, seq = excluded.seq,
                 log = excluded.log, thread = excluded.thread, kind = excluded.kind,
                 flags = excluded.flags, epoch = excluded.epoch, body_sha = excluded.body_sha,
                 at_ms = case when body_sha = excluded.body_sha
                     then coalesce(excluded.at_ms, at_ms) else excluded.at_ms end,
                 author = case when body_sha = excluded.body_sha
                     then coalesce(excluded.author, author) else excluded.author end,
                 body = case when body_sha = excluded.body_sha
                     then coalesce(excluded.body, body) else excluded.body end",
        )?
        .execute(params![
            run,
            entry.seq.0,
            entry.id.as_bytes(),
            log.as_bytes(),
            entry.thread.map(|thread| *thread.as_bytes()),
            entry.kind,
            entry.flags,
            entry.epoch,
            opened.as_ref().map(|opened| opened.at.0),
            opened.as_ref().map(|opened| *opened.author.as_bytes()),
            opened.as_ref().map(|opened| opened.body.as_str()),
            entry.body_sha,
        ])?;
    Ok(Ok(()))
}

/// Whether this box signed the end of a run.
fn is_signed(tx: &WriteTx<'_>, end: &SignedHead) -> bool {
    let public_key = tx.keys.link_key().public_key();
    end.check(&public_key).is_ok()
}

fn newest_run(tx: &WriteTx<'_>) -> Result<Option<Run>, StoreError> {
    let mut query = tx.conn.prepare_cached(
        "select run, first_seq, log, seq, chain, ended from staged_run order by run desc limit 1",
    )?;
    Ok(query
        .query_row([], |row| {
            let log: Option<[u8; 16]> = row.get(2)?;
            let seq: Option<i64> = row.get(3)?;
            Ok(Run {
                run: row.get(0)?,
                first: row.get::<_, Option<i64>>(1)?.map(Seq),
                newest: log
                    .zip(seq)
                    .map(|(log, seq)| (LogId::from_bytes(log), Seq(seq))),
                chain: Chain::from_bytes(row.get(4)?),
                ended: row.get(5)?,
            })
        })
        .optional()?)
}

fn begin(tx: &WriteTx<'_>, run: i64, begins: Chain) -> Result<Run, StoreError> {
    tx.conn
        .prepare_cached(
            "insert into staged_run (run, begins, chain, ended) values (?1, ?2, ?2, 0)",
        )?
        .execute(params![run, begins.as_bytes()])?;
    Ok(Run {
        run,
        first: None,
        newest: None,
        chain: begins,
        ended: false,
    })
}

fn save(tx: &WriteTx<'_>, run: &Run) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "update staged_run set first_seq = ?2, log = ?3, seq = ?4, chain = ?5, ended = ?6
             where run = ?1",
        )?
        .execute(params![
            run.run,
            run.first.map(|seq| seq.0),
            run.newest.map(|(log, _)| *log.as_bytes()),
            run.newest.map(|(_, seq)| seq.0),
            run.chain.as_bytes(),
            run.ended,
        ])?;
    Ok(())
}
