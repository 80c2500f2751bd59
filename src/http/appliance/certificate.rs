//! The certificate of the box's own authority, as devices take it: a file for most, a profile for
//! Apple's.
//!
//! It is no secret, and a device that is to trust it is not signed in yet: everybody gets it. Nothing
//! proves that it came from the box; whoever installs it compares the fingerprint.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderName, StatusCode};
use ring::digest;
use uuid::Uuid;

use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::net::AuthorityFiles;
use crate::net::authority::Root;

/// Where everybody gets it.
pub(crate) const CRT: &str = "/certificate/motoreach.crt";
/// Where Apple's devices get it.
pub(crate) const MOBILECONFIG: &str = "/certificate/motoreach.mobileconfig";

/// Letters in a line of a PEM file (RFC 7468 §2).
const PEM_LINE: usize = 64;

/// The certificate as a file.
pub(crate) async fn crt(State(edge): State<Edge>) -> Result<Response, Problem> {
    let root = must_be(root(&edge).await)?;
    Ok(file(
        "application/x-x509-ca-cert",
        "motoreach.crt",
        pem(&root),
    ))
}

/// The certificate as a profile.
pub(crate) async fn mobileconfig(State(edge): State<Edge>) -> Result<Response, Problem> {
    let root = must_be(root(&edge).await)?;
    let kind = "application/x-apple-aspen-config";
    Ok(file(kind, "motoreach.mobileconfig", profile(&root)))
}

/// What devices are to trust; nothing where the box has no authority.
pub(super) async fn root(edge: &Edge) -> Option<Root> {
    let files = AuthorityFiles::at(edge.store.dir().tls());
    tokio::task::spawn_blocking(move || files.root())
        .await
        .ok()
        .flatten()
}

fn must_be(root: Option<Root>) -> Result<Root, Problem> {
    root.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "no_certificate",
            "This box has no certificate of its own: TLS is off.",
        )
    })
}

fn file(kind: &'static str, name: &str, text: String) -> Response {
    let headers: [(HeaderName, String); 2] = [
        (CONTENT_TYPE, kind.to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, text).into_response()
}

fn pem(root: &Root) -> String {
    let text = BASE64_STANDARD.encode(root.der());
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(PEM_LINE) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

/// A configuration profile with one trusted root. The same certificate makes the same profile, so that
/// installing it again replaces it.
fn profile(root: &Root) -> String {
    let payload = BASE64_STANDARD.encode(root.der());
    let (outer, inner) = (id(root, 0), id(root, 1));
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadCertificateFileName</key><string>motoreach.crt</string>
      <key>PayloadContent</key><data>{payload}</data>
      <key>PayloadDescription</key><string>Trusts the MotoReach box of this workshop, for names that end in .local and private addresses only.</string>
      <key>PayloadDisplayName</key><string>MotoReach box</string>
      <key>PayloadIdentifier</key><string>com.motoreach.box.{inner}</string>
      <key>PayloadType</key><string>com.apple.security.root</string>
      <key>PayloadUUID</key><string>{inner}</string>
      <key>PayloadVersion</key><integer>1</integer>
    </dict>
  </array>
  <key>PayloadDescription</key><string>Lets this device open the workshop's MotoReach box over https.</string>
  <key>PayloadDisplayName</key><string>MotoReach box</string>
  <key>PayloadIdentifier</key><string>com.motoreach.box.{outer}</string>
  <key>PayloadRemovalDisallowed</key><false/>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadUUID</key><string>{outer}</string>
  <key>PayloadVersion</key><integer>1</integer>
</dict>
</plist>
"#
    )
}

fn id(root: &Root, part: usize) -> Uuid {
    let sha = digest::digest(&digest::SHA256, root.der());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sha.as_ref()[16 * part..16 * (part + 1)]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
