//! The Debian package's own scripts, on a machine that systemd runs: installed, upgraded, removed, purged.
//!
//! The package is put together here, of the program under test and of the files that the real ones are
//! made of.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::machine::Machine;
use crate::harness::{SOON, program_path, until};

const SCRIPTS: [&str; 4] = ["preinst", "postinst", "prerm", "postrm"];

#[tokio::test]
async fn it_is_installed_upgraded_removed_and_purged_as_debian_users_expect() {
    let home = tempfile::tempdir().unwrap();
    let machine = Machine::boot().await;
    for version in ["0.0.1", "0.0.2"] {
        let name = format!("srv/motoreach_{version}.deb");
        machine.put(&package(home.path(), version), &name);
    }

    let said = machine.sh("dpkg --install /srv/motoreach_0.0.1.deb");
    assert!(said.contains("Open http://motoreach.local"), "{said}");
    assert!(machine.serves(), "{}", machine.log());
    let enabled = machine
        .sh("systemctl is-enabled motoreach.socket motoreach.service motoreach-backup.timer");
    assert_eq!(enabled, "enabled\nenabled\nenabled\n");
    let relay = machine.run("systemctl is-enabled motoreach-relay.service");
    assert_eq!(relay.text, "disabled\n");

    let before = machine.main_pid("motoreach");
    machine.sh("dpkg --install /srv/motoreach_0.0.2.deb");
    until("the new program serves", SOON, async || {
        (machine.serves() && machine.main_pid("motoreach") != before).then_some(())
    })
    .await;

    machine.sh("dpkg --remove motoreach");
    assert!(!machine.serves());
    machine.sh("test -e /var/lib/motoreach/motoreach.db && test -e /etc/motoreach/motoreach.toml");
    machine.sh("dpkg --install /srv/motoreach_0.0.2.deb");
    assert!(machine.serves(), "{}", machine.log());

    machine.sh("dpkg --purge motoreach");
    assert!(!machine.serves());
    machine.sh("! id motoreach 2>/dev/null");
    let left = machine.sh("find /etc /usr /var/lib -name '*motoreach*' ! -path '/var/lib/dpkg/*'");
    assert_eq!(left, "");
}

/// A package of this version.
fn package(home: &Path, version: &str) -> PathBuf {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    let tree = home.join(version);
    let put = |from: &Path, to: String, mode: u32| {
        let to = tree.join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, &to).unwrap();
        fs::set_permissions(to, Permissions::from_mode(mode)).unwrap();
    };
    put(
        Path::new(program_path()),
        "usr/bin/motoreach".to_owned(),
        0o755,
    );
    for entry in fs::read_dir(&ours).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let place = match path.extension().and_then(|it| it.to_str()) {
            Some("service" | "socket" | "timer" | "path") => {
                format!("usr/lib/systemd/system/{name}")
            }
            Some("rules") => format!("usr/lib/udev/rules.d/{name}"),
            Some("sysusers") => "usr/lib/sysusers.d/motoreach.conf".to_owned(),
            Some("toml") => format!("etc/motoreach/{name}"),
            Some(_) | None => continue,
        };
        put(&path, place, 0o644);
    }
    for script in SCRIPTS {
        put(
            &ours.join("debian").join(script),
            format!("DEBIAN/{script}"),
            0o755,
        );
    }
    let control = format!(
        "Package: motoreach\nVersion: {version}\nArchitecture: all\nDepends: systemd\n\
         Maintainer: MotoReach <box@motoreach.local>\nDescription: the workshop's chat box\n"
    );
    fs::write(tree.join("DEBIAN/control"), control).unwrap();
    let configurations = "/etc/motoreach/motoreach.toml\n/etc/motoreach/relay.toml\n";
    fs::write(tree.join("DEBIAN/conffiles"), configurations).unwrap();
    let file = home.join(format!("{version}.deb"));
    let built = Command::new("dpkg-deb")
        .args(["--build", "--root-owner-group", "-Znone"])
        .args([&tree, &file])
        .output()
        .expect("dpkg-deb of Debian is needed to make a package");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    file
}
