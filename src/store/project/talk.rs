//! The rows of a conversation: messages, their erasing, and who has read how far.

use rusqlite::{Connection, OptionalExtension, params};

use super::{person_id, request_id, seq_before};
use crate::domain::{
    ErasedWhy, EventId, Extent, PersonKey, RequestId, RequestKey, Role, Seq, Side, Timestamp,
};
use crate::seal::FROM_OWNER;
use crate::store::journal::Entry;
use crate::store::words::{role_word, side_word};

/// What was said of something that only comes now.
pub(super) struct Told {
    what: String,
    author: PersonKey,
    /// When it was said.
    pub(super) at: Timestamp,
}

impl Told {
    /// How much of a person is erased, if that was said.
    pub(super) fn erased_extent(&self) -> Option<Extent> {
        self.what
            .strip_prefix("erased_")
            .and_then(Extent::from_word)
    }
}

/// What may be said of something before it comes.
#[derive(Clone, Copy)]
pub(super) enum Foretold {
    /// The words of a message are gone.
    Erased(ErasedWhy),
    /// A link opens nothing any more.
    Revoked,
    /// Somebody asked to be forgotten.
    PersonErased(Extent),
}

impl Foretold {
    const fn word(self) -> &'static str {
        match self {
            Self::Erased(why) => erased_word(why),
            Self::Revoked => "revoked",
            Self::PersonErased(Extent::Words) => "erased_words",
            Self::PersonErased(Extent::Everything) => "erased_everything",
        }
    }
}

/// Keeps what an entry says of something that is not there yet.
pub(super) fn foretell(
    conn: &Connection,
    entry: &Entry,
    of: [u8; 16],
    what: Foretold,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "insert into foretold (id, what, author, at_ms) values (?1, ?2, ?3, ?4)
         on conflict (id) do nothing",
    )?
    .execute(params![
        of,
        what.word(),
        entry.author.as_bytes(),
        entry.at.0
    ])?;
    Ok(())
}

/// What was said of a message or link before it came.
pub(super) fn foretold(conn: &Connection, of: [u8; 16]) -> rusqlite::Result<Option<Told>> {
    conn.prepare_cached("select what, author, at_ms from foretold where id = ?1")?
        .query_row([of], |row| {
            Ok(Told {
                what: row.get(0)?,
                author: PersonKey::from_bytes(row.get(1)?),
                at: Timestamp(row.get(2)?),
            })
        })
        .optional()
}

/// A message with its words, unless they were erased before it came.
pub(super) fn posted(
    conn: &Connection,
    entry: &Entry,
    side: Side,
    reply_to: Option<EventId>,
    expires: Option<Timestamp>,
) -> rusqlite::Result<()> {
    if foretold(conn, *entry.id.as_bytes())?.is_some() {
        forget_words(conn, entry.seq)?;
        return message_without_words(conn, entry);
    }
    let Some((request, key)) = place(conn, entry)? else {
        return Ok(());
    };
    let reply_to = match reply_to {
        None => None,
        Some(id) => seq_before(conn, id, entry.seq)?,
    };
    conn.prepare_cached(
        "insert into message (seq, request_id, side, author_id, reply_to_seq, expires_ms)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        entry.seq.0,
        request.0,
        side_word(side),
        person_id(conn, entry.author)?,
        reply_to,
        expires.map(|at| at.0),
    ])?;
    newest_message(conn, key, entry, Some(side))
}

/// A message whose words are gone. An entry of another kind that lost its body says nothing any more.
pub(super) fn message_without_words(conn: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    if !entry.is_message() {
        return Ok(());
    }
    let Some((request, key)) = place(conn, entry)? else {
        return Ok(());
    };
    let author: Option<(i64, String)> = conn
        .prepare_cached("select id, role from person where key = ?1")?
        .query_row([entry.author.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let is_owner = |(_, role): &(i64, String)| role == role_word(Role::Owner);
    let side = if entry.flags & FROM_OWNER != 0 || author.as_ref().is_some_and(is_owner) {
        Side::User
    } else {
        Side::Workshop
    };
    let told = foretold(conn, *entry.id.as_bytes())?;
    let by = match &told {
        None => None,
        Some(told) => person_id(conn, told.author)?,
    };
    conn.prepare_cached(
        "insert into message (seq, request_id, side, author_id, erased_why, erased_by)
         values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        entry.seq.0,
        request.0,
        side_word(side),
        author.map(|(id, _)| id),
        told.as_ref().map(|told| told.what.as_str()),
        by,
    ])?;
    newest_message(conn, key, entry, None)
}

/// The request of an entry, if there is one by its key.
fn place(conn: &Connection, entry: &Entry) -> rusqlite::Result<Option<(RequestId, RequestKey)>> {
    let Some(key) = entry.thread else {
        return Ok(None);
    };
    Ok(request_id(conn, key)?.map(|id| (RequestId(id), key)))
}

/// The conversation ends with this message; the other side of `from` has one more to read. Of a
/// message whose words are gone (`None`) nobody has anything to read.
fn newest_message(
    conn: &Connection,
    request: RequestKey,
    entry: &Entry,
    from: Option<Side>,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "update request set last_message_seq = ?2, activity_seq = ?2, active_ms = ?3,
             user_unread = user_unread + ?4, workshop_unread = workshop_unread + ?5
         where key = ?1",
    )?
    .execute(params![
        request.as_bytes(),
        entry.seq.0,
        entry.at.0,
        i64::from(from == Some(Side::Workshop)),
        i64::from(from == Some(Side::User)),
    ])?;
    Ok(())
}

/// The words go; that there was a message, when and from whom, stays (and the chain still verifies).
pub(super) fn erase(
    conn: &Connection,
    entry: &Entry,
    message: EventId,
    why: ErasedWhy,
) -> rusqlite::Result<()> {
    let Some(seq) = seq_before(conn, message, entry.seq)? else {
        return foretell(conn, entry, *message.as_bytes(), Foretold::Erased(why));
    };
    forget_words(conn, Seq(seq))?;
    let by = match why {
        ErasedWhy::Redacted => person_id(conn, entry.author)?,
        ErasedWhy::Expired | ErasedWhy::Forgotten => None,
    };
    // The first erasing is the one that is told.
    let request: Option<i64> = conn
        .prepare_cached(
            "update message set erased_by = case when erased_why is null then ?3 else erased_by end,
                 erased_why = coalesce(erased_why, ?2), reply_to_seq = null, expires_ms = null
             where seq = ?1 returning request_id",
        )?
        .query_row(params![seq, erased_word(why), by], |row| row.get(0))
        .optional()?;
    request.map_or(Ok(()), |request| recount(conn, request))
}

/// Only ever the words of a message: nothing else is erased.
fn forget_words(conn: &Connection, seq: Seq) -> rusqlite::Result<()> {
    conn.prepare_cached("update event set body = null where seq = ?1 and kind = 'message_posted'")?
        .execute([seq.0])?;
    Ok(())
}

const fn erased_word(why: ErasedWhy) -> &'static str {
    match why {
        ErasedWhy::Redacted => "redacted",
        ErasedWhy::Expired => "expired",
        ErasedWhy::Forgotten => "forgotten",
    }
}

/// Counts what each side has not read.
fn recount(conn: &Connection, request: i64) -> rusqlite::Result<()> {
    recount_for(conn, request, Side::User)?;
    recount_for(conn, request, Side::Workshop)
}

/// Counts what one side has not read. Words that are gone need no reading; that they are gone is asked
/// of the event, because a replay meets the message before it meets its erasing.
fn recount_for(conn: &Connection, request: i64, reader: Side) -> rusqlite::Result<()> {
    let sql = match reader {
        Side::User => {
            "update request set user_unread =
                 (select count(*) from message m join event e on e.seq = m.seq
                  where m.request_id = ?1 and m.seq > user_read_seq
                    and m.side = 'workshop' and e.body is not null)
             where id = ?1"
        }
        Side::Workshop => {
            "update request set workshop_unread =
                 (select count(*) from message m join event e on e.seq = m.seq
                  where m.request_id = ?1 and m.seq > workshop_read_seq
                    and m.side = 'user' and e.body is not null)
             where id = ?1"
        }
    };
    conn.prepare_cached(sql)?.execute([request])?;
    Ok(())
}

/// One side has read up to a message: further than before, or as far.
pub(super) fn read(
    conn: &Connection,
    entry: &Entry,
    request: RequestKey,
    side: Side,
    up_to: EventId,
) -> rusqlite::Result<()> {
    let (Some(up_to), Some(id)) = (
        seq_before(conn, up_to, entry.seq)?,
        request_id(conn, request)?,
    ) else {
        return Ok(());
    };
    if let Some(person) = person_id(conn, entry.author)? {
        conn.prepare_cached(
            "insert into receipt (seq, request_id, side, person_id, up_to_seq, at_ms)
             values (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            entry.seq.0,
            id,
            side_word(side),
            person,
            up_to,
            entry.at.0,
        ])?;
    }
    let update = match side {
        Side::User => "update request set user_read_seq = max(user_read_seq, ?2) where id = ?1",
        Side::Workshop => {
            "update request set workshop_read_seq = max(workshop_read_seq, ?2) where id = ?1"
        }
    };
    conn.prepare_cached(update)?.execute(params![id, up_to])?;
    recount_for(conn, id, side)
}
