//! The edge towards browsers: HTTP and WebSockets on the workshop's network (`wire.md` §1–§6).
//!
//! In reading order: `bind`, `handed`, `listen`, `admission`, `line` (connections), `guard`, `headers` (whose
//! requests, which headers), `edge` (what handlers share), `auth`, `token`, `tickets`, `throttle` (who,
//! how often), `sign_in`, `setup`, `restore`, `restore_desk`, `uploads`, `people`, `requests`, `invites`, `exports`,
//! `erasure`, `messages`, `relay`, `relay_address`, `alarm`, `health`, `metrics`, `door` (one file a resource),
//! `appliance` (the box's own pages), `asked`, `chat`,
//! `notifications`, `pump`, `session` (sockets), `assets` (the web app).
//!
//! It never speaks SQL and never meets `sync`.

pub(crate) mod admission;
mod alarm;
mod appliance;
mod asked;
pub mod assets;
pub mod auth;
pub mod bind;
pub mod body;
mod chat;
mod device;
mod door;
pub mod edge;
mod erasure;
mod error;
mod exports;
pub mod extract;
pub(crate) mod fields;
pub mod guard;
pub mod handed;
pub mod headers;
mod health;
pub mod host;
mod invites;
pub mod limits;
mod line;
pub mod listen;
mod messages;
mod metrics;
mod notifications;
mod openapi;
mod people;
pub mod problem;
pub(crate) mod pump;
mod relay;
pub mod relay_address;
mod requests;
mod restore;
pub mod restore_desk;
pub mod session;
mod setup;
mod sign_in;
pub mod throttle;
pub mod tickets;
pub mod token;
mod token_crypto;
pub mod upgrade;
mod uploads;

#[cfg(test)]
mod edge_harness;
#[cfg(test)]
mod edge_test;
#[cfg(test)]
mod tls_test;

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get};
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use appliance::certificate;
use assets::Assets;
use edge::Edge;
use guard::Guard;

/// Everything that the box answers, ready to be served.
pub fn router(edge: Edge, guard: Guard) -> Router {
    let (routes, openapi) = api().split_for_parts();
    let openapi = Arc::new(openapi);
    let assets = Arc::new(Assets::embedded());
    let routes = routes
        .route(
            "/api/openapi.json",
            get(async move || Json((*openapi).clone())),
        )
        .route(
            "/api/service-requests/messages/unread-summary/",
            get(messages::unread_summary),
        )
        .route("/metrics", get(metrics::metrics))
        .route(certificate::CRT, get(certificate::crt))
        .route(certificate::MOBILECONFIG, get(certificate::mobileconfig))
        .route("/ws/service-chat/{id}/", any(chat::socket))
        .route("/ws/notifications/", any(notifications::socket))
        .fallback(async move |request: Request| {
            assets.answer(request.method(), request.uri(), request.headers())
        })
        .with_state(edge);
    problem::told(routes)
        .layer(from_fn_with_state(Arc::new(guard), guard::check))
        .layer(from_fn(headers::secure))
}

/// The calls that OpenAPI describes.
fn api() -> OpenApiRouter<Edge> {
    OpenApiRouter::with_openapi(openapi::Api::openapi())
        .routes(routes!(setup::state, setup::set_up))
        .routes(routes!(restore::state, restore::begin))
        .routes(routes!(restore::found))
        .routes(routes!(restore::hand_in))
        .routes(routes!(setup::recovery_words))
        .routes(routes!(setup::words_kept))
        .routes(routes!(sign_in::login))
        .routes(routes!(sign_in::refresh))
        .routes(routes!(sign_in::logout))
        .routes(routes!(sign_in::ws_ticket))
        .routes(routes!(sign_in::invite))
        .routes(routes!(sign_in::change_password))
        .routes(routes!(sign_in::me))
        .routes(routes!(people::list, people::add))
        .routes(routes!(people::change))
        .routes(routes!(requests::list, requests::open))
        .routes(routes!(requests::one, requests::change))
        .routes(routes!(invites::list, invites::add))
        .routes(routes!(invites::revoke))
        .routes(routes!(exports::of_request))
        .routes(routes!(exports::of_owner))
        .routes(routes!(erasure::erase))
        .routes(routes!(relay::state, relay::connect, relay::disconnect))
        .routes(routes!(relay::claim))
        .routes(routes!(alarm::state, alarm::switch_on, alarm::switch_off))
        .routes(routes!(messages::history, messages::post))
        .routes(routes!(messages::mark_read))
        .routes(routes!(messages::unread_summary))
        .routes(routes!(door::which))
        .routes(routes!(
            appliance::backup::state,
            appliance::backup::change,
            appliance::backup::begin
        ))
        .routes(routes!(appliance::backup::file))
        .routes(routes!(appliance::health::checkup))
        .routes(routes!(appliance::addresses::addresses))
        .routes(routes!(appliance::update::state))
        .routes(routes!(appliance::update::bring))
        .routes(routes!(appliance::update::apply))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
}
