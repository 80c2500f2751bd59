//! What a backup is called: `motoreach-sharma-motors-2026-11-25T0230Z.backup`.

use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::folder::ENDING;
use crate::domain::Timestamp;

/// Letters of the workshop's name in a file's name.
const SLUG_CHARS_MAX: usize = 32;
/// Backups of one minute that get names of their own.
const SAME_MINUTE_MAX: u32 = 1_000;

/// A free name in a folder for a backup made at that moment.
pub(super) fn free(folder: &Path, workshop: &str, made: Timestamp) -> Option<PathBuf> {
    let stem = stem(workshop, made);
    (1..SAME_MINUTE_MAX)
        .map(|number| match number {
            1 => folder.join(format!("{stem}{ENDING}")),
            number => folder.join(format!("{stem}-{number}{ENDING}")),
        })
        .find(|path| !path.exists())
}

fn stem(workshop: &str, made: Timestamp) -> String {
    let minute = utc(made).map_or_else(
        || "1970-01-01T0000Z".to_owned(),
        |at| at.strftime("%Y-%m-%dT%H%MZ").to_string(),
    );
    match slug(workshop) {
        slug if slug.is_empty() => format!("motoreach-{minute}"),
        slug => format!("motoreach-{slug}-{minute}"),
    }
}

/// A moment as people at Greenwich read it.
pub(super) fn utc(at: Timestamp) -> Option<DateTime> {
    let at = jiff::Timestamp::from_millisecond(at.0).ok()?;
    Some(Offset::UTC.to_datetime(at))
}

/// The letters of a name that every file system takes; none of a name in another script.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(SLUG_CHARS_MAX);
    slug.trim_end_matches('-').to_owned()
}

/// Whether a file is called as we call ours. One that somebody renamed is theirs.
pub(super) fn is_ours(name: &str) -> bool {
    let Some(stem) = name
        .strip_prefix("motoreach-")
        .and_then(|rest| rest.strip_suffix(ENDING))
    else {
        return false;
    };
    let stem = match stem.rsplit_once("Z-") {
        Some((before, number)) if number.bytes().all(|digit| digit.is_ascii_digit()) => before,
        Some(_) | None => match stem.strip_suffix('Z') {
            Some(before) => before,
            None => return false,
        },
    };
    const SHAPE: &[u8] = b"0000-00-00T0000";
    let Some(at) = stem.len().checked_sub(SHAPE.len()) else {
        return false;
    };
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        shape => byte == shape,
    };
    (at == 0 || stem.as_bytes()[at - 1] == b'-')
        && stem.as_bytes()[at..].iter().zip(SHAPE).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_795_573_800_000);

    #[test]
    fn a_name_says_whose_it_is_and_when_it_was_made() {
        assert_eq!(
            stem("Sharma Motors", AT),
            "motoreach-sharma-motors-2026-11-25T0230Z"
        );
        assert_eq!(stem("ശർമ്മ", AT), "motoreach-2026-11-25T0230Z");
        assert_eq!(slug("  A & B — Motors!! "), "a-b-motors");
        assert_eq!(slug(&"x".repeat(80)).len(), SLUG_CHARS_MAX);
    }

    #[test]
    fn two_of_one_minute_have_two_names() {
        let folder = tempfile::tempdir().unwrap();
        let first = free(folder.path(), "A", AT).unwrap();
        std::fs::write(&first, b"").unwrap();
        let second = free(folder.path(), "A", AT).unwrap();
        assert_ne!(first, second);
        for path in [first, second] {
            assert!(is_ours(path.file_name().unwrap().to_str().unwrap()));
        }
    }

    #[test]
    fn a_file_that_somebody_named_is_theirs() {
        assert!(is_ours("motoreach-2026-11-25T0230Z.backup"));
        assert!(is_ours("motoreach-a-b-1970-01-01T0000Z-12.backup"));
        for theirs in [
            "before-the-move.backup",
            "motoreach.backup",
            "motoreach-keep-me.backup",
            "motoreach-2026-11-25T0230Z-keep.backup",
            "motoreach-a2026-11-25T0230Z.backup",
            "motoreach-2026-11-25T0230Z.backup.part",
            "motoreach-Z.backup",
        ] {
            assert!(!is_ours(theirs), "{theirs}");
        }
    }
}
