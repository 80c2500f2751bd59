//! What an operator may order at the command line, and what they are told. JSON of these goes over
//! the control socket; `execute` carries them out.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::back_up::BackupLine;
use crate::domain::{Person, Rejection};
use crate::store::{CommandError, StoreError};
use crate::wire::api::CheckupBody;
use crate::wire::role_word;

/// Something to do. It has no `Debug`: names, numbers and hashes belong in no log.
#[derive(Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    /// Who is there, and how it fares. Programs of other versions ask this, so it never changes.
    Hello,
    /// Somebody joins.
    AddPerson {
        /// Made by whoever asks: asking twice adds nobody twice.
        id: Uuid,
        /// Their name.
        name: String,
        /// Their role as tokens say it.
        role: String,
        /// What they sign in with.
        username: Option<String>,
        /// Their telephone number.
        phone: Option<String>,
        /// Their e-mail address.
        email: Option<String>,
        /// Their password's hash.
        password_hash: Option<String>,
    },
    /// Who there is.
    ListPeople {
        /// Of this role, as tokens say it; otherwise the staff.
        role: Option<String>,
        /// Only people whose number is higher.
        after: i64,
    },
    /// Somebody gets a new password.
    SetPassword {
        /// Their number.
        person: i64,
        /// The new password's hash.
        password_hash: String,
    },
    /// An owner is forgotten.
    ErasePerson {
        /// Their number.
        person: i64,
        /// Their name, typed once more.
        name: String,
        /// Also what the workshop wrote.
        everything: bool,
    },
    /// A vehicle is taken in.
    TakeIn {
        /// Made by whoever asks: asking twice opens nothing twice.
        id: Uuid,
        /// The owner's name.
        owner: String,
        /// The owner's telephone number.
        phone: Option<String>,
        /// The number plate.
        plate: String,
        /// Who built the vehicle.
        make: Option<String>,
        /// What they called it.
        model: Option<String>,
        /// When they built it.
        year: Option<i64>,
        /// What is wrong with it.
        description: String,
        /// What the owner's link begins with.
        base_url: String,
    },
    /// How the running server's box fares.
    Health,
    /// Somebody's access token.
    Token {
        /// Their number.
        person: i64,
        /// How long it lives, in seconds.
        ttl_s: i64,
    },
    /// What is logged from now on, or only what is logged now.
    Log {
        /// A level, directives or `usual`; `None`: nothing is changed.
        set: Option<String>,
        /// For so long, in seconds; `None`: until the next change or start.
        for_s: Option<u64>,
    },
    /// Where a browser finds the server.
    Front,
    /// A backup is to be made.
    BackUp {
        /// To this folder or file instead of where the settings say.
        to: Option<PathBuf>,
        /// Whether anybody may read it.
        plain: bool,
    },
    /// How a backup stands.
    BackupState {
        /// What it was begun with.
        ticket: u64,
    },
}

/// What came of it.
#[derive(Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub(super) enum Answer {
    /// A box. Programs of other versions read this, so words are only ever added to it.
    Hello {
        /// Its version.
        version: String,
        /// Whether its disk takes writes, or is merely full.
        well: bool,
    },
    /// Somebody was added or changed.
    Person(PersonLine),
    /// People, by number.
    People {
        /// Who.
        people: Vec<PersonLine>,
        /// Whether there are more after the last one.
        more: bool,
    },
    /// A request was opened.
    Opened {
        /// Its number.
        id: i64,
        /// Its owner's number.
        owner_id: i64,
        /// Its owner's link.
        invite_url: String,
        /// Until when the link opens it.
        invite_expires_at: String,
    },
    /// How the box fares.
    Health(CheckupBody),
    /// An owner was forgotten.
    Erased {
        /// Requests that were theirs.
        requests: usize,
        /// Links that open nothing any more.
        links: usize,
        /// Entries that lost what they said.
        entries: usize,
    },
    /// An access token.
    Token {
        /// The token.
        access: String,
        /// Until when it is good.
        expires_at: String,
    },
    /// What is logged.
    Log {
        /// Directives as in `MOTOREACH_LOG`.
        directives: String,
        /// Until it goes back to what is usual, in seconds.
        left_s: Option<u64>,
    },
    /// Where a browser finds the server.
    Front(Front),
    /// A backup is under way.
    BackupBegun {
        /// What to ask after it with.
        ticket: u64,
    },
    /// How a backup stands.
    Backup(BackupLine),
}

/// Where a browser finds the server, the most useful first.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Front {
    /// What to type.
    pub urls: Vec<String>,
    /// What the first run asks for from another machine; none once the box is set up.
    pub set_up_code: Option<String>,
}

/// A person, as a list shows them.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PersonLine {
    /// Their number.
    pub id: i64,
    /// Their name.
    pub full_name: String,
    /// Their role as tokens say it.
    pub role: String,
    /// What they sign in with.
    pub username: Option<String>,
    /// Their telephone number.
    pub phone: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Whether they may sign in.
    pub active: bool,
}

impl From<Person> for PersonLine {
    fn from(person: Person) -> Self {
        let Person {
            id,
            role,
            full_name,
            username,
            phone,
            email,
            active,
            ..
        } = person;
        let role = role_word(role).to_owned();
        Self {
            id: id.0,
            full_name,
            role,
            username,
            phone,
            email,
            active,
        }
    }
}

/// An order that was not carried out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub(super) struct Refused {
    /// The word that programs know it by.
    pub code: String,
    /// A sentence.
    pub detail: String,
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        Self {
            code: rejection.code().to_owned(),
            detail: rejection.to_string(),
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::Full => "disk_full",
            StoreError::Failing(_) | StoreError::ReadOnly | StoreError::Damaged(_) => {
                "storage_failing"
            }
            StoreError::Busy => "busy",
            StoreError::Stopped => "stopping",
            StoreError::Fault(_) => "internal",
            StoreError::Unknown => {
                let detail = "The disk is too slow to answer: it is not known whether it was done. \
                              Look before you try again.";
                return Self {
                    code: "unknown".to_owned(),
                    detail: detail.to_owned(),
                };
            }
        };
        Self {
            code: code.to_owned(),
            detail: format!("Nothing was changed: {error}."),
        }
    }
}

impl From<CommandError> for Refused {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Rejected(rejection) => rejection.into(),
            CommandError::Store(error) => error.into(),
        }
    }
}
