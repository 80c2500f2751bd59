//! The first run: the workshop gets its name, its first admin and its recovery words.

use axum::Json;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::auth::{Bearer, RefreshToken};
use super::edge::Edge;
use super::extract::ApiJson;
use super::host::Scheme;
use super::listen::Peer;
use super::openapi::Refusals;
use super::people::{name, required};
use super::problem::Problem;
use super::restore;
use super::sign_in::{hashed, signed_in_body};
use crate::commands::{KeepWords, SetUp, SignInByPassword};
use crate::domain::{Field, FullName, Password, Rejection, SessionId, Username};
use crate::store::{Need, local};
use crate::wire::api::{SetUpBody, SetUpDone, SetUpState, WordsBody};

/// Whether the box still waits for its first run.
#[utoipa::path(get, path = "/api/setup/", tag = "setup",
    responses((status = 200, body = SetUpState), Refusals))]
pub(super) async fn state(
    State(edge): State<Edge>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Json<SetUpState>, Problem> {
    let workshop_name = edge.store.read(local::workshop_name).await?;
    let addresses = match &workshop_name {
        None => edge.board.now().urls(),
        Some(_) => Vec::new(),
    };
    Ok(Json(SetUpState {
        addresses,
        needed: workshop_name.is_none(),
        code_required: workshop_name.is_none() && code_needed(&edge, peer, &headers),
        workshop_name,
    }))
}

/// Sets the box up; works once.
#[utoipa::path(post, path = "/api/setup/", tag = "setup", request_body = SetUpBody,
    responses((status = 201, body = SetUpDone), Refusals))]
pub(super) async fn set_up(
    State(edge): State<Edge>,
    Extension(scheme): Extension<Scheme>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    ApiJson(body): ApiJson<SetUpBody>,
) -> Result<Response, Problem> {
    must_not_be_set_up(&edge).await?;
    let workshop_name = required("workshop_name", &body.workshop_name, FullName::parse)?;
    let full_name = name(&body.full_name)?;
    let username = required("username", &body.username, Username::parse)?;
    let password = Password::parse(&body.password).map_err(|why| Rejection::Text {
        field: Field("password"),
        why,
    })?;
    stands_at_the_box(&edge, peer, &headers, body.code.as_deref())?;
    let password_hash = hashed(&edge, password).await?;
    let token = RefreshToken::fresh(SessionId::new(Uuid::now_v7()))?;
    let (session, refresh_sha) = (token.session, token.sha());
    let named = workshop_name.as_str().to_owned();
    let signed_in = edge
        .store
        .write(move |tx| {
            let person = SetUp {
                workshop_name,
                full_name,
                username,
                password_hash,
            }
            .run(tx)?;
            let command = SignInByPassword {
                person: person.id,
                version: person.token_version,
                session,
                refresh_sha,
                device_name: "First run".to_owned(),
            };
            command.run(tx)
        })
        .await?;
    tracing::info!("the box was set up");
    edge.hub.name_workshop(named);
    let done = SetUpDone {
        signed_in: signed_in_body(&edge, &signed_in).await?,
        recovery_words: edge.store.keys().recovery_words(),
    };
    let mut response = (StatusCode::CREATED, Json(done)).into_response();
    let cookie = token.cookie(signed_in.person.role, scheme);
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

/// The recovery words, until somebody confirmed that they are written down.
#[utoipa::path(get, path = "/api/setup/recovery-words/", tag = "setup", security(("bearer" = [])),
    responses((status = 200, body = WordsBody), Refusals))]
pub(super) async fn recovery_words(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<Json<WordsBody>, Problem> {
    edge.read_as(who, |view, actor| {
        actor.must_be_admin()?;
        if local::words_kept(view)? {
            return Err(Rejection::WordsGone.into());
        }
        Ok(Json(WordsBody {
            words: view.keys().recovery_words(),
        }))
    })
    .await
}

/// Confirms that the recovery words are written down: they are never shown again.
#[utoipa::path(post, path = "/api/setup/recovery-words/kept/", tag = "setup",
    security(("bearer" = [])),
    responses((status = 204, description = "Noted."), Refusals))]
pub(super) async fn words_kept(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<StatusCode, Problem> {
    edge.write_as(who, Need::Ordinary, |tx, actor| KeepWords.run(tx, actor))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// There is no workshop here, and none is on its way.
pub(super) async fn must_not_be_set_up(edge: &Edge) -> Result<(), Problem> {
    if edge.store.read(local::workshop_name).await?.is_some() {
        return Err(Rejection::AlreadySetUp.into());
    }
    if edge.restore.is_busy() {
        return Err(restore::under_way());
    }
    Ok(())
}

/// Whoever makes a workshop of this box sits at it, or has read the code that it printed.
pub(super) fn stands_at_the_box(
    edge: &Edge,
    peer: Peer,
    headers: &HeaderMap,
    typed: Option<&str>,
) -> Result<(), Problem> {
    if !code_needed(edge, peer, headers) {
        return Ok(());
    }
    edge.guess_set_up_code()?;
    if code_is_right(edge, typed) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "set_up_code_wrong",
        "That is not the set-up code that was printed where the box was started.",
    )
    .with_error(
        "code",
        "Look where the box was started: the code is printed there.",
    ))
}

/// Whoever sits at the box itself has proven enough.
fn code_needed(edge: &Edge, peer: Peer, headers: &HeaderMap) -> bool {
    edge.set_up_code.is_some() && !peer.is_this_machine(headers)
}

fn code_is_right(edge: &Edge, typed: Option<&str>) -> bool {
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    match (&edge.set_up_code, typed) {
        (Some(code), Some(typed)) => {
            bool::from(digits(code).as_bytes().ct_eq(digits(typed).as_bytes()))
        }
        (Some(_) | None, None) | (None, Some(_)) => false,
    }
}
