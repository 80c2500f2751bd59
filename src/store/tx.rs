//! What a command sees of the database: a consistent view, and the one way to change it.

use std::ops::Deref;

use rusqlite::Connection;

use super::error::{CommandError, StoreError};
use super::keys::BoxKeys;
use super::{describe, journal, project};
use crate::domain::{Actor, Committed, Event, EventId, Timestamp};

/// One consistent state of the database, for reading.
pub struct View<'c> {
    pub(super) conn: &'c Connection,
    pub(super) keys: &'c BoxKeys,
    pub(super) now: Timestamp,
}

impl View<'_> {
    /// The box's keys.
    pub const fn keys(&self) -> &BoxKeys {
        self.keys
    }

    /// The moment that this view was taken.
    pub const fn now(&self) -> Timestamp {
        self.now
    }
}

/// The writer's transaction, lent to one command at a time.
///
/// What a command records becomes visible to anybody only after the commit; if the command returns
/// an error, everything it did is undone.
pub struct WriteTx<'c> {
    view: View<'c>,
    typed: Option<Timestamp>,
    recorded: Vec<Committed>,
}

impl<'c> WriteTx<'c> {
    pub(super) const fn new(view: View<'c>) -> Self {
        Self {
            view,
            typed: None,
            recorded: Vec::new(),
        }
    }

    /// Writes a fact down: one entry of the journal and all that follows from it, and gives what will
    /// be published of it. There is no other way to an event, so nobody can publish early.
    ///
    /// # Errors
    /// The id was used before (a fault of the calling command, which must look first), or the disk
    /// says no.
    pub fn record(
        &mut self,
        id: EventId,
        by: &Actor,
        event: &Event,
    ) -> Result<&Committed, StoreError> {
        let before = describe::audience(&self.view, event)?;
        let entry = journal::append(&self.view, id, self.typed_at(), by.key, event)?;
        project::apply(&self.view, &entry, Some(event))?;
        let committed = describe::committed(&self.view, &entry, event, before)?;
        Ok(self.recorded.push_mut(committed))
    }

    /// From here on, what is recorded was typed at that moment: an owner's words come in when there is
    /// a line, and say when they were written.
    pub fn typed(&mut self, at: Timestamp) {
        self.typed = Some(at);
    }

    /// When what is recorded was typed: now, unless somebody said otherwise.
    pub fn typed_at(&self) -> Timestamp {
        self.typed.unwrap_or(self.view.now)
    }

    /// Says something to whoever listens that no single entry says.
    pub(super) fn announce(&mut self, committed: Committed) {
        self.recorded.push(committed);
    }

    pub(super) fn into_recorded(self) -> Vec<Committed> {
        self.recorded
    }
}

impl<'c> Deref for WriteTx<'c> {
    type Target = View<'c>;

    fn deref(&self) -> &View<'c> {
        &self.view
    }
}

/// What a command returns.
pub type CommandResult<T> = Result<T, CommandError>;
