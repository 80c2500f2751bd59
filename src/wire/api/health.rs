//! How the box fares, as its page and programs read it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::health::{Checkup, Finding};
use crate::wire::rfc3339;

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FindingBody {
    /// What it is about, in a word.
    #[schema(example = "disk")]
    pub area: String,
    /// How much somebody has to care: `well`, `look` (when there is time) or `act` (today).
    #[schema(example = "well")]
    pub level: String,
    /// How it stands, in sentences.
    pub what: String,
    /// What to do, in a sentence; null where nothing is to be done.
    #[schema(required)]
    #[serde(rename = "do")]
    pub advice: Option<String>,
}

/// How the box fares.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CheckupBody {
    /// When it was looked.
    #[schema(format = DateTime)]
    pub at: String,
    /// The worst level of all findings.
    #[schema(example = "well")]
    pub level: String,
    /// What was found, in the order in which it is shown.
    pub findings: Vec<FindingBody>,
}

impl From<&Finding> for FindingBody {
    fn from(finding: &Finding) -> Self {
        Self {
            area: finding.area.word().to_owned(),
            level: finding.level.word().to_owned(),
            what: finding.what.clone(),
            advice: finding.advice.clone(),
        }
    }
}

impl From<&Checkup> for CheckupBody {
    fn from(checkup: &Checkup) -> Self {
        Self {
            at: rfc3339(checkup.at),
            level: checkup.level().word().to_owned(),
            findings: checkup.findings.iter().map(FindingBody::from).collect(),
        }
    }
}
