//! Devices that opened a link at the relay. Those on the workshop's own network have sign-ins instead
//! (`sessions`).

use crate::domain::{DeviceId, InviteId, Timestamp};
use crate::store::error::StoreError;
use crate::store::tx::View;

/// A device that opened a link at the relay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkDevice {
    /// Its id, made by its own page.
    pub device: DeviceId,
    /// What it calls itself ("Chrome on Android").
    pub name: String,
    /// When it opened the link, by its own clock as far as that could be right.
    pub first: Timestamp,
    /// When it last wrote or read something.
    pub seen: Timestamp,
}

/// The devices that opened a link at the relay, the newest first.
pub fn devices(view: &View<'_>, invite: InviteId) -> Result<Vec<LinkDevice>, StoreError> {
    let mut query = view.conn.prepare_cached(
        "select d.device_id, d.name, d.first_ms, max(d.named_ms, coalesce(p.seen_ms, 0)) as seen_ms
         from link_device d left join post_device p on p.device_id = d.device_id
         where d.invite_id = ?1 order by seen_ms desc, d.device_id",
    )?;
    let devices = query.query_map([invite.as_bytes()], |row| {
        Ok(LinkDevice {
            device: DeviceId::from_bytes(row.get(0)?),
            name: row.get(1)?,
            first: Timestamp(row.get(2)?),
            seen: Timestamp(row.get(3)?),
        })
    })?;
    Ok(devices.collect::<Result<_, _>>()?)
}
