//! Signing in, going on and signing out. Sign-ins are local to the box and never in the journal.
//!
//! A refresh token is `<session id>.<256 random bits>`; only SHA-256 of the random part is stored. It
//! is changed at every use, and any other one ends its session: either the thief or the person notices.

use subtle::ConstantTimeEq;

use super::change_request;
use crate::domain::{
    Actor, DeviceId, Person, PersonId, Rejection, RequestId, Role, SessionId, Status,
};
use crate::store::people;
use crate::store::sessions::{self, NewSession};
use crate::store::{CommandResult, WriteTx, invites, requests};

/// How long a sign-in of staff lasts without being used, in milliseconds.
pub const STAFF_SESSION_MS: i64 = 30 * 24 * 3_600 * 1_000;
/// Devices that are signed in by one link at once; past it the one that was seen least lately is out.
const DEVICES_PER_LINK_MAX: i64 = 32;
/// Two tabs that refresh at the same moment send the same token, and so does whoever did not get the
/// answer: within this time, in milliseconds, they get the same successor.
const SAME_MOMENT_MS: i64 = 10_000;

/// Whoever just signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The person.
    pub person: Person,
    /// Their sign-in.
    pub session: SessionId,
    /// The one request that it opens, when by a link.
    pub only: Option<RequestId>,
}

/// Somebody whose password was just found right signs in.
#[derive(Clone, Debug)]
pub struct SignInByPassword {
    /// Who.
    pub person: PersonId,
    /// The token version that the password was checked against.
    pub version: i64,
    /// A new id for the sign-in.
    pub session: SessionId,
    /// SHA-256 of its refresh token.
    pub refresh_sha: [u8; 32],
    /// What to call the device.
    pub device_name: String,
}

impl SignInByPassword {
    /// Begins the sign-in.
    ///
    /// # Errors
    /// `WrongPassword` when the person left or changed it in the meantime.
    pub fn run(self, tx: &mut WriteTx<'_>) -> CommandResult<SignedIn> {
        let person = people::load(tx, self.person)?
            .filter(|person| person.active && person.token_version == self.version)
            .ok_or(Rejection::WrongPassword)?;
        let session = sessions::begin(
            tx,
            &NewSession {
                id: self.session,
                person: person.id,
                by_link: None,
                device_name: self.device_name,
                refresh_sha: self.refresh_sha,
                expires: tx.now().plus_ms(STAFF_SESSION_MS),
            },
        )?;
        Ok(SignedIn {
            person,
            session,
            only: None,
        })
    }
}

/// An owner opens their link.
#[derive(Clone, Debug)]
pub struct SignInByLink {
    /// What the page made of the link's secret, or the secret itself.
    pub code: [u8; 32],
    /// The device, as its page names it.
    pub device: Option<DeviceId>,
    /// What to call the device.
    pub device_name: String,
    /// A new id for the sign-in.
    pub session: SessionId,
    /// SHA-256 of its refresh token.
    pub refresh_sha: [u8; 32],
}

impl SignInByLink {
    /// Begins the owner's sign-in on this device, or goes on with the one that it has. The first
    /// time anybody opens a link of a request, the request becomes connected.
    ///
    /// # Errors
    /// `InviteInvalid`, `InviteRevoked`, `InviteExpired`.
    pub fn run(self, tx: &mut WriteTx<'_>) -> CommandResult<SignedIn> {
        let invite = invites::by_code(tx, self.code)?.ok_or(Rejection::InviteInvalid)?;
        if invite.revoked.is_some() {
            let owner = people::load(tx, invite.owner)?;
            if owner.is_some_and(|owner| owner.erased.is_some()) {
                return Err(Rejection::InviteErased.into());
            }
            return Err(Rejection::InviteRevoked.into());
        }
        if invite.expires <= tx.now() {
            return Err(Rejection::InviteExpired.into());
        }
        let person = people::load(tx, invite.owner)?
            .filter(|person| person.active && person.role == Role::Owner)
            .ok_or(Rejection::InviteInvalid)?;
        let session = sessions::begin(
            tx,
            &NewSession {
                id: self.session,
                person: person.id,
                by_link: Some((invite.id, self.device)),
                device_name: self.device_name,
                refresh_sha: self.refresh_sha,
                expires: invite.expires,
            },
        )?;
        sessions::end_oldest_by_invite(tx, invite.id, DEVICES_PER_LINK_MAX)?;
        let owner = Actor {
            id: person.id,
            key: person.key,
            role: Role::Owner,
            ..Actor::the_box()
        };
        if let Some(request) = requests::load(tx, invite.request)?
            && request.status == Status::Created
        {
            change_request::move_to(tx, &owner, &request, Status::Connected)?;
        }
        Ok(SignedIn {
            person,
            session,
            only: Some(invite.request),
        })
    }
}

/// A sign-in goes on with its refresh token.
#[derive(Clone, Debug)]
pub struct Refresh {
    /// Which sign-in.
    pub session: SessionId,
    /// SHA-256 of the token that was shown.
    pub shown_sha: [u8; 32],
    /// SHA-256 of the token that takes its place.
    pub next_sha: [u8; 32],
}

/// How a refresh ended.
#[derive(Clone, Debug)]
pub enum Refreshed {
    /// The next token is good, whether it took the shown one's place now or, for another tab or an
    /// answer that was lost, a moment ago.
    On(SignedIn),
    /// It is over: ended, run out, or an old token was shown, which ended it now.
    Over,
}

impl Refresh {
    /// Goes on with the sign-in. That a replayed token ends it must be stored, so being over is an
    /// answer and not an error.
    ///
    /// # Errors
    /// Only what the disk says.
    pub fn run(self, tx: &mut WriteTx<'_>) -> CommandResult<Refreshed> {
        let Some(session) = sessions::load(tx, self.session)? else {
            return Ok(Refreshed::Over);
        };
        if session.ended.is_some() {
            return Ok(Refreshed::Over);
        }
        if session.expires <= tx.now() {
            // For good: a clock that goes back revives nothing.
            sessions::end(tx, session.id)?;
            return Ok(Refreshed::Over);
        }
        let Some(person) = people::load(tx, session.person)?.filter(|person| person.active) else {
            return Ok(Refreshed::Over);
        };
        let is = |sha: [u8; 32]| bool::from(sha.ct_eq(&self.shown_sha));
        let moment = (tx.now().0 - session.rotated.0).abs() <= SAME_MOMENT_MS;
        let rotated = is(session.refresh_sha);
        let just_rotated = moment && session.previous_sha.is_some_and(is);
        if !rotated && !just_rotated {
            tracing::warn!(person = %person.id, "an old refresh token was shown; the sign-in is over");
            sessions::end(tx, session.id)?;
            return Ok(Refreshed::Over);
        }
        let only = match session.invite {
            None => None,
            Some(invite) => invites::load(tx, invite)?.map(|invite| invite.request),
        };
        if rotated {
            let expires = match session.invite {
                None => tx.now().plus_ms(STAFF_SESSION_MS),
                Some(_) => session.expires,
            };
            sessions::rotate(tx, session.id, self.next_sha, expires)?;
        }
        let signed_in = SignedIn {
            person,
            session: session.id,
            only,
        };
        Ok(Refreshed::On(signed_in))
    }
}

/// Somebody signs out on one device.
#[derive(Clone, Copy, Debug)]
pub struct SignOut {
    /// Which sign-in.
    pub session: SessionId,
}

impl SignOut {
    /// Ends it.
    ///
    /// # Errors
    /// Only what the disk says.
    pub fn run(self, tx: &mut WriteTx<'_>) -> CommandResult<()> {
        Ok(sessions::end(tx, self.session)?)
    }
}
