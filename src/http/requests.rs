//! Service requests: the list, one of them, a new one, and moving it on (`wire.md` §4).

use axum::Json;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::header::LINK;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::auth::Bearer;
use super::edge::Edge;
use super::extract::{ApiJson, ApiPath, ApiQuery};
use super::guard::RequestHost;
use super::invites;
use super::openapi::Refusals;
use super::people::{name, optional, required};
use super::problem::Problem;
use crate::commands::{ChangeRequest, Customer, OpenRequest};
use crate::domain::{
    Description, Email, EventId, Field, PersonId, Phone, Plate, Rejection, RequestId, Seq, Side,
    Status, Vehicle, VehicleText,
};
use crate::store::requests::{self, Filter};
use crate::store::{CommandError, Need, View, local};
use crate::wire::api::{NewRequestBody, NewVehicleBody, OpenedBody, RequestBody, RequestEditBody};

const REQUESTS_DEFAULT: i64 = 100;
const REQUESTS_MAX: i64 = 500;
const SEARCH_CHARS_MAX: usize = 100;
const YEAR_MIN: i64 = 1885;
const YEAR_MAX: i64 = 2100;

/// Which requests a list shows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RequestsQuery {
    /// `open`, `closed` or `all`.
    #[serde(default)]
    #[param(pattern = "^(open|closed|all)$")]
    state: Option<String>,
    /// `me`: only my own jobs.
    #[serde(default)]
    #[param(pattern = "^me$")]
    assigned: Option<String>,
    /// Words in the plate, the owner's name or the description.
    #[serde(default)]
    search: Option<String>,
    /// At most so many; 100 when left out, at most 500.
    #[serde(default)]
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// Older than this; take it from the `Link` header.
    #[serde(default)]
    before: Option<i64>,
}

/// The requests that I may see, newest activity first; `Link: rel="next"` when there are more.
#[utoipa::path(get, path = "/api/service-requests/", tag = "requests",
    security(("bearer" = [])), params(RequestsQuery),
    responses((status = 200, body = [RequestBody],
        headers(("Link" = String, description = "The next page, when there is one."))), Refusals))]
pub(super) async fn list(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiQuery(query): ApiQuery<RequestsQuery>,
) -> Result<Response, Problem> {
    let open = match query.state.as_deref() {
        None | Some("all") => None,
        Some("open") => Some(true),
        Some("closed") => Some(false),
        Some(_) => return Err(value("state", "must be open, closed or all").into()),
    };
    let mine = match query.assigned.as_deref() {
        None => false,
        Some("me") => true,
        Some(_) => return Err(value("assigned", "must be me").into()),
    };
    let limit = page_limit(query.limit)?;
    let search = query
        .search
        .as_deref()
        .map(str::trim)
        .filter(|search| !search.is_empty())
        .map(|search| search.chars().take(SEARCH_CHARS_MAX).collect::<String>());
    let filter = Filter {
        open,
        assigned_to: None,
        search: search.clone(),
        before: query.before.map(Seq),
        limit: limit + 1,
    };
    let (mut found, workshop, side) = edge
        .read_as(who, move |view, actor| {
            let filter = Filter {
                assigned_to: mine.then_some(actor.id),
                ..filter
            };
            let found = requests::list(view, actor, &filter)?;
            Ok((found, workshop(view)?, actor.side()))
        })
        .await?;
    let has_more = i64::try_from(found.len()).unwrap_or(i64::MAX) > limit;
    if has_more {
        found.pop();
    }
    let bodies: Vec<_> = found
        .iter()
        .map(|request| RequestBody::new(request, &workshop, side))
        .collect();
    let mut response = Json(bodies).into_response();
    if let (true, Some(last)) = (has_more, found.last()) {
        let mut next = format!(
            "/api/service-requests/?limit={limit}&before={}",
            last.activity
        );
        for (name, value) in [("state", &query.state), ("assigned", &query.assigned)] {
            if let Some(value) = value {
                next.push_str(&format!("&{name}={value}"));
            }
        }
        if let Some(search) = search {
            next.push_str("&search=");
            next.extend(form_encoded(&search));
        }
        if let Ok(link) = HeaderValue::try_from(format!("<{next}>; rel=\"next\"")) {
            response.headers_mut().insert(LINK, link);
        }
    }
    Ok(response)
}

/// Takes a vehicle in: owner, vehicle, request and the owner's link, all or nothing.
#[utoipa::path(post, path = "/api/service-requests/", tag = "requests",
    security(("bearer" = [])), request_body = NewRequestBody,
    responses((status = 201, body = OpenedBody), Refusals))]
pub(super) async fn open(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    Extension(host): Extension<RequestHost>,
    ApiJson(body): ApiJson<NewRequestBody>,
) -> Result<(StatusCode, Json<OpenedBody>), Problem> {
    if body.client_id.is_some_and(|id| id.is_nil()) {
        return Err(value("client_id", "must not be nil").into());
    }
    let command = OpenRequest {
        id: EventId::new(body.client_id.unwrap_or_else(Uuid::now_v7)),
        customer: customer(&body)?,
        vehicle: vehicle(&body.vehicle)?,
        description: required("description", &body.description, Description::parse)?,
        assign_to: body.assigned_to.map(PersonId),
    };
    let lan = invites::base_url(&edge, &host);
    let opened = edge
        .write_as(who, Need::Ordinary, move |tx, actor| {
            let opened = command.run(tx, actor)?;
            let doors = invites::Doors::of(tx, lan)?;
            Ok(OpenedBody {
                request: RequestBody::new(&opened.request, &workshop(tx)?, Side::Workshop),
                invite: invites::body(tx.keys(), &doors, &opened.invite, Vec::new()),
            })
        })
        .await?;
    tracing::info!(request = opened.request.id, by = %who.person, "a request was opened");
    Ok((StatusCode::CREATED, Json(opened)))
}

/// One request.
#[utoipa::path(get, path = "/api/service-requests/{id}/", tag = "requests",
    security(("bearer" = [])), params(("id" = i64, Path, description = "The request's number.")),
    responses((status = 200, body = RequestBody), Refusals))]
pub(super) async fn one(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiPath(id): ApiPath<i64>,
) -> Result<Json<RequestBody>, Problem> {
    edge.read_as(who, move |view, actor| {
        let request = requests::load_for(view, RequestId(id), actor)?;
        let request = request.ok_or(Rejection::NoSuch("request"))?;
        Ok(Json(RequestBody::new(
            &request,
            &workshop(view)?,
            actor.side(),
        )))
    })
    .await
}

/// Moves a request on: its status, whose job it is, its description; all or nothing.
#[utoipa::path(patch, path = "/api/service-requests/{id}/", tag = "requests",
    security(("bearer" = [])), params(("id" = i64, Path, description = "The request's number.")),
    request_body = RequestEditBody, responses((status = 200, body = RequestBody), Refusals))]
pub(super) async fn change(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiPath(id): ApiPath<i64>,
    ApiJson(body): ApiJson<RequestEditBody>,
) -> Result<Json<RequestBody>, Problem> {
    let status = |word: &str| {
        Status::from_word(word).ok_or_else(|| value("status", "is no status of a request"))
    };
    let command = ChangeRequest {
        status: body.status.as_deref().map(status).transpose()?,
        assigned_to: body.assigned_to.map(|person| person.map(PersonId)),
        description: body
            .description
            .as_deref()
            .map(|text| required("description", text, Description::parse))
            .transpose()?,
    };
    edge.write_as(who, Need::Ordinary, move |tx, actor| {
        let request = command.run(tx, actor, RequestId(id))?;
        Ok(Json(RequestBody::new(
            &request,
            &workshop(tx)?,
            actor.side(),
        )))
    })
    .await
}

/// The workshop's name as frames and bodies say it.
pub(super) fn workshop(view: &View<'_>) -> Result<String, CommandError> {
    Ok(local::workshop_name(view)?.unwrap_or_default())
}

fn customer(body: &NewRequestBody) -> Result<Customer, Rejection> {
    match (&body.customer, body.customer_id) {
        (Some(customer), None) => Ok(Customer::Named {
            full_name: name(&customer.full_name)?,
            phone: optional("phone", customer.phone.as_deref(), Phone::parse)?,
            email: optional("email", customer.email.as_deref(), Email::parse)?,
        }),
        (None, Some(id)) => Ok(Customer::Known(PersonId(id))),
        (Some(_), Some(_)) | (None, None) => Err(value(
            "customer",
            "or customer_id must be given, and not both",
        )),
    }
}

fn vehicle(body: &NewVehicleBody) -> Result<Vehicle, Rejection> {
    let text = |field, typed: &Option<String>| -> Result<Option<String>, Rejection> {
        Ok(optional(field, typed.as_deref(), VehicleText::parse)?.map(VehicleText::into_string))
    };
    if body
        .year
        .is_some_and(|year| !(YEAR_MIN..=YEAR_MAX).contains(&year))
    {
        return Err(value("year", "must be between 1885 and 2100"));
    }
    Ok(Vehicle {
        plate: required("plate", &body.plate, Plate::parse)?.into_string(),
        make: text("make", &body.make)?,
        model: text("model", &body.model)?,
        year: body.year,
    })
}

fn page_limit(limit: Option<i64>) -> Result<i64, Rejection> {
    match limit {
        None => Ok(REQUESTS_DEFAULT),
        Some(limit) if limit >= 1 => Ok(limit.min(REQUESTS_MAX)),
        Some(_) => Err(value("limit", "must be at least 1")),
    }
}

fn value(field: &'static str, why: &'static str) -> Rejection {
    Rejection::Value {
        field: Field(field),
        why,
    }
}

/// Text as it may stand in a query string.
fn form_encoded(text: &str) -> impl Iterator<Item = char> {
    text.bytes().flat_map(|byte| {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
        let encoded = if plain {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        };
        encoded.chars().collect::<Vec<_>>()
    })
}
