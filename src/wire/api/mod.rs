//! Bodies of the HTTP API, as `api/openapi.json` describes them.

mod addresses;
mod backup;
mod erasure;
mod health;
mod invites;
mod messages;
mod people;
mod relay;
mod requests;
mod restore;
mod sign_in;
mod update;

use serde::{Deserialize, Deserializer};

pub use addresses::{AddressesBody, CertificatePlaces, SecureBody};
pub use backup::{
    BackupEditBody, BackupFaultBody, BackupFileBody, BackupStepBody, BackupsBody, KeepBody,
    LastBackupBody, PlaceBody, ProvenBody,
};
pub use erasure::{EraseBody, ErasedBody};
pub use health::{CheckupBody, FindingBody};
pub use invites::{DeviceBody, InviteBody};
pub use messages::{MarkReadBody, MarkedBody, NewMessageBody};
pub use people::{NamedBody, NewPersonBody, PersonBody, PersonEditBody, UserBody, WorkshopBody};
pub use relay::{ConnectBody, MergeBody, RelayBody};
pub use requests::{
    CustomerBody, LastMessageBody, NewCustomerBody, NewRequestBody, NewVehicleBody, OpenedBody,
    RequestBody, RequestEditBody, VehicleBody,
};
pub use restore::{
    BackupOnDiskBody, BackupsOnDisksBody, RestoreBody, RestoreFromBody, RestoreStateBody,
    RestoredBody, UploadedBody,
};
pub use sign_in::{
    InviteCodeBody, LoginBody, MeBody, PasswordBody, SetUpBody, SetUpDone, SetUpState,
    SignedInBody, TicketBody, WordsBody,
};
pub use update::{EndedBody, RunningBody, UpdateBody, WaitingBody};

/// Tells "left out" (`None`) from "null" (`Some(None)`).
fn some<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}
