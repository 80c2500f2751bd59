//! What the workshop means: ids, people, requests, messages, events and the reasons to refuse.
//!
//! Everything here is plain values and rules. It must never do IO, look at a clock, await, speak SQL
//! or know a serialized form (invariants 5 and 8 in `lib.rs`): time and ids are handed in.

mod actor;
mod backup;
mod change;
mod erasure;
mod event;
pub mod health;
mod ids;
mod invite;
mod link;
mod message;
mod person;
mod rejection;
mod request;
mod restore;
mod text;
mod time;
mod unread;

pub use actor::{Actor, Role, Scope, Side};
pub use backup::{
    BackupFault, BackupProgress, BackupProof, BackupStep, BackupUnreadable, KeepRules, LastBackup,
    ToldFault,
};
pub use change::{Audience, Change, Committed, ErasedWhy, RequestAspect};
pub use erasure::{ERASED_NAME, Extent, erased_plate, remains};
pub use event::{Event, PersonDetails, PersonEdit};
pub use ids::{
    DeviceId, EventId, InviteId, LogId, MessageId, PersonId, PersonKey, RequestId, RequestKey, Seq,
    SessionId, WorkshopKey,
};
pub use invite::Invite;
pub use link::{LinkRefusal, LinkReport, LinkState, LinkTrouble, Reconnects};
pub use message::{Content, Delivery, Message, Quote, Receipt};
pub use person::Person;
pub use rejection::{Field, Rejection};
pub use request::{LastMessage, Named, Request, Status, Vehicle};
pub use restore::{RestoreFault, RestoreState, RestoreStep, Restored};
pub use text::{
    Body, Description, Email, FullName, MESSAGE_CHARS_MAX, Password, Phone, Plate, TextError,
    USERNAME_CHARS_MAX, Username, VehicleText,
};
pub use time::Timestamp;
pub use unread::{Unread, UnreadItem};
