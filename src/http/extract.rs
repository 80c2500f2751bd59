//! Reading what a request brings: a JSON body, a query, ids in the path.
//!
//! Handlers take these in place of axum's own extractors, so that whatever does not fit comes back
//! as a [`Problem`] that names the field. They never quote the value that was sent: it may be a
//! password.

use axum::BoxError;
use axum::body::Bytes;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Query, Request};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::{BodyExt, Limited};
use hyper::body::Body;
use serde::de::DeserializeOwned;

use super::limits::JSON_BODY_BYTES_MAX;
use super::problem::Problem;

/// A JSON body of at most [`JSON_BODY_BYTES_MAX`]. Unknown fields are ignored. `Option<ApiJson<T>>`
/// is `None` for an empty body.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApiJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for ApiJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        if !says_json(&request) {
            return Err(Problem::unsupported_media_type(
                "The body must be JSON, with Content-Type: application/json.",
            ));
        }
        parse(&read(request).await?).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for ApiJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        if says_json(&request) {
            let bytes = read(request).await?;
            return if bytes.is_empty() {
                Ok(None)
            } else {
                parse(&bytes).map(|t| Some(Self(t)))
            };
        }
        if request.body().is_end_stream() {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state)
            .await
            .map(Some)
    }
}

/// A query string. A value that does not fit is 422 with the name of its parameter.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApiQuery<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(about_query(&rejection)),
        }
    }
}

/// Ids in the path. What is no id of the right kind names nothing: 404.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApiPath<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for ApiPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(path)) => Ok(Self(path)),
            Err(rejection) => Err(about_path(&rejection)),
        }
    }
}

fn says_json(request: &Request) -> bool {
    let Some(Ok(value)) = request
        .headers()
        .get(CONTENT_TYPE)
        .map(|value| value.to_str())
    else {
        return false;
    };
    let essence = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || essence
            .strip_prefix("application/")
            .is_some_and(|kind| kind.ends_with("+json"))
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    let body = request.into_body();
    // Told before a client that waits for `100 Continue` sends any of it.
    if body.size_hint().lower() > JSON_BODY_BYTES_MAX as u64 {
        return Err(Problem::too_large());
    }
    match Limited::new(body, JSON_BODY_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => Err(Problem::from_body_error(&BoxError::from(error))),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Every body of ours is an object; serde would take `[]` for one whose fields may all be left out.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::invalid("The body must be a JSON object."));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        if error.inner().is_data() {
            about_value(&error.path().to_string(), &error.inner().to_string())
        } else {
            Problem::malformed("The body is not JSON.")
        }
    })?;
    json.end()
        .map_err(|_| Problem::malformed("Something follows the JSON in the body."))?;
    Ok(value)
}

fn about_query(rejection: &QueryRejection) -> Problem {
    use std::error::Error;
    let told = rejection
        .source()
        .map(ToString::to_string)
        .unwrap_or_default();
    match told.split_once(": ") {
        Some((path, message)) => about_value(path, message),
        None => about_value(".", &told),
    }
}

fn about_path(rejection: &PathRejection) -> Problem {
    // The rest is in what the client wrote: not UTF-8, not a number.
    let ours = if let PathRejection::FailedToDeserializePathParams(error) = rejection {
        matches!(
            error.kind(),
            ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. }
        )
    } else {
        true
    };
    if ours {
        tracing::error!(error = %rejection, "a route and its handler disagree");
        return Problem::internal();
    }
    Problem::not_found()
}

/// A value that does not fit: `path` as serde_path_to_error writes it (`.` is the whole body),
/// `message` as serde words it.
fn about_value(path: &str, message: &str) -> Problem {
    let parent = if path == "." { "" } else { path };
    if let Some(missing) = message.strip_prefix("missing field `") {
        let missing = missing.split('`').next().unwrap_or_default();
        let field = if parent.is_empty() {
            missing.into()
        } else {
            format!("{parent}.{missing}")
        };
        return Problem::invalid_field(field, "This is required.");
    }
    let sentence = expectation(message);
    if parent.is_empty() {
        Problem::invalid(sentence)
    } else {
        Problem::invalid_field(parent, sentence)
    }
}

/// What serde wanted, without what it got.
fn expectation(message: &str) -> String {
    let Some((_, wanted)) = message.split_once("expected ") else {
        return "This value will not do.".into();
    };
    let wanted = wanted.split(" at line ").next().unwrap_or(wanted);
    let words = match wanted {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        wanted if wanted.starts_with("struct ") || wanted == "a map" => "an object",
        wanted => wanted,
    };
    format!("This must be {words}.")
}

#[cfg(test)]
#[path = "extract_test.rs"]
mod tests;
