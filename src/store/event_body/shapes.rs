//! One shape a kind: the fields of an event's JSON.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
pub(super) struct WorkshopNamed {
    pub(super) name: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PersonAdded {
    pub(super) number: i64,
    pub(super) role: String,
    pub(super) full_name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) password_hash: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PersonChanged {
    pub(super) person: Uuid,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) full_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) username: Option<String>,
    // For the next two an empty text means: none any more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) password_hash: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RequestOpened {
    pub(super) number: i64,
    pub(super) owner: Uuid,
    pub(super) plate: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) make: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) year: Option<i64>,
    pub(super) description: String,
    // Names, here and below, are for showing where nobody can look them up; see `Names`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) workshop: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) owner_name: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StatusChanged {
    pub(super) status: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RequestAssigned {
    pub(super) to: Option<Uuid>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RequestDescribed {
    pub(super) description: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct InviteGranted {
    pub(super) invite: Uuid,
    pub(super) expires_ms: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct InviteRevoked {
    pub(super) invite: Uuid,
}

#[derive(Serialize, Deserialize)]
pub(super) struct MessagePosted {
    pub(super) side: String,
    pub(super) content: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) reply_to: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) expires_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) by: Option<String>,
    /// The name that the other side sees.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) from: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct OfMessage {
    pub(super) message: Uuid,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) by: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct MessagesRead {
    pub(super) side: String,
    pub(super) up_to: Uuid,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) by: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct DeviceLinked {
    pub(super) invite: Uuid,
    pub(super) device: Uuid,
    pub(super) name: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PostRefused {
    pub(super) why: String,
}
