//! Names of things. 128-bit keys are made where a thing was typed and stay unique for ever
//! (invariant 3); small numbers are the box's own and are what people and existing clients see.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

macro_rules! define_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an id that was made elsewhere.
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The id of the bytes as they are stored.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes as they are stored, hashed and sealed.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id as a UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

macro_rules! define_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

define_key! {
    /// An event of the journal, named by whoever intended it; a message's `client_id`.
    EventId
}
define_key! {
    /// A person, for ever and on every copy of the journal: the id of the event that added them.
    PersonKey
}
define_key! {
    /// A request (and its thread of messages): the id of the event that opened it.
    RequestKey
}
define_key! {
    /// An owner's link.
    InviteId
}
define_key! {
    /// One incarnation of the journal; see `sync.md` §2.
    LogId
}
define_key! {
    /// A sign-in on one device, from log-in to log-out.
    SessionId
}
define_key! {
    /// An owner's phone or browser, named by its own page.
    DeviceId
}
define_key! {
    /// The workshop itself; derived from the root secret, so the recovery words alone name it.
    WorkshopKey
}

define_number! {
    /// A position in the journal: dense from 1, and the only order there is.
    Seq
}
define_number! {
    /// A message as clients know it: the position of its event in the journal.
    MessageId
}
define_number! {
    /// A request as people know it: the number on the job card.
    RequestId
}
define_number! {
    /// A person as clients know it.
    PersonId
}

impl PersonKey {
    /// The box itself as an author: an operator at its command line, or its own clockwork.
    pub const BOX: Self = Self::from_bytes([0; 16]);
}

impl MessageId {
    /// Where this message stands in the journal.
    pub const fn seq(self) -> Seq {
        Seq(self.0)
    }
}

impl Seq {
    /// The message that this position holds.
    pub const fn message(self) -> MessageId {
        MessageId(self.0)
    }
}
