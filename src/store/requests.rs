//! Requests: the list, one of them, and whom something in it concerns.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::messages;
use super::tx::View;
use crate::domain::{
    Actor, Audience, LastMessage, MessageId, Named, PersonId, Request, RequestId, RequestKey, Role,
    Scope, Seq, Status, Timestamp, Vehicle,
};

/// Which requests a list shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// Open ones, closed ones, or both.
    pub open: Option<bool>,
    /// Only jobs of this mechanic.
    pub assigned_to: Option<PersonId>,
    /// Words in the plate, the owner's name or the description.
    pub search: Option<String>,
    /// Only what was last active before this position.
    pub before: Option<Seq>,
    /// At most so many.
    pub limit: i64,
}

const REQUEST: &str =
    "select r.id, r.key, r.status, r.description, v.plate, v.make, v.model, v.year,
        r.owner_id, o.full_name, o.phone, r.assigned_to, a.full_name, r.last_message_seq,
        r.created_ms, r.active_ms, r.activity_seq,
        r.user_unread, r.workshop_unread
    from request r
    join vehicle v on v.id = r.vehicle_id
    join person o on o.id = r.owner_id
    left join person a on a.id = r.assigned_to";

fn from_row(row: &Row<'_>) -> rusqlite::Result<(Request, Option<MessageId>)> {
    let status: String = row.get(2)?;
    let assigned: Option<i64> = row.get(11)?;
    let assigned_name: Option<String> = row.get(12)?;
    let request = Request {
        id: RequestId(row.get(0)?),
        key: RequestKey::from_bytes(row.get(1)?),
        status: Status::from_word(&status).ok_or(rusqlite::Error::InvalidQuery)?,
        description: row.get(3)?,
        vehicle: Vehicle {
            plate: row.get(4)?,
            make: row.get(5)?,
            model: row.get(6)?,
            year: row.get(7)?,
        },
        owner: Named {
            id: PersonId(row.get(8)?),
            name: row.get(9)?,
        },
        owner_phone: row.get(10)?,
        assigned: assigned.zip(assigned_name).map(|(id, name)| Named {
            id: PersonId(id),
            name,
        }),
        unread_by_user: row.get(17)?,
        unread_by_workshop: row.get(18)?,
        last_message: None,
        created: Timestamp(row.get(14)?),
        active: Timestamp(row.get(15)?),
        activity: Seq(row.get(16)?),
    };
    Ok((request, row.get::<_, Option<i64>>(13)?.map(MessageId)))
}

/// What a party to a request needs to act in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gate {
    /// The request's permanent key.
    pub key: RequestKey,
    /// How far the job is.
    pub status: Status,
}

/// Lets a party to a request in; for anybody else it does not exist.
pub fn gate(view: &View<'_>, id: RequestId, actor: &Actor) -> Result<Option<Gate>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select key, owner_id, status from request where id = ?1")?;
    let found = query
        .query_row([id.0], |row| {
            let status: String = row.get(2)?;
            let status = Status::from_word(&status).ok_or(rusqlite::Error::InvalidQuery)?;
            let key = RequestKey::from_bytes(row.get(0)?);
            Ok((Gate { key, status }, PersonId(row.get(1)?)))
        })
        .optional()?;
    Ok(found
        .filter(|(_, owner)| actor.is_party_to(id, *owner))
        .map(|(gate, _)| gate))
}

/// One request.
pub fn load(view: &View<'_>, id: RequestId) -> Result<Option<Request>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached(&format!("{REQUEST} where r.id = ?1"))?;
    let found = query.query_row([id.0], from_row).optional()?;
    found
        .map(|found| with_last_message(view, found))
        .transpose()
}

/// Every request of an owner, by number.
pub fn of_owner(view: &View<'_>, owner: PersonId) -> Result<Vec<Request>, StoreError> {
    let sql = format!("{REQUEST} where r.owner_id = ?1 order by r.id");
    let mut query = view.conn.prepare_cached(&sql)?;
    let found = query
        .query_map([owner.0], from_row)?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(found.into_iter().map(|(request, _)| request).collect())
}

/// The request of a thread.
pub fn by_key(view: &View<'_>, key: RequestKey) -> Result<Option<Request>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select id from request where key = ?1")?;
    let id = query
        .query_row([key.as_bytes()], |row| row.get(0).map(RequestId))
        .optional()?;
    id.map_or(Ok(None), |id| load(view, id))
}

/// One request, if this actor is a party to it; otherwise it does not exist for them.
pub fn load_for(
    view: &View<'_>,
    id: RequestId,
    actor: &Actor,
) -> Result<Option<Request>, StoreError> {
    match gate(view, id, actor)? {
        Some(_) => load(view, id),
        None => Ok(None),
    }
}

/// The requests that this actor may see, newest activity first.
pub fn list(view: &View<'_>, actor: &Actor, filter: &Filter) -> Result<Vec<Request>, StoreError> {
    let sql = format!(
        "{REQUEST}
         where (?1 is null or r.owner_id = ?1)
           and (?2 is null or r.id = ?2)
           and (?3 is null or r.assigned_to = ?3)
           and (?4 is null or r.activity_seq < ?4)
           and (?5 is null or (r.status in ('VERIFIED', 'CANCELLED', 'EXPIRED')) = not ?5)
           and (?6 is null or v.plate_key like ?7 escape '\\' or v.plate like ?6 escape '\\'
                or o.full_name like ?6 escape '\\' or r.description like ?6 escape '\\')
         order by r.activity_seq desc limit ?8"
    );
    let owner = match actor.role {
        Role::Owner => Some(actor.id.0),
        Role::Admin | Role::Mechanic => None,
    };
    let only = match actor.scope {
        Scope::Everything => None,
        Scope::Only(request) => Some(request.0),
    };
    let like = filter.search.as_deref().map(contains);
    let plate = filter.search.as_deref().map(|search| {
        contains(
            &search
                .chars()
                .filter(|c| c.is_alphanumeric())
                .collect::<String>()
                .to_uppercase(),
        )
    });
    // A search without a letter or digit would match every plate.
    let plate = plate.map(|pattern| {
        if pattern == "%%" {
            String::new()
        } else {
            pattern
        }
    });
    let mut query = view.conn.prepare_cached(&sql)?;
    let found = query
        .query_map(
            params![
                owner,
                only,
                filter.assigned_to.map(|id| id.0),
                filter.before.map(|seq| seq.0),
                filter.open,
                like,
                plate,
                filter.limit,
            ],
            from_row,
        )?
        .collect::<Result<Vec<_>, _>>()?;
    found
        .into_iter()
        .map(|found| with_last_message(view, found))
        .collect()
}

/// A pattern for `like` that finds `text` anywhere in a column.
fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn with_last_message(
    view: &View<'_>,
    (mut request, last): (Request, Option<MessageId>),
) -> Result<Request, StoreError> {
    if let Some(last) = last {
        request.last_message = messages::load(view, last)?.map(|message| LastMessage {
            id: message.id,
            content: message.content,
            at: message.at,
            side: message.side,
            sender_name: message.sender_name,
        });
    }
    Ok(request)
}

/// Whom something in a request concerns, as things stand.
pub(super) fn audience(
    view: &View<'_>,
    key: RequestKey,
) -> Result<Option<Audience>, rusqlite::Error> {
    view.conn
        .prepare_cached("select id, owner_id, assigned_to from request where key = ?1")?
        .query_row([key.as_bytes()], |row| {
            Ok(Audience {
                request: RequestId(row.get(0)?),
                owner: PersonId(row.get(1)?),
                mechanics: row
                    .get::<_, Option<i64>>(2)?
                    .map(PersonId)
                    .into_iter()
                    .collect(),
            })
        })
        .optional()
}

/// The number after the newest request's.
pub fn next_number(view: &View<'_>) -> Result<i64, StoreError> {
    Ok(number_or_next(view.conn, 0)?.0)
}

/// The number that was wished for if it is free, otherwise the next.
pub(super) fn number_or_next(conn: &Connection, wish: i64) -> rusqlite::Result<RequestId> {
    conn.prepare_cached(
        "select case when ?1 > 0 and not exists (select 1 from request where id = ?1) then ?1
                else (select coalesce(max(id), 0) + 1 from request) end",
    )?
    .query_row([wish], |row| row.get(0).map(RequestId))
}
