//! How long a token lives, as people type it: `30s`, `15m`, `24h`, `7d`.

use std::fmt;
use std::str::FromStr;

/// Longer ones are a slip of the finger.
const TTL_S_MAX: i64 = 366 * 24 * 3_600;

/// A time to live in whole seconds, at least one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ttl(i64);

impl Ttl {
    /// The seconds.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// This one, or `seconds_max` where it is longer.
    #[must_use]
    pub fn at_most(self, seconds_max: i64) -> Self {
        Self(self.0.min(seconds_max))
    }
}

impl FromStr for Ttl {
    type Err = TtlError;

    fn from_str(text: &str) -> Result<Self, TtlError> {
        let unit_s = match text.chars().last() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 24 * 3_600,
            Some(_) | None => return Err(TtlError::Form),
        };
        let digits = &text[..text.len() - 1];
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(TtlError::Form);
        }
        let count: i64 = digits.parse().map_err(|_| TtlError::Bounds)?;
        match count.checked_mul(unit_s) {
            Some(seconds @ 1..=TTL_S_MAX) => Ok(Self(seconds)),
            Some(_) | None => Err(TtlError::Bounds),
        }
    }
}

impl fmt::Display for Ttl {
    /// In the largest unit that says it exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            s if s % 86_400 == 0 => write!(f, "{}d", s / 86_400),
            s if s % 3_600 == 0 => write!(f, "{}h", s / 3_600),
            s if s % 60 == 0 => write!(f, "{}m", s / 60),
            s => write!(f, "{s}s"),
        }
    }
}

/// Not a time to live.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TtlError {
    /// Not a number and a unit.
    #[error("write a number and a unit, such as 30s, 15m, 24h or 7d")]
    Form,
    /// Nothing at all, or longer than a year.
    #[error("must be between one second and 366 days")]
    Bounds,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (text, seconds) in [("30s", 30), ("15m", 900), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(text.parse::<Ttl>().map(Ttl::seconds), Ok(seconds));
        }
        for text in ["", "5", "m", "-5m", "+5m", "1.5h", "5 m", "5M", "5é", "é"] {
            assert_eq!(text.parse::<Ttl>(), Err(TtlError::Form), "{text}");
        }
        for text in [
            "0s",
            "367d",
            "99999999999999999999s",
            "9223372036854775807d",
        ] {
            assert_eq!(text.parse::<Ttl>(), Err(TtlError::Bounds), "{text}");
        }
    }

    #[test]
    fn it_is_shown_as_it_would_be_typed() {
        for text in ["1s", "90s", "15m", "90m", "5h", "1d", "7d"] {
            assert_eq!(text.parse::<Ttl>().unwrap().to_string(), text);
        }
        assert_eq!("24h".parse::<Ttl>().unwrap().to_string(), "1d");
    }
}
