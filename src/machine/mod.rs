//! What the kernel tells of the machine: its disk, card, power supply and temperature. `health` reads
//! it for the page, the doctor and `/metrics`.
//!
//! Everything is read from files, under a root that a test may put elsewhere; nothing is written, and
//! nothing is asked that needs root. What a machine does not tell is `None`.

mod disk;
mod sensors;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use crate::domain::health::{Heat, Power, Room, Wear};

/// The longest of these files that is read, in bytes: they hold a line or two.
const FILE_BYTES_MAX: u64 = 4_096;

/// Where the kernel's files are.
#[derive(Clone, Debug)]
pub struct Machine {
    root: PathBuf,
}

impl Machine {
    /// The one this program runs on.
    pub fn this() -> Self {
        Self::at("/")
    }

    /// A recorded one, whose `sys` lies here.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Room on the disk that holds this directory; when it is full nobody knows from one look.
    pub fn room(&self, directory: &Path) -> Option<Room> {
        let stat = rustix::fs::statvfs(directory).ok()?;
        Some(Room {
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
            full_in_ms: None,
        })
    }

    /// Wear of the card or disk that holds this directory; `None` where no disk is behind it, as in
    /// memory.
    pub fn wear(&self, directory: &Path) -> Option<Wear> {
        let device = rustix::fs::stat(directory).ok()?.st_dev;
        self.wear_of(rustix::fs::major(device), rustix::fs::minor(device))
    }

    fn wear_of(&self, major: u32, minor: u32) -> Option<Wear> {
        disk::wear(&self.sys("dev/block").join(format!("{major}:{minor}")))
    }

    /// What the machine tells of its power supply.
    pub fn power(&self) -> Option<Power> {
        sensors::power(&self.sys("devices/platform"), &self.sys("class/hwmon"))
    }

    /// How warm its processor is.
    pub fn heat(&self) -> Option<Heat> {
        sensors::heat(&self.sys("class/thermal"))
    }

    /// Whether the machine has a clock with a battery that the kernel took the time from.
    pub fn has_clock(&self) -> bool {
        entries(&self.sys("class/rtc"))
            .iter()
            .any(|clock| line(&clock.join("hctosys")).as_deref() == Some("1"))
    }

    fn sys(&self, path: &str) -> PathBuf {
        self.root.join("sys").join(path)
    }
}

/// A short file of the kernel's, without its line end; `None` where there is none.
fn line(path: &Path) -> Option<String> {
    use std::io::Read;
    let mut text = String::new();
    let file = fs::File::open(path).ok()?;
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// What a directory holds, in order of name: the kernel's own order may change from start to start.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(read) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut entries: Vec<_> = read.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries
}
