//! Owners' links: which there are, and which one a code belongs to.

use rusqlite::{OptionalExtension, Row};

use super::error::StoreError;
use super::tx::View;
use crate::domain::{Invite, InviteId, PersonId, RequestId, RequestKey, Timestamp};
use crate::seal;

const INVITE: &str = "select i.id, i.request_id, r.key, r.owner_id, i.created_ms, i.expires_ms,
    i.revoked_ms from invite i join request r on r.id = i.request_id";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Invite> {
    Ok(Invite {
        id: InviteId::from_bytes(row.get(0)?),
        request: RequestId(row.get(1)?),
        request_key: RequestKey::from_bytes(row.get(2)?),
        owner: PersonId(row.get(3)?),
        created: Timestamp(row.get(4)?),
        expires: Timestamp(row.get(5)?),
        revoked: row.get::<_, Option<i64>>(6)?.map(Timestamp),
    })
}

/// One link.
pub fn load(view: &View<'_>, id: InviteId) -> Result<Option<Invite>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached(&format!("{INVITE} where i.id = ?1"))?;
    Ok(query.query_row([id.as_bytes()], from_row).optional()?)
}

/// Every link of a request, oldest first.
pub fn of_request(view: &View<'_>, request: RequestId) -> Result<Vec<Invite>, StoreError> {
    let sql = format!("{INVITE} where i.request_id = ?1 order by i.created_ms, i.id");
    let mut query = view.conn.prepare_cached(&sql)?;
    Ok(query
        .query_map([request.0], from_row)?
        .collect::<Result<_, _>>()?)
}

/// The link that a code proves to carry.
///
/// `code` is what the page makes of the link's secret (`sync.md` §5), or the secret itself, as people
/// and scripts copy it. Only a hash is stored and looked up, so the time that a look-up takes tells
/// nothing about the code.
pub fn by_code(view: &View<'_>, code: [u8; 32]) -> Result<Option<Invite>, StoreError> {
    let as_secret = seal::InviteSecret::from_bytes(code).auth();
    let mut query = view
        .conn
        .prepare_cached(&format!("{INVITE} where i.auth_sha = ?1"))?;
    for auth in [code, as_secret] {
        let sha = seal::auth_sha(&auth);
        if let Some(invite) = query.query_row([sha], from_row).optional()? {
            return Ok(Some(invite));
        }
    }
    Ok(None)
}

/// What is stored of a link's secret: SHA-256 of its `auth`.
pub(super) fn auth_sha_of(view: &View<'_>, invite: InviteId) -> [u8; 32] {
    seal::auth_sha(&view.keys.invite_secret(invite).auth())
}
