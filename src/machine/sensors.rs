//! Voltage and temperature. A Pi tells of its voltage in one of two places, by the age of its kernel.

use std::path::Path;

use super::{entries, line};
use crate::domain::health::{Heat, Power};

/// Bits of `get_throttled`: the voltage is too low now, and was since the start.
const LOW_NOW: u32 = 1;
const WAS_LOW: u32 = 1 << 16;

/// What a Pi tells of its power supply: its firmware, else the sensor that mainline kernels have.
pub(super) fn power(platform: &Path, hwmon: &Path) -> Option<Power> {
    firmware(platform).or_else(|| sensor(hwmon))
}

/// `soc/soc:firmware/get_throttled`; on newer models `soc` carries an address in its name.
fn firmware(platform: &Path) -> Option<Power> {
    let is_soc = |path: &Path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("soc"))
    };
    let socs = entries(platform).into_iter().filter(|path| is_soc(path));
    let text = socs
        .flat_map(|soc| std::iter::once(soc.clone()).chain(entries(&soc)))
        .find_map(|at| line(&at.join("get_throttled")))?;
    let bits = u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()?;
    Some(Power {
        low_now: bits & LOW_NOW != 0,
        was_low: bits & (LOW_NOW | WAS_LOW) != 0,
    })
}

fn sensor(hwmon: &Path) -> Option<Power> {
    let volt = entries(hwmon)
        .into_iter()
        .find(|at| line(&at.join("name")).as_deref() == Some("rpi_volt"))?;
    let low = line(&volt.join("in0_lcrit_alarm"))? == "1";
    Some(Power {
        low_now: low,
        was_low: low,
    })
}

/// The warmest zone of the processor; of anything, where no zone says that it is one.
pub(super) fn heat(thermal: &Path) -> Option<Heat> {
    let zones: Vec<(String, i64)> = entries(thermal)
        .into_iter()
        .filter_map(|zone| {
            let kind = line(&zone.join("type"))?;
            Some((kind, line(&zone.join("temp"))?.parse().ok()?))
        })
        .collect();
    let is_processor = |kind: &str| {
        let kind = kind.to_ascii_lowercase();
        ["cpu", "soc", "x86_pkg", "coretemp"]
            .iter()
            .any(|part| kind.contains(part))
    };
    let warmest = |processor: bool| {
        zones
            .iter()
            .filter(|(kind, _)| !processor || is_processor(kind))
            .map(|(_, millidegrees)| *millidegrees)
            .max()
    };
    let millidegrees = warmest(true).or_else(|| warmest(false))?;
    Some(Heat { millidegrees })
}
