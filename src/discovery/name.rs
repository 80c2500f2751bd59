//! What a box may be called, and what it is called when another machine has the name: a label of a
//! host name (RFC 1123 §2.1), numbered as RFC 6762 §9 suggests.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;

/// The longest label of a host name, in bytes (RFC 1035 §2.3.4).
const LABEL_BYTES_MAX: usize = 63;
/// Room kept at its end for a number, in bytes: `-9999`.
const NUMBER_BYTES_MAX: usize = 5;
/// The highest number that a box gives itself.
const NUMBER_MAX: u16 = 9_999;

/// What a box is called, without `.local`: a base, and from the second box on a number.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Label {
    base: String,
    number: u16,
}

/// A name that no box can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "must be a host's name of letters, digits and dashes, 1 to 58 of them, without `.local`, \
     such as `motoreach`"
)]
pub struct LabelError;

impl Label {
    /// The name without `.local`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The whole name, such as `motoreach-2.local`.
    pub fn host(&self) -> String {
        format!("{self}.local")
    }

    /// Whether this name is that of a box with this label: its own, or one that it may get.
    pub fn may_become(&self, host: &str) -> bool {
        let label = host.strip_suffix(".local");
        label.is_some_and(|label| self.remembered(label).is_some())
    }

    /// Whether another machine had the name that was asked for.
    pub const fn is_numbered(&self) -> bool {
        self.number > 1
    }

    /// The number in it, from 2 on; 1 without one.
    pub const fn number(&self) -> u16 {
        self.number
    }

    /// The next one to try. After the last one it begins anew.
    #[must_use]
    pub fn next(&self) -> Self {
        let number = if self.number >= NUMBER_MAX {
            1
        } else {
            self.number + 1
        };
        Self {
            base: self.base.clone(),
            number,
        }
    }

    /// This label as it was remembered, if it is one of this base.
    pub fn remembered(&self, text: &str) -> Option<Self> {
        let number = match text.trim().strip_prefix(self.base.as_str())? {
            "" => 1,
            rest => rest.strip_prefix('-')?.parse().ok()?,
        };
        let known = Self {
            base: self.base.clone(),
            number,
        };
        // "motoreach-02" and "motoreach-1" are nobody's numbers.
        (number <= NUMBER_MAX && known.to_string() == text.trim()).then_some(known)
    }
}

impl Default for Label {
    fn default() -> Self {
        Self {
            base: "motoreach".to_owned(),
            number: 1,
        }
    }
}

impl FromStr for Label {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        let base = text.trim().to_ascii_lowercase();
        let fits = (1..=LABEL_BYTES_MAX - NUMBER_BYTES_MAX).contains(&base.len());
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if fits && base.bytes().all(letters) && !base.starts_with('-') && !base.ends_with('-') {
            Ok(Self { base, number: 1 })
        } else {
            Err(LabelError)
        }
    }
}

impl TryFrom<String> for Label {
    type Error = LabelError;

    fn try_from(text: String) -> Result<Self, LabelError> {
        text.parse()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            0 | 1 => f.write_str(&self.base),
            number => write!(f, "{}-{number}", self.base),
        }
    }
}

/// The name that a box had when it was last announced, if that is still what it is asked to be called.
pub(super) fn recall(memory: &Path, asked: &Label) -> Label {
    let known = fs::read_to_string(memory).ok();
    known
        .and_then(|text| asked.remembered(&text))
        .unwrap_or_else(|| asked.clone())
}

/// Keeps the name that a box got, so that it has the same one tomorrow. A name that was simply given is
/// not written down.
pub(super) fn remember(memory: &Path, label: &Label) {
    let known = fs::read_to_string(memory).unwrap_or_default();
    if known.trim() == label.to_string() || (known.is_empty() && !label.is_numbered()) {
        return;
    }
    if let Err(error) = write(memory, label) {
        tracing::warn!(%error, "the box's name cannot be kept; it may get another one at the next start");
    }
}

/// Whole or not at all.
fn write(memory: &Path, label: &Label) -> io::Result<()> {
    let beside = memory.with_extension("new");
    let mut file = File::create(&beside)?;
    writeln!(file, "{label}")?;
    file.sync_all()?;
    fs::rename(&beside, memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_whose_name_is_taken_counts_on() {
        let first = Label::default();
        assert_eq!(first.host(), "motoreach.local");
        assert!(!first.is_numbered());
        let second = first.next();
        assert_eq!(second.host(), "motoreach-2.local");
        assert_eq!(second.next().to_string(), "motoreach-3");
        let last = Label {
            number: NUMBER_MAX,
            ..first.clone()
        };
        assert_eq!(last.next(), first);
    }

    #[test]
    fn a_name_is_remembered_only_with_its_own_base() {
        let asked = Label::default();
        assert_eq!(asked.remembered("motoreach-7\n"), {
            let mut label = asked.clone();
            label.number = 7;
            Some(label)
        });
        assert_eq!(asked.remembered("motoreach"), Some(asked.clone()));
        for foreign in [
            "garage-2",
            "motoreach-x",
            "motoreach-1",
            "motoreach-02",
            "motoreach-70000",
            "motoreach2",
            "",
        ] {
            assert_eq!(asked.remembered(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_box_keeps_the_name_that_it_got() {
        let temp = tempfile::tempdir().unwrap();
        let memory = temp.path().join("name");
        let asked = Label::default();
        assert_eq!(recall(&memory, &asked), asked);
        remember(&memory, &asked);
        assert!(!memory.exists(), "what is asked for need not be kept");
        remember(&memory, &asked.next());
        assert_eq!(recall(&memory, &asked), asked.next());
        assert_eq!(
            recall(&memory, &"garage".parse().unwrap()).to_string(),
            "garage"
        );
        remember(&memory, &asked);
        assert_eq!(recall(&memory, &asked), asked);
    }

    #[test]
    fn only_a_hosts_name_is_a_name() {
        assert_eq!(
            "Garage-1".parse::<Label>().unwrap().host(),
            "garage-1.local"
        );
        for wrong in ["", "-a", "a-", "a.local", "a b", "bücher", &"a".repeat(59)] {
            assert_eq!(wrong.parse::<Label>(), Err(LabelError), "{wrong}");
        }
    }
}
