//! The data inside a file that proves itself (`motoreach export`): format 1.
//!
//! ```text
//! {"header": Header,
//! "entries": [ClearEntry | Stub, …, each on a line, dense by their place in the journal],
//! "photos": []}
//! ```
//! Entries of the exported conversations are there with their words and their sealed bytes; entries of
//! the journal in between that belong to others are stubs: id, kind, flags and hash, which is what the
//! chain's formula needs, and nothing else. `photos` is where pictures will stand; format 1 has none.
//!
//! No key is in a file. A conversation's key would open at the relay what is written tomorrow, too; so
//! the file carries each entry's words *and* its sealed bytes, the workshop's signature binds the two,
//! and whoever has the workshop's keys (`motoreach verify --data DIR`) can open each seal and compare.

mod bytes;
mod words;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use bytes::{Fixed, Long};
pub use words::Words;

/// The format that this program writes, and the newest that it can read.
pub const EXPORT_FORMAT: u32 = 1;
/// The longest file, in bytes: what a verifier holds in memory.
pub const EXPORT_BYTES_MAX: u64 = 256 << 20;
/// Entries of the journal in one file, stubs included.
pub const EXPORT_ENTRIES_MAX: i64 = 1_000_000;

/// What a file is about and what it starts from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// `EXPORT_FORMAT`.
    pub format: u32,
    /// Whose file it is.
    pub workshop: Workshop,
    /// Whom or what it shows.
    pub about: About,
    /// When it was made, by the box's clock.
    pub made_at: String,
    /// The conversations in it, in the order of their numbers.
    pub requests: Vec<Conversation>,
    /// Messages in it, those without words included.
    pub messages: i64,
    /// The incarnations of the journal that its entries belong to, oldest first.
    pub logs: Vec<Log>,
    /// The journal's position before the first entry.
    pub before: Place,
    /// The last entry, signed.
    pub head: Head,
}

/// The workshop.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workshop {
    /// Its permanent key.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
}

/// Whom or what a file shows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum About {
    /// One request.
    Request {
        /// Its number.
        number: i64,
    },
    /// One owner: everything of theirs.
    Owner {
        /// Their number.
        number: i64,
        /// Their name.
        full_name: String,
        /// Their telephone number.
        phone: Option<String>,
        /// Their e-mail address.
        email: Option<String>,
    },
}

/// One request as it stood when the file was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// Its permanent key.
    pub thread: Uuid,
    /// Its number.
    pub number: i64,
    /// Its owner's name.
    pub owner: String,
    /// The number plate.
    pub plate: String,
    /// Who built the vehicle.
    pub make: Option<String>,
    /// What they called it.
    pub model: Option<String>,
    /// When they built it.
    pub year: Option<i64>,
    /// What was wrong with it.
    pub description: String,
    /// How far the job was.
    pub status: String,
}

/// One incarnation of the journal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Its id.
    pub log: Uuid,
    /// Its first entry.
    pub first: i64,
}

/// A place in the journal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The entry.
    pub seq: i64,
    /// The chain's value after it.
    pub chain: Fixed<32>,
}

/// A place in the journal with the workshop's signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The incarnation.
    pub log: Uuid,
    /// The entry.
    pub seq: i64,
    /// The chain's value after it.
    pub chain: Fixed<32>,
    /// Ed25519 over the three (`seal::SignedHead`).
    pub signature: Fixed<64>,
}

/// One line of the journal in a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// An entry of the exported conversations.
    Clear(Box<ClearEntry>),
    /// Somebody else's entry.
    Stub(Stub),
}

/// An entry with its words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearEntry {
    /// Its place.
    pub seq: i64,
    /// Its id.
    pub id: Uuid,
    /// The conversation.
    pub thread: Uuid,
    /// What kind of event.
    pub kind: String,
    /// `STAFF_ONLY`, `FROM_OWNER`.
    pub flags: u32,
    /// Which of the thread's keys sealed it.
    pub epoch: u16,
    /// When it was typed, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who made it: a person's permanent key.
    pub author: Uuid,
    /// SHA-256 of the sealed bytes, as the chain has it.
    pub sha: Fixed<32>,
    /// What was said, as the journal has it; none once erased.
    pub body: Option<String>,
    /// The sealed bytes; none once erased.
    pub sealed: Option<Long>,
}

/// An entry that is not for the reader: id, kind, flags, SHA-256 of the sealed bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stub(pub Fixed<16>, pub String, pub u32, pub Fixed<32>);

/// The signature under the data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The workshop's key.
    pub public_key: Fixed<32>,
    /// Ed25519 over the SHA-256 of the data, byte for byte (`seal::sign_export`).
    pub signature: Fixed<64>,
}

/// The data of a file, as a verifier reads them.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// What it is about.
    pub header: Header,
    /// The journal from one place to another.
    pub entries: Vec<Line>,
    /// Pictures: format 1 has none.
    pub photos: [(); 0],
}

/// JSON that may stand between `<script>` tags: no `<` is in it.
pub fn json_in_html(value: &impl Serialize) -> String {
    serde_json::to_string(value)
        .expect("structs of texts and numbers always have a JSON form")
        .replace('<', "\\u003c")
}
