//! Owners' links as staff see them: the link at each of its doors, its QR code, the devices that opened
//! it.

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
use crate::store::link::{self, LinkDevice};
use crate::store::sessions::{self, Session};
use crate::store::{BoxKeys, Need, StoreError, View, invites, requests};
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
    let lan = base_url(&edge, &host);
    edge.read_as(who, move |view, actor| {
        let request = RequestId(id);
        requests::gate(view, request, actor)?.ok_or(Rejection::NoSuch("request"))?;
        actor.must_be_staff()?;
        let doors = Doors::of(view, lan)?;
        let mut bodies = Vec::new();
        for invite in invites::of_request(view, request)? {
            let devices = devices(view, invite.id)?;
            bodies.push(body(view.keys(), &doors, &invite, devices));
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
    let lan = base_url(&edge, &host);
    let invite = edge
        .write_as(who, Need::Ordinary, move |tx, actor| {
            let invite = command.run(tx, actor)?;
            let doors = Doors::of(tx, lan)?;
            Ok(body(tx.keys(), &doors, &invite, Vec::new()))
        })
        .await?;
    Ok((StatusCode::CREATED, Json(invite)))
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

/// Where one and the same link opens its thread.
pub(super) struct Doors {
    lan: String,
    relay: Option<String>,
}

impl Doors {
    /// The box's own door, and the relay's where one is set up and has said its name.
    pub(super) fn of(view: &View<'_>, lan: String) -> Result<Self, StoreError> {
        let relay = link::settings(view)?.and_then(|settings| settings.public_url);
        Ok(Self { lan, relay })
    }

    /// What links begin with that work outside too.
    pub(super) fn relay(&self) -> Option<&str> {
        self.relay.as_deref()
    }
}

/// A link as staff see it.
pub(super) fn body(
    keys: &BoxKeys,
    doors: &Doors,
    invite: &Invite,
    devices: Vec<DeviceBody>,
) -> InviteBody {
    let is_usable = invite.revoked.is_none();
    let at =
        |base: &str| seal::invite_link(base, *invite.id.as_bytes(), &keys.invite_secret(invite.id));
    let lan_url = is_usable.then(|| at(&doors.lan));
    let url = match doors.relay() {
        Some(relay) => is_usable.then(|| at(relay)),
        None => lan_url.clone(),
    };
    InviteBody {
        id: invite.id.to_string(),
        qr_svg: url.as_deref().and_then(qr_svg),
        url,
        lan_url,
        created_at: rfc3339(invite.created),
        expires_at: rfc3339(invite.expires),
        revoked_at: invite.revoked.map(rfc3339),
        devices,
    }
}

/// The devices that opened a link by either door.
fn devices(view: &View<'_>, invite: InviteId) -> Result<Vec<DeviceBody>, StoreError> {
    let here = sessions::of_invite(view, invite)?;
    let at_relay = link::devices(view, invite)?;
    let bodies = here.iter().map(DeviceBody::from);
    Ok(bodies
        .chain(at_relay.iter().map(DeviceBody::from))
        .collect())
}

impl From<&Session> for DeviceBody {
    fn from(session: &Session) -> Self {
        Self {
            id: session.id.uuid(),
            name: session.device_name.clone(),
            via: "lan",
            first_seen_at: rfc3339(session.created),
            last_seen_at: rfc3339(session.seen),
        }
    }
}

impl From<&LinkDevice> for DeviceBody {
    fn from(device: &LinkDevice) -> Self {
        Self {
            id: device.device.uuid(),
            name: device.name.clone(),
            via: "relay",
            first_seen_at: rfc3339(device.first),
            last_seen_at: rfc3339(device.seen),
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
