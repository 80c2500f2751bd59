//! Somebody joins the staff, or the workshop's list of owners.

use crate::domain::{
    Actor, Email, Event, EventId, Field, FullName, Person, PersonDetails, PersonKey, Phone,
    Rejection, Role, Username,
};
use crate::store::people;
use crate::store::{self, CommandResult, WriteTx};

/// Somebody joins.
#[derive(Clone, Debug)]
pub struct AddPerson {
    /// Named by whoever adds them, so that a retry adds nobody twice.
    pub id: EventId,
    /// What they are.
    pub role: Role,
    /// Their name.
    pub full_name: FullName,
    /// What they sign in with.
    pub username: Option<Username>,
    /// Their telephone number.
    pub phone: Option<Phone>,
    /// Their e-mail address.
    pub email: Option<Email>,
    /// Their password's hash.
    pub password_hash: Option<String>,
}

impl AddPerson {
    /// Adds them and returns them with their number.
    ///
    /// # Errors
    /// `NotAllowed` unless an admin does it (staff may add owners), `Taken` for a sign-in name that
    /// somebody has.
    pub fn run(self, tx: &mut WriteTx<'_>, actor: &Actor) -> CommandResult<Person> {
        match self.role {
            Role::Admin | Role::Mechanic => actor.must_be_admin()?,
            Role::Owner => actor.must_be_staff()?,
        }
        if store::known(tx, self.id)?.is_some() {
            return added(tx, self.id);
        }
        if let Some(username) = &self.username
            && people::username_taken(tx, username.as_str(), None)?
        {
            return Err(Rejection::Taken(Field("username")).into());
        }
        let event = Event::PersonAdded {
            number: people::next_number(tx)?,
            details: PersonDetails {
                role: self.role,
                full_name: self.full_name.into_string(),
                username: self.username.map(Username::into_string),
                phone: self.phone.map(Phone::into_string),
                email: self.email.map(Email::into_string),
                password_hash: self.password_hash,
            },
        };
        tx.record(self.id, actor, &event)?;
        added(tx, self.id)
    }
}

fn added(tx: &WriteTx<'_>, id: EventId) -> CommandResult<Person> {
    // Nobody by that key: the id belongs to an event of another kind.
    Ok(people::by_key(tx, PersonKey::new(id.uuid()))?.ok_or(Rejection::IdTaken)?)
}
