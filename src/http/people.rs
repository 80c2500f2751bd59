//! People: staff see them, admins change them.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::auth::Bearer;
use super::edge::Edge;
use super::extract::{ApiJson, ApiPath, ApiQuery};
use super::openapi::Refusals;
use super::problem::Problem;
use super::sign_in::hashed;
use crate::commands::{AddPerson, ChangePerson};
use crate::domain::{
    Email, EventId, Field, FullName, Password, PersonEdit, PersonId, Phone, Rejection, Role,
    TextError, Username,
};
use crate::store::{Need, people};
use crate::wire::api::{NewPersonBody, PersonBody, PersonEditBody};
use crate::wire::role_from_word;

/// Which people a list shows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PeopleQuery {
    /// `user`, `workshop_admin` or `mechanic`; left out: all staff.
    #[serde(default)]
    #[param(pattern = "^(user|workshop_admin|mechanic)$")]
    role: Option<String>,
}

/// The staff, or people of one role.
#[utoipa::path(get, path = "/api/people/", tag = "people", security(("bearer" = [])),
    params(PeopleQuery), responses((status = 200, body = [PersonBody]), Refusals))]
pub(super) async fn list(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiQuery(query): ApiQuery<PeopleQuery>,
) -> Result<Json<Vec<PersonBody>>, Problem> {
    let roles = match query.role.as_deref() {
        None => vec![Role::Admin, Role::Mechanic],
        Some(word) => vec![role(word)?],
    };
    edge.read_as(who, move |view, actor| {
        actor.must_be_staff()?;
        let people = people::list(view, &roles)?;
        Ok(Json(people.iter().map(PersonBody::from).collect()))
    })
    .await
}

/// Adds somebody to the staff.
#[utoipa::path(post, path = "/api/people/", tag = "people", security(("bearer" = [])),
    request_body = NewPersonBody, responses((status = 201, body = PersonBody), Refusals))]
pub(super) async fn add(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiJson(body): ApiJson<NewPersonBody>,
) -> Result<(StatusCode, Json<PersonBody>), Problem> {
    // Before a core is spent on the password of somebody who may not add anybody.
    edge.read_as(who, |_, actor| Ok(actor.must_be_admin()?))
        .await?;
    let command = AddPerson {
        id: EventId::new(Uuid::now_v7()),
        role: staff_role(&body.role)?,
        full_name: name(&body.full_name)?,
        username: Some(required("username", &body.username, Username::parse)?),
        phone: optional("phone", body.phone.as_deref(), Phone::parse)?,
        email: optional("email", body.email.as_deref(), Email::parse)?,
        password_hash: Some(hashed(&edge, password(&body.password)?).await?),
    };
    let person = edge
        .write_as(who, Need::Ordinary, move |tx, actor| command.run(tx, actor))
        .await?;
    tracing::info!(person = %person.id, by = %who.person, "a person was added");
    Ok((StatusCode::CREATED, Json(PersonBody::from(&person))))
}

/// Changes a person; a new password, another role or leaving ends their sign-ins.
#[utoipa::path(patch, path = "/api/people/{id}/", tag = "people", security(("bearer" = [])),
    params(("id" = i64, Path, description = "The person's number.")),
    request_body = PersonEditBody, responses((status = 200, body = PersonBody), Refusals))]
pub(super) async fn change(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiPath(id): ApiPath<i64>,
    ApiJson(body): ApiJson<PersonEditBody>,
) -> Result<Json<PersonBody>, Problem> {
    edge.read_as(who, |_, actor| Ok(actor.must_be_admin()?))
        .await?;
    let password_hash = match &body.password {
        None => None,
        Some(typed) => Some(hashed(&edge, password(typed)?).await?),
    };
    let text = |field, typed: Option<&str>, parse: fn(&str) -> Result<String, TextError>| {
        optional(field, typed, parse)
    };
    let edit = PersonEdit {
        full_name: text("full_name", body.full_name.as_deref(), |typed| {
            FullName::parse(typed).map(FullName::into_string)
        })?,
        role: body.role.as_deref().map(staff_role).transpose()?,
        username: text("username", body.username.as_deref(), |typed| {
            Username::parse(typed).map(Username::into_string)
        })?,
        phone: cleared("phone", body.phone, |typed| {
            Phone::parse(typed).map(Phone::into_string)
        })?,
        email: cleared("email", body.email, |typed| {
            Email::parse(typed).map(Email::into_string)
        })?,
        active: body.active,
        password_hash,
    };
    let command = ChangePerson {
        person: PersonId(id),
        edit,
        keep: None,
    };
    let person = edge
        .write_as(who, Need::Ordinary, move |tx, actor| command.run(tx, actor))
        .await?;
    tracing::info!(person = %person.id, by = %who.person, "a person was changed");
    Ok(Json(PersonBody::from(&person)))
}

/// A text that must be there.
pub(super) fn required<T>(
    field: &'static str,
    typed: &str,
    parse: fn(&str) -> Result<T, TextError>,
) -> Result<T, Rejection> {
    parse(typed).map_err(|why| Rejection::Text {
        field: Field(field),
        why,
    })
}

/// A text that may be left out; an empty one counts as left out.
pub(super) fn optional<T>(
    field: &'static str,
    typed: Option<&str>,
    parse: fn(&str) -> Result<T, TextError>,
) -> Result<Option<T>, Rejection> {
    typed
        .filter(|typed| !typed.trim().is_empty())
        .map(|typed| required(field, typed, parse))
        .transpose()
}

/// A text that may be left as it is (`None`), taken away (null or empty) or replaced.
fn cleared(
    field: &'static str,
    typed: Option<Option<String>>,
    parse: fn(&str) -> Result<String, TextError>,
) -> Result<Option<Option<String>>, Rejection> {
    typed
        .map(|typed| optional(field, typed.as_deref(), parse))
        .transpose()
}

/// A person's name.
pub(super) fn name(typed: &str) -> Result<FullName, Rejection> {
    required("full_name", typed, FullName::parse)
}

fn password(typed: &str) -> Result<Password, Rejection> {
    required("password", typed, Password::parse)
}

fn role(word: &str) -> Result<Role, Rejection> {
    role_from_word(word).ok_or(Rejection::Value {
        field: Field("role"),
        why: "must be workshop_admin, mechanic or user",
    })
}

fn staff_role(word: &str) -> Result<Role, Rejection> {
    match role(word)? {
        role @ (Role::Admin | Role::Mechanic) => Ok(role),
        Role::Owner => Err(Rejection::Value {
            field: Field("role"),
            why: "must be workshop_admin or mechanic; owners come with their request",
        }),
    }
}
