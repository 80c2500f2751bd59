//! `motoreach usb`: what `motoreach-usb@.service` calls when a disk is plugged in, and when it goes.
//!
//! The disk may hold anything: nothing on it is run or trusted, its label names a folder only after every
//! odd letter is gone, and a disk that the system itself lives on is left alone.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::failure::Exit;
use super::say;
use crate::cli::UsbCommand;

/// Where disks for backups are mounted, with this before their labels.
const POINT: &str = "/media/motoreach-";
/// Disks of one label.
const SAME_LABEL_MAX: u32 = 16;
/// What is kept of a label, in letters.
const LABEL_LETTERS_MAX: usize = 32;
/// Who writes backups.
const USER: &str = "motoreach";

/// `motoreach usb …`.
///
/// # Errors
/// The disk cannot be mounted, or not be let go of.
pub fn run(command: &UsbCommand) -> anyhow::Result<Exit> {
    match command {
        UsbCommand::Mount { partition } => mount(&device(partition)?),
        UsbCommand::Unmount { partition } => unmount(&device(partition)?),
    }
}

fn device(partition: &str) -> anyhow::Result<PathBuf> {
    if partition.is_empty() || !partition.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        bail!("`{partition}` is no name of a partition, such as sda1.");
    }
    Ok(Path::new("/dev").join(partition))
}

fn mount(device: &Path) -> anyhow::Result<Exit> {
    let mounts = mounts()?;
    let disk = disk_of(device);
    if let Some(other) = mounts
        .iter()
        .find(|mount| disk_of(&mount.source) == disk && !mount.is_ours())
    {
        say(format_args!(
            "{} is left alone: {} is in use by the system.",
            device.display(),
            other.point.display()
        ));
        return Ok(Exit::Done);
    }
    if mounts.iter().any(|mount| mount.source == device) {
        return Ok(Exit::Done);
    }
    let (kind, label) = about(device)?;
    let (uid, gid) = user()?;
    let Some((driver, options)) = options(&kind, uid, gid) else {
        bail!(
            "{} holds {kind}, which cannot be used for backups: format it as exFAT or ext4.",
            device.display()
        );
    };
    let point = free_point(&label, &mounts)?;
    fs::create_dir_all(&point).with_context(|| format!("{} cannot be made.", point.display()))?;
    let done = Command::new("mount")
        .args(["-t", driver, "-o", &options])
        .args([device, &point])
        .stdin(Stdio::null())
        .output()
        .context("`mount` of this system cannot be run.")?;
    if !done.status.success() {
        let _ = fs::remove_dir(&point);
        bail!(
            "{} cannot be mounted: {}",
            device.display(),
            String::from_utf8_lossy(&done.stderr).trim_end()
        );
    }
    give_to(&point, uid, gid)?;
    say(format_args!(
        "{} is mounted at {}.",
        device.display(),
        point.display()
    ));
    Ok(Exit::Done)
}

/// The disk may be gone already; then only its place is tidied.
fn unmount(device: &Path) -> anyhow::Result<Exit> {
    for mount in mounts()? {
        if mount.source != device || !mount.is_ours() {
            continue;
        }
        let umount = |how: &[&str]| {
            let done = Command::new("umount").args(how).arg(&mount.point).status();
            done.is_ok_and(|status| status.success())
        };
        // Somebody may still read from it; what they have open goes when they let go of it.
        if !umount(&[]) && !umount(&["--lazy"]) {
            bail!("{} cannot be let go of.", mount.point.display());
        }
        let _ = fs::remove_dir(&mount.point);
    }
    Ok(Exit::Done)
}

/// Something that is mounted.
struct Mount {
    source: PathBuf,
    point: PathBuf,
}

impl Mount {
    fn is_ours(&self) -> bool {
        self.point.to_string_lossy().starts_with(POINT)
    }
}

/// What is mounted from a device.
fn mounts() -> anyhow::Result<Vec<Mount>> {
    let text = fs::read_to_string("/proc/self/mounts").context("What is mounted is not known.")?;
    Ok(mounts_in(&text))
}

fn mounts_in(text: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let mut words = line.split(' ');
        let (source, point) = (words.next()?, words.next()?);
        source.starts_with("/dev/").then(|| Mount {
            source: source.into(),
            point: point.into(),
        })
    };
    text.lines().filter_map(mount).collect()
}

/// The disk that a partition is on, as the kernel knows it; for a whole disk itself.
fn disk_of(device: &Path) -> Option<PathBuf> {
    let name = device.file_name()?;
    let here = Path::new("/sys/class/block")
        .join(name)
        .canonicalize()
        .ok()?;
    if here.join("partition").exists() {
        here.parent().map(Path::to_owned)
    } else {
        Some(here)
    }
}

/// What kind of file system it holds, and what it is called.
fn about(device: &Path) -> anyhow::Result<(String, String)> {
    let found = Command::new("blkid")
        .args(["--probe", "--output", "export"])
        .arg(device)
        .output()
        .context("`blkid` of this system cannot be run.")?;
    let text = String::from_utf8_lossy(&found.stdout);
    let value = |key: &str| {
        let mut values = text.lines().filter_map(|line| line.strip_prefix(key));
        values.next().map(str::to_owned)
    };
    let Some(kind) = value("TYPE=") else {
        bail!("{} holds no file system that is known.", device.display());
    };
    let label = value("LABEL=").or_else(|| value("UUID="));
    Ok((kind, safe(&label.unwrap_or_default())))
}

/// A label as a folder may be called.
fn safe(label: &str) -> String {
    // blkid(8) puts a backslash before odd letters.
    let letters = label.chars().filter(|letter| *letter != '\\');
    let safe: String = letters
        .take(LABEL_LETTERS_MAX)
        .map(|letter| match letter {
            letter if letter.is_ascii_alphanumeric() => letter,
            '-' => '-',
            _ => '_',
        })
        .collect();
    let safe = safe.trim_matches('_');
    if safe.is_empty() {
        "disk".to_owned()
    } else {
        safe.to_owned()
    }
}

/// The driver for a file system and how it is mounted: written through soon, because people pull disks.
fn options(kind: &str, uid: u32, gid: u32) -> Option<(&'static str, String)> {
    const ALL: &str = "nosuid,nodev,noexec,noatime";
    let theirs = || format!("{ALL},uid={uid},gid={gid},umask=0077");
    Some(match kind {
        "vfat" => ("vfat", format!("{},flush,utf8", theirs())),
        "exfat" => ("exfat", theirs()),
        "ntfs" => ("ntfs3", theirs()),
        "ext4" => ("ext4", format!("{ALL},commit=1,errors=remount-ro")),
        "ext3" | "ext2" => ("ext4", format!("{ALL},errors=remount-ro")),
        "btrfs" => ("btrfs", format!("{ALL},commit=1")),
        "xfs" => ("xfs", ALL.to_owned()),
        "f2fs" => ("f2fs", ALL.to_owned()),
        _ => return None,
    })
}

/// Two disks of one label get two places.
fn free_point(label: &str, mounts: &[Mount]) -> anyhow::Result<PathBuf> {
    let points = (1..=SAME_LABEL_MAX).map(|number| match number {
        1 => PathBuf::from(format!("{POINT}{label}")),
        number => PathBuf::from(format!("{POINT}{label}-{number}")),
    });
    let mut free = points.filter(|point| !mounts.iter().any(|mount| mount.point == *point));
    free.next()
        .context("There are too many disks of this name.")
}

/// The numbers of the user who writes backups.
fn user() -> anyhow::Result<(u32, u32)> {
    let list = fs::read_to_string("/etc/passwd").context("The users are not known.")?;
    user_in(&list).with_context(|| format!("There is no user {USER}: install MotoReach first."))
}

fn user_in(list: &str) -> Option<(u32, u32)> {
    let fields = list.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut named = fields.filter(|fields| fields.len() > 3 && fields[0] == USER);
    let fields = named.next()?;
    Some((fields[2].parse().ok()?, fields[3].parse().ok()?))
}

/// File systems that know owners: the disk's own folder becomes ours where it was root's.
fn give_to(point: &Path, uid: u32, gid: u32) -> anyhow::Result<()> {
    let owner = || -> io::Result<()> {
        if fs::metadata(point)?.uid() == 0 {
            std::os::unix::fs::chown(point, Some(uid), Some(gid))?;
        }
        Ok(())
    };
    owner().with_context(|| format!("{} cannot be made writable for backups.", point.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_never_leaves_its_folder() {
        for (label, folder) in [
            ("BACKUP-1", "BACKUP-1"),
            ("MY\\ STICK", "MY_STICK"),
            ("../../etc", "etc"),
            ("Müllers Stick", "M_llers_Stick"),
            ("", "disk"),
            ("..", "disk"),
        ] {
            assert_eq!(safe(label), folder, "{label}");
        }
        assert_eq!(safe(&"x".repeat(100)).len(), LABEL_LETTERS_MAX);
    }

    #[test]
    fn only_a_partition_is_taken_for_a_device() {
        assert_eq!(device("sda1").unwrap(), Path::new("/dev/sda1"));
        for odd in ["", "../sda", "sd a", "sda;reboot"] {
            assert!(device(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn nothing_on_a_disk_can_be_run_and_an_unknown_one_is_refused() {
        for kind in [
            "vfat", "exfat", "ntfs", "ext4", "ext2", "btrfs", "xfs", "f2fs",
        ] {
            let (_, options) = options(kind, 7, 8).unwrap();
            assert!(options.starts_with("nosuid,nodev,noexec"), "{kind}");
        }
        assert!(options("iso9660", 7, 8).is_none());
    }

    #[test]
    fn two_disks_of_one_label_get_two_places() {
        let mounts =
            mounts_in("/dev/sda1 /media/motoreach-A ext4 rw 0 0\nproc /proc proc rw 0 0\n");
        assert_eq!(mounts.len(), 1);
        assert!(mounts[0].is_ours());
        assert_eq!(
            free_point("A", &mounts).unwrap(),
            Path::new("/media/motoreach-A-2")
        );
        assert_eq!(
            free_point("B", &mounts).unwrap(),
            Path::new("/media/motoreach-B")
        );
    }

    #[test]
    fn the_user_is_found_in_the_list() {
        let list =
            "root:x:0:0::/:/bin/sh\nmotoreach:x:998:997::/var/lib/motoreach:/usr/sbin/nologin\n";
        assert_eq!(user_in(list), Some((998, 997)));
        assert_eq!(user_in("root:x:0:0::/:/bin/sh\n"), None);
    }
}
