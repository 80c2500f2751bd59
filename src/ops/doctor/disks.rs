//! On which disks the data and its backups lie, for doctor. The data directory may be anywhere (`data` in
//! the configuration), and backups had better lie elsewhere: what dies with the card is lost with it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::ops::say;
use crate::store::{DataDir, inspect};

const GIB: f64 = 1_073_741_824.0;
/// What is mounted, for this process (proc_pid_mountinfo(5)).
const MOUNTS: &str = "/proc/self/mountinfo";

/// A file system that is mounted.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Mount {
    source: String,
    kind: String,
    at: PathBuf,
}

/// Where something lies.
struct Place {
    path: PathBuf,
    /// None where it is not there, as on a disk that is not plugged in.
    mount: Option<Mount>,
}

/// Where the data and its backups lie.
pub(super) struct Disks {
    data: Place,
    backups: Option<Place>,
}

impl Disks {
    /// Looks at them.
    pub(super) fn of(dir: &DataDir) -> Self {
        let mounts = mounts_in(&fs::read_to_string(MOUNTS).unwrap_or_default());
        let folder = inspect::backup_folder(dir).ok();
        Self {
            data: Place::of(dir.path(), &mounts),
            backups: folder.map(|folder| {
                // The default is made with the first backup.
                let made_later = folder == dir.backups() && !folder.exists();
                let looked_at = if made_later { dir.path() } else { &folder };
                Place {
                    mount: Place::of(looked_at, &mounts).mount,
                    path: folder,
                }
            }),
        }
    }

    pub(super) fn tell(&self) {
        say(format_args!("  disk        {}", self.data.told()));
        if let Some(backups) = &self.backups {
            let path = backups.path.display();
            say(format_args!(
                "  backups     {path}, {}",
                self.backups_told(backups)
            ));
        }
    }

    fn backups_told(&self, backups: &Place) -> String {
        match &backups.mount {
            None => "not there: plug the disk in, or choose another folder on the page Box".into(),
            mount if *mount == self.data.mount => {
                "on the same disk as the data: a stick or another \
                 disk would outlive it; choose it on the page Box"
                    .into()
            }
            Some(_) => format!("on {}", backups.told()),
        }
    }

    pub(super) fn as_json(&self) -> Value {
        let backups = self.backups.as_ref();
        json!({
            "data": self.data.as_json(),
            "backups": backups.map(Place::as_json),
            "backups_on_another_disk": backups
                .and_then(|it| it.mount.as_ref())
                .map(|mount| Some(mount) != self.data.mount.as_ref()),
        })
    }
}

impl Place {
    fn of(path: &Path, mounts: &[Mount]) -> Self {
        let real = fs::canonicalize(path).ok();
        Self {
            path: path.to_owned(),
            mount: real.and_then(|real| mount_of(&real, mounts)),
        }
    }

    /// Free and all of it, in bytes.
    fn room(&self) -> Option<(u64, u64)> {
        let stat = rustix::fs::statvfs(&self.mount.as_ref()?.at).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        Some((bytes(stat.f_bavail), bytes(stat.f_blocks)))
    }

    fn told(&self) -> String {
        let Some(Mount { source, kind, at }) = &self.mount else {
            return "not known".into();
        };
        let room = self.room().map_or_else(String::new, |(free, total)| {
            format!(", {} of {} GiB free", gib(free), gib(total))
        });
        format!("{source} ({kind}) at {}{room}", at.display())
    }

    fn as_json(&self) -> Value {
        let room = self.room();
        json!({
            "path": self.path,
            "device": self.mount.as_ref().map(|mount| &mount.source),
            "file_system": self.mount.as_ref().map(|mount| &mount.kind),
            "mounted_at": self.mount.as_ref().map(|mount| &mount.at),
            "free_bytes": room.map(|(free, _)| free),
            "total_bytes": room.map(|(_, total)| total),
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "one digit behind the point is shown"
)]
fn gib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / GIB)
}

/// The innermost file system that holds a path; of two at one place the later one is seen.
fn mount_of(path: &Path, mounts: &[Mount]) -> Option<Mount> {
    let holding = mounts.iter().filter(|mount| path.starts_with(&mount.at));
    holding
        .max_by_key(|mount| mount.at.components().count())
        .cloned()
}

fn mounts_in(text: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        Some(Mount {
            at: unescaped(before.split(' ').nth(4)?).into(),
            kind: after.next()?.to_owned(),
            source: unescaped(after.next()?),
        })
    };
    text.lines().filter_map(mount).collect()
}

/// Blanks in names are written as `\\040`.
fn unescaped(name: &str) -> String {
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .iter()
    .fold(name.to_owned(), |name, (code, letter)| {
        name.replace(code, letter)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "22 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw\n\
        40 22 8:1 / /media/USB\\040stick rw - vfat /dev/sda1 rw\n\
        41 22 8:2 / /srv rw shared:5 master:2 - ext4 /dev/sda2 rw\n";

    #[test]
    fn a_path_lies_on_the_innermost_disk() {
        let mounts = mounts_in(TEXT);
        let on = |path: &str| mount_of(Path::new(path), &mounts).unwrap().source;
        assert_eq!(on("/var/lib/motoreach"), "/dev/mmcblk0p2");
        assert_eq!(on("/media/USB stick/backups"), "/dev/sda1");
        assert_eq!(on("/srv/motoreach"), "/dev/sda2");
        assert_eq!(on("/srvmotoreach"), "/dev/mmcblk0p2");
    }

    #[test]
    fn this_machine_says_where_its_files_lie() {
        let temp = tempfile::tempdir().unwrap();
        let mounts = mounts_in(&fs::read_to_string(MOUNTS).unwrap());
        let place = Place::of(temp.path(), &mounts);
        assert!(place.mount.is_some());
        assert!(place.room().is_some_and(|(free, total)| free <= total));
    }
}
