//! What is left of people who asked to be forgotten, to be erased entry by entry.
//!
//! The decree (`PersonErased`) is one entry; what it takes away is looked for here, whenever something
//! may have come back: after the decree itself, at a start, after copies of the journal were brought
//! together. So a restored backup or a revived clone ends up where the decree left it.

use rusqlite::{Params, Row, params};

use super::error::StoreError;
use super::journal::{self, Entry};
use super::tx::{View, WriteTx};
use crate::domain::{
    Event, EventId, Extent, PersonId, PersonKey, RequestId, RequestKey, Seq, Timestamp,
    erased_plate, remains,
};

/// Somebody who asked to be forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forgotten {
    /// Their number.
    pub id: PersonId,
    /// Their permanent key.
    pub key: PersonKey,
    /// How much goes.
    pub extent: Extent,
    /// Where the journal says so: what the workshop writes later stays.
    pub decreed: Seq,
    /// When it was said.
    pub at: Timestamp,
}

/// An entry that still has its body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leftover {
    /// Which.
    pub event: EventId,
    /// Its thread, if any.
    pub request: Option<RequestKey>,
    /// What stays of it.
    pub remains: Option<Event>,
}

/// A number that changes whenever something may have come back.
pub fn occasion(view: &View<'_>) -> Result<(i64, i64), StoreError> {
    let mut query = view.conn.prepare_cached(
        "select (select count(*) from merge), (select count(*) from person where erased is not null)",
    )?;
    Ok(query.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Everybody who was erased.
pub fn forgotten(view: &View<'_>) -> Result<Vec<Forgotten>, StoreError> {
    let mut query = view.conn.prepare_cached(
        "select p.id, p.key, p.erased, p.erased_seq, coalesce(e.at_ms, 0)
         from person p left join event e on e.seq = p.erased_seq
         where p.erased is not null order by p.id",
    )?;
    let rows = query.query_map([], |row| {
        let extent: String = row.get(2)?;
        Ok(Forgotten {
            id: PersonId(row.get(0)?),
            key: PersonKey::from_bytes(row.get(1)?),
            extent: Extent::from_word(&extent).ok_or(rusqlite::Error::InvalidQuery)?,
            decreed: Seq(row.get(3)?),
            at: Timestamp(row.get(4)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What says who they are and what is theirs: who was added, what changed, vehicles, devices, and with
/// `Extent::Everything` what the work was called. All of it, to go in one transaction: what follows
/// from these entries follows from them together.
pub fn identity(view: &View<'_>, who: Forgotten) -> Result<Vec<Leftover>, StoreError> {
    let own = "where e.request_id is null and e.body is not null
           and ((e.kind = 'person_added' and e.id = ?1)
             or (e.kind = 'person_changed' and json_extract(e.body, '$.person') = ?2))
         order by e.seq";
    let uuid = who.key.uuid().hyphenated().to_string();
    let mut found = leftovers(view, who, own, params![who.key.as_bytes(), uuid])?;
    let theirs = "where e.request_id in (select id from request where owner_id = ?1)
           and e.body is not null
           and (e.kind in ('request_opened', 'device_linked')
             or (?2 and e.kind = 'request_described' and e.seq < ?3))
         order by e.seq";
    let everything = who.extent == Extent::Everything;
    found.extend(leftovers(
        view,
        who,
        theirs,
        params![who.id.0, everything, who.decreed.0],
    )?);
    Ok(found)
}

/// Up to `limit` entries with their words or their name, and with `Extent::Everything` the workshop's
/// words to them.
pub fn words(view: &View<'_>, who: Forgotten, limit: i64) -> Result<Vec<Leftover>, StoreError> {
    let theirs = "where e.request_id in (select id from request where owner_id = ?1)
           and e.body is not null
           and ((e.kind = 'message_posted' and ((e.flags & 2) <> 0 or e.author = ?2
                   or (?3 and e.seq < ?4)))
             or (e.kind in ('messages_read', 'message_redacted') and e.author = ?2))
         order by e.seq limit ?5";
    let everything = who.extent == Extent::Everything;
    leftovers(
        view,
        who,
        theirs,
        params![
            who.id.0,
            who.key.as_bytes(),
            everything,
            who.decreed.0,
            limit
        ],
    )
}

/// What a person's devices called themselves when they signed in goes, and their sign-ins with it.
pub fn forget_sign_ins(tx: &WriteTx<'_>, person: PersonId) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached("delete from session where person_id = ?1")?
        .execute([person.0])?;
    Ok(())
}

fn leftovers(
    view: &View<'_>,
    who: Forgotten,
    condition: &str,
    params: impl Params,
) -> Result<Vec<Leftover>, StoreError> {
    let entries = journal::matching(view.conn, condition, params)?;
    entries
        .into_iter()
        .map(|entry| leftover(view, who, &entry))
        .collect()
}

fn leftover(view: &View<'_>, who: Forgotten, entry: &Entry) -> Result<Leftover, StoreError> {
    let remains = match entry.event()? {
        None => None,
        Some(event) => {
            let mut stands_for_plate = String::new();
            if let (Event::RequestOpened { vehicle, .. }, Some(request)) = (&event, entry.request) {
                stands_for_plate = plate(view, request)?.unwrap_or_else(|| vehicle.plate.clone());
            }
            remains(event, who.extent, stands_for_plate)
        }
    };
    Ok(Leftover {
        event: entry.id,
        request: entry.thread,
        remains,
    })
}

/// What stands in the place of a request's plate; `None`: the plate itself, because somebody else, who
/// was not erased, brought that vehicle too.
fn plate(view: &View<'_>, request: RequestId) -> Result<Option<String>, StoreError> {
    let mut query = view.conn.prepare_cached(
        "select exists (select 1 from vehicle o join person p on p.id = o.owner_id
                 where o.plate_key = v.plate_key and o.owner_id <> v.owner_id and p.erased is null),
             (select count(*) from vehicle o where o.owner_id = v.owner_id and o.id <= v.id)
         from vehicle v where v.id = (select vehicle_id from request where id = ?1)",
    )?;
    let shared = |row: &Row<'_>| Ok((row.get::<_, bool>(0)?, row.get(1)?));
    let (is_shared, place) = query.query_row([request.0], shared)?;
    Ok((!is_shared).then(|| erased_plate(place)))
}
