//! Who may ask, by name: the `Host` and `Origin` rules that keep other sites' pages out.
//!
//! A page on another site can open our socket and, by rebinding a name of its own, read our
//! answers (quality.md §1.5, S6): the browser's CORS does not stop either. [`check`] wraps the whole
//! router, so that nothing behind it ever runs for a foreign name or a foreign page.

use std::fs;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    AUTHORIZATION, CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH, LINK, ORIGIN, RETRY_AFTER, UPGRADE,
    VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use tower::{Layer, ServiceExt};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::fields::the_only;
use super::host::{Authority, Host, Origin};
use super::listen::Peer;
use super::problem::Problem;
use crate::discovery::Label;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Names and front ends beyond the box's own, from the configuration.
#[derive(Clone, Debug, Default)]
pub struct GuardConfig {
    /// Further names (or addresses) this box goes by, without port: a reverse proxy's, a router's.
    pub names: Vec<String>,
    /// Front ends on other origins that may call, as `https://app.example` with the port if any.
    pub origins: Vec<String>,
    /// What the box is called on the network: so, or with a number where another one has the name.
    pub label: Label,
}

/// What is wrong with a [`GuardConfig`].
#[derive(Debug, thiserror::Error)]
pub enum GuardConfigError {
    /// Not a host name or address.
    #[error("{0:?} is not a host name: write it without http:// and without a port")]
    Name(String),
    /// Not an origin.
    #[error("{0:?} is not an origin: write it as https://app.example, without a path")]
    Origin(String),
}

/// The rules, ready to be applied to requests.
#[derive(Clone, Debug)]
pub struct Guard {
    label: Label,
    names: Vec<Host>,
    origins: Vec<Origin>,
    cors: CorsLayer,
}

/// The `Host` a request was let in under; in the extensions of the request and of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHost(pub Authority);

impl Guard {
    /// Takes the configuration and the machine's own name (see [`machine_name`]).
    ///
    /// # Errors
    /// The first name or origin that is none.
    pub fn new(config: &GuardConfig, machine: Option<&str>) -> Result<Self, GuardConfigError> {
        let mut names = Vec::new();
        if let Some(Authority {
            host: Host::Name(name),
            ..
        }) = machine.and_then(Authority::parse)
        {
            // mDNS announces the first label, also of a machine that knows its whole name.
            let label = name.split('.').next().unwrap_or_default();
            names.push(Host::Name(format!("{label}.local")));
            names.push(Host::Name(format!("{name}.local")));
            names.push(Host::Name(name));
        }
        for name in &config.names {
            match Authority::parse(name) {
                Some(Authority { host, port: None }) => names.push(host),
                _ => return Err(GuardConfigError::Name(name.clone())),
            }
        }
        let mut origins = Vec::new();
        for origin in &config.origins {
            let read = Origin::parse(origin);
            origins.push(read.ok_or_else(|| GuardConfigError::Origin(origin.clone()))?);
        }
        Ok(Self {
            label: config.label.clone(),
            names,
            origins,
            cors: cors(),
        })
    }

    /// The name a request asks for, if it is one of ours.
    ///
    /// # Errors
    /// 400 when there is no `Host`, or two, or one that is none; 421 for a name of somebody else.
    pub fn host(&self, uri: &Uri, headers: &HeaderMap, peer: Peer) -> Result<RequestHost, Problem> {
        let Some(host) = the_only(headers, &HOST) else {
            return Err(Problem::malformed("A request names exactly one Host."));
        };
        let host = Authority::parse(host)
            .ok_or_else(|| Problem::malformed("The Host header is no host."))?;
        // `GET http://name/` asks for that name, whatever Host says (RFC 9112 §3.2.2).
        if let Some(asked) = uri.authority()
            && Authority::parse(asked.as_str()).as_ref() != Some(&host)
        {
            return Err(Problem::malformed(
                "The address and the Host header disagree.",
            ));
        }
        if self.goes_by(&host.host, peer) {
            Ok(RequestHost(host))
        } else {
            Err(Problem::misdirected())
        }
    }

    /// Whether the page that asks may open a socket or change something.
    ///
    /// # Errors
    /// 403 `foreign_origin`.
    pub fn origin(&self, headers: &HeaderMap, host: &RequestHost) -> Result<(), Problem> {
        let fine = if headers.contains_key(ORIGIN) {
            asking_origin(headers)
                .is_some_and(|origin| origin.is_at(&host.0) || self.is_configured(&origin))
        } else {
            // Not a page, or a browser that says it otherwise.
            !headers
                .get_all(SEC_FETCH_SITE)
                .iter()
                .any(|site| site == "cross-site")
        };
        if fine {
            Ok(())
        } else {
            Err(Problem::foreign_origin())
        }
    }

    fn goes_by(&self, host: &Host, peer: Peer) -> bool {
        let here = match host {
            Host::Name(name) => name == "localhost",
            Host::Ip(ip) => ip.is_loopback() && (ip.is_ipv6() || ip.to_string() == "127.0.0.1"),
        };
        (here && peer.is_loopback())
            || *host == Host::Ip(peer.local.ip().to_canonical())
            || self.names.contains(host)
            || matches!(host, Host::Name(name) if self.label.may_become(name))
    }

    fn is_configured(&self, origin: &Origin) -> bool {
        self.origins.iter().any(|ours| ours.is_same_as(origin))
    }

    fn is_from_configured(&self, headers: &HeaderMap) -> bool {
        asking_origin(headers).is_some_and(|origin| self.is_configured(&origin))
    }
}

/// The middleware: `router.layer(from_fn_with_state(Arc::new(guard), guard::check))`, inside
/// `headers::secure`, outside everything else.
pub async fn check(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let host = match let_in(&guard, &request) {
        Ok(host) => host,
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(host.clone());
    let mut response = if guard.is_from_configured(request.headers()) {
        // CORS headers exist only for the front ends that were configured.
        match guard.cors.layer(next).oneshot(request).await {
            Ok(response) => response,
        }
    } else {
        next.run(request).await
    };
    if !guard.origins.is_empty() {
        response
            .headers_mut()
            .append(VARY, HeaderValue::from_static("origin"));
    }
    response.extensions_mut().insert(host);
    response
}

/// The name the operating system goes by, if it has a usable one.
pub fn machine_name() -> Option<String> {
    let files = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let name = files
        .iter()
        .find_map(|file| fs::read_to_string(file).ok())?;
    let name = name.trim();
    Authority::parse(name).is_some().then(|| name.to_owned())
}

fn let_in(guard: &Guard, request: &Request) -> Result<RequestHost, Problem> {
    let peer = request.extensions().get::<Peer>().copied().ok_or_else(|| {
        tracing::error!("a request reached the guard without its peer");
        Problem::internal()
    })?;
    let host = guard.host(request.uri(), request.headers(), peer)?;
    if changes_something(request) {
        guard.origin(request.headers(), &host)?;
    }
    Ok(host)
}

fn changes_something(request: &Request) -> bool {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    !reads || request.headers().contains_key(UPGRADE)
}

fn asking_origin(headers: &HeaderMap) -> Option<Origin> {
    Origin::parse(the_only(headers, &ORIGIN)?)
}

/// Applied only to requests from configured origins, which is why it may mirror theirs.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_credentials(true)
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, IF_NONE_MATCH])
        .expose_headers([ETAG, LINK, RETRY_AFTER])
}

#[cfg(test)]
#[path = "guard_test.rs"]
mod tests;
