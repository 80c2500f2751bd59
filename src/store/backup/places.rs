//! Disks that backups could go to, and backups that lie on them for an empty box to find.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};

use super::file::read_header;
use super::folder::{ENDING, open_plain};
use crate::domain::Timestamp;
use crate::store::data_dir::DataDir;

/// Below these people's disks are mounted.
const MOUNTED_BELOW: [&str; 3] = ["/media", "/mnt", "/run/media"];
/// The folder that is made on a disk somebody chooses.
const FOLDER: &str = "motoreach-backups";
/// Folders of a disk, and files of a folder, that are looked at.
const LOOKED_AT_MAX: usize = 200;
/// Backups that are shown.
const SHOWN_MAX: usize = 50;

/// A place that backups could go to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disk {
    /// The folder; made when it is chosen.
    pub folder: PathBuf,
    /// What people call it; none: the box's own.
    pub label: Option<String>,
    /// Free room, in bytes.
    pub free_bytes: u64,
    /// All of it, in bytes.
    pub total_bytes: u64,
    /// Whether it can be unplugged.
    pub removable: bool,
}

/// A backup on a disk, of whatever workshop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnDisk {
    /// The file.
    pub path: PathBuf,
    /// What people call the disk; none: the box's own.
    pub label: Option<String>,
    /// When it was made.
    pub made: Timestamp,
    /// Its length.
    pub bytes: u64,
    /// Whether only the recovery words open it.
    pub sealed: bool,
}

/// A disk that people plugged in.
struct Mount {
    at: PathBuf,
    device: String,
    read_only: bool,
}

/// The default folder, then every disk that can be written to.
pub fn disks(dir: &DataDir) -> Vec<Disk> {
    let home = with_room(dir.backups(), dir.path(), None, false);
    let plugged = mounts().into_iter().filter(|mount| {
        !mount.read_only && access(&mount.at, Access::WRITE_OK | Access::EXEC_OK).is_ok()
    });
    let others = plugged.filter_map(|mount| {
        let label = Some(label(&mount.at));
        let removable = is_removable(&mount.device);
        with_room(mount.at.join(FOLDER), &mount.at, label, removable)
    });
    home.into_iter().chain(others).collect()
}

/// Backups that an empty box finds: in its default folder, and in the folders of disks that people
/// plugged in; the newest first.
pub fn on_disks(dir: &DataDir) -> Vec<OnDisk> {
    let mut found = in_folder(&dir.backups(), None);
    for mount in mounts() {
        let label = label(&mount.at);
        found.extend(in_folder(&mount.at, Some(&label)));
        let Ok(entries) = fs::read_dir(&mount.at) else {
            continue;
        };
        let folders = entries.flatten().take(LOOKED_AT_MAX);
        for folder in folders.filter(|entry| entry.file_type().is_ok_and(|it| it.is_dir())) {
            found.extend(in_folder(&folder.path(), Some(&label)));
        }
    }
    found.sort_by_key(|backup| std::cmp::Reverse(backup.made));
    found.truncate(SHOWN_MAX);
    found
}

fn in_folder(folder: &Path, label: Option<&str>) -> Vec<OnDisk> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.flatten().take(LOOKED_AT_MAX).map(|it| it.path());
    let named = paths.filter(|path| path.to_str().is_some_and(|path| path.ends_with(ENDING)));
    named
        .filter_map(|path| {
            let mut file = open_plain(&path).ok()?;
            let bytes = file.metadata().ok()?.len();
            let header = read_header(&mut file).ok()?;
            Some(OnDisk {
                label: label.map(str::to_owned),
                made: Timestamp(header.made_ms),
                bytes,
                sealed: header.sealed,
                path,
            })
        })
        .collect()
}

fn with_room(folder: PathBuf, on: &Path, label: Option<String>, removable: bool) -> Option<Disk> {
    let stat = statvfs(on).ok()?;
    Some(Disk {
        folder,
        label,
        free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
        removable,
    })
}

/// The last part of where it is mounted; our own service mounts disks as `motoreach-<label>`.
fn label(at: &Path) -> String {
    let name = at.file_name().unwrap_or(at.as_os_str()).to_string_lossy();
    name.strip_prefix("motoreach-").unwrap_or(&name).to_owned()
}

fn mounts() -> Vec<Mount> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    text.lines().filter_map(mount).collect()
}

/// One line of proc_pid_mountinfo(5): id, parent, device, root, where, options, …
fn mount(line: &str) -> Option<Mount> {
    let mut words = line.split(' ').skip(2);
    let device = words.next()?.to_owned();
    let at = PathBuf::from(unescaped(words.nth(1)?));
    let read_only = words.next()?.split(',').any(|option| option == "ro");
    let is_peoples = MOUNTED_BELOW
        .iter()
        .any(|below| at.starts_with(below) && at != Path::new("/media"));
    is_peoples.then_some(Mount {
        at,
        device,
        read_only,
    })
}

/// `\040` is a space.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part
            .get(..3)
            .and_then(|code| u8::from_str_radix(code, 8).ok());
        match code {
            Some(code) => {
                out.push(code);
                out.extend_from_slice(&part.as_bytes()[3..]);
            }
            None => out.extend_from_slice(part.as_bytes()),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Asks the kernel; a partition says it of the disk that it is on.
fn is_removable(device: &str) -> bool {
    let block = Path::new("/sys/dev/block").join(device);
    ["removable", "../removable"]
        .iter()
        .any(|file| fs::read_to_string(block.join(file)).is_ok_and(|text| text.trim() == "1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_known_by_where_it_is_mounted() {
        let line = r"36 35 8:1 / /media/motoreach-BLUE\040STICK rw,nosuid - vfat /dev/sda1 rw";
        let found = mount(line).unwrap();
        assert_eq!(found.at, Path::new("/media/motoreach-BLUE STICK"));
        assert_eq!((found.device.as_str(), found.read_only), ("8:1", false));
        assert_eq!(label(&found.at), "BLUE STICK");
        let protected = r"36 35 8:1 / /mnt ro,relatime - ext4 /dev/sda1 ro";
        assert!(mount(protected).unwrap().read_only);
        for other in [
            "36 35 8:2 / / rw - ext4 /dev/sda2 rw",
            "36 35 0:5 / /media rw - tmpfs t rw",
            "36 35 8:2 / /mediaeval rw - ext4 /dev/sda2 rw",
            "",
        ] {
            assert!(mount(other).is_none(), "{other}");
        }
    }

    #[test]
    fn the_boxs_own_folder_comes_first() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path());
        let disks = disks(&dir);
        assert_eq!((&disks[0].folder, &disks[0].label), (&dir.backups(), &None));
        assert!(disks[0].total_bytes > 0 && !disks[0].removable);
    }
}
