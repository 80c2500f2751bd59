//! The relay's edge: owners' pages and sockets (`wire.md` §7), boxes' links, health.
//!
//! In reading order: `asking` (who asks, through whatever proxy), `health`, `owner` (a page's socket),
//! `link` (a box's socket), `alarm` (an admin's phone). The web app is the same that a box serves; it asks `/api/door/` where it is.

mod alarm;
mod asking;
mod health;
mod link;
mod owner;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::presence::Presence;
use super::push::Pusher;
use super::rates::Rates;
use super::secrets::Secrets;
use super::store::RelayStore;
use crate::clock::Clock;
use crate::http::assets::Assets;
use crate::http::guard::{self, Guard};
use crate::http::{headers, problem};
use health::Proof;

/// What every handler of the relay shares; clones share it.
pub struct Relay<S> {
    inner: Arc<Inner<S>>,
}

/// The parts of a `Relay`.
pub struct Inner<S> {
    /// What is kept.
    pub store: S,
    /// Who is there.
    pub presence: Presence,
    /// Tells browsers that are not.
    pub pusher: Pusher<S>,
    /// Who this relay is.
    pub secrets: Secrets,
    /// How often who may do what.
    pub rates: Rates,
    /// What owners' links begin with.
    pub public_url: String,
    /// Machines that speak for others, besides this one.
    pub proxies: Vec<IpAddr>,
    /// What whoever reads the metrics from elsewhere must show; none: nobody may.
    pub metrics_token: Option<String>,
    /// What time it is.
    pub clock: Clock,
    /// Ends sockets when the relay stops.
    pub shutdown: CancellationToken,
    /// Owns the tasks of sockets.
    pub tracker: TaskTracker,
    proof: Proof,
}

/// What a `Relay` is made of.
pub struct Parts<S> {
    /// What is kept.
    pub store: S,
    /// Who is there.
    pub presence: Presence,
    /// Tells browsers that are not.
    pub pusher: Pusher<S>,
    /// Who this relay is.
    pub secrets: Secrets,
    /// What owners' links begin with.
    pub public_url: String,
    /// Machines that speak for others, besides this one.
    pub proxies: Vec<IpAddr>,
    /// What whoever reads the metrics from elsewhere must show.
    pub metrics_token: Option<String>,
    /// What time it is.
    pub clock: Clock,
    /// Ends sockets when the relay stops.
    pub shutdown: CancellationToken,
    /// Owns the tasks of sockets.
    pub tracker: TaskTracker,
}

impl<S> Relay<S> {
    /// Put together.
    pub fn new(parts: Parts<S>) -> Self {
        Self {
            inner: Arc::new(Inner {
                store: parts.store,
                presence: parts.presence,
                pusher: parts.pusher,
                secrets: parts.secrets,
                rates: Rates::default(),
                public_url: parts.public_url,
                proxies: parts.proxies,
                metrics_token: parts.metrics_token,
                clock: parts.clock,
                shutdown: parts.shutdown,
                tracker: parts.tracker,
                proof: Proof::default(),
            }),
        }
    }
}

impl<S> Clone for Relay<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<S> Deref for Relay<S> {
    type Target = Inner<S>;

    fn deref(&self) -> &Inner<S> {
        &self.inner
    }
}

/// Everything that the relay answers, ready to be served.
pub fn router<S: RelayStore>(relay: Relay<S>, guard: Guard) -> Router {
    let assets = Arc::new(Assets::embedded());
    let routes = Router::new()
        .route("/api/door/", get(door::<S>))
        .route("/api/alarm/{workshop}/", post(alarm::ask::<S>))
        .route("/ws/owner/{invite}/", any(owner::socket::<S>))
        .route("/link/", any(link::socket::<S>))
        .route("/healthz", get(health::live::<S>))
        .route("/readyz", get(health::ready::<S>))
        .route("/metrics", get(health::metrics::<S>))
        .fallback(async move |request: Request| {
            assets.answer(request.method(), request.uri(), request.headers())
        })
        .with_state(relay);
    problem::told(routes)
        .layer(from_fn_with_state(Arc::new(guard), guard::check))
        .layer(from_fn(headers::secure))
        .layer(from_fn(headers::insist_on_tls))
}

/// Which door a page is at, and what it needs to subscribe to pushes here.
async fn door<S: RelayStore>(State(relay): State<Relay<S>>) -> Json<Value> {
    Json(json!({ "door": "relay", "vapid": relay.secrets.vapid.public_key() }))
}
