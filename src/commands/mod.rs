//! One file per intention. A command loads what it needs, asks `domain`, records events; it runs
//! inside the writer's transaction (invariants 1–3), whichever door the intention came through.

mod accept_post;
#[cfg(test)]
mod accept_post_limits_test;
#[cfg(test)]
mod accept_post_test;
mod add_person;
mod change_person;
mod change_request;
mod erase_person;
#[cfg(test)]
mod erase_person_test;
mod expire_messages;
mod invite_owner;
mod mark_read;
mod open_request;
#[cfg(test)]
mod post_desk_test;
mod post_message;
mod post_turns;
mod redact_message;
mod set_up;
mod sign_in;

pub use accept_post::{AcceptPost, Accepted};
pub use add_person::AddPerson;
pub use change_person::ChangePerson;
pub use change_request::ChangeRequest;
pub use erase_person::{Decreed, EraseLeftovers, ErasePerson, Swept};
pub use expire_messages::ExpireMessages;
pub use invite_owner::{INVITE_LIFETIME_MS, InviteOwner, RevokeInvite};
pub use mark_read::{MarkRead, Marked};
pub use open_request::{Customer, OpenRequest, Opened};
pub use post_message::{PostMessage, Posted};
pub use post_turns::{PostTurns, Turn};
pub use redact_message::RedactMessage;
pub use set_up::{KeepWords, SetUp};
pub use sign_in::{
    Refresh, Refreshed, STAFF_SESSION_MS, SignInByLink, SignInByPassword, SignOut, SignedIn,
};

use uuid::Uuid;

use crate::domain::{Actor, EventId, Rejection, Request, RequestId};
use crate::store::requests::{self, Gate};
use crate::store::{CommandError, View};

/// The gate of a request that this actor is a party to; otherwise it does not exist for them.
fn gate_of(view: &View<'_>, id: RequestId, actor: &Actor) -> Result<Gate, CommandError> {
    Ok(requests::gate(view, id, actor)?.ok_or(Rejection::NoSuch("request"))?)
}

/// A request that this actor is a party to, with all that a list shows of it.
fn request_of(view: &View<'_>, id: RequestId, actor: &Actor) -> Result<Request, CommandError> {
    Ok(requests::load_for(view, id, actor)?.ok_or(Rejection::NoSuch("request"))?)
}

/// A new id for something that nobody outside needs to name.
fn fresh_id() -> EventId {
    EventId::new(Uuid::now_v7())
}
