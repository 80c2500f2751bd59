//! Owners' links as staff see them: the link, its QR code, the devices that opened it.

use axum::Json;
use axum::extract::{Extension, State};
use http::StatusCode;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use uuid::Uuid;

use super::auth::Bearer;
use super::edge::Edge;
use super::extract::ApiPath;
use super::guard::RequestHost;
use super::openapi::Refusals;
use super::problem::Problem;
use crate::commands::{InviteOwner, RevokeInvite};
use crate::domain::{Invite, InviteId, Rejection, RequestId};
use crate::seal;
use crate::store::sessions::{self, Session};
use crate::store::{BoxKeys, Need, invites, requests};
use crate::wire::api::{DeviceBody, InviteBody};
use crate::wire::rfc3339;

/// Smallest edge of a QR code on screen, in CSS pixels.
const QR_PIXELS_MIN: u32 = 240;

/// The links of a request, the oldest first.
#[utoipa::path(get, path = "/api/service-requests/{id}/invites/", tag = "invites",
    security(("bearer" = [])), params(("id" = i64, Path, description = "The request's number.")),
    responses((status = 200, body = [InviteBody]), Refusals))]
pub(super) async fn list(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    Extension(host): Extension<RequestHost>,
    ApiPath(id): ApiPath<i64>,
) -> Result<Json<Vec<InviteBody>>, Problem> {
    let base = base_url(&edge, &host);
    edge.read_as(who, move |view, actor| {
        let request = RequestId(id);
        requests::gate(view, request, actor)?.ok_or(Rejection::NoSuch("request"))?;
        actor.must_be_staff()?;
        let mut bodies = Vec::new();
        for invite in invites::of_request(view, request)? {
            let devices = sessions::of_invite(view, invite.id)?;
            bodies.push(body(view.keys(), &base, &invite, &devices));
        }
        Ok(Json(bodies))
    })
    .await
}

/// Gives the owner another link.
#[utoipa::path(post, path = "/api/service-requests/{id}/invites/", tag = "invites",
    security(("bearer" = [])), params(("id" = i64, Path, description = "The request's number.")),
    responses((status = 201, body = InviteBody), Refusals))]
pub(super) async fn add(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    Extension(host): Extension<RequestHost>,
    ApiPath(id): ApiPath<i64>,
) -> Result<(StatusCode, Json<InviteBody>), Problem> {
    let command = InviteOwner {
        request: RequestId(id),
    };
    let invite = edge
        .write_as(who, Need::Ordinary, move |tx, actor| command.run(tx, actor))
        .await?;
    let base = base_url(&edge, &host);
    Ok((
        StatusCode::CREATED,
        Json(body(edge.store.keys(), &base, &invite, &[])),
    ))
}

/// Takes a link back: it opens nothing any more, and pages that it opened are closed.
#[utoipa::path(delete, path = "/api/service-requests/{id}/invites/{invite}/", tag = "invites",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The request's number."),
           ("invite" = Uuid, Path, description = "The link's id.")),
    responses((status = 204, description = "Taken back."), Refusals))]
pub(super) async fn revoke(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiPath((id, invite)): ApiPath<(i64, Uuid)>,
) -> Result<StatusCode, Problem> {
    let command = RevokeInvite {
        request: RequestId(id),
        invite: InviteId::new(invite),
    };
    edge.write_as(who, Need::Essential, move |tx, actor| {
        command.run(tx, actor)
    })
    .await?;
    tracing::info!(request = id, by = %who.person, "a link was taken back");
    Ok(StatusCode::NO_CONTENT)
}

/// Where owners find this box: as configured, or as the asking page found it.
pub(super) fn base_url(edge: &Edge, RequestHost(authority): &RequestHost) -> String {
    match &edge.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{authority}"),
    }
}

/// A link as staff see it.
pub(super) fn body(keys: &BoxKeys, base: &str, invite: &Invite, devices: &[Session]) -> InviteBody {
    let url = invite
        .revoked
        .is_none()
        .then(|| seal::invite_link(base, *invite.id.as_bytes(), &keys.invite_secret(invite.id)));
    InviteBody {
        id: invite.id.to_string(),
        qr_svg: url.as_deref().and_then(qr_svg),
        url,
        created_at: rfc3339(invite.created),
        expires_at: rfc3339(invite.expires),
        revoked_at: invite.revoked.map(rfc3339),
        devices: devices.iter().map(DeviceBody::from).collect(),
    }
}

impl From<&Session> for DeviceBody {
    fn from(session: &Session) -> Self {
        Self {
            id: session.id.uuid(),
            name: session.device_name.clone(),
            first_seen_at: rfc3339(session.created),
            last_seen_at: rfc3339(session.seen),
        }
    }
}

/// Medium error correction: read through a scratched screen, and printed with a stain on it.
fn qr_svg(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    Some(
        code.render::<svg::Color<'_>>()
            .min_dimensions(QR_PIXELS_MIN, QR_PIXELS_MIN)
            .build(),
    )
}
