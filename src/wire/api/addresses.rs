//! Where the box is found.

use serde::Serialize;
use utoipa::ToSchema;

/// Where the box is found.
#[derive(Serialize, ToSchema)]
pub struct AddressesBody {
    /// What it is called on the workshop's network.
    #[schema(example = "motoreach.local")]
    pub name: String,
    /// Whether it is called so because another machine has the name that it was to have.
    pub conflict: bool,
    /// Whether the network knows that name: `off`, `no_network`, `asking`, `announced` or `failed`.
    #[schema(example = "announced")]
    pub announcement: &'static str,
    /// What to type into a browser, by name.
    #[schema(example = "http://motoreach.local")]
    pub url: String,
    /// What to type where names do not work, the most useful first; empty without a network.
    pub plain: Vec<String>,
    /// The port of plain HTTP.
    pub port: u16,
    /// The same over TLS.
    pub secure: SecureBody,
}

/// Whether the box is reached over TLS.
#[derive(Serialize, ToSchema)]
pub struct SecureBody {
    /// `off`, `on` or `failed`.
    #[schema(example = "off")]
    pub state: &'static str,
    /// What to type into a browser.
    #[schema(required)]
    pub url: Option<String>,
    /// Why it is not so although it was wanted: a sentence.
    #[schema(required)]
    pub why: Option<String>,
    /// SHA-256 of the certificate of the box's own authority, where devices have to be told to trust
    /// it: pairs of digits, with colons.
    #[schema(required)]
    pub fingerprint: Option<String>,
    /// Where a device gets that certificate, over plain HTTP; the same for Apple's devices as a profile.
    #[schema(required)]
    pub certificate: Option<CertificatePlaces>,
}

/// Where a device gets the certificate that it is to trust.
#[derive(Serialize, ToSchema)]
pub struct CertificatePlaces {
    /// For everybody: PEM.
    #[schema(example = "/certificate/motoreach.crt")]
    pub crt: &'static str,
    /// For Apple's devices.
    #[schema(example = "/certificate/motoreach.mobileconfig")]
    pub mobileconfig: &'static str,
}
