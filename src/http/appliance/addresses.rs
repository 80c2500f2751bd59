//! `GET /api/box/addresses/`: where the box is found, for whoever hangs it on the wall.

use axum::Json;
use axum::extract::State;

use super::certificate::{self, CRT, MOBILECONFIG};
use crate::discovery::{Announcement, Secure, Standing, Voucher};
use crate::http::auth::Bearer;
use crate::http::edge::Edge;
use crate::http::openapi::Refusals;
use crate::http::problem::Problem;
use crate::wire::api::{AddressesBody, CertificatePlaces, SecureBody};

/// Where the box is found.
#[utoipa::path(get, path = "/api/box/addresses/", tag = "box", security(("bearer" = [])),
    responses((status = 200, body = AddressesBody), Refusals))]
pub(crate) async fn addresses(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<Json<AddressesBody>, Problem> {
    edge.read_as(who, |_, actor| Ok(actor.must_be_admin()?))
        .await?;
    let standing = edge.board.now();
    let secure = secure(&edge, &standing).await;
    Ok(Json(AddressesBody {
        url: standing.url(),
        plain: standing.plain_urls(),
        name: standing.name,
        conflict: standing.conflict,
        announcement: word(standing.announcement),
        port: standing.port,
        secure,
    }))
}

async fn secure(edge: &Edge, standing: &Standing) -> SecureBody {
    let (state, why) = match &standing.secure {
        Secure::Off => ("off", None),
        Secure::On { .. } => ("on", None),
        Secure::Failed(why) => ("failed", Some(why.clone())),
    };
    let own = match standing.secure {
        Secure::On {
            by: Voucher::OwnAuthority,
            ..
        } => certificate::root(edge).await,
        Secure::Off | Secure::On { .. } | Secure::Failed(_) => None,
    };
    SecureBody {
        state,
        url: standing.secure_url(),
        why,
        certificate: own.as_ref().map(|_| CertificatePlaces {
            crt: CRT,
            mobileconfig: MOBILECONFIG,
        }),
        fingerprint: own.map(|root| root.fingerprint()),
    }
}

const fn word(announcement: Announcement) -> &'static str {
    match announcement {
        Announcement::Off => "off",
        Announcement::NoNetwork => "no_network",
        Announcement::Asking => "asking",
        Announcement::Announced => "announced",
        Announcement::Failed => "failed",
    }
}
