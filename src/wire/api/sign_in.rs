//! The first run, signing in and who one is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{UserBody, WorkshopBody};

/// Whether the box still waits for its first run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SetUpState {
    /// Whether it does.
    pub needed: bool,
    /// Whether the set-up code that was printed where the box was started is asked for, because the
    /// request comes from another machine.
    pub code_required: bool,
    /// The workshop's name, once it has one.
    #[schema(required)]
    pub workshop_name: Option<String>,
    /// While it waits: where it is found, by name first, then at plain addresses, for other devices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
}

/// The first run.
#[derive(Deserialize, ToSchema)]
pub struct SetUpBody {
    /// What the workshop is called; at most 120 characters.
    pub workshop_name: String,
    /// Who runs it.
    pub full_name: String,
    /// What they sign in with.
    pub username: String,
    /// Their password; at least 8 characters.
    #[schema(min_length = 8, max_length = 256)]
    pub password: String,
    /// The printed set-up code.
    #[serde(default)]
    pub code: Option<String>,
}

/// A sign-in, right after the first run.
#[derive(Serialize, ToSchema)]
pub struct SetUpDone {
    /// A fresh sign-in.
    #[serde(flatten)]
    pub signed_in: SignedInBody,
    /// The 24 words that write the box's root secret down.
    pub recovery_words: Vec<String>,
}

/// The recovery words.
#[derive(Serialize, ToSchema)]
pub struct WordsBody {
    /// All 24, in order.
    pub words: Vec<String>,
}

/// Signing in with one of a name, an e-mail address or a telephone number.
#[derive(Deserialize, ToSchema)]
pub struct LoginBody {
    /// The sign-in name.
    #[serde(default)]
    pub username: Option<String>,
    /// The e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// The telephone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// The password.
    pub password: String,
}

/// An access token and whose it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignedInBody {
    /// The access token: a JWT that lives 15 minutes.
    pub access: String,
    /// Whose it is.
    pub user: UserBody,
    /// The workshop.
    pub workshop: WorkshopBody,
    /// The one request that the sign-in opens, when it came from an owner's link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_request: Option<i64>,
}

/// An owner's link, exchanged for a sign-in.
#[derive(Deserialize, ToSchema)]
pub struct InviteCodeBody {
    /// What the page made of the link's secret, the secret itself, or the whole link.
    pub code: String,
    /// A UUID that the page keeps, so that one phone stays one device.
    #[serde(default)]
    pub device_id: Option<Uuid>,
}

/// A ticket for one WebSocket.
#[derive(Serialize, ToSchema)]
pub struct TicketBody {
    /// Accepted once, within 30 seconds, wherever `?token=` is.
    pub ticket: String,
}

/// A new password of one's own.
#[derive(Deserialize, ToSchema)]
pub struct PasswordBody {
    /// The one until now.
    pub current: String,
    /// The one from now on; at least 8 characters.
    #[schema(min_length = 8, max_length = 256)]
    pub new: String,
}

/// Who one is.
#[derive(Serialize, ToSchema)]
pub struct MeBody {
    /// The person.
    pub user: UserBody,
    /// The workshop.
    pub workshop: WorkshopBody,
    /// The one request that the sign-in opens, when it came from an owner's link.
    #[schema(required)]
    pub service_request: Option<i64>,
}
