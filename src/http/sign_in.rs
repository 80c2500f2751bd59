//! Signing in, going on, signing out, and who one is (`wire.md` §1).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use uuid::Uuid;

use super::auth::{self, Bearer, RefreshToken};
use super::device;
use super::edge::Edge;
use super::extract::ApiJson;
use super::host::Scheme;
use super::listen::Peer;
use super::openapi::Refusals;
use super::problem::Problem;
use crate::clock::stopwatch;
use crate::commands::{
    ChangePerson, Refresh, Refreshed, SignInByLink, SignInByPassword, SignOut, SignedIn,
};
use crate::domain::{DeviceId, Email, Password, PersonEdit, Phone, Rejection, SessionId, Username};
use crate::password;
use crate::seal;
use crate::store::people::{self, SignInName};
use crate::store::{CommandError, Need, local};
use crate::wire::api::{
    InviteCodeBody, LoginBody, MeBody, PasswordBody, SignedInBody, TicketBody, UserBody,
    WorkshopBody,
};

/// Signs in with a password.
#[utoipa::path(post, path = "/api/auth/login/", tag = "auth", request_body = LoginBody,
    responses((status = 200, body = SignedInBody), Refusals))]
pub(super) async fn login(
    State(edge): State<Edge>,
    Extension(scheme): Extension<Scheme>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    ApiJson(body): ApiJson<LoginBody>,
) -> Result<Response, Problem> {
    let (kind, account) = account_of(&body)?;
    let name = account.clone();
    let found = edge
        .store
        .read(move |view| -> Result<_, CommandError> {
            let name = match kind {
                Named::Username => SignInName::Username(&name),
                Named::Email => SignInName::Email(&name),
                Named::Phone => SignInName::Phone(&name),
            };
            Ok(people::by_sign_in_name(view, name)?)
        })
        .await?;
    let (person, hash) = found.unzip();
    // An account's guesses count together, whichever of its names they use.
    let key = match &person {
        Some(person) => format!("person:{}", person.id),
        None => format!("{kind:?}:{account}"),
    };
    edge.guess_login(&key, peer.remote.ip())?;
    if !matches(&edge, body.password, hash).await? {
        tracing::info!(peer = %peer.remote.ip(), "a log-in was refused");
        return Err(Rejection::WrongPassword.into());
    }
    let person = person.ok_or(Rejection::WrongPassword)?;
    let token = RefreshToken::fresh(SessionId::new(Uuid::now_v7()))?;
    let command = SignInByPassword {
        person: person.id,
        version: person.token_version,
        session: token.session,
        refresh_sha: token.sha(),
        device_name: device::name(&headers),
    };
    let signed_in = edge
        .store
        .write_needed(Need::Essential, move |tx| command.run(tx))
        .await?;
    edge.login_was_right(&key, peer.remote.ip());
    tracing::info!(person = %signed_in.person.id, "signed in");
    answer(&edge, &signed_in, &token, scheme).await
}

#[derive(Clone, Copy, Debug)]
enum Named {
    Username,
    Email,
    Phone,
}

/// The account that a log-in names, in the form in which it is stored.
fn account_of(body: &LoginBody) -> Result<(Named, String), Problem> {
    // What could not be anybody's name is nobody's: answered like a wrong password, after as long.
    let or_raw = |parsed: Option<String>, raw: &str| {
        parsed.unwrap_or_else(|| raw.trim().chars().take(64).collect())
    };
    match (&body.username, &body.email, &body.phone) {
        (Some(name), None, None) => {
            let parsed = Username::parse(name).ok().map(Username::into_string);
            Ok((Named::Username, or_raw(parsed, name)))
        }
        (None, Some(email), None) => {
            let parsed = Email::parse(email).ok().map(Email::into_string);
            Ok((Named::Email, or_raw(parsed, email)))
        }
        (None, None, Some(phone)) => {
            let parsed = Phone::parse(phone).ok().map(Phone::into_string);
            Ok((Named::Phone, or_raw(parsed, phone)))
        }
        _ => Err(Problem::invalid_field(
            "username",
            "Give exactly one of username, email and phone.",
        )),
    }
}

/// Compares a password, two at once at most, where waiting harms nobody.
pub(super) async fn matches(
    edge: &Edge,
    typed: String,
    hash: Option<String>,
) -> Result<bool, Problem> {
    in_turn(edge, move || password::matches(&typed, hash.as_deref())).await
}

/// Hashes a new password, two at once at most, where waiting harms nobody.
pub(super) async fn hashed(edge: &Edge, password: Password) -> Result<String, Problem> {
    in_turn(edge, move || password::hash(&password))
        .await?
        .map_err(|_| Problem::internal())
}

/// The turn goes with the work: whoever asked may hang up, and the hash is computed all the same.
async fn in_turn<T, F>(edge: &Edge, work: F) -> Result<T, Problem>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let turn = Arc::clone(&edge.hashing).acquire_owned().await;
    let turn = turn.map_err(|_| Problem::internal())?;
    let worked = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    worked.await.map_err(|_| Problem::internal())
}

/// The answer to a sign-in: an access token, whose it is, and the refresh token as a cookie.
pub(super) async fn answer(
    edge: &Edge,
    signed_in: &SignedIn,
    token: &RefreshToken,
    scheme: Scheme,
) -> Result<Response, Problem> {
    let body = signed_in_body(edge, signed_in).await?;
    let mut response = Json(body).into_response();
    let cookie = token.cookie(signed_in.person.role, scheme);
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

pub(super) async fn signed_in_body(
    edge: &Edge,
    signed_in: &SignedIn,
) -> Result<SignedInBody, Problem> {
    let name = edge.store.read(local::workshop_name).await?;
    Ok(SignedInBody {
        access: edge.issue_access(signed_in),
        user: UserBody::from(&signed_in.person),
        workshop: WorkshopBody::named(name.unwrap_or_default()),
        service_request: signed_in.only.map(|request| request.0),
    })
}

/// Goes on with a sign-in: the refresh token in the cookie is exchanged for an access token, and
/// changed. One that was used before ends its sign-in.
#[utoipa::path(post, path = "/api/auth/token/refresh/", tag = "auth",
    responses((status = 200, body = SignedInBody), Refusals))]
pub(super) async fn refresh(
    State(edge): State<Edge>,
    Extension(scheme): Extension<Scheme>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    for shown in RefreshToken::all_from(&headers, scheme) {
        let next = shown.next(&edge.refresh_key);
        let command = Refresh {
            session: shown.session,
            shown_sha: shown.sha(),
            next_sha: next.sha(),
        };
        match edge
            .store
            .write_needed(Need::Essential, move |tx| command.run(tx))
            .await?
        {
            Refreshed::On(signed_in) => return answer(&edge, &signed_in, &next, scheme).await,
            Refreshed::Over => edge.hub.sign_out(shown.session),
        }
    }
    Err(Rejection::SignedOut.into())
}

/// Signs out on this device.
#[utoipa::path(post, path = "/api/auth/logout/", tag = "auth",
    responses((status = 204, description = "Signed out, also when nobody was signed in."), Refusals))]
pub(super) async fn logout(
    State(edge): State<Edge>,
    Extension(scheme): Extension<Scheme>,
    bearer: Result<Bearer, Problem>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut sessions = Vec::new();
    for token in RefreshToken::all_from(&headers, scheme) {
        // Only whoever holds the token may end its session.
        let is_current = edge
            .store
            .read(move |view| {
                crate::store::sessions::load(view, token.session)
                    .map(|found| found.filter(|found| found.refresh_sha == token.sha()))
            })
            .await?;
        sessions.extend(is_current.map(|session| session.id));
    }
    if let Ok(Bearer(credential)) = bearer {
        sessions.extend(credential.session);
    }
    for session in sessions {
        let command = SignOut { session };
        edge.store
            .write_needed(Need::Essential, move |tx| command.run(tx))
            .await?;
        edge.hub.sign_out(session);
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    for cookie in auth::forget_cookies(scheme) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// A ticket for one WebSocket: single use, 30 seconds.
#[utoipa::path(post, path = "/api/auth/ws-ticket/", tag = "auth", security(("bearer" = [])),
    responses((status = 200, body = TicketBody), Refusals))]
pub(super) async fn ws_ticket(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<Json<TicketBody>, Problem> {
    edge.read_as(who, |_, _| Ok(())).await?;
    let ticket = edge.tickets.issue(who, stopwatch());
    ticket
        .map(|ticket| Json(TicketBody { ticket }))
        .ok_or_else(Problem::internal)
}

/// Exchanges an owner's link for a sign-in. Looking at a link consumes nothing; it opens its thread
/// on as many devices as its owner has, until it runs out or is taken back.
#[utoipa::path(post, path = "/api/auth/invite/", tag = "auth", request_body = InviteCodeBody,
    responses((status = 200, body = SignedInBody), Refusals))]
pub(super) async fn invite(
    State(edge): State<Edge>,
    Extension(scheme): Extension<Scheme>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    ApiJson(body): ApiJson<InviteCodeBody>,
) -> Result<Response, Problem> {
    edge.guess_code(peer.remote.ip())?;
    let code = seal::parse_code(&body.code).ok_or(Rejection::InviteInvalid)?;
    let token = RefreshToken::fresh(SessionId::new(Uuid::now_v7()))?;
    let command = SignInByLink {
        code,
        device: body.device_id.map(DeviceId::new),
        device_name: device::name(&headers),
        session: token.session,
        refresh_sha: token.sha(),
    };
    let signed_in = edge
        .store
        .write_needed(Need::Essential, move |tx| command.run(tx))
        .await?;
    edge.code_was_right(peer.remote.ip());
    // A device that came before goes on with the session that it has.
    let token = token.of(signed_in.session);
    answer(&edge, &signed_in, &token, scheme).await
}

/// Changes one's own password; other sign-ins of the same person end.
#[utoipa::path(post, path = "/api/auth/password/", tag = "auth", request_body = PasswordBody,
    security(("bearer" = [])),
    responses((status = 204, description = "Changed."), Refusals))]
pub(super) async fn change_password(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    Extension(peer): Extension<Peer>,
    ApiJson(body): ApiJson<PasswordBody>,
) -> Result<StatusCode, Problem> {
    let new = Password::parse(&body.new)
        .map_err(|why| Problem::invalid_field("new", format!("The new password {why}.")))?;
    let (id, hash) = edge
        .read_as(who, |view, actor| {
            Ok((actor.id, people::password_hash(view, actor.id)?))
        })
        .await?;
    let key = format!("own:{id}");
    edge.guess_login(&key, peer.remote.ip())?;
    if !matches(&edge, body.current, hash).await? {
        return Err(Problem::invalid_field(
            "current",
            "That is not your password.",
        ));
    }
    edge.login_was_right(&key, peer.remote.ip());
    let edit = PersonEdit {
        password_hash: Some(hashed(&edge, new).await?),
        ..PersonEdit::default()
    };
    let command = ChangePerson {
        person: id,
        edit,
        keep: who.session,
    };
    edge.write_as(who, Need::Ordinary, move |tx, actor| command.run(tx, actor))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who one is.
#[utoipa::path(get, path = "/api/me/", tag = "auth", security(("bearer" = [])),
    responses((status = 200, body = MeBody), Refusals))]
pub(super) async fn me(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<Json<MeBody>, Problem> {
    edge.read_as(who, move |view, actor| {
        let name = local::workshop_name(view)?.unwrap_or_default();
        Ok(Json(MeBody {
            user: UserBody::of(actor),
            workshop: WorkshopBody::named(name),
            service_request: who.only.map(|request| request.0),
        }))
    })
    .await
}
