//! One step of the sample, taken through the same commands that people use.

use super::plan::{Deed, Step};
use super::stories::{Line, Who};
use super::{Staff, Thing, WORKSHOP, owners, sample_id};
use crate::commands::{
    AddPerson, ChangeRequest, Customer, KeepWords, MarkRead, OpenRequest, PostMessage, SetUp,
};
use crate::domain::{
    Actor, Body, Description, EventId, Field, FullName, Named, Person, PersonKey, Phone, Rejection,
    RequestId, Role, Scope, TextError, Username,
};
use crate::store::people::{self, SignInName};
use crate::store::{self, CommandResult, View, WriteTx, requests};

/// The id of what a step begins with.
pub(super) fn id_of(step: &Step) -> EventId {
    let request = step.request;
    EventId::new(sample_id(match step.deed {
        Deed::Open { .. } => Thing::Request { request },
        Deed::Say { place, .. } => Thing::Message { request, place },
    }))
}

/// Names the workshop and adds everybody who works there, all or nothing.
pub(super) fn add_staff(tx: &mut WriteTx<'_>, hash: &str) -> CommandResult<()> {
    for staff in Staff::ALL {
        let full_name = parsed(FullName::parse(staff.full_name()))?;
        let username = parsed(Username::parse(staff.username()))?;
        if staff == Staff::Meera {
            let workshop_name = parsed(FullName::parse(WORKSHOP))?;
            let password_hash = hash.to_owned();
            SetUp {
                workshop_name,
                full_name,
                username,
                password_hash,
            }
            .run(tx)?;
            // Nobody needs to write the sample's recovery words down.
            KeepWords.run(tx, &Actor::the_box())?;
        } else {
            let add = AddPerson {
                id: EventId::new(sample_id(Thing::Staff(staff))),
                role: staff.role(),
                full_name,
                username: Some(username),
                phone: None,
                email: None,
                password_hash: Some(hash.to_owned()),
            };
            add.run(tx, &Actor::the_box())?;
        }
    }
    Ok(())
}

/// Takes a step, unless it was taken before.
pub(super) fn take(tx: &mut WriteTx<'_>, step: &Step, hash: &str) -> CommandResult<()> {
    let id = id_of(step);
    if store::known(tx, id)?.is_some() {
        return Ok(());
    }
    let request = match &step.deed {
        Deed::Open { story, told_before } => {
            let owner = add_owner(tx, step.request, hash)?;
            let mechanic = story
                .mechanic
                .map(|staff| employee(tx, staff))
                .transpose()?;
            let open = OpenRequest {
                id,
                customer: Customer::Known(owner.id),
                vehicle: owners::vehicle(step.request, story, *told_before),
                description: parsed(Description::parse(story.fault))?,
                assign_to: mechanic.map(|mechanic| mechanic.id),
            };
            let joseph = employee(tx, Staff::Joseph)?;
            open.run(tx, &joseph)?.request.id
        }
        Deed::Say { who, text, .. } => {
            let request = request_of(tx, step.request)?;
            let actor = actor(tx, *who, step.request)?;
            let body = parsed(Body::parse(&filled(tx, text, request)?))?;
            MarkRead {
                request,
                up_to: None,
            }
            .run(tx, &actor)?;
            PostMessage {
                id,
                request,
                body,
                reply_to: None,
                expires_in_s: None,
            }
            .run(tx, &actor)?;
            request
        }
    };
    step.then
        .iter()
        .try_for_each(|line| follow(tx, request, step.request, *line))
}

/// What follows a step at once.
fn follow(tx: &mut WriteTx<'_>, request: RequestId, number: u32, line: Line) -> CommandResult<()> {
    match line {
        Line::Says(..) => {}
        Line::Reads(who) => {
            let actor = actor(tx, who, number)?;
            MarkRead {
                request,
                up_to: None,
            }
            .run(tx, &actor)?;
        }
        Line::Becomes(status) => {
            let joseph = employee(tx, Staff::Joseph)?;
            let change = ChangeRequest {
                status: Some(status),
                ..ChangeRequest::default()
            };
            change.run(tx, &joseph, request)?;
        }
    }
    Ok(())
}

fn add_owner(tx: &mut WriteTx<'_>, number: u32, hash: &str) -> CommandResult<Person> {
    let add = AddPerson {
        id: EventId::new(sample_id(Thing::Owner { request: number })),
        role: Role::Owner,
        full_name: parsed(FullName::parse(&owners::full_name(number)))?,
        username: Some(parsed(Username::parse(&owners::username(number)))?),
        phone: Some(parsed(Phone::parse(&owners::phone(number)))?),
        email: None,
        password_hash: Some(hash.to_owned()),
    };
    add.run(tx, &Actor::the_box())
}

fn actor(view: &View<'_>, who: Who, number: u32) -> CommandResult<Actor> {
    match who {
        Who::Works(staff) => employee(view, staff),
        Who::Owner => {
            let key = PersonKey::new(sample_id(Thing::Owner { request: number }));
            as_actor(people::by_key(view, key)?)
        }
    }
}

fn employee(view: &View<'_>, staff: Staff) -> CommandResult<Actor> {
    if staff == Staff::Meera {
        // The first run gave her a key of its own.
        let named = people::by_sign_in_name(view, SignInName::Username(staff.username()))?;
        return as_actor(named.map(|(person, _)| person));
    }
    as_actor(people::by_key(
        view,
        PersonKey::new(sample_id(Thing::Staff(staff))),
    )?)
}

fn as_actor(person: Option<Person>) -> CommandResult<Actor> {
    let Person {
        id,
        key,
        full_name: name,
        role,
        ..
    } = person.ok_or(Rejection::NoSuch("person of the sample"))?;
    Ok(Actor {
        id,
        key,
        name,
        role,
        scope: Scope::Everything,
    })
}

fn request_of(view: &View<'_>, number: u32) -> CommandResult<RequestId> {
    let id = EventId::new(sample_id(Thing::Request { request: number }));
    let known = store::known(view, id)?.and_then(|known| known.request);
    Ok(known.ok_or(Rejection::NoSuch("request of the sample"))?)
}

/// A text with the names of this request in it.
fn filled(view: &View<'_>, text: &str, id: RequestId) -> CommandResult<String> {
    if !text.contains('{') {
        return Ok(text.to_owned());
    }
    let request = requests::load(view, id)?;
    let request = request.ok_or(Rejection::NoSuch("request of the sample"))?;
    let Named { name, .. } = &request.owner;
    let first_name = name.split(' ').next().unwrap_or(name);
    Ok(text
        .replace("{name}", first_name)
        .replace(
            "{model}",
            request.vehicle.model.as_deref().unwrap_or("vehicle"),
        )
        .replace("{plate}", &request.vehicle.plate))
}

/// The sample's texts keep the rules; tests say so.
fn parsed<T>(text: Result<T, TextError>) -> CommandResult<T> {
    Ok(text.map_err(|why| Rejection::Text {
        field: Field("sample"),
        why,
    })?)
}
