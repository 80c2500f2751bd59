//! How the edge says no: RFC 9457 problem documents, the table of wire.md §5.
//!
//! Every refusal over HTTP is a [`Problem`]; `extract` makes them of bad input, [`told`] of what
//! axum refuses by itself. A problem never carries a cause, a path on disk, or what the client sent.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use axum::{BoxError, Json, Router};
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::LengthLimitError;
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::error;
use utoipa::ToSchema;

use super::body::BodyTooSlow;

/// A refusal: what a person reads, the word a program reads, and the fields at fault.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says what kind of problem it is (RFC 9457 §4.2.1).
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "about:blank")]
    kind: Kind,
    /// The status in words.
    #[schema(example = "Conflict")]
    title: &'static str,
    /// The HTTP status code again.
    #[schema(example = 409, minimum = 400, maximum = 599)]
    status: u16,
    /// One sentence for a person.
    #[schema(value_type = String)]
    detail: Cow<'static, str>,
    /// The reason as a snake_case word.
    #[schema(example = "conflict")]
    code: &'static str,
    /// What is wrong, by the name of the field at fault.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    errors: BTreeMap<String, Vec<String>>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Clone, Copy, Debug, Serialize)]
enum Kind {
    #[serde(rename = "about:blank")]
    AboutBlank,
}

impl Problem {
    /// A problem with a code of its own; the constructors below cover the usual ones.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            kind: Kind::AboutBlank,
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            code,
            errors: BTreeMap::new(),
            headers: Vec::new(),
        }
    }

    /// 400: not a request we can read.
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    /// 401: no token, or one that is not valid (any more).
    pub fn unauthorized(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403: a page of another site asks (quality.md §1.5).
    pub fn foreign_origin() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "This request comes from a page of another site.",
        )
    }

    /// 404: no such thing, or not yours; the two answer alike.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here.")
    }

    /// 405. axum adds `Allow` where it knows the methods.
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This address does not do that.",
        )
    }

    /// 405 with the methods that would do.
    pub fn method_not_allowed_but(allow: &'static str) -> Self {
        Self::method_not_allowed().with_header(ALLOW, HeaderValue::from_static(allow))
    }

    /// 408: the body stopped coming.
    pub fn too_slow() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "The request did not arrive in time.",
        )
        .with_header(CONNECTION, HeaderValue::from_static("close"))
    }

    /// 413: larger than the limit of this call.
    pub fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "That is too large.",
        )
    }

    /// 415: a body of a kind we do not read.
    pub fn unsupported_media_type(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            detail,
        )
    }

    /// 421: a name this box does not go by.
    pub fn misdirected() -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "foreign_host",
            "This box does not go by that name.",
        )
    }

    /// 422: well formed, but a value will not do. Say which with [`Problem::with_error`].
    pub fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }

    /// 422 for one field.
    pub fn invalid_field(field: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self::invalid("Some of this will not do.").with_error(field, sentence)
    }

    /// 429: come back after `retry_after` (rounded up to whole seconds).
    pub fn rate_limited(retry_after: Duration) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "That was a little too often. Please wait a moment.",
        )
        .with_retry_after(retry_after)
    }

    /// 500: our fault. The cause goes to the log where it was noticed, never here.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong in the box. It has been noted.",
        )
    }

    /// 503 while the box starts or stops.
    pub fn unavailable(retry_after: Duration) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The box is starting or stopping. Please try again in a moment.",
        )
        .with_retry_after(retry_after)
    }

    /// 503 while the storage refuses writes (quality.md R7).
    pub fn storage_failing() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "storage_failing",
            "The box cannot write to its storage. Nothing new is accepted; reading still works.",
        )
    }

    /// 507: no room left (quality.md R8).
    pub fn disk_full() -> Self {
        Self::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "disk_full",
            "The box's storage is full. Reading still works.",
        )
    }

    /// What a failed read of a request's body means: too large, too slow, or broken off.
    pub fn from_body_error(error: &BoxError) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = Some(error.as_ref());
        while let Some(error) = cause {
            if error.is::<LengthLimitError>() {
                return Self::too_large();
            }
            if error.is::<BodyTooSlow>() {
                return Self::too_slow();
            }
            cause = error.source();
        }
        Self::malformed("The request's body broke off.")
    }

    /// Adds a sentence about a field.
    #[must_use]
    pub fn with_error(mut self, field: impl Into<String>, sentence: impl Into<String>) -> Self {
        self.errors
            .entry(field.into())
            .or_default()
            .push(sentence.into());
        self
    }

    /// Adds `Retry-After`, rounded up to whole seconds.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with_header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Says the reason in another word.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// The sentence for a person.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The reason as a word.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }
}

/// Makes a router's own refusals problems too: a method a path does not know (405 with `Allow`)
/// and a panic (500). Call it once every route and the fallback are there ([`unknown_route`], or
/// the web app's), and before `guard` and `headers` are laid around.
pub fn told<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(CatchPanicLayer::custom(after_panic))
}

/// The fallback of a router without a web app.
pub async fn unknown_route() -> Problem {
    Problem::not_found()
}

/// The panic's own text stays in the process: it may quote what a person wrote.
fn after_panic(_panic: Box<dyn Any + Send>) -> Response {
    error!("a request's handler panicked");
    Problem::internal().into_response()
}

#[cfg(test)]
#[path = "problem_test.rs"]
mod tests;
