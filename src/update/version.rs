//! The version of a program, and of this one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What this program was built for, as Rust names machines.
pub const TARGET: &str = env!("MOTOREACH_TARGET");
/// What a test has this program say that it is; see `crash::pretended`.
const PRETENDED: &str = "MOTOREACH_PRETEND_VERSION";

/// Three numbers. What is shipped has no other versions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version([u32; 3]);

impl Version {
    /// This program's.
    pub fn of_this_program() -> Self {
        let pretended = crate::crash::pretended(PRETENDED);
        pretended
            .and_then(|text| text.parse().ok())
            .or_else(|| env!("CARGO_PKG_VERSION").parse().ok())
            .unwrap_or(Self([0; 3]))
    }
}

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let mut numbers = text.split('.');
        let mut next = || -> Result<u32, NoVersion> {
            let digits = numbers.next().ok_or(NoVersion)?;
            let plain = digits.bytes().all(|letter| letter.is_ascii_digit());
            let sound = plain && (digits == "0" || !digits.starts_with('0'));
            let number = sound.then(|| digits.parse().ok()).flatten();
            number.ok_or(NoVersion)
        };
        let version = Self([next()?, next()?, next()?]);
        match numbers.next() {
            None => Ok(version),
            Some(_) => Err(NoVersion),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = NoVersion;

    fn try_from(text: String) -> Result<Self, NoVersion> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// Not three numbers with dots between them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("must be a version like 0.2.0")]
pub struct NoVersion;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_number_and_not_by_letter() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("0.10.0") > version("0.9.9"));
        assert!(version("1.0.0") > version("0.99.99"));
        assert_eq!(version("0.2.0").to_string(), "0.2.0");
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.x",
            "1.2.-3",
            "1.02.3",
            "v1.2.3",
            "1.2.3-rc.1",
            "1.2.99999999999",
            "1..3",
            "+1.2.3",
        ] {
            assert_eq!(text.parse::<Version>(), Err(NoVersion), "{text}");
        }
    }
}
