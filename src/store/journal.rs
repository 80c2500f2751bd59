//! The journal: appending to it and reading it (`sync.md` §2). `proof` shows that nobody changed it.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::describe;
use super::error::StoreError;
use super::event_body;
use super::incarnations::{current_log, last};
use super::keys::{BoxKeys, SealHeader, Under};
use super::tx::View;
use crate::domain::{Event, EventId, LogId, PersonKey, RequestId, RequestKey, Seq, Timestamp};
use crate::seal::{self, FROM_OWNER, Link, STAFF_ONLY};

/// The kind of a message's event, as `domain::Event::kind` names it.
pub(super) const MESSAGE_POSTED: &str = "message_posted";
/// Entries held in memory at once while the whole journal is read.
const PAGE_ROWS: i64 = 512;

/// One entry as it is stored.
pub(super) struct Entry {
    pub(super) seq: Seq,
    pub(super) id: EventId,
    pub(super) request: Option<RequestId>,
    pub(super) thread: Option<RequestKey>,
    pub(super) kind: String,
    pub(super) flags: u32,
    pub(super) epoch: u16,
    pub(super) at: Timestamp,
    pub(super) author: PersonKey,
    /// `None` once erased.
    pub(super) body: Option<String>,
    /// What stays of an erased body, where something does.
    pub(super) remains: Option<String>,
    pub(super) body_sha: [u8; 32],
    pub(super) chain: [u8; 32],
}

/// What is known of an id that was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Where its event stands.
    pub seq: Seq,
    /// The request that it belongs to.
    pub request: Option<RequestId>,
    /// Who made it.
    pub author: PersonKey,
    /// Whether it is a message.
    pub is_message: bool,
}

/// Where the journal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The incarnation that is written to.
    pub log: LogId,
    /// The newest entry; 0 in an empty journal.
    pub seq: Seq,
}

/// Where the journal ends.
pub fn head(view: &View<'_>) -> Result<Head, StoreError> {
    let log = current_log(view.conn)?;
    let (seq, _) = last(view.conn)?;
    Ok(Head { log, seq })
}

/// When the newest entry was written, by whatever clock this box had then.
pub fn newest_at(view: &View<'_>) -> Result<Option<Timestamp>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select at_ms from event order by seq desc limit 1")?;
    Ok(query
        .query_row([], |row| row.get(0).map(Timestamp))
        .optional()?)
}

/// The event that carries this id, if it was ever used.
pub fn known(view: &View<'_>, id: EventId) -> Result<Option<Known>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select seq, request_id, author, kind from event where id = ?1")?;
    Ok(query
        .query_row([id.as_bytes()], |row| {
            Ok(Known {
                seq: Seq(row.get(0)?),
                request: row.get::<_, Option<i64>>(1)?.map(RequestId),
                author: PersonKey::from_bytes(row.get(2)?),
                is_message: row.get::<_, String>(3)? == MESSAGE_POSTED,
            })
        })
        .optional()?)
}

/// Appends one event. The caller applies it to the projections in the same transaction.
pub(super) fn append(
    view: &View<'_>,
    id: EventId,
    at: Timestamp,
    author: PersonKey,
    event: &Event,
) -> Result<Entry, StoreError> {
    let log = current_log(view.conn)?;
    let (last_seq, last_chain) = last(view.conn)?;
    let (request, thread, epoch) = place(view.conn, id, event)?;
    let names = describe::names(view, author, event)?;
    let mut entry = Entry {
        seq: Seq(last_seq.0 + 1),
        id,
        request,
        thread,
        kind: event.kind().to_owned(),
        flags: flags(event),
        epoch,
        at,
        author,
        body: Some(event_body::encode(event, names)),
        remains: None,
        body_sha: [0; 32],
        chain: [0; 32],
    };
    entry.body_sha = entry.expected_body_sha(view.keys).unwrap_or_default();
    entry.chain = *last_chain.next(&entry.link(log)).as_bytes();
    copy_to(view.conn, &entry)?;
    Ok(entry)
}

/// What the relay sees of an event besides its kind.
const fn flags(event: &Event) -> u32 {
    let staff_only = if event.is_staff_only() { STAFF_ONLY } else { 0 };
    let from_owner = if event.is_from_owner() { FROM_OWNER } else { 0 };
    staff_only | from_owner
}

/// Stores an entry as it is.
pub(super) fn copy_to(conn: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let mut insert = conn.prepare_cached(
        "insert into event (seq, id, request_id, kind, flags, epoch, at_ms, author, body, body_sha,
                            chain, thread, remains)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    insert.execute(params![
        entry.seq.0,
        entry.id.as_bytes(),
        entry.request.map(|request| request.0),
        entry.kind,
        entry.flags,
        entry.epoch,
        entry.at.0,
        entry.author.as_bytes(),
        entry.body,
        entry.body_sha,
        entry.chain,
        entry.thread.map(|thread| *thread.as_bytes()),
        entry.remains,
    ])?;
    Ok(())
}

/// The request, thread and key epoch that an event belongs to.
fn place(
    conn: &Connection,
    id: EventId,
    event: &Event,
) -> Result<(Option<RequestId>, Option<RequestKey>, u16), StoreError> {
    if let Event::RequestOpened { number, .. } = event {
        let request = super::requests::number_or_next(conn, *number)?;
        return Ok((Some(request), Some(RequestKey::new(id.uuid())), 0));
    }
    let Some(thread) = event.request() else {
        return Ok((None, None, 0));
    };
    let mut query = conn.prepare_cached("select id, epoch from request where key = ?1")?;
    let (request, epoch): (i64, u16) =
        query.query_row([thread.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((Some(RequestId(request)), Some(thread), epoch))
}

impl Entry {
    /// Whether it is a message.
    pub(super) fn is_message(&self) -> bool {
        self.kind == MESSAGE_POSTED
    }

    /// Whether it opened its thread.
    pub(super) fn is_opening(&self) -> bool {
        self.thread
            .is_some_and(|thread| thread.uuid() == self.id.uuid())
    }

    /// What `body_sha` must be; `None` once the body is erased.
    pub(super) fn expected_body_sha(&self, keys: &BoxKeys) -> Option<[u8; 32]> {
        let body = self.body.as_deref();
        body.map(|body| seal::body_sha(&keys.sealed(&self.header(), self.at, self.author, body)))
    }

    /// The sealed body, as it travels; `None` once it is erased.
    pub(super) fn sealed(&self, keys: &BoxKeys) -> Option<Vec<u8>> {
        let body = self.body.as_deref();
        body.map(|body| keys.sealed(&self.header(), self.at, self.author, body))
    }

    fn header(&self) -> SealHeader<'_> {
        SealHeader {
            id: self.id,
            kind: &self.kind,
            thread: self.thread,
            under: Under::of(self.flags, self.epoch),
        }
    }

    pub(super) fn link(&self, log: LogId) -> Link<'_> {
        Link {
            log: *log.as_bytes(),
            seq: self.seq.0.unsigned_abs(),
            event: *self.id.as_bytes(),
            kind: &self.kind,
            flags: self.flags,
            body_sha: self.body_sha,
        }
    }

    /// The event that this entry says, or what stays of it; `None` when nothing does.
    pub(super) fn event(&self) -> Result<Option<Event>, StoreError> {
        self.body
            .as_deref()
            .or(self.remains.as_deref())
            .map(|body| event_body::decode(&self.kind, self.thread, body))
            .transpose()
            .map_err(|error| StoreError::Damaged(format!("entry {}: {error}", self.seq)))
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: Seq(row.get(0)?),
            id: EventId::from_bytes(row.get(1)?),
            request: row.get::<_, Option<i64>>(2)?.map(RequestId),
            thread: row
                .get::<_, Option<[u8; 16]>>(11)?
                .map(RequestKey::from_bytes),
            kind: row.get(3)?,
            flags: row.get(4)?,
            epoch: row.get(5)?,
            at: Timestamp(row.get(6)?),
            author: PersonKey::from_bytes(row.get(7)?),
            body: body(row, 8)?,
            body_sha: row.get(9)?,
            chain: row.get(10)?,
            remains: row.get(12)?,
        })
    }
}

/// A body as the disk gives it back. What a flipped bit made of it may be no text at all: its hash
/// says so, and the entries around it can still be read.
pub(super) fn body(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => None,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        ValueRef::Integer(_) | ValueRef::Real(_) => Some(String::new()),
    })
}

const ENTRY_COLUMNS: &str =
    "e.seq, e.id, e.request_id, e.kind, e.flags, e.epoch, e.at_ms, e.author,
    e.body, e.body_sha, e.chain, e.thread, e.remains
    from event e";

/// Entries after a position, oldest first; at most `limit`.
pub(super) fn after(
    conn: &Connection,
    seq: Seq,
    limit: i64,
) -> Result<Vec<Entry>, rusqlite::Error> {
    let sql = format!("select {ENTRY_COLUMNS} where e.seq > ?1 order by e.seq limit ?2");
    let mut query = conn.prepare_cached(&sql)?;
    query.query_map([seq.0, limit], Entry::from_row)?.collect()
}

/// Entries of one request after a position, oldest first; at most `limit`.
pub(super) fn of_request_after(
    conn: &Connection,
    request: RequestId,
    seq: Seq,
    limit: i64,
) -> Result<Vec<Entry>, rusqlite::Error> {
    let sql = format!(
        "select {ENTRY_COLUMNS} where e.request_id = ?1 and e.seq > ?2 order by e.seq limit ?3"
    );
    let mut query = conn.prepare_cached(&sql)?;
    query
        .query_map([request.0, seq.0, limit], Entry::from_row)?
        .collect()
}

/// Entries that fulfil a condition (`where … order by …`), which must say how many at most, or name few.
pub(super) fn matching(
    conn: &Connection,
    condition: &str,
    params: impl Params,
) -> Result<Vec<Entry>, rusqlite::Error> {
    let sql = format!("select {ENTRY_COLUMNS} {condition}");
    let mut query = conn.prepare_cached(&sql)?;
    query.query_map(params, Entry::from_row)?.collect()
}

/// Calls `visit` with every entry of the journal in order, a page at a time.
pub(super) fn each(
    conn: &Connection,
    mut visit: impl FnMut(Entry) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut at = Seq(0);
    loop {
        let page = after(conn, at, PAGE_ROWS)?;
        let Some(newest) = page.last() else {
            return Ok(());
        };
        at = newest.seq;
        for entry in page {
            visit(entry)?;
        }
    }
}
