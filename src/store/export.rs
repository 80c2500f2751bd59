//! What goes into a file that proves itself (`wire::export`): read from one consistent state, a page of
//! entries at a time.
//!
//! Called by `export`. It only reads, so a running server is never in the way.

use rusqlite::params;

use super::data_dir::DataDir;
use super::error::{CommandError, OpenError, StoreError};
use super::incarnations;
use super::journal::{self, Entry};
use super::keys::BoxKeys;
use super::link::sign;
use super::tx::View;
use super::{local, people, reader, requests};
use crate::clock::Clock;
use crate::domain::{
    EventId, PersonId, PersonKey, Rejection, Request, RequestId, RequestKey, Role, Seq, Timestamp,
};
use crate::seal::{STAFF_ONLY, sign_export};
use crate::wire::export::{
    About, ClearEntry, Conversation, EXPORT_ENTRIES_MAX, EXPORT_FORMAT, Fixed, Head, Header, Line,
    Log, Long, Place, Signature, Stub, Workshop,
};
use crate::wire::rfc3339;

/// Entries held in memory at once.
const PAGE_ROWS: i64 = 256;

/// What a file shall show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// One request.
    Request(RequestId),
    /// All requests of one owner.
    Owner(PersonId),
}

/// Reads a box's database from outside, beside a running server or without one.
///
/// # Errors
/// It cannot be opened, or what `look` returns.
pub fn outside<T, E>(dir: &DataDir, look: impl FnOnce(&View<'_>) -> Result<T, E>) -> Result<T, E>
where
    E: From<OpenError>,
{
    let path = dir.database();
    let keys = BoxKeys::new(dir.root()?);
    let failed = |error: rusqlite::Error| super::told(&path, OpenError::Store(error.into()));
    let conn = reader::open(&path).map_err(failed)?;
    let snapshot = conn.unchecked_transaction().map_err(failed)?;
    look(&View {
        conn: &snapshot,
        keys: &keys,
        now: Clock::system().now(),
    })
}

/// Everything in a file but its entries.
///
/// # Errors
/// No such request or owner, more entries than a file takes, or what the disk says.
pub fn header(view: &View<'_>, wish: Wish) -> Result<Header, CommandError> {
    let (about, requests) = subject(view, wish)?;
    let range = range(view, &requests)?.ok_or(Rejection::NoSuch("conversation"))?;
    if range.last.0 - range.first.0 >= EXPORT_ENTRIES_MAX {
        return Err(Rejection::ExportTooLarge.into());
    }
    let damaged = |seq: Seq| StoreError::Damaged(format!("entry {seq} is missing"));
    let before = Seq(range.first.0 - 1);
    let chain = incarnations::chain_at(view.conn, before)?.ok_or_else(|| damaged(before))?;
    let end =
        incarnations::position_at(view.conn, range.last)?.ok_or_else(|| damaged(range.last))?;
    let signed = sign(view.keys, end);
    Ok(Header {
        format: EXPORT_FORMAT,
        workshop: Workshop {
            id: view.keys.workshop().uuid(),
            name: local::workshop_name(view)?.unwrap_or_default(),
        },
        about,
        made_at: rfc3339(view.now),
        messages: range.messages,
        requests: requests.into_iter().map(conversation).collect(),
        logs: logs(view, range.first, range.last)?,
        before: Place {
            seq: before.0,
            chain: Fixed(*chain.as_bytes()),
        },
        head: Head {
            log: end.log.uuid(),
            seq: end.seq.0,
            chain: Fixed(*end.chain.as_bytes()),
            signature: Fixed(signed.signature),
        },
    })
}

/// Calls `visit` with each line of the journal between the header's two places, in order.
///
/// # Errors
/// An entry that is not what was written, what `visit` returns, or what the disk says.
pub fn lines<E: From<StoreError>>(
    view: &View<'_>,
    header: &Header,
    mut visit: impl FnMut(Line) -> Result<(), E>,
) -> Result<(), E> {
    let mut at = Seq(header.before.seq);
    while at.0 < header.head.seq {
        let page = journal::after(view.conn, at, PAGE_ROWS).map_err(StoreError::from)?;
        for entry in page {
            if entry.seq.0 != at.0 + 1 {
                return Err(StoreError::Damaged(format!("entry {} is missing", at.0 + 1)).into());
            }
            at = entry.seq;
            if at.0 > header.head.seq {
                return Ok(());
            }
            visit(match shown_in(header, &entry) {
                Some(_) => Line::Clear(Box::new(clear(view, entry)?)),
                None => stub(entry),
            })?;
        }
    }
    Ok(())
}

/// Calls `visit` with each entry of one conversation that its owner may read, in order.
///
/// # Errors
/// As `lines`.
pub fn conversation_of<E: From<StoreError>>(
    view: &View<'_>,
    request: RequestId,
    mut visit: impl FnMut(ClearEntry) -> Result<(), E>,
) -> Result<(), E> {
    let mut at = Seq(0);
    loop {
        let page = journal::of_request_after(view.conn, request, at, PAGE_ROWS)
            .map_err(StoreError::from)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        at = last.seq;
        for entry in page {
            if entry.flags & STAFF_ONLY == 0 {
                visit(clear(view, entry)?)?;
            }
        }
    }
}

/// The workshop's signature under a file's data.
pub fn signature(keys: &BoxKeys, data_sha: &[u8; 32]) -> Signature {
    let key = keys.link_key();
    Signature {
        public_key: Fixed(key.public_key()),
        signature: Fixed(sign_export(key, data_sha)),
    }
}

/// Whether the words of an entry are what these keys open its seal to.
pub fn opens_to_its_words(keys: &BoxKeys, entry: &ClearEntry) -> bool {
    match (entry_of(entry), &entry.sealed) {
        (entry @ Entry { body: Some(_), .. }, Some(Long(sealed))) => {
            entry.sealed(keys).is_some_and(|made| made == *sealed)
        }
        (Entry { body: None, .. }, None) => true,
        (Entry { .. }, Some(_) | None) => false,
    }
}

fn subject(view: &View<'_>, wish: Wish) -> Result<(About, Vec<Request>), CommandError> {
    match wish {
        Wish::Request(id) => {
            let request = requests::load(view, id)?.ok_or(Rejection::NoSuch("request"))?;
            Ok((About::Request { number: id.0 }, vec![request]))
        }
        Wish::Owner(id) => {
            let owner = people::load(view, id)?
                .filter(|person| person.role == Role::Owner)
                .ok_or(Rejection::NoSuch("owner"))?;
            let about = About::Owner {
                number: id.0,
                full_name: owner.full_name,
                phone: owner.phone,
                email: owner.email,
            };
            Ok((about, requests::of_owner(view, id)?))
        }
    }
}

struct Range {
    first: Seq,
    last: Seq,
    messages: i64,
}

/// From the first entry of these conversations to the last; `None` where there is none.
fn range(view: &View<'_>, requests: &[Request]) -> Result<Option<Range>, StoreError> {
    let mut query = view.conn.prepare_cached(
        "select min(seq), max(seq), count(*) filter (where kind = ?2) from event
         where request_id = ?1",
    )?;
    let mut whole: Option<Range> = None;
    for request in requests {
        let (first, last, messages): (Option<i64>, Option<i64>, i64) = query
            .query_row(params![request.id.0, journal::MESSAGE_POSTED], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let Some((first, last)) = first.zip(last) else {
            continue;
        };
        let so_far = whole.get_or_insert(Range {
            first: Seq(first),
            last: Seq(last),
            messages: 0,
        });
        so_far.first = so_far.first.min(Seq(first));
        so_far.last = so_far.last.max(Seq(last));
        so_far.messages += messages;
    }
    Ok(whole)
}

/// The incarnations that entries from `first` to `last` belong to.
fn logs(view: &View<'_>, first: Seq, last: Seq) -> Result<Vec<Log>, StoreError> {
    let all = incarnations::all(view.conn)?;
    let begins = all.iter().rposition(|(begins, _)| *begins <= first.0);
    Ok(all
        .into_iter()
        .skip(begins.unwrap_or(0))
        .filter(|(begins, _)| *begins <= last.0)
        .map(|(first, log)| Log {
            log: log.uuid(),
            first,
        })
        .collect())
}

fn conversation(request: Request) -> Conversation {
    Conversation {
        thread: request.key.uuid(),
        number: request.id.0,
        owner: request.owner.name,
        plate: request.vehicle.plate,
        make: request.vehicle.make,
        model: request.vehicle.model,
        year: request.vehicle.year,
        description: request.description,
        status: request.status.word().to_owned(),
    }
}

/// The conversation of a header that an entry is shown in; none for the staff's own and for others'.
fn shown_in(header: &Header, entry: &Entry) -> Option<RequestKey> {
    let thread = entry.thread.filter(|_| entry.flags & STAFF_ONLY == 0)?;
    header
        .requests
        .iter()
        .any(|request| request.thread == thread.uuid())
        .then_some(thread)
}

fn clear(view: &View<'_>, entry: Entry) -> Result<ClearEntry, StoreError> {
    if entry
        .expected_body_sha(view.keys)
        .is_some_and(|sha| sha != entry.body_sha)
    {
        return Err(StoreError::Damaged(format!(
            "entry {} is not what was written",
            entry.seq
        )));
    }
    let sealed = entry.sealed(view.keys).map(Long);
    let thread = entry.thread.map_or_else(Default::default, RequestKey::uuid);
    Ok(ClearEntry {
        seq: entry.seq.0,
        id: entry.id.uuid(),
        thread,
        kind: entry.kind,
        flags: entry.flags,
        epoch: entry.epoch,
        at_ms: entry.at.0,
        author: entry.author.uuid(),
        sha: Fixed(entry.body_sha),
        body: entry.body,
        sealed,
    })
}

fn stub(entry: Entry) -> Line {
    Line::Stub(Stub(
        Fixed(*entry.id.as_bytes()),
        entry.kind,
        entry.flags,
        Fixed(entry.body_sha),
    ))
}

/// The entry that a file says.
fn entry_of(clear: &ClearEntry) -> Entry {
    Entry {
        seq: Seq(clear.seq),
        id: EventId::new(clear.id),
        request: None,
        thread: Some(RequestKey::new(clear.thread)),
        kind: clear.kind.clone(),
        flags: clear.flags,
        epoch: clear.epoch,
        at: Timestamp(clear.at_ms),
        author: PersonKey::new(clear.author),
        body: clear.body.clone(),
        remains: None,
        body_sha: clear.sha.0,
        chain: [0; 32],
    }
}
