//! Who does something, and on which side of the counter they stand.

use super::{PersonId, PersonKey, Rejection, RequestId};

/// What a person is to the workshop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Role {
    /// Runs the workshop: everything, including people.
    Admin,
    /// Works on vehicles: every request, red dots for their own jobs.
    Mechanic,
    /// Owns a vehicle: their own requests.
    Owner,
}

impl Role {
    /// The side of the conversation that this role writes on.
    pub const fn side(self) -> Side {
        match self {
            Self::Admin | Self::Mechanic => Side::Workshop,
            Self::Owner => Side::User,
        }
    }
}

/// The two sides of every conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The vehicle's owner.
    User,
    /// Anybody of the staff.
    Workshop,
}

impl Side {
    /// The side across the counter.
    pub const fn other(self) -> Self {
        match self {
            Self::User => Self::Workshop,
            Self::Workshop => Self::User,
        }
    }
}

/// How far an actor's sign-in reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Whatever the role allows.
    Everything,
    /// The one request that an owner's link opens, whatever else the owner has.
    Only(RequestId),
}

/// A person whose sign-in was just checked, doing something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actor {
    /// The person's number.
    pub id: PersonId,
    /// The person's permanent key, written into the journal as the author.
    pub key: PersonKey,
    /// The person's name, for frames and logs.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// How far this sign-in reaches.
    pub scope: Scope,
}

impl Actor {
    /// The box itself: an operator at its command line, or its own clockwork.
    pub fn the_box() -> Self {
        Self {
            id: PersonId(0),
            key: PersonKey::BOX,
            name: "MotoReach".to_owned(),
            role: Role::Admin,
            scope: Scope::Everything,
        }
    }

    /// The side that this actor writes on.
    pub const fn side(&self) -> Side {
        self.role.side()
    }

    /// Refuses anybody who does not run the workshop.
    pub fn must_be_admin(&self) -> Result<(), Rejection> {
        match self.role {
            Role::Admin => Ok(()),
            Role::Mechanic | Role::Owner => Err(Rejection::NotAllowed),
        }
    }

    /// Refuses owners.
    pub fn must_be_staff(&self) -> Result<(), Rejection> {
        match self.role {
            Role::Admin | Role::Mechanic => Ok(()),
            Role::Owner => Err(Rejection::NotAllowed),
        }
    }

    /// Whether this actor may see and write in a request of that owner.
    ///
    /// Mechanics see every request: shutting them out of a job that they help with was a fault of
    /// the system before this one. Their red dots count only what is assigned to them.
    pub fn is_party_to(&self, request: RequestId, owner: PersonId) -> bool {
        match (self.role, self.scope) {
            (Role::Admin | Role::Mechanic, Scope::Everything) => true,
            (Role::Admin | Role::Mechanic, Scope::Only(only)) => only == request,
            (Role::Owner, Scope::Everything) => owner == self.id,
            (Role::Owner, Scope::Only(only)) => owner == self.id && only == request,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(role: Role, id: i64, scope: Scope) -> Actor {
        Actor {
            id: PersonId(id),
            role,
            scope,
            ..Actor::the_box()
        }
    }

    #[test]
    fn an_owner_is_party_to_their_own_requests_only() {
        let asha = actor(Role::Owner, 5, Scope::Everything);
        assert!(asha.is_party_to(RequestId(1), PersonId(5)));
        assert!(!asha.is_party_to(RequestId(1), PersonId(6)));
    }

    #[test]
    fn a_link_opens_its_own_request_and_no_other_of_the_same_owner() {
        let asha = actor(Role::Owner, 5, Scope::Only(RequestId(1)));
        assert!(asha.is_party_to(RequestId(1), PersonId(5)));
        assert!(!asha.is_party_to(RequestId(2), PersonId(5)));
        assert!(!asha.is_party_to(RequestId(1), PersonId(6)));
    }

    #[test]
    fn mechanics_are_not_shut_out() {
        let ravi = actor(Role::Mechanic, 3, Scope::Everything);
        assert!(ravi.is_party_to(RequestId(1), PersonId(5)));
        assert!(ravi.must_be_staff().is_ok());
        assert_eq!(ravi.must_be_admin(), Err(Rejection::NotAllowed));
    }
}
