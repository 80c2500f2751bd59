//! Carrying out what an operator ordered: the same whether the data is at hand (`desk`) or a running
//! server has it (`control`).
//!
//! Whoever may read the data directory acts as the box itself here: the file system is the check.

use uuid::Uuid;

use super::back_up;
use super::ear::not_here;
use super::order::{Answer, PersonLine, Refused, Request};
use crate::commands::{AddPerson, ChangePerson, Customer, OpenRequest};
use crate::domain::{
    Actor, Description, Email, EventId, Field, FullName, Person, PersonEdit, PersonId, Phone,
    Plate, Rejection, Role, TextError, Username, Vehicle, VehicleText,
};
use crate::http::token::{Grant, TOKEN_LIFE_S_MAX, TokenKeys};
use crate::seal::invite_link;
use crate::store::backup::Backups;
use crate::store::{Store, StoreError, people};
use crate::update::Version;
use crate::wire::{rfc3339, role_from_word, role_word};

/// People in one answer: so many of the longest fit into a line of `control`.
const PEOPLE_PER_ANSWER_MAX: usize = 40;
/// The first motor car.
const YEAR_MIN: i64 = 1885;
const YEAR_MAX: i64 = 2100;

/// Carries an order out.
///
/// # Errors
/// The workshop or the disk says no; nothing was changed then, unless the sentence says so.
pub(super) async fn execute(
    store: &Store,
    tokens: &TokenKeys,
    backups: &Backups,
    request: Request,
) -> Result<Answer, Refused> {
    match request {
        Request::Hello => Ok(Answer::Hello {
            version: Version::of_this_program().to_string(),
            well: matches!(store.probe().await, Ok(()) | Err(StoreError::Full)),
        }),
        Request::AddPerson {
            id,
            name,
            role,
            username,
            phone,
            email,
            password_hash,
        } => {
            let person = AddPerson {
                id: EventId::new(id),
                role: role_named(&role)?,
                full_name: parsed("name", &name, FullName::parse)?,
                username: optional("username", username, Username::parse)?,
                phone: optional("phone", phone, Phone::parse)?,
                email: optional("email", email, Email::parse)?,
                password_hash,
            };
            let added = store
                .write(move |tx| person.run(tx, &Actor::the_box()))
                .await?;
            Ok(Answer::Person(added.into()))
        }
        Request::ListPeople { role, after } => list(store, role.as_deref(), after).await,
        Request::SetPassword {
            person,
            password_hash,
        } => {
            let edit = PersonEdit {
                password_hash: Some(password_hash),
                ..PersonEdit::default()
            };
            let change = ChangePerson {
                person: PersonId(person),
                edit,
                keep: None,
            };
            let changed = store
                .write(move |tx| change.run(tx, &Actor::the_box()))
                .await?;
            Ok(Answer::Person(changed.into()))
        }
        Request::ErasePerson {
            person,
            name,
            everything,
        } => super::erase::execute(store, PersonId(person), name, everything).await,
        Request::TakeIn {
            id,
            owner,
            phone,
            plate,
            make,
            model,
            year,
            description,
            base_url,
        } => {
            let vehicle = Vehicle {
                plate: parsed("plate", &plate, Plate::parse)?.into_string(),
                make: optional("make", make, VehicleText::parse)?.map(VehicleText::into_string),
                model: optional("model", model, VehicleText::parse)?.map(VehicleText::into_string),
                year: year.map(checked_year).transpose()?,
            };
            let customer = Customer::Named {
                full_name: parsed("owner", &owner, FullName::parse)?,
                phone: optional("phone", phone, Phone::parse)?,
                email: None,
            };
            let description = parsed("description", &description, Description::parse)?;
            let id = EventId::new(id);
            let open = OpenRequest {
                id,
                customer,
                vehicle,
                description,
                assign_to: None,
            };
            let opened = store
                .write(move |tx| open.run(tx, &Actor::the_box()))
                .await?;
            let secret = store.keys().invite_secret(opened.invite.id);
            Ok(Answer::Opened {
                id: opened.request.id.0,
                owner_id: opened.request.owner.id.0,
                invite_url: invite_link(&base_url, *opened.invite.id.as_bytes(), &secret),
                invite_expires_at: rfc3339(opened.invite.expires),
            })
        }
        Request::Health => {
            let detail = "Only a running server knows how its box fares. Start it, then try again.";
            Err(Refused {
                code: "no_server".to_owned(),
                detail: detail.to_owned(),
            })
        }
        Request::Token { person, ttl_s } => token(store, tokens, PersonId(person), ttl_s).await,
        // They are about a running server, and `ear` answers them.
        Request::Log { .. } | Request::Front => Err(not_here()),
        Request::BackUp { to, plain } => back_up::begin(backups, to, plain),
        Request::BackupState { ticket } => Ok(back_up::state(backups, ticket)),
    }
}

async fn list(store: &Store, role: Option<&str>, after: i64) -> Result<Answer, Refused> {
    let roles = match role {
        None => vec![Role::Admin, Role::Mechanic],
        Some(word) => vec![role_named(word)?],
    };
    let everybody = store.read(move |view| people::list(view, &roles)).await?;
    let mut later = everybody.into_iter().filter(|person| person.id.0 > after);
    let people = later
        .by_ref()
        .take(PEOPLE_PER_ANSWER_MAX)
        .map(PersonLine::from)
        .collect();
    Ok(Answer::People {
        people,
        more: later.next().is_some(),
    })
}

async fn token(
    store: &Store,
    tokens: &TokenKeys,
    id: PersonId,
    ttl_s: i64,
) -> Result<Answer, Refused> {
    if !(1..=TOKEN_LIFE_S_MAX).contains(&ttl_s) {
        let why = "must be at least one second and at most 30 days";
        return Err(Rejection::Value {
            field: Field("ttl"),
            why,
        }
        .into());
    }
    let person = store.read(move |view| people::load(view, id)).await?;
    let person = person.ok_or(Rejection::NoSuch("person"))?;
    if !person.active {
        return Err(Rejection::Value {
            field: Field("person"),
            why: "does not work here any more",
        }
        .into());
    }
    let now = store.clock().now();
    Ok(Answer::Token {
        access: tokens.issue(&grant(&person), now.seconds(), ttl_s, Uuid::new_v4()),
        expires_at: rfc3339(now.plus_ms(ttl_s * 1_000)),
    })
}

/// What a token made here opens: everything that the person may, until their next new password.
pub(super) fn grant(person: &Person) -> Grant {
    Grant {
        person: person.key.uuid(),
        user_id: person.id.0,
        role: role_word(person.role),
        version: person.token_version,
        session: None,
        request: None,
    }
}

fn role_named(word: &str) -> Result<Role, Rejection> {
    let why = "must be workshop_admin, mechanic or user";
    role_from_word(word).ok_or(Rejection::Value {
        field: Field("role"),
        why,
    })
}

fn checked_year(year: i64) -> Result<i64, Rejection> {
    let why = "must be between 1885 and 2100";
    let sound = (YEAR_MIN..=YEAR_MAX).contains(&year);
    sound.then_some(year).ok_or(Rejection::Value {
        field: Field("year"),
        why,
    })
}

fn parsed<T>(
    field: &'static str,
    text: &str,
    parse: impl Fn(&str) -> Result<T, TextError>,
) -> Result<T, Rejection> {
    parse(text).map_err(|why| Rejection::Text {
        field: Field(field),
        why,
    })
}

fn optional<T>(
    field: &'static str,
    text: Option<String>,
    parse: impl Fn(&str) -> Result<T, TextError>,
) -> Result<Option<T>, Rejection> {
    text.map(|text| parsed(field, &text, parse)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_token_is_what_help_and_refusal_say() {
        assert_eq!(TOKEN_LIFE_S_MAX, 30 * 24 * 3_600);
    }
}
