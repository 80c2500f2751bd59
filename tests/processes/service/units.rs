//! The unit files by themselves: understood by systemd, hardened, and alike where they are to be alike.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::program_path;

/// `systemd-analyze security` counts in tenths: 1.5 (issue: "1.5 or less").
const EXPOSURE_TENTHS_MAX: &str = "15";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd")
}

/// The units in a folder of their own, with a program that exists.
fn units_here(home: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let unit = [".service", ".socket", ".timer", ".path"];
        if !unit.iter().any(|ending| name.ends_with(ending)) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("/usr/bin/motoreach", program_path());
        std::fs::write(home.join(&name), text).unwrap();
        // A template is looked at through one of its instances.
        names.push(name.replace("@.", "@sda1."));
    }
    assert!(names.len() >= 8, "{names:?}");
    names
}

fn analyze(home: &Path, words: &[&str]) -> (bool, String) {
    let done = Command::new("systemd-analyze")
        .args(words)
        .current_dir(home)
        // The folder and, by the colon, the machine's own.
        .env("SYSTEMD_UNIT_PATH", format!("{}:", home.display()))
        .output()
        .expect("systemd-analyze of the package systemd is needed to look at units");
    let said = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn systemd_understands_every_unit() {
    let home = tempfile::tempdir().unwrap();
    let names = units_here(home.path());
    let mut words = vec!["verify", "--man=no"];
    words.extend(names.iter().map(String::as_str));
    let (fine, said) = analyze(home.path(), &words);
    // A key that is newer than the systemd here is fine; everything else that is said is not.
    let complaints: Vec<_> = said
        .lines()
        .filter(|line| line.contains("motoreach"))
        .collect();
    assert!(fine && complaints.is_empty(), "{said}");
}

#[test]
fn what_runs_on_its_own_is_hardened() {
    let home = tempfile::tempdir().unwrap();
    units_here(home.path());
    for unit in ["motoreach", "motoreach-relay", "motoreach-backup"] {
        let file = format!("./{unit}.service");
        let threshold = format!("--threshold={EXPOSURE_TENTHS_MAX}");
        let (fine, said) = analyze(
            home.path(),
            &[
                "security",
                "--offline=true",
                "--no-pager",
                &threshold,
                &file,
            ],
        );
        let level = said.lines().rfind(|line| line.contains("exposure level"));
        println!("{}", level.unwrap_or_default());
        assert!(fine, "{said}");
    }
}
