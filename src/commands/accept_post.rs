//! Taking an owner's post in, as the relay hands it over. The relay is not believed: the seal says who
//! wrote it, and the same commands decide as on the workshop's own network.
//!
//! The event that comes of a post carries the post's id: the journal is its only acknowledgement. So
//! whatever is authentic leaves exactly one event under its id, if only to say that it was refused;
//! what is not authentic leaves none, whatever a relay sends.

use super::{PostMessage, change_request, request_of};
use crate::domain::{
    Actor, Body, Event, EventId, Field, FullName, Invite, MessageId, Person, Rejection, Role,
    Scope, Seq, Status, Timestamp,
};
use crate::seal::SealedPost;
use crate::store::link::posts::{self, Deed};
use crate::store::{self, CommandError, CommandResult, StoreError, WriteTx};
use crate::store::{invites, messages, people};

/// The longest time before now that a phone may say it was typed, in milliseconds: 30 days. A phone
/// that was off for longer, or whose clock is wrong, is not believed.
const TYPED_BEFORE_MAX_MS: i64 = 30 * 24 * 3_600 * 1_000;

/// An owner's post comes in.
#[derive(Clone, Debug)]
pub struct AcceptPost {
    /// The post, sealed.
    pub post: SealedPost,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Accepted {
    /// It is in the journal, as what it says or as refused.
    Journalled {
        /// Where.
        seq: Seq,
    },
    /// It was there before: nothing changed.
    Known,
    /// No owner wrote it, or none whose link opens anything: nothing changed. The word is one of
    /// `wire::link::Refused`.
    Unauthentic(&'static str),
    /// Not now: it should come again later.
    Later(&'static str),
}

impl AcceptPost {
    /// Takes it in. Running it again with the same post changes nothing.
    ///
    /// # Errors
    /// Only what the disk says.
    pub fn run(self, tx: &mut WriteTx<'_>) -> CommandResult<Accepted> {
        let Self { post } = self;
        if store::known(tx, post.id)?.is_some() {
            return Ok(Accepted::Known);
        }
        let invite = invites::load(tx, post.invite)?;
        let Some(invite) = invite.filter(|invite| invite.request_key == post.thread) else {
            return Ok(Accepted::Unauthentic("unknown_link"));
        };
        let Some(opened) = posts::open(tx.keys(), &post) else {
            return Ok(Accepted::Unauthentic("unreadable"));
        };
        let at = believed(opened.at, tx.now());
        if invite.revoked.is_some() {
            return Ok(Accepted::Unauthentic("revoked"));
        }
        // What was typed while the link was good counts, however long the line was down, and whatever
        // this box's clock says by now: the relay took it while the link was good by its own.
        if invite.expires <= opened.at.min(tx.now()) {
            return Ok(Accepted::Unauthentic("expired"));
        }
        let person = people::load(tx, invite.owner)?;
        let Some(person) = person.filter(|it| it.active && it.role == Role::Owner) else {
            return Ok(Accepted::Unauthentic("unknown_link"));
        };
        if !posts::admit(tx, invite.id, post.sealed.len())? {
            tracing::warn!(request = %invite.request, "too many posts; the rest waits");
            return Ok(Accepted::Later("too_many"));
        }
        if let Some(seq) = opened.seq {
            posts::note(tx, post.device, seq)?;
        }
        let owner = owner(person, &invite);
        tx.typed(at);
        connect(tx, &owner, &invite)?;
        match done(tx, &owner, &invite, &post, opened.deed) {
            Ok(()) => {}
            Err(CommandError::Rejected(rejection)) => {
                tracing::debug!(%rejection, "an owner's post was refused");
                let event = Event::PostRefused {
                    request: invite.request_key,
                    why: rejection.code().to_owned(),
                };
                tx.record(post.id, &owner, &event)?;
            }
            Err(error @ CommandError::Store(_)) => return Err(error),
        }
        let known = store::known(tx, post.id)?;
        let seq = known.ok_or(StoreError::Fault(None))?.seq;
        Ok(Accepted::Journalled { seq })
    }
}

/// When it was typed, as far as a phone's clock can be believed.
fn believed(typed: Timestamp, now: Timestamp) -> Timestamp {
    if (now.plus_ms(-TYPED_BEFORE_MAX_MS)..=now).contains(&typed) {
        typed
    } else {
        now
    }
}

fn owner(person: Person, invite: &Invite) -> Actor {
    Actor {
        id: person.id,
        key: person.key,
        name: person.full_name,
        role: Role::Owner,
        scope: Scope::Only(invite.request),
    }
}

/// The first sign of an owner connects their request, by whichever door they come.
fn connect(tx: &mut WriteTx<'_>, owner: &Actor, invite: &Invite) -> CommandResult<()> {
    let request = request_of(tx, invite.request, owner)?;
    if request.status == Status::Created {
        change_request::move_to(tx, owner, &request, Status::Connected)?;
    }
    Ok(())
}

/// Does what the post says. A rejection comes before anything is recorded under its id.
fn done(
    tx: &mut WriteTx<'_>,
    owner: &Actor,
    invite: &Invite,
    post: &SealedPost,
    deed: Deed,
) -> CommandResult<()> {
    match deed {
        Deed::Message {
            content,
            reply_to,
            expires_in_s,
        } => {
            let body = Body::parse(&content).map_err(|why| Rejection::Text {
                field: Field("content"),
                why,
            })?;
            let reply_to = match reply_to {
                // What it answers may be gone; what it says is worth having.
                Some(id) => message_in(tx, invite, id)?,
                None => None,
            };
            let command = PostMessage {
                id: post.id,
                request: invite.request,
                body,
                reply_to,
                expires_in_s,
            };
            command.run(tx, owner)?;
        }
        Deed::Read { up_to } => {
            let message = message_in(tx, invite, up_to)?.ok_or(Rejection::NoSuch("message"))?;
            let unread = messages::unread_up_to(tx, invite.request, owner.side(), Some(message))?;
            let event = Event::MessagesRead {
                request: invite.request_key,
                side: owner.side(),
                // Also when nothing was unread any more: the post must be acknowledged.
                up_to: unread.map_or(up_to, |(newest, _)| newest),
            };
            tx.record(post.id, owner, &event)?;
        }
        Deed::Device { name } => {
            let name = FullName::parse(&name).map_err(|why| Rejection::Text {
                field: Field("name"),
                why,
            })?;
            let event = Event::DeviceLinked {
                request: invite.request_key,
                invite: invite.id,
                device: post.device,
                name: name.into_string(),
            };
            tx.record(post.id, owner, &event)?;
        }
        Deed::Unreadable => {
            return Err(Rejection::Value {
                field: Field("post"),
                why: "cannot be read",
            }
            .into());
        }
    }
    Ok(())
}

/// A message of the link's own thread.
fn message_in(
    tx: &WriteTx<'_>,
    invite: &Invite,
    id: EventId,
) -> Result<Option<MessageId>, StoreError> {
    let known = store::known(tx, id)?;
    Ok(known
        .filter(|known| known.is_message && known.request == Some(invite.request))
        .map(|known| known.seq.message()))
}
