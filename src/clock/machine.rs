//! What the machine itself says: what time it is, and whether anybody told it.

use std::time::{SystemTime, UNIX_EPOCH};

/// There since the network told the machine the time, until it is switched off (systemd-timesyncd(8)).
/// Other NTP programs leave no such sign: with them time is never sure, never runs back within a run,
/// and is right again after a restart.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

/// What the machine's clock says, in milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(super) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
        .saturating_add(hook::shift_ms())
}

/// Whether the machine was told the time since it was switched on.
pub(super) fn is_synchronised() -> bool {
    hook::is_synchronised().unwrap_or_else(|| std::path::Path::new(SYNCHRONISED).exists())
}

/// How a test puts this process's clock off; only builds with debug assertions look.
///
/// `MOTOREACH_CLOCK_SHIFT_S` is a number of seconds for the whole run. `MOTOREACH_CLOCK_FILE` names a
/// file with such a number, looked at again and again, so that a running process' clock can be moved;
/// the word `told` after the number says that the machine was told the time.
#[cfg(debug_assertions)]
mod hook {
    use std::sync::OnceLock;

    fn variable(
        name: &'static str,
        kept: &'static OnceLock<Option<String>>,
    ) -> Option<&'static str> {
        kept.get_or_init(|| std::env::var(name).ok()).as_deref()
    }

    fn file() -> Option<String> {
        static FILE: OnceLock<Option<String>> = OnceLock::new();
        std::fs::read_to_string(variable("MOTOREACH_CLOCK_FILE", &FILE)?).ok()
    }

    fn shift_s() -> Option<&'static str> {
        static SHIFT: OnceLock<Option<String>> = OnceLock::new();
        variable("MOTOREACH_CLOCK_SHIFT_S", &SHIFT)
    }

    fn seconds(text: &str) -> Option<i64> {
        text.parse().ok()
    }

    pub(super) fn shift_ms() -> i64 {
        let text = file();
        let first = text.as_deref().and_then(|it| it.split_whitespace().next());
        let seconds = first.map_or_else(|| shift_s().and_then(seconds), seconds);
        seconds.unwrap_or(0).saturating_mul(1_000)
    }

    pub(super) fn is_synchronised() -> Option<bool> {
        match file() {
            Some(text) => Some(text.split_whitespace().nth(1) == Some("told")),
            None => shift_s().map(|_| false),
        }
    }
}

#[cfg(not(debug_assertions))]
mod hook {
    pub(super) const fn shift_ms() -> i64 {
        0
    }

    pub(super) const fn is_synchronised() -> Option<bool> {
        None
    }
}
