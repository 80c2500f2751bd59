//! Taking a vehicle in: the owner, the vehicle, the request and the owner's link, all or nothing.

use super::{AddPerson, InviteOwner, fresh_id, gate_of};
use crate::domain::{
    Actor, Description, Email, Event, EventId, Field, FullName, Invite, Person, PersonId, Phone,
    Rejection, Request, RequestId, RequestKey, Role, Vehicle,
};
use crate::store::people;
use crate::store::{self, CommandResult, WriteTx, invites, requests};

/// Whose vehicle it is.
#[derive(Clone, Debug)]
pub enum Customer {
    /// Somebody who came before.
    Known(PersonId),
    /// Somebody as they introduce themselves; with the same name and telephone number as an earlier
    /// customer they are the same person.
    Named {
        /// Their name.
        full_name: FullName,
        /// Their telephone number.
        phone: Option<Phone>,
        /// Their e-mail address.
        email: Option<Email>,
    },
}

/// A vehicle comes in.
#[derive(Clone, Debug)]
pub struct OpenRequest {
    /// Named by whoever takes it in, so that a retry opens nothing twice.
    pub id: EventId,
    /// Whose it is.
    pub customer: Customer,
    /// The vehicle.
    pub vehicle: Vehicle,
    /// What is wrong.
    pub description: Description,
    /// The mechanic whose job it becomes.
    pub assign_to: Option<PersonId>,
}

/// A request and its owner's first link.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The request.
    pub request: Request,
    /// The link.
    pub invite: Invite,
}

impl OpenRequest {
    /// Opens the request. Running it again with the same id returns the first one.
    ///
    /// # Errors
    /// `NotAllowed` for owners, `NoSuch` for a customer or mechanic who is not there, `NotSetUp`
    /// before the first run is over.
    pub fn run(self, tx: &mut WriteTx<'_>, actor: &Actor) -> CommandResult<Opened> {
        actor.must_be_staff()?;
        if store::local::workshop_name(tx)?.is_none() {
            return Err(Rejection::NotSetUp.into());
        }
        if let Some(known) = store::known(tx, self.id)? {
            let id = known.request.ok_or(Rejection::IdTaken)?;
            if gate_of(tx, id, actor)?.key != RequestKey::new(self.id.uuid()) {
                return Err(Rejection::IdTaken.into());
            }
            let invite = invites::of_request(tx, id)?.into_iter().next();
            let invite = invite.ok_or(Rejection::IdTaken)?;
            return Ok(Opened {
                request: loaded(tx, id)?,
                invite,
            });
        }
        let owner = owner(tx, self.customer, actor)?;
        let event = Event::RequestOpened {
            number: requests::next_number(tx)?,
            owner: owner.key,
            vehicle: self.vehicle,
            description: self.description.into_string(),
        };
        tx.record(self.id, actor, &event)?;
        let known = store::known(tx, self.id)?.and_then(|known| known.request);
        let id = known.ok_or(Rejection::NoSuch("request"))?;
        if let Some(mechanic) = self.assign_to {
            super::change_request::assign(tx, actor, id, Some(mechanic))?;
        }
        let invite = InviteOwner { request: id }.run(tx, actor)?;
        Ok(Opened {
            request: loaded(tx, id)?,
            invite,
        })
    }
}

fn loaded(tx: &WriteTx<'_>, id: RequestId) -> CommandResult<Request> {
    Ok(requests::load(tx, id)?.ok_or(Rejection::NoSuch("request"))?)
}

fn owner(tx: &mut WriteTx<'_>, customer: Customer, actor: &Actor) -> CommandResult<Person> {
    match customer {
        Customer::Known(id) => {
            let person = people::load(tx, id)?.filter(|person| person.role == Role::Owner);
            if person
                .as_ref()
                .is_some_and(|person| person.erased.is_some())
            {
                return Err(Rejection::OwnerErased.into());
            }
            Ok(person.ok_or(Rejection::Value {
                field: Field("customer_id"),
                why: "is not a vehicle owner of this workshop",
            })?)
        }
        Customer::Named {
            full_name,
            phone,
            email,
        } => {
            if let Some(phone) = &phone
                && let Some(person) = people::owner_like(tx, full_name.as_str(), phone.as_str())?
            {
                return Ok(person);
            }
            let added = AddPerson {
                id: fresh_id(),
                role: Role::Owner,
                full_name,
                username: None,
                phone,
                email,
                password_hash: None,
            };
            added.run(tx, actor)
        }
    }
}
