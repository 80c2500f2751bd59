//! Taking a message back: its words are erased for ever, and that there was one stays.

use super::{fresh_id, gate_of};
use crate::domain::{Actor, Content, Event, MessageId, Rejection, RequestId};
use crate::store::{CommandResult, WriteTx, messages};

/// Somebody takes a message back.
#[derive(Clone, Copy, Debug)]
pub struct RedactMessage {
    /// Where.
    pub request: RequestId,
    /// Which.
    pub message: MessageId,
}

impl RedactMessage {
    /// Erases the words. Doing it again changes nothing.
    ///
    /// # Errors
    /// `NoSuch`, or `RedactTooLate` when it is neither their own of the last 15 minutes nor are they
    /// an admin.
    pub fn run(self, tx: &mut WriteTx<'_>, actor: &Actor) -> CommandResult<()> {
        let request = gate_of(tx, self.request, actor)?;
        let message = messages::load(tx, self.message)?
            .filter(|message| message.request == self.request)
            .ok_or(Rejection::NoSuch("message"))?;
        if !message.may_be_redacted_by(actor.id, actor.role, tx.now()) {
            return Err(Rejection::RedactTooLate.into());
        }
        if let Content::Erased(_) = message.content {
            return Ok(());
        }
        let event = Event::MessageRedacted {
            request: request.key,
            message: message.event,
        };
        tx.record(fresh_id(), actor, &event)?;
        Ok(())
    }
}
