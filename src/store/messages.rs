//! Messages: a page of a conversation, one message, and what happened since a position.
//!
//! A message's words are read from its event and compared with their hash every time: SQLite does
//! not notice a flipped bit, and a wrong word is worse than none.

use rusqlite::{OptionalExtension, Row, params};

use super::describe;
use super::error::StoreError;
use super::event_body;
use super::journal::{self, Entry};
use super::tx::View;
use super::words::{side_from_word, side_word};
use crate::domain::{
    Body, Change, Content, ErasedWhy, Event, EventId, Message, MessageId, PersonId, PersonKey,
    Quote, RequestId, RequestKey, Seq, Side, Timestamp,
};

/// Words in one page, in bytes: more is asked for again.
const PAGE_BYTES_MAX: usize = 1 << 20;
/// Changes that a resuming reader is told from one look at the database.
const STRETCH_ROWS: i64 = 32;

/// A stretch of a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// Its messages, in rising order.
    pub messages: Vec<Message>,
    /// Whether older ones exist.
    pub has_more: bool,
}

/// What happened in a request while a reader was away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Missed {
    /// A stretch of changes with their positions, in order.
    Changes {
        /// The stretch.
        changes: Vec<(Seq, Change)>,
        /// Where the next stretch begins, if there is one.
        then: Option<Seq>,
    },
    /// It cannot be told one by one, because it is too much or damaged: read the newest page instead.
    Untold,
}

const MESSAGE: &str =
    "select m.seq, e.id, m.request_id, r.owner_id, m.side, m.author_id, p.full_name,
        o.full_name, w.name, e.body, e.body_sha, e.at_ms, e.author, e.epoch, e.flags,
        m.reply_to_seq, m.expires_ms, m.erased_why, r.user_read_seq, r.workshop_read_seq, r.key,
        m.seq <= coalesce((select applied_seq from relay where url is not null), 0)
    from message m
    join event e on e.seq = m.seq
    join request r on r.id = m.request_id
    left join person p on p.id = m.author_id
    join person o on o.id = r.owner_id
    join workshop w on w.id = 1";

/// One message.
pub fn load(view: &View<'_>, id: MessageId) -> Result<Option<Message>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached(&format!("{MESSAGE} where m.seq = ?1"))?;
    let found = query
        .query_row([id.0], |row| from_row(view, row))
        .optional()?;
    found
        .map(|(message, reply_to)| with_quote(view, message, reply_to))
        .transpose()
}

/// The newest `limit` messages of a request, or the newest before a message.
pub fn page(
    view: &View<'_>,
    request: RequestId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page, StoreError> {
    let sql =
        format!("{MESSAGE} where m.request_id = ?1 and m.seq < ?2 order by m.seq desc limit ?3");
    let mut query = view.conn.prepare_cached(&sql)?;
    let before = before.map_or(i64::MAX, |id| id.0);
    let rows = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut found = Vec::new();
    let mut has_more = false;
    let mut bytes = 0;
    for row in query.query_map(params![request.0, before, rows], |row| from_row(view, row))? {
        let row = row?;
        bytes += row.0.content.shown().len();
        if found.len() == limit || (bytes > PAGE_BYTES_MAX && !found.is_empty()) {
            has_more = true;
            break;
        }
        found.push(row);
    }
    let messages = found
        .into_iter()
        .rev()
        .map(|(message, reply_to)| with_quote(view, message, reply_to))
        .collect::<Result<_, _>>()?;
    Ok(Page { messages, has_more })
}

/// Whether more than `changes_max` things happened in a request between two positions.
pub fn missed_too_much(
    view: &View<'_>,
    request: RequestId,
    after: Seq,
    changes_max: usize,
) -> Result<bool, StoreError> {
    let mut query = view.conn.prepare_cached(
        "select exists (select 1 from event where request_id = ?1 and seq > ?2 limit 1 offset ?3)",
    )?;
    let offset = i64::try_from(changes_max).unwrap_or(i64::MAX);
    Ok(query.query_row(params![request.0, after.0, offset], |row| row.get(0))?)
}

/// What happened in a request after a position and until another, a stretch at a time: long messages
/// of a long absence are never in memory together.
pub fn missed(
    view: &View<'_>,
    request: RequestId,
    after: Seq,
    until: Seq,
) -> Result<Missed, StoreError> {
    let mut entries = journal::of_request_after(view.conn, request, after, STRETCH_ROWS)?;
    let was_full = i64::try_from(entries.len()).is_ok_and(|rows| rows == STRETCH_ROWS);
    entries.retain(|entry| entry.seq <= until);
    let then = entries.last().map(|entry| entry.seq);
    let mut changes = Vec::with_capacity(entries.len());
    for entry in entries {
        let change = if entry.is_message() {
            describe::posted(view, entry.seq)?
        } else {
            let sha = entry.expected_body_sha(view.keys);
            if sha.is_some_and(|sha| sha != entry.body_sha) {
                tracing::error!(seq = entry.seq.0, "an entry is not what was written");
                return Ok(Missed::Untold);
            }
            match entry.event()? {
                Some(event) => describe::change(view, &entry, &event)?,
                None => Change::Quiet,
            }
        };
        changes.push((entry.seq, change));
    }
    let then = then.filter(|last| was_full && *last < until);
    Ok(Missed::Changes { changes, then })
}

/// The newest message of the other side up to `up_to`, and how many of theirs are unread until there.
pub fn unread_up_to(
    view: &View<'_>,
    request: RequestId,
    side: Side,
    up_to: Option<MessageId>,
) -> Result<Option<(EventId, i64)>, StoreError> {
    let mut query = view.conn.prepare_cached(
        "select count(*) filter (where m.erased_why is null), max(m.seq)
         from message m join request r on r.id = m.request_id
         where m.request_id = ?1 and m.side = ?2 and m.seq <= ?3
           and m.seq > case ?2 when 'workshop' then r.user_read_seq else r.workshop_read_seq end",
    )?;
    let up_to = up_to.map_or(i64::MAX, |id| id.0);
    let (count, newest): (i64, Option<i64>) = query
        .query_row(params![request.0, side_word(side.other()), up_to], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let Some(newest) = newest else {
        return Ok(None);
    };
    let id = view
        .conn
        .prepare_cached("select id from event where seq = ?1")?
        .query_row([newest], |row| row.get(0).map(EventId::from_bytes))?;
    Ok(Some((id, count)))
}

/// Messages whose time is up, oldest first.
pub fn expired(view: &View<'_>, limit: i64) -> Result<Vec<(EventId, RequestKey)>, StoreError> {
    let mut query = view.conn.prepare_cached(
        "select e.id, r.key from message m
         join event e on e.seq = m.seq join request r on r.id = m.request_id
         where m.expires_ms is not null and m.expires_ms <= ?1 order by m.expires_ms limit ?2",
    )?;
    let expired = query.query_map(params![view.now.0, limit], |row| {
        Ok((
            EventId::from_bytes(row.get(0)?),
            RequestKey::from_bytes(row.get(1)?),
        ))
    })?;
    Ok(expired.collect::<Result<_, _>>()?)
}

/// When the next message erases itself.
pub fn next_expiry(view: &View<'_>) -> Result<Option<Timestamp>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select min(expires_ms) from message where expires_ms is not null")?;
    Ok(query
        .query_row([], |row| row.get::<_, Option<i64>>(0))?
        .map(Timestamp))
}

fn from_row(view: &View<'_>, row: &Row<'_>) -> rusqlite::Result<(Message, Option<MessageId>)> {
    let seq = Seq(row.get(0)?);
    let side: String = row.get(4)?;
    let side = side_from_word(&side).ok_or(rusqlite::Error::InvalidQuery)?;
    let owner_name: String = row.get(7)?;
    let workshop_name: String = row.get(8)?;
    let entry = Entry {
        seq,
        id: EventId::from_bytes(row.get(1)?),
        request: Some(RequestId(row.get(2)?)),
        thread: Some(RequestKey::from_bytes(row.get(20)?)),
        kind: journal::MESSAGE_POSTED.to_owned(),
        flags: row.get(14)?,
        epoch: row.get(13)?,
        at: Timestamp(row.get(11)?),
        author: PersonKey::from_bytes(row.get(12)?),
        body: journal::body(row, 9)?,
        remains: None,
        body_sha: row.get(10)?,
        chain: [0; 32],
    };
    let erased: Option<String> = row.get(17)?;
    let (user_read, workshop_read): (i64, i64) = (row.get(18)?, row.get(19)?);
    let sender_name = match side {
        Side::User => owner_name,
        Side::Workshop => workshop_name,
    };
    let message = Message {
        id: seq.message(),
        event: entry.id,
        request: RequestId(row.get(2)?),
        owner: PersonId(row.get(3)?),
        side,
        author: PersonId(row.get::<_, Option<i64>>(5)?.unwrap_or(0)),
        // A message that came back without its words came back without its author too.
        author_name: row
            .get::<_, Option<String>>(6)?
            .unwrap_or_else(|| sender_name.clone()),
        sender_name,
        content: content(view, &entry, erased.as_deref()),
        reply_to: None,
        at: entry.at,
        expires: row.get::<_, Option<i64>>(16)?.map(Timestamp),
        read_by_user: side == Side::User || seq.0 <= user_read,
        read_by_workshop: side == Side::Workshop || seq.0 <= workshop_read,
        is_at_relay: row.get(21)?,
    };
    Ok((message, row.get::<_, Option<i64>>(15)?.map(MessageId)))
}

fn content(view: &View<'_>, entry: &Entry, erased: Option<&str>) -> Content {
    match (erased, &entry.body) {
        (Some("expired"), _) => return Content::Erased(ErasedWhy::Expired),
        (Some("forgotten"), _) => return Content::Erased(ErasedWhy::Forgotten),
        (Some(_), _) => return Content::Erased(ErasedWhy::Redacted),
        (None, None) => return Content::Damaged,
        (None, Some(_)) => {}
    }
    if entry.expected_body_sha(view.keys) != Some(entry.body_sha) {
        tracing::error!(
            seq = entry.seq.0,
            "a message is not what was written; it is not shown"
        );
        return Content::Damaged;
    }
    let body = entry.body.as_deref().unwrap_or_default();
    match event_body::decode(&entry.kind, entry.thread, body) {
        Ok(Event::MessagePosted { content, .. }) => {
            Body::parse(&content).map_or(Content::Damaged, Content::Text)
        }
        Ok(_) | Err(_) => Content::Damaged,
    }
}

/// Adds what the message answers; a quote quotes nothing itself.
fn with_quote(
    view: &View<'_>,
    mut message: Message,
    reply_to: Option<MessageId>,
) -> Result<Message, StoreError> {
    let Some(id) = reply_to else {
        return Ok(message);
    };
    let mut query = view
        .conn
        .prepare_cached(&format!("{MESSAGE} where m.seq = ?1"))?;
    let quoted = query
        .query_row([id.0], |row| from_row(view, row))
        .optional()?;
    message.reply_to = quoted.map(|(quoted, _)| Quote {
        id,
        excerpt: quoted.content.excerpt(),
        author_name: quoted.author_name,
    });
    Ok(message)
}
