//! How entries, posts and hashes stand in rows.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::trouble::{Done, Trouble};
use crate::domain::{DeviceId, EventId, InviteId, LogId, RequestKey, Seq};
use crate::seal::{Chain, Clear, SealedEntry, SealedPost};

/// The columns that `entry` reads, in its order; the same in `entry` and `orphan`.
macro_rules! entry_columns {
    () => {
        "seq, id, thread, kind, flags, epoch, body_sha, chain, body, clear"
    };
}
pub(super) use entry_columns;

/// An entry of the first ten columns of a row.
pub(super) fn entry(row: &Row<'_>) -> Done<SealedEntry> {
    let clear = match row.get_ref(9)? {
        ValueRef::Null => None,
        ValueRef::Blob(bytes) => Some(decode::<Clear>(bytes, "what an entry says in the clear")?),
        ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) => {
            return Err(Trouble::Unreadable("what an entry says in the clear"));
        }
    };
    Ok(SealedEntry {
        seq: Seq(row.get(0)?),
        id: EventId::from_bytes(row.get(1)?),
        thread: row.get::<_, Option<_>>(2)?.map(RequestKey::from_bytes),
        kind: row.get(3)?,
        flags: row.get(4)?,
        epoch: row.get(5)?,
        body_sha: row.get(6)?,
        chain: Chain::from_bytes(row.get(7)?),
        body: row.get(8)?,
        clear,
    })
}

/// Writes an entry of the journal down.
pub(super) fn insert_entry(conn: &Connection, workshop: i64, entry: &SealedEntry) -> Done<()> {
    let clear = entry.clear.as_ref().map(encode);
    conn.prepare_cached(
        "insert into entry
            (workshop, seq, id, thread, kind, flags, epoch, body_sha, chain, body, clear)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute((
        workshop,
        entry.seq.0,
        entry.id.as_bytes(),
        entry.thread.as_ref().map(RequestKey::as_bytes),
        &entry.kind,
        entry.flags,
        entry.epoch,
        &entry.body_sha,
        entry.chain.as_bytes(),
        &entry.body,
        clear,
    ))?;
    Ok(())
}

/// A post of the columns `id, thread, invite, device, kind, epoch, sealed` from `first` on.
pub(super) fn post(row: &Row<'_>, first: usize) -> Result<SealedPost, rusqlite::Error> {
    Ok(SealedPost {
        id: EventId::from_bytes(row.get(first)?),
        thread: RequestKey::from_bytes(row.get(first + 1)?),
        invite: InviteId::from_bytes(row.get(first + 2)?),
        device: DeviceId::from_bytes(row.get(first + 3)?),
        kind: row.get(first + 4)?,
        epoch: row.get(first + 5)?,
        sealed: row.get(first + 6)?,
    })
}

/// The incarnation in a column.
pub(super) fn log(row: &Row<'_>, column: usize) -> Result<LogId, rusqlite::Error> {
    Ok(LogId::from_bytes(row.get(column)?))
}

/// As CBOR.
pub(super) fn encode<T: minicbor::Encode<()>>(value: T) -> Vec<u8> {
    minicbor::to_vec(value).expect("writing to memory cannot fail")
}

/// From CBOR.
pub(super) fn decode<'b, T: minicbor::Decode<'b, ()>>(
    bytes: &'b [u8],
    what: &'static str,
) -> Done<T> {
    minicbor::decode(bytes).map_err(|_| Trouble::Unreadable(what))
}

/// Whether a query finds anything.
pub(super) fn exists(
    conn: &Connection,
    sql: &'static str,
    params: impl rusqlite::Params,
) -> Done<bool> {
    Ok(conn.prepare_cached(sql)?.exists(params)?)
}
