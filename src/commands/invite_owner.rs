//! Owners' links: giving one out, taking one back.

use uuid::Uuid;

use super::{fresh_id, gate_of};
use crate::domain::{Actor, Event, Invite, InviteId, Rejection, RequestId};
use crate::store::{CommandResult, WriteTx, invites, people, requests, sessions};

/// How long a link opens its thread, in milliseconds: longer than most jobs and their warranty talk.
pub const INVITE_LIFETIME_MS: i64 = 180 * 24 * 3_600 * 1_000;

/// The owner of a request gets a link.
#[derive(Clone, Copy, Debug)]
pub struct InviteOwner {
    /// Which request.
    pub request: RequestId,
}

impl InviteOwner {
    /// Makes the link. Earlier ones go on working until they are taken back.
    ///
    /// # Errors
    /// `NotAllowed` for owners, `NoSuch`.
    pub fn run(self, tx: &mut WriteTx<'_>, actor: &Actor) -> CommandResult<Invite> {
        let request = gate_of(tx, self.request, actor)?;
        actor.must_be_staff()?;
        let owner = requests::load(tx, self.request)?.map(|request| request.owner.id);
        let owner = owner.map_or(Ok(None), |owner| people::load(tx, owner))?;
        if owner.is_some_and(|owner| owner.erased.is_some()) {
            return Err(Rejection::OwnerErased.into());
        }
        let invite = InviteId::new(Uuid::new_v4());
        let expires = tx.now().plus_ms(INVITE_LIFETIME_MS);
        let event = Event::InviteGranted {
            request: request.key,
            invite,
            expires,
        };
        tx.record(fresh_id(), actor, &event)?;
        Ok(invites::load(tx, invite)?.ok_or(Rejection::NoSuch("link"))?)
    }
}

/// A link is taken back.
#[derive(Clone, Copy, Debug)]
pub struct RevokeInvite {
    /// The request that it opens.
    pub request: RequestId,
    /// The link.
    pub invite: InviteId,
}

impl RevokeInvite {
    /// Takes it back: sign-ins by it end and its thread's key is renewed. Doing it again changes
    /// nothing.
    ///
    /// # Errors
    /// `NotAllowed` for owners, `NoSuch`.
    pub fn run(self, tx: &mut WriteTx<'_>, actor: &Actor) -> CommandResult<()> {
        let request = gate_of(tx, self.request, actor)?;
        actor.must_be_staff()?;
        let invite = invites::load(tx, self.invite)?
            .filter(|invite| invite.request == self.request)
            .ok_or(Rejection::NoSuch("link"))?;
        if invite.revoked.is_some() {
            return Ok(());
        }
        sessions::end_by_invite(tx, self.invite)?;
        let event = Event::InviteRevoked {
            request: request.key,
            invite: self.invite,
        };
        tx.record(fresh_id(), actor, &event)?;
        Ok(())
    }
}
