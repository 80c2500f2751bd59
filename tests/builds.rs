//! What is built for whom: `cross.toml`, the Makefile, `.ci/static` and the packages agree.
//!
//! Reads the repository's own files; nothing is built here (`make arm`, `make cross`, `make dist` do).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use toml::Table;

/// Debian's name of each kind of computer, and Rust's.
const KINDS: [(&str, &str); 3] = [
    ("arm64", "aarch64-unknown-linux-musl"),
    ("armhf", "armv7-unknown-linux-musleabihf"),
    ("amd64", "x86_64-unknown-linux-musl"),
];

#[test]
fn cross_builds_for_each_kind_of_computer_in_an_image_of_one_release() {
    let cross: Table = read("cross.toml").parse().unwrap();
    let targets = cross["target"].as_table().unwrap();
    let named: BTreeSet<_> = targets.keys().map(String::as_str).collect();
    assert_eq!(named, KINDS.map(|(_, target)| target).into());
    for (target, settings) in targets {
        let image = settings["image"].as_str().unwrap();
        let (name, tag) = image.rsplit_once(':').unwrap();
        assert!(name.ends_with(&format!("/{target}")), "{image}");
        assert!(
            tag.starts_with(|it: char| it.is_ascii_digit()) && tag.contains('.'),
            "{image}: a tag that moves builds something else tomorrow"
        );
    }
}

#[test]
fn cross_takes_the_web_app_that_the_host_built() {
    let cross: Table = read("cross.toml").parse().unwrap();
    let passed = cross["build"]["env"]["passthrough"].as_array().unwrap();
    let passed: Vec<_> = passed.iter().map(|it| it.as_str().unwrap()).collect();
    assert!(
        passed.contains(&"MOTOREACH_WEB_DIST=prebuilt"),
        "{passed:?}"
    );
}

#[test]
fn make_names_our_file_to_cross_and_builds_for_each_kind_of_computer() {
    let makefile = read("Makefile");
    let lines: Vec<_> = makefile.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.starts_with("cross:"))
        .unwrap();
    assert!(lines[at].contains("web/dist/index.html"), "{}", lines[at]);
    let recipe: Vec<_> = lines[at + 1..]
        .iter()
        .take_while(|line| line.starts_with('\t'))
        .collect();
    let runs = recipe
        .iter()
        .find(|line| line.contains("cross build"))
        .unwrap();
    assert!(runs.contains("CROSS_CONFIG=cross.toml "), "{runs}");
    let targets = lines
        .iter()
        .find_map(|line| line.strip_prefix("CROSS_TARGETS := "))
        .unwrap();
    let targets: BTreeSet<_> = targets.split_whitespace().collect();
    assert_eq!(targets, KINDS.map(|(_, target)| target).into());
}

#[test]
fn the_build_without_containers_knows_each_kind_of_computer() {
    let kinds = read(".ci/static/kinds");
    for (debian, rust) in KINDS {
        let line = format!("{debian}) target={rust} ");
        assert!(
            kinds.contains(&line),
            "{line} is missing in .ci/static/kinds"
        );
    }
}

#[test]
fn make_test_builds_the_raspberry_pis_program_and_talks_with_it() {
    let makefile = read("Makefile");
    let test = makefile
        .lines()
        .find_map(|line| line.strip_prefix("test: "))
        .unwrap();
    assert!(test.split_whitespace().any(|step| step == "arm"), "{test}");
    assert!(makefile.contains("MOTOREACH_ARM_BINARY="));
}

#[test]
fn the_packages_changelog_begins_with_this_version() {
    let newest = format!("motoreach ({}-1) ", env!("CARGO_PKG_VERSION"));
    assert!(
        read("systemd/debian/changelog").starts_with(&newest),
        "{newest}"
    );
}

/// A unit that is not in the package is not there when somebody installs it.
#[test]
fn the_package_holds_every_unit() {
    let manifest: Table = read("Cargo.toml").parse().unwrap();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array();
    let packed: Vec<_> = assets
        .unwrap()
        .iter()
        .map(|asset| asset[0].as_str().unwrap())
        .collect();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let kind = name.rsplit_once('.').map(|(_, kind)| kind);
        let by_kind = kind.map(|kind| format!("systemd/*.{kind}"));
        let by_name = format!("systemd/{name}");
        assert!(
            entry.file_type().unwrap().is_dir()
                || packed.contains(&by_name.as_str())
                || packed.iter().any(|it| Some(*it) == by_kind.as_deref()),
            "{name} is in no package: add it to package.metadata.deb in Cargo.toml"
        );
    }
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}
