//! Numbers as people read them at the command line.

/// `1 message`, `1,204 messages`.
pub(super) fn counted(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// `1204` as `1,204`.
pub(super) fn grouped(count: i64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.3 MB`: bytes by thousands, as disks are sold.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    UNITS.iter().find(|(unit, _)| count >= *unit).map_or_else(
        || format!("{count} bytes"),
        |(unit, name)| format!("{}.{} {name}", count / unit, count % unit / (unit / 10)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_read_them() {
        assert_eq!([0, 999, 1_000_000].map(grouped), ["0", "999", "1,000,000"]);
        assert_eq!(counted(1, "message", "messages"), "1 message");
        assert_eq!(counted(1_204, "message", "messages"), "1,204 messages");
        let shown = [0, 999, 1_290, 24_000_000, 2_500_000_000].map(bytes);
        assert_eq!(
            shown,
            ["0 bytes", "999 bytes", "1.2 kB", "24.0 MB", "2.5 GB"]
        );
    }
}
