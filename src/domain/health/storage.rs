//! Room on the disk, and whether and how fast it takes what is written.

use super::words::{DAY_MS, bytes, percent, span};
use super::{Area, Finding};

/// Less free than this, in bytes, is little on any disk.
const LITTLE_BYTES: u64 = 512 << 20;
/// Less free than this, in bytes, and photos and backups do not fit any more.
const NONE_BYTES: u64 = 64 << 20;
/// Uploads are refused first below a tenth free.
const LITTLE_PART: u64 = 10;
const NONE_PART: u64 = 50;
/// A disk that is full so soon is worth a look, in days.
const FULL_SOON_DAYS: i64 = 30;
/// A disk that is full so soon needs somebody, in days.
const FULL_NOW_DAYS: i64 = 3;
/// The log is folded in at 4 MiB; past this, in bytes, something holds it open.
const LOG_LARGE_BYTES: u64 = 64 << 20;
/// A disk that needs so long for a commit, in milliseconds, is felt by whoever writes.
const SLOW_MS: u64 = 500;

/// Room on the disk that holds the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// Free for us, in bytes.
    pub free: u64,
    /// Its size, in bytes.
    pub total: u64,
    /// In how many milliseconds it is full at the pace of the last weeks, where it fills at all and was
    /// watched for long enough.
    pub full_in_ms: Option<i64>,
}

/// What the disk has room for.
pub fn room(room: Room) -> Finding {
    let Room { free, total, .. } = room;
    let mut what = format!(
        "{} of {} are free ({}).",
        bytes(free),
        bytes(total),
        percent(free, total)
    );
    let soon = room
        .full_in_ms
        .filter(|ms| *ms < 365 * DAY_MS)
        .inspect(|ms| {
            what.push_str(&format!(
                " At the pace of the last weeks it is full in {}.",
                span(*ms)
            ));
        });
    let make_room =
        "Remove what does not belong here, keep fewer backups on it, or move to a larger disk.";
    if free < NONE_BYTES.min(total / NONE_PART)
        || soon.is_some_and(|ms| ms < FULL_NOW_DAYS * DAY_MS)
    {
        Finding::act(Area::Disk, what, make_room)
    } else if free < LITTLE_BYTES.min(total / LITTLE_PART)
        || soon.is_some_and(|ms| ms < FULL_SOON_DAYS * DAY_MS)
    {
        Finding::look(Area::Disk, what, make_room)
    } else {
        Finding::well(Area::Disk, what)
    }
}

/// How writing goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Writing {
    /// The disk is full.
    Full,
    /// The disk reports errors.
    Failing,
    /// It takes what is written.
    Takes {
        /// Commits that were measured lately.
        commits: u64,
        /// What half of them took at most, in milliseconds.
        half_ms: u64,
        /// What 99 of 100 of them took at most, in milliseconds.
        most_ms: u64,
        /// What the database's log takes on the disk, in bytes.
        log_bytes: u64,
    },
}

/// Whether the disk takes what is written, and how fast.
pub fn writing(writing: Writing) -> Finding {
    match writing {
        Writing::Full => Finding::act(
            Area::Writing,
            "The disk is full: nothing new is taken. Nothing that was acknowledged is lost.",
            "Make room on it now; the box goes on by itself.",
        ),
        Writing::Failing => Finding::act(
            Area::Writing,
            "The disk reports errors: nothing is taken until it works again.",
            "Check the cable or the card. If it stays so, restore the newest backup onto a new card.",
        ),
        Writing::Takes {
            commits,
            half_ms,
            most_ms,
            log_bytes,
        } => takes(commits, half_ms, most_ms, log_bytes),
    }
}

fn takes(commits: u64, half_ms: u64, most_ms: u64, log_bytes: u64) -> Finding {
    let pace = if commits == 0 {
        "Everything that is written is kept.".to_owned()
    } else {
        format!(
            "Everything that is written is kept; the disk needs up to {half_ms} ms for half of it \
             and up to {most_ms} ms for nearly all."
        )
    };
    if commits > 0 && most_ms >= SLOW_MS {
        return Finding::look(
            Area::Writing,
            pace,
            "The disk is slow: a card that is worn out or too cheap does that. Replace it when you can.",
        );
    }
    if log_bytes > LOG_LARGE_BYTES {
        return Finding::look(
            Area::Writing,
            format!(
                "{pace} The database's log has grown to {}: a program that reads it holds it open.",
                bytes(log_bytes)
            ),
            "End whatever reads the database from outside; a restart of the box helps, too.",
        );
    }
    Finding::well(Area::Writing, pace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::Level;

    const GB: u64 = 1_000_000_000;

    fn level(free: u64, total: u64, full_in_days: Option<i64>) -> Level {
        let full_in_ms = full_in_days.map(|days| days * DAY_MS);
        room(Room {
            free,
            total,
            full_in_ms,
        })
        .level
    }

    #[test]
    fn a_disk_is_judged_by_its_room_and_by_when_it_is_full() {
        assert_eq!(level(20 * GB, 32 * GB, None), Level::Well);
        assert_eq!(level(20 * GB, 32 * GB, Some(300)), Level::Well);
        assert_eq!(level(20 * GB, 32 * GB, Some(20)), Level::Look);
        assert_eq!(level(20 * GB, 32 * GB, Some(2)), Level::Act);
        assert_eq!(level(GB / 4, 32 * GB, None), Level::Look);
        assert_eq!(level(GB / 40, 32 * GB, None), Level::Act);
        // A large disk is not short of room at a tenth, nor a small one at its usual half.
        assert_eq!(level(90 * GB, 1_000 * GB, None), Level::Well);
        assert_eq!(level(40 << 20, 80 << 20, None), Level::Well);
        let told = room(Room {
            free: 20 * GB,
            total: 32 * GB,
            full_in_ms: Some(20 * DAY_MS),
        });
        assert_eq!(
            told.what,
            "20 GB of 32 GB are free (62 %). At the pace of the last weeks it is full in 20 days."
        );
    }

    #[test]
    fn a_slow_disk_and_a_large_log_are_told() {
        let takes = |commits, most_ms, log_bytes| {
            writing(Writing::Takes {
                commits,
                half_ms: 5,
                most_ms,
                log_bytes,
            })
            .level
        };
        assert_eq!(takes(100, 50, 1 << 20), Level::Well);
        assert_eq!(takes(100, 1_000, 1 << 20), Level::Look);
        assert_eq!(takes(0, 0, 1 << 20), Level::Well);
        assert_eq!(takes(100, 50, 200 << 20), Level::Look);
        assert_eq!(writing(Writing::Full).level, Level::Act);
        assert_eq!(writing(Writing::Failing).level, Level::Act);
    }
}
