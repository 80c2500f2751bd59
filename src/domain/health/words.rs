//! Figures as people say them.

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// A day, in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// "1,204".
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "1 message", "1,204 messages".
pub fn counted(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// "3 minutes", "5 hours", "12 days", "8 weeks": in the one unit that matters.
pub fn span(ms: i64) -> String {
    let ms = ms.max(0);
    match ms {
        ..MINUTE_MS => "less than a minute".to_owned(),
        MINUTE_MS..HOUR_MS => counted(ms / MINUTE_MS, "minute", "minutes"),
        HOUR_MS..172_800_000 => counted(ms / HOUR_MS, "hour", "hours"),
        172_800_000..5_184_000_000 => counted(ms / DAY_MS, "day", "days"),
        _ => counted(ms / (7 * DAY_MS), "week", "weeks"),
    }
}

/// "5 hours ago"; a time that lies ahead (the clock was put back since) is "just now".
pub fn ago(ms: i64) -> String {
    if ms < MINUTE_MS {
        "just now".to_owned()
    } else {
        format!("{} ago", span(ms))
    }
}

/// "512 B", "3.4 MB", "29 GB", in powers of ten as cards and disks are sold.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut unit = 0;
    let mut tenths = number.saturating_mul(10);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1_000;
        unit += 1;
    }
    if unit == 0 || tenths >= 100 {
        format!("{} {}", tenths / 10, UNITS[unit])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

/// "less than 1 %", "37 %".
pub fn percent(part: u64, whole: u64) -> String {
    let share = u128::from(part) * 100 / u128::from(whole.max(1));
    match share {
        0 => "less than 1 %".to_owned(),
        share => format!("{share} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_people_say_them() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_204), "1,204");
        assert_eq!(count(-1_234_567), "-1,234,567");
        assert_eq!(counted(1, "day", "days"), "1 day");
        assert_eq!(span(0), "less than a minute");
        assert_eq!(span(90_000), "1 minute");
        assert_eq!(span(26 * HOUR_MS), "26 hours");
        assert_eq!(span(12 * DAY_MS + 5), "12 days");
        assert_eq!(span(70 * DAY_MS), "10 weeks");
        assert_eq!(ago(-5), "just now");
        assert_eq!(ago(5 * HOUR_MS), "5 hours ago");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(3_400_000), "3.4 MB");
        assert_eq!(bytes(29_000_000_000), "29 GB");
        assert_eq!(bytes(1_000_000), "1.0 MB");
        assert_eq!(bytes(u64::MAX), "1844674 TB");
        assert_eq!(percent(37, 100), "37 %");
        assert_eq!(percent(1, 1_000), "less than 1 %");
        assert_eq!(percent(0, 0), "less than 1 %");
    }
}
