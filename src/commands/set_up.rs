//! The first run: the workshop gets its name and somebody to run it.

use super::{AddPerson, fresh_id};
use crate::domain::{Actor, Event, FullName, Person, Rejection, Role, Username};
use crate::store::{CommandResult, WriteTx, local};

/// Somebody sets the box up.
#[derive(Clone, Debug)]
pub struct SetUp {
    /// What the workshop is called.
    pub workshop_name: FullName,
    /// Who runs it.
    pub full_name: FullName,
    /// What they sign in with.
    pub username: Username,
    /// Their password's hash.
    pub password_hash: String,
}

impl SetUp {
    /// Names the workshop and adds its first admin.
    ///
    /// # Errors
    /// `AlreadySetUp` when there is a workshop: this works once.
    pub fn run(self, tx: &mut WriteTx<'_>) -> CommandResult<Person> {
        if local::workshop_name(tx)?.is_some() {
            return Err(Rejection::AlreadySetUp.into());
        }
        let the_box = Actor::the_box();
        let name = self.workshop_name.into_string();
        tx.record(fresh_id(), &the_box, &Event::WorkshopNamed { name })?;
        let admin = AddPerson {
            id: fresh_id(),
            role: Role::Admin,
            full_name: self.full_name,
            username: Some(self.username),
            phone: None,
            email: None,
            password_hash: Some(self.password_hash),
        };
        admin.run(tx, &the_box)
    }
}

/// Somebody confirms that the recovery words are written down.
#[derive(Clone, Copy, Debug)]
pub struct KeepWords;

impl KeepWords {
    /// From here on the words are never shown again.
    ///
    /// # Errors
    /// `NotAllowed` unless an admin does it.
    pub fn run(self, tx: &mut WriteTx<'_>, actor: &Actor) -> CommandResult<()> {
        actor.must_be_admin()?;
        Ok(local::keep_words(tx)?)
    }
}
