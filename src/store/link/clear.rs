//! What the relay is told of an entry in the clear: which links open a thread, the thread's keys
//! wrapped for each of their holders, and whose words are gone.
//!
//! It is made when an entry travels, not when it is written: a link that was taken back meanwhile gets
//! no key any more.

use rusqlite::params;

use crate::domain::{Event, InviteId, RequestKey, Seq};
use crate::seal::{Clear, Wrap, auth_sha};
use crate::store::error::StoreError;
use crate::store::invites;
use crate::store::journal::Entry;
use crate::store::tx::View;

/// Keys wrapped in one entry: a thread whose links were taken back a thousand times gives a new link
/// the newest ones. Keeps an entry within a frame.
const WRAPS_MAX: usize = 1_024;

/// What the relay must know of an entry.
pub(super) fn of(view: &View<'_>, entry: &Entry) -> Result<Option<Clear>, StoreError> {
    match entry.kind.as_str() {
        "invite_granted" | "invite_revoked" | "message_redacted" | "message_expired"
        | "event_erased" => {}
        _ => return Ok(None),
    }
    let Some(event) = entry.event()? else {
        return Ok(None);
    };
    if let Event::InviteGranted {
        request,
        invite,
        expires,
    } = event
    {
        let mut wraps = Vec::new();
        if opens(view, invite)? {
            let newest = epoch_after(view, entry)?;
            for epoch in (0..=newest).rev().take(WRAPS_MAX) {
                wraps.push(wrap(view, request, invite, epoch));
            }
            wraps.reverse();
        }
        let auth_sha = auth_sha(&view.keys.invite_secret(invite).auth());
        let expires_ms = expires.0;
        return Ok(Some(Clear::Granted {
            invite,
            auth_sha,
            expires_ms,
            wraps,
        }));
    }
    if let Event::InviteRevoked { request, invite } = event {
        let epoch = epoch_after(view, entry)?;
        let mut wraps = Vec::new();
        for other in granted_before(view, entry)? {
            if other != invite && opens(view, other)? && wraps.len() < WRAPS_MAX {
                wraps.push(wrap(view, request, other, epoch));
            }
        }
        return Ok(Some(Clear::Revoked { invite, wraps }));
    }
    if let Event::EventErased { event, .. } = event {
        return Ok(Some(Clear::Erased { event }));
    }
    if let Event::MessageRedacted { message, .. } | Event::MessageExpired { message, .. } = event {
        return Ok(Some(Clear::Erased { event: message }));
    }
    Ok(None)
}

fn wrap(view: &View<'_>, thread: RequestKey, invite: InviteId, epoch: u16) -> Wrap {
    let key = view.keys.thread_key(thread, epoch);
    let secret = view.keys.invite_secret(invite);
    Wrap {
        invite,
        epoch,
        wrapped: secret.wrap(&key, *invite.as_bytes(), epoch),
    }
}

/// Whether a link still opens its thread, as things stand now.
fn opens(view: &View<'_>, invite: InviteId) -> Result<bool, StoreError> {
    Ok(invites::load(view, invite)?.is_some_and(|invite| invite.revoked.is_none()))
}

/// The thread's key that is in use after an entry: each link that was taken back renewed it. It is
/// counted, because branches that were brought together each counted by themselves.
fn epoch_after(view: &View<'_>, entry: &Entry) -> Result<u16, StoreError> {
    let request = entry.request.map(|request| request.0);
    let count: i64 = view
        .conn
        .prepare_cached(
            "select count(*) from event
             where request_id = ?1 and kind = 'invite_revoked' and seq <= ?2",
        )?
        .query_row(params![request, entry.seq.0], |row| row.get(0))?;
    Ok(u16::try_from(count).unwrap_or(u16::MAX))
}

/// Links of the entry's thread that were given out before it.
fn granted_before(view: &View<'_>, entry: &Entry) -> Result<Vec<InviteId>, StoreError> {
    let Some(request) = entry.request else {
        return Ok(Vec::new());
    };
    let mut granted = Vec::new();
    for invite in invites::of_request(view, request)? {
        if was_granted_before(view, entry, invite.id)? {
            granted.push(invite.id);
        }
    }
    Ok(granted)
}

/// A link that comes later in the journal gets this key with its own entry.
fn was_granted_before(
    view: &View<'_>,
    entry: &Entry,
    invite: InviteId,
) -> Result<bool, StoreError> {
    let request = entry.request.map(|request| request.0);
    let mut query = view.conn.prepare_cached(
        "select exists (select 1 from event
         where request_id = ?1 and kind = 'invite_granted' and seq < ?2
           and json_extract(body, '$.invite') = ?3)",
    )?;
    let Seq(seq) = entry.seq;
    Ok(query.query_row(
        params![request, seq, invite.uuid().hyphenated().to_string()],
        |row| row.get(0),
    )?)
}
