//! People: who they are, and whether a sign-in of theirs still counts.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::tx::View;
use super::words::{role_from_word, role_word};
use crate::domain::{
    Actor, Extent, Person, PersonId, PersonKey, RequestId, Role, Scope, SessionId, Timestamp,
    USERNAME_CHARS_MAX,
};

/// What a token says about who carries it. Nothing of it is believed until `actor` has checked it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Credential {
    /// Who.
    pub person: PersonId,
    /// Their permanent key: a restored box may give a number to somebody else.
    pub key: PersonKey,
    /// The person's token version when the token was made.
    pub version: i64,
    /// The sign-in that it came from; `None` for one made at the command line.
    pub session: Option<SessionId>,
    /// The one request that it opens.
    pub only: Option<RequestId>,
}

/// How somebody names themselves when they sign in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignInName<'a> {
    /// By sign-in name.
    Username(&'a str),
    /// By e-mail address.
    Email(&'a str),
    /// By telephone number.
    Phone(&'a str),
}

const PERSON: &str = "select id, key, role, full_name, username, phone, email, active,
    token_version, created_ms, erased from person";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Person> {
    let role: String = row.get(2)?;
    Ok(Person {
        id: PersonId(row.get(0)?),
        key: PersonKey::from_bytes(row.get(1)?),
        role: role_from_word(&role).ok_or(rusqlite::Error::InvalidQuery)?,
        full_name: row.get(3)?,
        username: row.get(4)?,
        phone: row.get(5)?,
        email: row.get(6)?,
        active: row.get(7)?,
        token_version: row.get(8)?,
        created: Timestamp(row.get(9)?),
        erased: row
            .get::<_, Option<String>>(10)?
            .and_then(|word| Extent::from_word(&word)),
    })
}

/// The person with this number.
pub fn load(view: &View<'_>, id: PersonId) -> Result<Option<Person>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached(&format!("{PERSON} where id = ?1"))?;
    Ok(query.query_row([id.0], from_row).optional()?)
}

/// The person with this key.
pub fn by_key(view: &View<'_>, key: PersonKey) -> Result<Option<Person>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached(&format!("{PERSON} where key = ?1"))?;
    Ok(query.query_row([key.as_bytes()], from_row).optional()?)
}

/// People of these roles, in the order in which they joined.
pub fn list(view: &View<'_>, roles: &[Role]) -> Result<Vec<Person>, StoreError> {
    let mut query = view.conn.prepare_cached(&format!("{PERSON} order by id"))?;
    let people = query
        .query_map([], from_row)?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(people
        .into_iter()
        .filter(|person| roles.contains(&person.role))
        .collect())
}

/// Whoever signs in under this name with a password, and their password's hash.
pub fn by_sign_in_name(
    view: &View<'_>,
    name: SignInName<'_>,
) -> Result<Option<(Person, String)>, StoreError> {
    let (column, value) = match name {
        SignInName::Username(name) => ("username", name),
        SignInName::Email(email) => ("email", email),
        SignInName::Phone(phone) => ("phone", phone),
    };
    let sql = format!(
        "select id, key, role, full_name, username, phone, email, active, token_version,
             created_ms, erased, password_hash
         from person where {column} = ?1 and password_hash is not null and active order by id limit 1"
    );
    let mut query = view.conn.prepare_cached(&sql)?;
    Ok(query
        .query_row([value], |row| Ok((from_row(row)?, row.get(11)?)))
        .optional()?)
}

/// The hash of this person's password, if they have one.
pub fn password_hash(view: &View<'_>, id: PersonId) -> Result<Option<String>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select password_hash from person where id = ?1")?;
    Ok(query
        .query_row([id.0], |row| row.get(0))
        .optional()?
        .flatten())
}

/// An owner with this name and telephone number, so that a customer who comes again stays one person.
pub fn owner_like(
    view: &View<'_>,
    full_name: &str,
    phone: &str,
) -> Result<Option<Person>, StoreError> {
    let sql = format!(
        "{PERSON} where phone = ?1 and role = 'owner' and lower(full_name) = lower(?2) and active
         order by id limit 1"
    );
    let mut query = view.conn.prepare_cached(&sql)?;
    Ok(query.query_row([phone, full_name], from_row).optional()?)
}

/// Whether somebody else already has this sign-in name.
pub fn username_taken(
    view: &View<'_>,
    username: &str,
    except: Option<PersonId>,
) -> Result<bool, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select exists (select 1 from person where username = ?1 and id <> ?2)")?;
    let except = except.map_or(0, |id| id.0);
    Ok(query.query_row(params![username, except], |row| row.get(0))?)
}

/// How many admins can sign in, this person not counted.
pub fn other_admins(view: &View<'_>, except: PersonId) -> Result<i64, StoreError> {
    let mut query = view.conn.prepare_cached(
        "select count(*) from person where role = ?1 and active and password_hash is not null
         and id <> ?2",
    )?;
    Ok(query.query_row(params![role_word(Role::Admin), except.0], |row| row.get(0))?)
}

/// Whoever a credential stands for, if it still counts: the person is active, the token is not older
/// than their last password, and the sign-in was not ended.
pub fn actor(view: &View<'_>, credential: Credential) -> Result<Option<Actor>, StoreError> {
    let Some(person) = load(view, credential.person)? else {
        return Ok(None);
    };
    if !person.active || person.key != credential.key || person.token_version != credential.version
    {
        return Ok(None);
    }
    if let Some(session) = credential.session
        && !super::sessions::is_live(view, session, person.id)?
    {
        return Ok(None);
    }
    Ok(Some(Actor {
        id: person.id,
        key: person.key,
        name: person.full_name,
        role: person.role,
        scope: credential.only.map_or(Scope::Everything, Scope::Only),
    }))
}

/// The number after the newest person's.
pub fn next_number(view: &View<'_>) -> Result<i64, StoreError> {
    Ok(number_or_next(view.conn, 0)?)
}

/// The number that was wished for if it is free, otherwise the next.
pub(super) fn number_or_next(conn: &Connection, wish: i64) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "select case when ?1 > 0 and not exists (select 1 from person where id = ?1) then ?1
                else (select coalesce(max(id), 0) + 1 from person) end",
    )?
    .query_row([wish], |row| row.get(0))
}

/// The name that was wished for if nobody has it, otherwise the first of `name-2`, `name-3`, … that
/// nobody has: when two copies of the journal are brought together, both may have added somebody.
pub(super) fn username_or_next(conn: &Connection, wish: &str) -> rusqlite::Result<String> {
    let mut taken =
        conn.prepare_cached("select exists (select 1 from person where username = ?1)")?;
    let mut name = wish.to_owned();
    for number in 2_u32.. {
        if !taken.query_row([&name], |row| row.get::<_, bool>(0))? {
            break;
        }
        let suffix = format!("-{number}");
        let room = USERNAME_CHARS_MAX.saturating_sub(suffix.len());
        name = wish.chars().take(room).collect();
        name.push_str(&suffix);
    }
    Ok(name)
}

/// Whether somebody asked to be forgotten.
pub(super) fn is_erased(conn: &Connection, person: PersonKey) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "select exists (select 1 from person where key = ?1 and erased is not null)",
    )?
    .query_row([person.as_bytes()], |row| row.get(0))
}

/// Whether somebody else signs in with this name.
pub(super) fn username_is_anothers(
    conn: &Connection,
    username: &str,
    person: PersonKey,
) -> rusqlite::Result<bool> {
    conn.prepare_cached("select exists (select 1 from person where username = ?1 and key <> ?2)")?
        .query_row(params![username, person.as_bytes()], |row| row.get(0))
}
