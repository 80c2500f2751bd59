//! How a browser asks for a socket: which contract, by which token, from which position.

use axum::extract::{Query, Request};
use serde::Deserialize;

use super::edge::Edge;
use super::problem::Problem;
use super::upgrade::{Upgrading, upgrade};
use crate::domain::Seq;
use crate::hub::Dialect;
use crate::store::Head;
use crate::store::people::Credential;

/// The subprotocol of `wire.md` §6.
const V1: &str = "motoreach.v1";

/// What was asked for, and the upgrade that was granted.
pub(super) struct Asked {
    /// The upgrade.
    pub(super) upgrading: Upgrading,
    /// The contract that the browser speaks.
    pub(super) dialect: Dialect,
    /// Who says to be asking; `None` without a token that this box gave out.
    pub(super) who: Option<Credential>,
    /// Where a page that comes back left off.
    pub(super) position: Option<Head>,
}

#[derive(Deserialize, Default)]
struct Parameters {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access: Option<String>,
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    log: Option<String>,
}

/// Grants the upgrade and reads what was asked for. A token is taken whatever becomes of the socket:
/// a browser can read only how a socket is closed, not how one is refused.
///
/// # Errors
/// It is no WebSocket that is asked for, or one that we do not speak.
pub(super) fn asked(edge: &Edge, request: &mut Request) -> Result<Asked, Problem> {
    let upgrading = upgrade(request, &[V1])?;
    let parameters = Query::<Parameters>::try_from_uri(request.uri());
    let Query(parameters) = parameters.unwrap_or_default();
    let token = parameters.token.or(parameters.access);
    let position = parameters
        .after
        .and_then(|after| after.parse().ok())
        .zip(parameters.log.and_then(|log| log.parse().ok()))
        .map(|(after, log)| Head {
            log,
            seq: Seq(after),
        });
    Ok(Asked {
        dialect: match upgrading.protocol {
            Some(_) => Dialect::V1,
            None => Dialect::Original,
        },
        who: token.and_then(|token| edge.socket_token(&token)),
        position,
        upgrading,
    })
}
