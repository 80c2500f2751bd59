//! Service requests.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::some;
use super::{InviteBody, NamedBody, WorkshopBody};
use crate::domain::{LastMessage, Request, Side, Vehicle};
use crate::wire::{rfc3339, side_word};

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
    /// The body of a request of the workshop of this name, as this side sees it.
    pub fn new(request: &Request, workshop: &str, side: Side) -> Self {
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
            unread_count: request.unread(side),
            last_message: request.last_message.as_ref().map(LastMessageBody::from),
            created_at: rfc3339(request.created),
            updated_at: rfc3339(request.active),
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

/// A vehicle that comes in.
#[derive(Deserialize, ToSchema)]
pub struct NewVehicleBody {
    /// The number plate.
    #[schema(min_length = 1, max_length = 20, pattern = r"\S")]
    pub plate: String,
    /// Who built it.
    #[serde(default)]
    pub make: Option<String>,
    /// What they called it.
    #[serde(default)]
    pub model: Option<String>,
    /// When they built it.
    #[serde(default)]
    #[schema(minimum = 1885, maximum = 2100)]
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
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
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
    #[schema(
        pattern = "^(CREATED|CONNECTED|ESTIMATE_SHARED|IN_PROGRESS|COMPLETED|VERIFIED|CANCELLED|EXPIRED)$"
    )]
    pub status: Option<String>,
    /// Whose job it becomes; null makes it nobody's.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<i64>)]
    pub assigned_to: Option<Option<i64>>,
    /// What is wrong; at most 2,000 characters.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub description: Option<String>,
}
