//! Forgetting an owner who asks for it: the decree, and carrying it out entry by entry.
//!
//! The decree and everything that says who they are go in one transaction; words follow a stretch at a
//! time, so that nobody else waits long. Whoever is stopped in between goes on at the next start.

use super::fresh_id;
use crate::domain::{Actor, Event, Extent, Field, PersonId, Rejection, Role};
use crate::store::erasure::{self, Leftover};
use crate::store::{
    CommandError, CommandResult, WriteTx, erasure_list, invites, people, requests, sessions,
};

/// Entries that lose their words in one transaction.
const ENTRIES_PER_RUN_MAX: i64 = 256;

/// An owner is forgotten.
#[derive(Clone, Debug)]
pub struct ErasePerson {
    /// Whom.
    pub person: PersonId,
    /// Their name as whoever asks typed it: a wrong number must forget nobody.
    pub name: String,
    /// How much.
    pub extent: Extent,
}

/// What the decree did at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Decreed {
    /// Requests that were theirs; they stay.
    pub requests: usize,
    /// Links that open nothing any more.
    pub links: usize,
    /// Entries that lost what they said.
    pub entries: usize,
}

impl ErasePerson {
    /// Decrees it: links are taken back, sign-ins end, and who they are is gone. `EraseLeftovers` does
    /// the rest. Doing it again changes nothing, or takes more.
    ///
    /// # Errors
    /// `NotAllowed` unless an admin does it, `NoSuch` for whoever is no owner, `Value` for another name.
    pub fn run(self, tx: &mut WriteTx<'_>, actor: &Actor) -> CommandResult<Decreed> {
        actor.must_be_admin()?;
        let owner = people::load(tx, self.person)?
            .filter(|person| person.role == Role::Owner)
            .ok_or(Rejection::NoSuch("owner"))?;
        if owner.full_name.trim() != self.name.trim() {
            return Err(Rejection::Value {
                field: Field("name"),
                why: "is not this owner's name; write it exactly as it is shown",
            }
            .into());
        }
        let requests = requests::of_owner(tx, owner.id)?;
        let mut done = Decreed {
            requests: requests.len(),
            ..Decreed::default()
        };
        for request in requests {
            for invite in invites::of_request(tx, request.id)? {
                if invite.revoked.is_some() {
                    continue;
                }
                sessions::end_by_invite(tx, invite.id)?;
                let event = Event::InviteRevoked {
                    request: request.key,
                    invite: invite.id,
                };
                tx.record(fresh_id(), actor, &event)?;
                done.links += 1;
            }
        }
        erasure::forget_sign_ins(tx, owner.id)?;
        let takes_more = match owner.erased {
            None => true,
            Some(Extent::Words) => self.extent == Extent::Everything,
            Some(Extent::Everything) => false,
        };
        if takes_more {
            let event = Event::PersonErased {
                person: owner.key,
                extent: self.extent,
            };
            tx.record(fresh_id(), actor, &event)?;
        }
        let forgotten = erasure::forgotten(tx)?;
        let own = forgotten.into_iter().filter(|who| who.id == owner.id);
        for who in own {
            done.entries += erase(tx, actor, erasure::identity(tx, who)?)?;
        }
        Ok(done)
    }
}

/// Whatever of forgotten people is still there, or came back, is erased.
#[derive(Clone, Copy, Debug)]
pub struct EraseLeftovers;

/// What one run of `EraseLeftovers` did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Swept {
    /// Entries that lost what they said.
    pub entries: usize,
    /// Whether there may be more.
    pub more: bool,
}

impl EraseLeftovers {
    /// Erases all that says who they are, and up to 256 entries with words.
    ///
    /// # Errors
    /// Only what the disk says.
    pub fn run(self, tx: &mut WriteTx<'_>) -> CommandResult<Swept> {
        let actor = Actor::the_box();
        let mut entries = 0;
        let mut left = ENTRIES_PER_RUN_MAX;
        again(tx, &actor)?;
        for who in erasure::forgotten(tx)? {
            entries += erase(tx, &actor, erasure::identity(tx, who)?)?;
            let words = if left > 0 {
                erasure::words(tx, who, left)?
            } else {
                Vec::new()
            };
            left -= i64::try_from(words.len()).unwrap_or(left);
            entries += erase(tx, &actor, words)?;
        }
        Ok(Swept {
            entries,
            more: left <= 0,
        })
    }
}

/// A backup from before a decree was restored: it is decreed again.
fn again(tx: &mut WriteTx<'_>, actor: &Actor) -> CommandResult<()> {
    let pending = erasure_list::pending(tx)?;
    if pending.is_empty() {
        return Ok(());
    }
    for (key, extent) in pending {
        let Some(owner) = people::by_key(tx, key)? else {
            continue;
        };
        let erase = ErasePerson {
            person: owner.id,
            name: owner.full_name,
            extent,
        };
        match erase.run(tx, actor) {
            Ok(_) | Err(CommandError::Rejected(_)) => {}
            Err(error @ CommandError::Store(_)) => return Err(error),
        }
    }
    Ok(erasure_list::done(tx)?)
}

fn erase(tx: &mut WriteTx<'_>, actor: &Actor, leftovers: Vec<Leftover>) -> CommandResult<usize> {
    let count = leftovers.len();
    for Leftover {
        event,
        request,
        remains,
    } in leftovers
    {
        let event = Event::EventErased {
            request,
            event,
            remains: remains.map(Box::new),
        };
        tx.record(fresh_id(), actor, &event)?;
    }
    Ok(count)
}
