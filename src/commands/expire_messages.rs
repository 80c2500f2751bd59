//! Messages that erase themselves when their time is up. Run by the box's own clockwork.

use super::fresh_id;
use crate::domain::{Actor, Event, Timestamp};
use crate::store::{CommandResult, WriteTx, messages};

const MESSAGES_PER_RUN_MAX: i64 = 256;

/// Erases what is due.
#[derive(Clone, Copy, Debug)]
pub struct ExpireMessages;

impl ExpireMessages {
    /// Erases up to 256 messages whose time is up, and says when the next one is due.
    ///
    /// # Errors
    /// Only what the disk says.
    pub fn run(self, tx: &mut WriteTx<'_>) -> CommandResult<Option<Timestamp>> {
        for (message, request) in messages::expired(tx, MESSAGES_PER_RUN_MAX)? {
            tx.record(
                fresh_id(),
                &Actor::the_box(),
                &Event::MessageExpired { request, message },
            )?;
        }
        Ok(messages::next_expiry(tx)?)
    }
}
