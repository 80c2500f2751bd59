//! Owners' links.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A device that opened a link.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeviceBody {
    /// Its sign-in; of one that came over the relay, the device itself.
    pub id: Uuid,
    /// What to call it.
    pub name: String,
    /// By which door: `lan` (the workshop's own network) or `relay`.
    #[schema(example = "relay")]
    pub via: &'static str,
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
    /// The link; null once it was taken back. It begins with the relay's address where one is set up.
    #[schema(required)]
    pub url: Option<String>,
    /// The same link on the workshop's own network; null once it was taken back.
    #[schema(required)]
    pub lan_url: Option<String>,
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
