//! Posting a message: the intention every chat line starts from.
//!
//! Called by `http::chat` for sockets, by `http::messages` for the fallback over HTTP and, through
//! `accept_post`, for owners at the relay. Runs inside the writer's transaction; see invariants 1–3
//! in `lib.rs`.

use super::gate_of;
use crate::domain::{
    Actor, Body, Change, Event, EventId, Field, Message, MessageId, Rejection, RequestId, Timestamp,
};
use crate::store::{self, CommandResult, StoreError, WriteTx, messages};

const EXPIRES_IN_S_MIN: i64 = 5;
const EXPIRES_IN_S_MAX: i64 = 366 * 24 * 3_600;

/// Somebody writes in a request.
#[derive(Clone, Debug)]
pub struct PostMessage {
    /// The id that the sender gave it: sent twice, it is stored once.
    pub id: EventId,
    /// Where.
    pub request: RequestId,
    /// What.
    pub body: Body,
    /// In answer to which message of the same request.
    pub reply_to: Option<MessageId>,
    /// Erase it by itself so many seconds after it was typed.
    pub expires_in_s: Option<i64>,
}

/// A message and whether this command stored it.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The message as it stands.
    pub message: Message,
    /// False when the id was known: then nothing was changed.
    pub fresh: bool,
}

impl PostMessage {
    /// Stores the message and returns it with its place in the conversation.
    ///
    /// Running it again with the same id returns the first one and changes nothing.
    ///
    /// # Errors
    /// `NoSuch` when the request is not theirs, `RequestClosed`, `IdTaken` when the id was used for
    /// something else.
    pub fn run(self, tx: &mut WriteTx<'_>, actor: &Actor) -> CommandResult<Posted> {
        let request = gate_of(tx, self.request, actor)?;
        if let Some(known) = store::known(tx, self.id)? {
            if !known.is_message || known.author != actor.key || known.request != Some(self.request)
            {
                return Err(Rejection::IdTaken.into());
            }
            return Ok(Posted {
                message: stored(tx, known.seq.message())?,
                fresh: false,
            });
        }
        if !request.status.takes_messages() {
            return Err(Rejection::RequestClosed.into());
        }
        let reply_to = self
            .reply_to
            .map(|id| quoted(tx, id, self.request))
            .transpose()?;
        let expires = self
            .expires_in_s
            .map(|after_s| expiry(tx.typed_at(), after_s))
            .transpose()?;
        let event = Event::MessagePosted {
            request: request.key,
            side: actor.side(),
            content: self.body.into_string(),
            reply_to,
            expires,
        };
        let recorded = tx.record(self.id, actor, &event)?;
        let Change::Posted(message) = &recorded.change else {
            return Err(StoreError::Damaged(format!("message {} has no row", recorded.seq)).into());
        };
        Ok(Posted {
            message: (**message).clone(),
            fresh: true,
        })
    }
}

fn stored(tx: &WriteTx<'_>, id: MessageId) -> CommandResult<Message> {
    Ok(messages::load(tx, id)?
        .ok_or_else(|| StoreError::Damaged(format!("message {id} has no row")))?)
}

fn quoted(tx: &WriteTx<'_>, id: MessageId, request: RequestId) -> CommandResult<EventId> {
    let quoted = messages::load(tx, id)?.filter(|message| message.request == request);
    Ok(quoted
        .ok_or(Rejection::NoSuch("message to reply to"))?
        .event)
}

fn expiry(typed: Timestamp, after_s: i64) -> Result<Timestamp, Rejection> {
    if (EXPIRES_IN_S_MIN..=EXPIRES_IN_S_MAX).contains(&after_s) {
        Ok(typed.plus_ms(after_s * 1_000))
    } else {
        Err(Rejection::Value {
            field: Field("expires_in"),
            why: "must be between 5 seconds and 366 days",
        })
    }
}
