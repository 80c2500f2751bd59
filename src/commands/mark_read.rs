//! Reading on: what one side has seen, both sides learn.

use super::{fresh_id, gate_of};
use crate::domain::{Actor, Event, MessageId, RequestId};
use crate::store::{CommandResult, WriteTx, messages};

/// Somebody has seen the messages of the other side.
#[derive(Clone, Copy, Debug)]
pub struct MarkRead {
    /// Where.
    pub request: RequestId,
    /// Up to which message; `None` for all that there are.
    pub up_to: Option<MessageId>,
}

/// What changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marked {
    /// Messages that were unread until now.
    pub count: i64,
}

impl MarkRead {
    /// Notes it; going back changes nothing.
    ///
    /// # Errors
    /// `NoSuch` when the request is not theirs.
    pub fn run(self, tx: &mut WriteTx<'_>, actor: &Actor) -> CommandResult<Marked> {
        let request = gate_of(tx, self.request, actor)?;
        let unread = messages::unread_up_to(tx, self.request, actor.side(), self.up_to)?;
        let Some((up_to, count)) = unread else {
            return Ok(Marked { count: 0 });
        };
        let event = Event::MessagesRead {
            request: request.key,
            side: actor.side(),
            up_to,
        };
        tx.record(fresh_id(), actor, &event)?;
        Ok(Marked { count })
    }
}
