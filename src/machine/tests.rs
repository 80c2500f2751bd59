//! Trees as machines of several kinds showed them.

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::domain::health::Reserve;

/// A machine of these files, and of links from the first path to the second.
fn machine(files: &[(&str, &str)], links: &[(&str, &str)]) -> (TempDir, Machine) {
    let temp = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = temp.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    for (at, to) in links {
        let (at, to) = (temp.path().join(at), temp.path().join(to));
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::create_dir_all(&to).unwrap();
        symlink(to, at).unwrap();
    }
    let machine = Machine::at(temp.path());
    (temp, machine)
}

/// A compute module: eMMC, its root on the second partition.
const EMMC: &str = "sys/devices/platform/soc/fe340000.mmc/mmc_host/mmc0/mmc0:0001/block/mmcblk0";

#[test]
fn an_emmc_tells_of_its_wear_through_its_partition() {
    let at = |file: &str| format!("{EMMC}/{file}");
    let files = [
        (at("device/name"), "BJTD4R\n"),
        (at("device/life_time"), "0x02 0x03\n"),
        (at("device/pre_eol_info"), "0x01\n"),
        (at("mmcblk0p2/partition"), "2\n"),
        (at("stat"), "  1 2 3 4 5 6 2343750 8 0 9 10 0 0 0 0\n"),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), *text))
        .collect();
    let partition = at("mmcblk0p2");
    let (_temp, machine) = machine(&files, &[("sys/dev/block/179:2", &partition)]);
    let wear = machine.wear_of(179, 2).unwrap();
    assert_eq!(wear.name.as_deref(), Some("BJTD4R"));
    assert_eq!(wear.used_tenths, Some(3), "the part that is worn most");
    assert_eq!(wear.reserve, Reserve::Normal);
    assert_eq!(wear.written, Some(1_200_000_000));
}

#[test]
fn an_sd_card_does_not_tell_and_memory_is_no_disk() {
    let (_temp, machine) = machine(
        &[
            ("sys/block/mmcblk0/device/name", "SC32G\n"),
            ("sys/block/mmcblk0/stat", "nonsense\n"),
        ],
        &[("sys/dev/block/179:0", "sys/block/mmcblk0")],
    );
    let wear = machine.wear_of(179, 0).unwrap();
    assert_eq!(wear.name.as_deref(), Some("SC32G"));
    assert_eq!((wear.used_tenths, wear.written), (None, None));
    assert_eq!(wear.reserve, Reserve::NotTold);
    assert_eq!(machine.wear_of(0, 42), None);
}

#[test]
fn an_encrypted_volume_is_followed_to_its_disk() {
    let (_temp, machine) = machine(
        &[
            ("sys/block/nvme0n1/device/model", "Samsung SSD 980\n"),
            ("sys/block/nvme0n1/nvme0n1p3/partition", "3\n"),
        ],
        &[
            ("sys/dev/block/254:0", "sys/block/dm-0"),
            (
                "sys/block/dm-0/slaves/nvme0n1p3",
                "sys/block/nvme0n1/nvme0n1p3",
            ),
        ],
    );
    let wear = machine.wear_of(254, 0).unwrap();
    assert_eq!(wear.name.as_deref(), Some("Samsung SSD 980"));
}

#[test]
fn a_pi_tells_of_its_voltage_in_its_firmware_or_its_sensor() {
    let (old, new) = (
        "sys/devices/platform/soc/soc:firmware/get_throttled",
        "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled",
    );
    let volt = "sys/class/hwmon/hwmon1";
    for (files, expected) in [
        (vec![(old, "50005\n")], Some((true, true))),
        (vec![(old, "50000\n")], Some((false, true))),
        (vec![(new, "0\n")], Some((false, false))),
        (vec![(old, "spoiled\n")], None),
        (vec![], None),
    ] {
        let (_temp, machine) = machine(&files, &[]);
        let power = machine.power().map(|it| (it.low_now, it.was_low));
        assert_eq!(power, expected, "{files:?}");
    }
    let (name, alarm) = (format!("{volt}/name"), format!("{volt}/in0_lcrit_alarm"));
    let (_temp, machine) = machine(&[(&name, "rpi_volt\n"), (&alarm, "1\n")], &[]);
    assert!(machine.power().unwrap().low_now);
}

#[test]
fn the_processor_is_what_is_warm() {
    let (_temp, warm) = machine(
        &[
            ("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n"),
            ("sys/class/thermal/thermal_zone0/temp", "48312\n"),
            ("sys/class/thermal/thermal_zone1/type", "battery\n"),
            ("sys/class/thermal/thermal_zone1/temp", "99000\n"),
            ("sys/class/thermal/cooling_device0/type", "fan\n"),
        ],
        &[],
    );
    assert_eq!(warm.heat().unwrap().millidegrees, 48_312);
    let (_temp, mute) = machine(&[], &[]);
    assert_eq!(mute.heat(), None);
}

#[test]
fn a_clock_counts_where_the_kernel_took_the_time_from_it() {
    let has_clock = |files: &[(&str, &str)]| {
        let (_temp, machine) = machine(files, &[]);
        machine.has_clock()
    };
    let hctosys = "sys/class/rtc/rtc0/hctosys";
    assert!(has_clock(&[(hctosys, "1\n")]));
    assert!(!has_clock(&[(hctosys, "0\n")]));
    assert!(!has_clock(&[]));
}

#[test]
fn room_is_that_of_the_disk_below() {
    let temp = tempfile::tempdir().unwrap();
    let room = Machine::this().room(temp.path()).unwrap();
    assert!(room.total >= room.free && room.total > 0);
    assert_eq!(Machine::this().room(&temp.path().join("none")), None);
}
