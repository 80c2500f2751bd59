//! Everything that is done before anything changes: room, a backup, a test of the new program on a copy
//! of the data.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::owner::Owner;
use super::source::Found;
use super::{Update, note};
use crate::clock::stopwatch;
use crate::crash;
use crate::store::{DataDir, copy};
use crate::update::place::Folder;
use crate::update::{Refusal, Step, TARGET, Version, swap};

/// The shortest time that a new program has for its test.
const TEST_MIN: Duration = Duration::from_secs(120);
/// So many bytes of data give it a second more: a slow card reads ten times as fast.
const TEST_BYTES_PER_S: u64 = 2 * 1024 * 1024;
/// Room beyond copies of the data, in bytes: logs of the copy, notes.
const ROOM_BYTES: u64 = 64 * 1024 * 1024;
const MB: u64 = 1024 * 1024;

/// A program that passed its test.
pub(super) struct Prepared {
    /// Its version.
    pub(super) version: Version,
    /// Whether it changes the database, so that the old program cannot read it any more.
    pub(super) migrates: bool,
    /// How long the test took.
    pub(super) took: Duration,
}

/// Whether a backup is made first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Backup {
    /// As always.
    First,
    /// Not this time: somebody said so, or nothing will be changed.
    None,
}

impl Update {
    /// Tests what was found, and gives the old program its second name.
    pub(super) async fn prepare(
        &self,
        found: Found,
        backup: Backup,
        in_json: bool,
    ) -> anyhow::Result<Prepared> {
        let owner = Owner::of(&self.data);
        self.make_sure_of_room()?;
        if let Some(version) = found.version {
            note(
                in_json,
                format_args!("This is MotoReach {version}, rightly signed."),
            );
        }
        crash::point("update-found");
        if backup == Backup::First && DataDir::new(&self.data).database().exists() {
            self.say_step(Step::BackingUp, found.version);
            note(in_json, "Backing the data up first …");
            let made = owner.back_up(self.config.as_deref()).await;
            made.map_err(|error| Refusal::NoBackup(format!("{error:#}")))?;
            crash::point("update-backed-up");
        }
        self.say_step(Step::Testing, found.version);
        note(in_json, "Testing it on a copy of the data …");
        let began = stopwatch();
        let tested = self.test(&owner, &found).await;
        let _ = self.place.drop_folder(Folder::Scratch);
        let tested = tested?;
        crash::point("update-tested");
        if !self.is_packaged(&found) {
            swap::keep_old(&self.program).map_err(|source| Refusal::Unwritable {
                path: swap::old_of(&self.program).display().to_string(),
                source,
            })?;
        }
        Ok(Prepared {
            took: took(began),
            ..tested
        })
    }

    /// The package manager has put the program in place, and its script has kept the old one.
    fn is_packaged(&self, found: &Found) -> bool {
        found.path == self.program
    }

    /// One copy to test on, and one to keep.
    fn make_sure_of_room(&self) -> Result<(), Refusal> {
        let needed = copy::bytes(&DataDir::new(&self.data)) * 2 + ROOM_BYTES;
        let path = self.place.path();
        let Some(free) = free(path).filter(|free| *free < needed) else {
            return Ok(());
        };
        Err(Refusal::NoRoom {
            path: path.display().to_string(),
            needed_mb: (needed - free).div_ceil(MB),
        })
    }

    /// A folder of this update's own: a test that an update before left behind may still be at work.
    fn scratch(&self, owner: &Owner) -> Result<PathBuf, Refusal> {
        let all = self.place.folder(Folder::Scratch)?;
        let mine = all.join(Uuid::new_v4().to_string());
        let made = DirBuilder::new()
            .mode(0o700)
            .create(&mine)
            .and_then(|()| owner.give(&mine))
            .and_then(|()| owner.give(&all));
        made.map_err(|source| Refusal::Unwritable {
            path: mine.display().to_string(),
            source,
        })?;
        Ok(mine)
    }

    async fn test(&self, owner: &Owner, found: &Found) -> anyhow::Result<Prepared> {
        let _ = self.place.drop_folder(Folder::Scratch);
        let scratch = self.scratch(owner)?;
        owner.copy("make", &scratch).await?;
        crash::point("update-copied");
        let seconds = copy::bytes(&DataDir::new(&scratch)) / TEST_BYTES_PER_S;
        let limit = TEST_MIN.max(Duration::from_secs(seconds));
        let answer = owner.self_test(&found.path, &scratch, limit).await;
        let answer = answer.map_err(|error| failed(&format!("{error:#}")))?;
        if let Some(fault) = answer.fault {
            return Err(failed(&fault).into());
        }
        let said = |name: &str| answer.json[name].as_str().unwrap_or_default();
        let version: Option<Version> = said("version").parse().ok();
        let version = version
            .filter(|version| found.version.is_none_or(|signed| signed == *version))
            .filter(|_| said("target") == TARGET);
        let Some(version) = version else {
            return Err(failed("it says that it is another program.").into());
        };
        let migration = |name: &str| answer.json[name].as_i64().unwrap_or_default();
        Ok(Prepared {
            version,
            migrates: migration("migration_after") != migration("migration_before"),
            took: Duration::ZERO,
        })
    }
}

fn failed(why: &str) -> Refusal {
    Refusal::FailedTest(why.to_owned())
}

fn took(began: Instant) -> Duration {
    stopwatch().duration_since(began)
}

/// Free bytes of the file system that holds this path.
fn free(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}
