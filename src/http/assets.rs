//! The web app inside the binary: its files, and its page for every path the app knows itself.
//!
//! `build.rs` prepares the folder (gzip where that pays); the router's fallback is
//! [`Assets::answer`]. It must never answer for `/api/` or `/ws/`, nor give the page for a missing
//! file under `/assets/`: a browser would keep HTML as a script.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use rust_embed::RustEmbed;

use super::fields::listed;
use super::problem::Problem;

/// The page that starts the app.
const PAGE: &str = "index.html";

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/web"]
struct Web;

/// Every file of the web app, by its path without the leading slash.
#[derive(Debug, Default)]
pub struct Assets {
    files: BTreeMap<String, Asset>,
}

#[derive(Debug)]
struct Asset {
    bytes: Bytes,
    gzipped: bool,
    /// SHA-256 of the embedded bytes, its first half in hex: 128 bits never meet by accident.
    hash: String,
}

impl Assets {
    /// What this binary was built with.
    pub fn embedded() -> Self {
        let files = Web::iter().filter_map(|name| {
            let file = Web::get(&name)?;
            let bytes = match file.data {
                std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
            };
            Some((name.into_owned(), bytes, file.metadata.sha256_hash()))
        });
        Self::new(files)
    }

    /// From files as `build.rs` leaves them: `<name>.gz` is `<name>`, compressed.
    pub fn new(files: impl IntoIterator<Item = (String, Bytes, [u8; 32])>) -> Self {
        let files = files.into_iter().map(|(name, bytes, sha256)| {
            let plain = name.strip_suffix(".gz").map(str::to_owned);
            let gzipped = plain.is_some();
            (
                plain.unwrap_or(name),
                Asset {
                    bytes,
                    gzipped,
                    hash: hex(&sha256[..16]),
                },
            )
        });
        Self {
            files: files.collect(),
        }
    }

    /// Answers what no route did: a file, the app's page, or a 404 problem.
    pub fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
        let path = uri.path().trim_start_matches('/');
        let reads = *method == Method::GET || *method == Method::HEAD;
        let (name, file) = match self
            .files
            .get_key_value(if path.is_empty() { PAGE } else { path })
        {
            Some(found) if reads => found,
            Some(_) => return Problem::method_not_allowed_but("GET, HEAD").into_response(),
            None => match self.files.get_key_value(PAGE) {
                Some(page) if reads && is_page(path) && accepts_html(headers) => page,
                _ => return Problem::not_found().into_response(),
            },
        };
        respond(name, file, method, headers)
    }
}

/// Whether the app may know this path: neither a call of ours nor a file that is not there.
fn is_page(path: &str) -> bool {
    let names_file = path
        .rsplit('/')
        .next()
        .is_some_and(|last| last.contains('.'));
    !names_file && !["api", "ws", "assets"].contains(&path.split('/').next().unwrap_or_default())
}

fn respond(name: &str, file: &Asset, method: &Method, headers: &HeaderMap) -> Response {
    let as_is = !file.gzipped || accepts_gzip(headers);
    // Two forms of one file are two representations: each has its tag (RFC 9110 §8.8.3.3).
    let form = if file.gzipped && as_is { "-gz" } else { "" };
    let tag = format!("\"{}{form}\"", file.hash);
    let mut response = Response::new(Body::empty());
    let mut header = |name: HeaderName, value: &str| {
        // All of them are made of plain letters here.
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    header(ETAG, &tag);
    header(CACHE_CONTROL, keeping(name));
    if file.gzipped {
        header(VARY, "accept-encoding");
    }
    if has_already(headers, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    header(CONTENT_TYPE, content_type(name));
    if file.gzipped && as_is {
        header(CONTENT_ENCODING, "gzip");
    }
    let bytes = if as_is {
        Some(file.bytes.clone())
    } else {
        unpack(&file.bytes)
    };
    let Some(bytes) = bytes else {
        tracing::error!(name, "a file of the web app cannot be unpacked");
        return Problem::internal().into_response();
    };
    header(CONTENT_LENGTH, &bytes.len().to_string());
    if *method == Method::GET {
        *response.body_mut() = Body::from(bytes);
    }
    response
}

/// Vite names files under `/assets/` after their content; the page names those, so it is never kept.
fn keeping(name: &str) -> &'static str {
    if name == PAGE {
        "no-store"
    } else if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

fn has_already(headers: &HeaderMap, tag: &str) -> bool {
    listed(headers, &IF_NONE_MATCH).any(|held| held == "*" || held.trim_start_matches("W/") == tag)
}

/// Whether a page would do. Whoever makes a preview of a link takes anything.
fn accepts_html(headers: &HeaderMap) -> bool {
    listed(headers, &ACCEPT).any(|range| {
        ["text/html", "text/*", "*/*"]
            .iter()
            .any(|name| weighs(range, name))
    })
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    listed(headers, &ACCEPT_ENCODING).any(|coding| weighs(coding, "gzip"))
}

/// Whether a list's item is `name` with a weight other than zero.
fn weighs(item: &str, name: &str) -> bool {
    let mut parts = item.split(';').map(str::trim);
    let named = parts
        .next()
        .is_some_and(|first| first.eq_ignore_ascii_case(name));
    named
        && !parts.any(|part| {
            part.strip_prefix("q=")
                .is_some_and(|q| q.parse() == Ok(0.0_f32))
        })
}

/// Only ever our own files, whose size `build.rs` knew.
fn unpack(gzipped: &[u8]) -> Option<Bytes> {
    let mut plain = Vec::new();
    GzDecoder::new(gzipped).read_to_end(&mut plain).ok()?;
    Some(plain.into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
#[path = "assets_test.rs"]
mod tests;
