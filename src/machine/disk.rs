//! Wear of a card or disk, as far as sysfs tells: eMMC does, plain SD cards do not; NVMe and SATA tell
//! only to root.

use std::fs;
use std::path::{Path, PathBuf};

use super::{entries, line};
use crate::domain::health::{Reserve, Wear};

/// `stat` counts in these, whatever the disk's own are, in bytes.
const SECTOR_BYTES: u64 = 512;
/// Where sectors that were written stand in `stat`.
const SECTORS_WRITTEN: usize = 6;
/// Disks that a mapped one lies on are followed so deep: encryption on volumes on RAID.
const LAYERS_MAX: usize = 4;

/// Wear of the disk that this entry of `/sys/dev/block` is, or is a part of.
pub(super) fn wear(entry: &Path) -> Option<Wear> {
    let disk = whole(&fs::canonicalize(entry).ok()?)?;
    let device = disk.join("device");
    Some(Wear {
        name: ["name", "model"]
            .iter()
            .find_map(|file| line(&device.join(file))),
        used_tenths: line(&device.join("life_time")).and_then(|text| used_tenths(&text)),
        reserve: line(&device.join("pre_eol_info")).map_or(Reserve::NotTold, |text| reserve(&text)),
        written: line(&disk.join("stat")).and_then(|text| written(&text)),
    })
}

/// The disk that a partition or a mapped volume lies on.
fn whole(entry: &Path) -> Option<PathBuf> {
    let mut at = entry.to_owned();
    for _ in 0..LAYERS_MAX {
        if at.join("partition").exists() {
            at = at.parent()?.to_owned();
        }
        match entries(&at.join("slaves")).first() {
            None => return Some(at),
            Some(below) => at = fs::canonicalize(below).ok()?,
        }
    }
    None
}

/// JEDEC eMMC: two areas, each in tenths from 1 (up to 10 % used); 11 is past the end, 0 not told.
fn used_tenths(text: &str) -> Option<u8> {
    text.split_ascii_whitespace()
        .filter_map(hexadecimal)
        .filter(|tenths| *tenths > 0)
        .max()
}

fn reserve(text: &str) -> Reserve {
    match hexadecimal(text) {
        Some(1) => Reserve::Normal,
        Some(2) => Reserve::Warning,
        Some(3) => Reserve::Urgent,
        Some(_) | None => Reserve::NotTold,
    }
}

fn hexadecimal(text: &str) -> Option<u8> {
    u8::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

fn written(stat: &str) -> Option<u64> {
    let sectors = stat.split_ascii_whitespace().nth(SECTORS_WRITTEN)?;
    Some(sectors.parse::<u64>().ok()?.saturating_mul(SECTOR_BYTES))
}
