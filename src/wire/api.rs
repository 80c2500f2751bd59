//! Bodies of the HTTP API, as `api/openapi.json` describes them.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{WORKSHOP_NUMBER, rfc3339, role_word, side_word};
use crate::domain::{Actor, LastMessage, Named, Person, Request, Vehicle};

/// A person, as far as their own page needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserBody {
    /// Their number.
    pub id: i64,
    /// Their name.
    pub full_name: String,
    /// `user` (vehicle owner), `workshop_admin` or `mechanic`.
    #[schema(example = "workshop_admin")]
    pub role: &'static str,
}

impl UserBody {
    /// Whoever is signed in.
    pub fn of(actor: &Actor) -> Self {
        Self {
            id: actor.id.0,
            full_name: actor.name.clone(),
            role: role_word(actor.role),
        }
    }
}

/// The workshop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WorkshopBody {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
}

impl WorkshopBody {
    /// The one workshop of this box.
    pub const fn named(name: String) -> Self {
        Self {
            id: WORKSHOP_NUMBER,
            name,
        }
    }
}

/// Somebody, by number and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NamedBody {
    /// Their number.
    pub id: i64,
    /// Their name.
    pub full_name: String,
}

/// A vehicle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct VehicleBody {
    /// The number plate.
    pub plate: String,
    /// Who built it.
    #[schema(required)]
    pub make: Option<String>,
    /// What they called it.
    #[schema(required)]
    pub model: Option<String>,
    /// When they built it.
    #[schema(required)]
    pub year: Option<i64>,
}

/// The owner of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CustomerBody {
    /// Their number.
    pub id: i64,
    /// Their name.
    pub full_name: String,
    /// Their telephone number.
    #[schema(required)]
    pub phone: Option<String>,
}

/// How a conversation ends at the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LastMessageBody {
    /// Which message.
    pub id: i64,
    /// What it says; empty once erased.
    pub content: String,
    /// When it was accepted.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// `USER` or `WORKSHOP`.
    #[schema(example = "USER")]
    pub sender_type: &'static str,
    /// The owner's name or the workshop's.
    pub sender_name: String,
}

/// A service request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RequestBody {
    /// Its number.
    pub id: i64,
    /// How far the job is.
    #[schema(example = "CREATED")]
    pub status: &'static str,
    /// Where it may go from here.
    pub allowed_statuses: Vec<&'static str>,
    /// What is wrong with the vehicle.
    pub description: String,
    /// The vehicle.
    pub vehicle: VehicleBody,
    /// Its owner.
    pub customer: CustomerBody,
    /// The workshop.
    pub workshop: WorkshopBody,
    /// Whose job it is.
    #[schema(required)]
    pub assigned_to: Option<NamedBody>,
    /// Messages that the asking side has not read.
    pub unread_count: i64,
    /// The newest message.
    #[schema(required)]
    pub last_message: Option<LastMessageBody>,
    /// When it was taken in.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When something last happened in it.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

impl RequestBody {
    /// The body of a request of the workshop of this name.
    pub fn new(request: &Request, workshop: &str) -> Self {
        let Vehicle {
            plate,
            make,
            model,
            year,
        } = request.vehicle.clone();
        Self {
            id: request.id.0,
            status: request.status.word(),
            allowed_statuses: request
                .status
                .may_become()
                .iter()
                .map(|to| to.word())
                .collect(),
            description: request.description.clone(),
            vehicle: VehicleBody {
                plate,
                make,
                model,
                year,
            },
            customer: CustomerBody {
                id: request.owner.id.0,
                full_name: request.owner.name.clone(),
                phone: request.owner_phone.clone(),
            },
            workshop: WorkshopBody::named(workshop.to_owned()),
            assigned_to: request.assigned.as_ref().map(NamedBody::from),
            unread_count: request.unread,
            last_message: request.last_message.as_ref().map(LastMessageBody::from),
            created_at: rfc3339(request.created),
            updated_at: rfc3339(request.active),
        }
    }
}

impl From<&Named> for NamedBody {
    fn from(named: &Named) -> Self {
        Self {
            id: named.id.0,
            full_name: named.name.clone(),
        }
    }
}

impl From<&LastMessage> for LastMessageBody {
    fn from(last: &LastMessage) -> Self {
        Self {
            id: last.id.0,
            content: last.content.shown().to_owned(),
            created_at: rfc3339(last.at),
            sender_type: side_word(last.side),
            sender_name: last.sender_name.clone(),
        }
    }
}

impl From<&Person> for UserBody {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.0,
            full_name: person.full_name.clone(),
            role: role_word(person.role),
        }
    }
}

/// A person as the people page shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonBody {
    /// Who they are.
    #[serde(flatten)]
    pub user: UserBody,
    /// What they sign in with.
    #[schema(required)]
    pub username: Option<String>,
    /// Their telephone number.
    #[schema(required)]
    pub phone: Option<String>,
    /// Their e-mail address.
    #[schema(required)]
    pub email: Option<String>,
    /// Whether they may sign in.
    pub active: bool,
    /// When they joined.
    #[schema(format = DateTime)]
    pub created_at: String,
}

impl From<&Person> for PersonBody {
    fn from(person: &Person) -> Self {
        Self {
            user: person.into(),
            username: person.username.clone(),
            phone: person.phone.clone(),
            email: person.email.clone(),
            active: person.active,
            created_at: rfc3339(person.created),
        }
    }
}

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

/// A new colleague.
#[derive(Deserialize, ToSchema)]
pub struct NewPersonBody {
    /// Their name.
    pub full_name: String,
    /// `workshop_admin` or `mechanic`.
    #[schema(example = "mechanic")]
    pub role: String,
    /// What they sign in with.
    pub username: String,
    /// Their first password; at least 8 characters.
    pub password: String,
    /// Their telephone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// Their e-mail address.
    #[serde(default)]
    pub email: Option<String>,
}

/// What of a person changes; what is left out stays.
#[derive(Deserialize, ToSchema)]
pub struct PersonEditBody {
    /// Their name.
    #[serde(default)]
    pub full_name: Option<String>,
    /// `workshop_admin` or `mechanic`.
    #[serde(default)]
    pub role: Option<String>,
    /// What they sign in with.
    #[serde(default)]
    pub username: Option<String>,
    /// Their telephone number; null takes it away.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<String>)]
    pub phone: Option<Option<String>>,
    /// Their e-mail address; null takes it away.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<String>)]
    pub email: Option<Option<String>>,
    /// Whether they may sign in.
    #[serde(default)]
    pub active: Option<bool>,
    /// A new password; at least 8 characters.
    #[serde(default)]
    pub password: Option<String>,
}

/// A vehicle that comes in.
#[derive(Deserialize, ToSchema)]
pub struct NewVehicleBody {
    /// The number plate.
    pub plate: String,
    /// Who built it.
    #[serde(default)]
    pub make: Option<String>,
    /// What they called it.
    #[serde(default)]
    pub model: Option<String>,
    /// When they built it.
    #[serde(default)]
    pub year: Option<i64>,
}

/// A customer who introduces themselves.
#[derive(Deserialize, ToSchema)]
pub struct NewCustomerBody {
    /// Their name.
    pub full_name: String,
    /// Their telephone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// Their e-mail address.
    #[serde(default)]
    pub email: Option<String>,
}

/// A new request: either `customer` or `customer_id`.
#[derive(Deserialize, ToSchema)]
pub struct NewRequestBody {
    /// A UUID that makes a retry harmless.
    #[serde(default)]
    pub client_id: Option<Uuid>,
    /// A customer who introduces themselves.
    #[serde(default)]
    pub customer: Option<NewCustomerBody>,
    /// A customer who came before.
    #[serde(default)]
    pub customer_id: Option<i64>,
    /// The vehicle.
    pub vehicle: NewVehicleBody,
    /// What is wrong; at most 2,000 characters.
    pub description: String,
    /// The mechanic whose job it becomes.
    #[serde(default)]
    pub assigned_to: Option<i64>,
}

/// A new request with its owner's first link.
#[derive(Serialize, ToSchema)]
pub struct OpenedBody {
    /// The request.
    #[serde(flatten)]
    pub request: RequestBody,
    /// The link.
    pub invite: InviteBody,
}

/// What of a request changes; what is left out stays.
#[derive(Deserialize, ToSchema)]
pub struct RequestEditBody {
    /// Where the job goes.
    #[serde(default)]
    pub status: Option<String>,
    /// Whose job it becomes; null makes it nobody's.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<i64>)]
    pub assigned_to: Option<Option<i64>>,
    /// What is wrong; at most 2,000 characters.
    #[serde(default)]
    pub description: Option<String>,
}

/// A device that opened a link.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeviceBody {
    /// Its sign-in.
    pub id: Uuid,
    /// What to call it.
    pub name: String,
    /// When it first opened the link.
    #[schema(format = DateTime)]
    pub first_seen_at: String,
    /// When it last did.
    #[schema(format = DateTime)]
    pub last_seen_at: String,
}

/// An owner's link.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InviteBody {
    /// Its id: the part that servers see.
    pub id: String,
    /// The link; null once it was taken back.
    #[schema(required)]
    pub url: Option<String>,
    /// The link as a QR code, an SVG document; null once it was taken back.
    #[schema(required)]
    pub qr_svg: Option<String>,
    /// When it was given out.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Until when it opens the thread.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// When it was taken back.
    #[schema(required, format = DateTime)]
    pub revoked_at: Option<String>,
    /// The devices that opened it.
    pub devices: Vec<DeviceBody>,
}

/// A message over HTTP.
#[derive(Deserialize, ToSchema)]
pub struct NewMessageBody {
    /// What it says; at most 8,000 characters after trimming.
    pub content: String,
    /// A UUID that makes a retry harmless.
    #[serde(default)]
    pub client_id: Option<Uuid>,
    /// The message of the same request that it answers.
    #[serde(default)]
    pub reply_to: Option<i64>,
    /// Erase it by itself after so many seconds.
    #[serde(default)]
    pub expires_in: Option<i64>,
}

/// Up to where somebody has read.
#[derive(Default, Deserialize, ToSchema)]
pub struct MarkReadBody {
    /// The newest message that they have seen; left out: all.
    #[serde(default)]
    pub up_to: Option<i64>,
}

/// How many messages were unread until now.
#[derive(Serialize, ToSchema)]
pub struct MarkedBody {
    /// A sentence.
    #[schema(example = "Marked 3 messages as read")]
    pub message: String,
    /// The number.
    pub updated_count: i64,
}

/// Tells "left out" (`None`) from "null" (`Some(None)`).
fn some<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}
