//! Something about a person changes: name, role, sign-in, password, or that they work here.

use super::fresh_id;
use crate::domain::{
    Actor, Event, Field, Person, PersonEdit, PersonId, Rejection, Role, SessionId,
};
use crate::store::people;
use crate::store::{CommandResult, WriteTx, sessions};

/// A person is changed.
#[derive(Clone, Debug)]
pub struct ChangePerson {
    /// Whom.
    pub person: PersonId,
    /// What.
    pub edit: PersonEdit,
    /// The sign-in that goes on although a password changed: the one that changed it.
    pub keep: Option<SessionId>,
}

impl ChangePerson {
    /// Changes them and returns them as they are now. A new password, another role or leaving ends
    /// every sign-in made before.
    ///
    /// # Errors
    /// `NotAllowed` unless an admin does it or somebody changes their own password, `LastAdmin` when
    /// nobody would be left to run the workshop, `Taken`, `NoSuch`.
    pub fn run(self, tx: &mut WriteTx<'_>, actor: &Actor) -> CommandResult<Person> {
        let Self {
            person: id,
            edit,
            keep,
        } = self;
        let own_password = actor.id == id
            && edit
                == PersonEdit {
                    password_hash: edit.password_hash.clone(),
                    ..PersonEdit::default()
                };
        if !own_password {
            actor.must_be_admin()?;
        }
        let person = people::load(tx, id)?.ok_or(Rejection::NoSuch("person"))?;
        if person.erased.is_some() {
            return Err(Rejection::OwnerErased.into());
        }
        let leaves =
            edit.active == Some(false) || edit.role.is_some_and(|role| role != Role::Admin);
        if person.role == Role::Admin
            && person.active
            && leaves
            && people::other_admins(tx, id)? == 0
        {
            return Err(Rejection::LastAdmin.into());
        }
        // An owner is a customer, not a colleague: they come and go by their link.
        if (person.role == Role::Owner) != (edit.role.unwrap_or(person.role) == Role::Owner) {
            return Err(Rejection::Value {
                field: Field("role"),
                why: "cannot change between staff and owner; add a new person instead",
            }
            .into());
        }
        if let Some(username) = &edit.username
            && people::username_taken(tx, username, Some(id))?
        {
            return Err(Rejection::Taken(Field("username")).into());
        }
        if edit.is_empty() {
            return Ok(person);
        }
        if edit.ends_sessions() {
            sessions::end_all_of(tx, id, keep)?;
        }
        tx.record(
            fresh_id(),
            actor,
            &Event::PersonChanged {
                person: person.key,
                edit,
            },
        )?;
        Ok(people::load(tx, id)?.ok_or(Rejection::NoSuch("person"))?)
    }
}
