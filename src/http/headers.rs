//! Headers that every answer carries: what a browser may do with our pages, and what it may keep.
//!
//! [`secure`] is the outermost layer of the router, so that refusals of `guard` have them as well.
//! It must never weaken for a page that needs more: the page changes.

use std::net::IpAddr;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue};

use super::guard::RequestHost;
use super::host::{Host, Scheme};

const FIXED: [(HeaderName, HeaderValue); 4] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // A link's path names a request (quality.md S7).
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(self), geolocation=(), microphone=()"),
    ),
];

/// Over TLS only: over plain http browsers ignore it, and say so as an error on every page.
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// A browser that came by TLS once never asks without it again (RFC 6797).
const TWO_YEARS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// The middleware: `router.layer(from_fn(headers::secure))`, added last.
///
/// What names no `Cache-Control` of its own may not be kept: every API answer.
pub async fn secure(request: Request, next: Next) -> Response {
    let over_tls = request.extensions().get::<Scheme>() == Some(&Scheme::Https);
    let mut response = next.run(request).await;
    let policy = content_policy(response.extensions().get::<RequestHost>());
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    for (name, value) in FIXED {
        headers.insert(name, value);
    }
    if over_tls {
        headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// The middleware for a name that is never served without TLS: a relay's.
///
/// A box has none of it: plain HTTP is how it is meant to be reached, and a browser that was once told
/// to insist on TLS would find no box any more on the day its certificate is switched off.
pub async fn insist_on_tls(request: Request, next: Next) -> Response {
    let over_tls = request.extensions().get::<Scheme>() == Some(&Scheme::Https);
    let mut response = next.run(request).await;
    if over_tls {
        let headers = response.headers_mut();
        headers.insert(STRICT_TRANSPORT_SECURITY, TWO_YEARS);
    }
    response
}

/// The page may load from and talk to the box that served it, and nobody else.
fn content_policy(host: Option<&RequestHost>) -> HeaderValue {
    // Older Safari does not count a socket as 'self'. The policy's grammar knows no [::1].
    let sockets = host
        .filter(|RequestHost(authority)| !matches!(authority.host, Host::Ip(IpAddr::V6(_))))
        .map(|RequestHost(authority)| format!(" ws://{authority} wss://{authority}"))
        .unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
         font-src 'self'; connect-src 'self'{sockets}; manifest-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    // A host that was let in has letters, digits, dots, dashes and a port only.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
