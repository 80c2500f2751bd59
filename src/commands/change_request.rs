//! A request moves on: its status, whose job it is, its description.

use super::{fresh_id, request_of};
use crate::domain::{
    Actor, Description, Event, Field, PersonId, Rejection, Request, RequestId, Role, Status,
};
use crate::store::{CommandResult, WriteTx, people};

/// Staff change a request; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct ChangeRequest {
    /// Where the job goes.
    pub status: Option<Status>,
    /// Whose job it becomes, or nobody's.
    pub assigned_to: Option<Option<PersonId>>,
    /// What is wrong with the vehicle.
    pub description: Option<Description>,
}

impl ChangeRequest {
    /// Changes it, all or nothing, and returns it as it is now.
    ///
    /// # Errors
    /// `NotAllowed` for owners, `NoSuch`, `StatusMove` for a status that it may not become.
    pub fn run(self, tx: &mut WriteTx<'_>, actor: &Actor, id: RequestId) -> CommandResult<Request> {
        let request = request_of(tx, id, actor)?;
        actor.must_be_staff()?;
        if let Some(status) = self.status {
            move_to(tx, actor, &request, status)?;
        }
        if let Some(mechanic) = self.assigned_to {
            assign(tx, actor, id, mechanic)?;
        }
        if let Some(description) = self.description
            && description.as_str() != request.description
        {
            let description = description.into_string();
            let event = Event::RequestDescribed {
                request: request.key,
                description,
            };
            tx.record(fresh_id(), actor, &event)?;
        }
        request_of(tx, id, actor)
    }
}

/// Moves a request on, if it may go there.
pub(super) fn move_to(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    request: &Request,
    status: Status,
) -> CommandResult<()> {
    if request.status == status {
        return Ok(());
    }
    if !request.status.may_become().contains(&status) {
        return Err(Rejection::StatusMove {
            from: request.status.word(),
            to: status.word(),
        }
        .into());
    }
    tx.record(
        fresh_id(),
        actor,
        &Event::StatusChanged {
            request: request.key,
            status,
        },
    )?;
    Ok(())
}

/// Makes the request somebody's job.
pub(super) fn assign(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: RequestId,
    to: Option<PersonId>,
) -> CommandResult<()> {
    let request = request_of(tx, id, actor)?;
    if request.assigned.as_ref().map(|named| named.id) == to {
        return Ok(());
    }
    let to = match to {
        None => None,
        Some(person) => {
            let staff = people::load(tx, person)?.filter(|person| match person.role {
                Role::Admin | Role::Mechanic => person.active,
                Role::Owner => false,
            });
            let nobody = Rejection::Value {
                field: Field("assigned_to"),
                why: "is nobody who works here",
            };
            Some(staff.ok_or(nobody)?.key)
        }
    };
    tx.record(
        fresh_id(),
        actor,
        &Event::RequestAssigned {
            request: request.key,
            to,
        },
    )?;
    Ok(())
}
