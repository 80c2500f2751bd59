//! What an installation consists of: the same units that the Debian packages bring, for another place.

/// A file of the installation, where it lies when `motoreach install` puts it there.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// From the root of the machine, without the first slash.
    pub(super) path: &'static str,
    /// What is in it, as a Debian package has it.
    pub(super) text: &'static str,
}

/// Where the program is put.
pub(super) const PROGRAM: &str = "usr/local/bin/motoreach";
/// Where the Debian package has the program; the units name it.
const PACKAGED_PROGRAM: &str = "/usr/bin/motoreach";
/// A unit that only the Debian package brings here.
pub(super) const PACKAGED_UNITS: &str = "usr/lib/systemd/system";
/// Configurations.
pub(super) const CONFIGURATION: &str = "etc/motoreach";

macro_rules! part {
    ($folder:literal, $name:literal) => {
        Part {
            path: concat!($folder, "/", $name),
            text: include_str!(concat!("../../../systemd/", $name)),
        }
    };
}

/// What both roles need.
pub(super) const SHARED: &[Part] = &[
    Part {
        path: "etc/sysusers.d/motoreach.conf",
        text: include_str!("../../../systemd/motoreach.sysusers"),
    },
    part!("etc/systemd/system", "motoreach-again@.service"),
];

/// One of the two things that this program can be on a machine.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// Its unit and its user, without an ending.
    pub(super) name: &'static str,
    /// Its units and the like; written again by every installation.
    pub(super) parts: &'static [Part],
    /// Its configuration; written once, then the installer's.
    pub(super) configuration: Part,
    /// What starts with the machine.
    pub(super) enabled: &'static [&'static str],
    /// Whatever may run of it, for stopping.
    pub(super) stopped: &'static [&'static str],
    /// What people are told it is.
    pub(super) called: &'static str,
}

pub(super) const BOX: Kind = Kind {
    name: "motoreach",
    parts: &[
        part!("etc/systemd/system", "motoreach.service"),
        part!("etc/systemd/system", "motoreach.socket"),
        part!("etc/systemd/system", "motoreach-tls.socket"),
        part!("etc/systemd/system", "motoreach-backup.service"),
        part!("etc/systemd/system", "motoreach-backup.timer"),
        part!("etc/systemd/system", "motoreach-update.path"),
        part!("etc/systemd/system", "motoreach-update.service"),
        part!("etc/systemd/system", "motoreach-trial.service"),
        part!("etc/systemd/system", "motoreach-usb@.service"),
        part!("etc/udev/rules.d", "60-motoreach-usb.rules"),
    ],
    configuration: part!("etc/motoreach", "motoreach.toml"),
    enabled: &[
        "motoreach.socket",
        "motoreach.service",
        "motoreach-backup.timer",
        "motoreach-update.path",
        "motoreach-trial.service",
    ],
    stopped: &[
        "motoreach-again@motoreach.service",
        "motoreach-update.path",
        "motoreach-update.service",
        "motoreach-trial.service",
        "motoreach-backup.timer",
        "motoreach-backup.service",
        "motoreach-tls.socket",
        "motoreach.socket",
        "motoreach.service",
        "motoreach-usb@*.service",
    ],
    called: "the box",
};

pub(super) const RELAY: Kind = Kind {
    name: "motoreach-relay",
    parts: &[part!("etc/systemd/system", "motoreach-relay.service")],
    configuration: part!("etc/motoreach", "relay.toml"),
    enabled: &["motoreach-relay.service"],
    stopped: &[
        "motoreach-again@motoreach-relay.service",
        "motoreach-relay.service",
    ],
    called: "the relay",
};

impl Kind {
    /// Where its data is.
    pub(super) fn data(self) -> String {
        format!("var/lib/{}", self.name)
    }

    /// The other one.
    pub(super) fn other(self) -> Self {
        if self.name == BOX.name { RELAY } else { BOX }
    }
}

impl Part {
    /// What is written: the units name the program where it was put.
    pub(super) fn text_here(self) -> String {
        self.text.replace(PACKAGED_PROGRAM, &format!("/{PROGRAM}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_that_is_enabled_or_stopped_is_brought_along() {
        for kind in [BOX, RELAY] {
            for unit in kind.enabled.iter().chain(kind.stopped) {
                let file = match unit.split_once('@') {
                    Some((template, _)) => format!("{template}@.service"),
                    None => (*unit).to_owned(),
                };
                let there = |part: &Part| part.path.ends_with(&format!("/{file}"));
                assert!(kind.parts.iter().chain(SHARED).any(there), "{unit}");
            }
        }
    }

    #[test]
    fn no_unit_names_the_program_of_the_package() {
        for part in BOX.parts.iter().chain(RELAY.parts).chain(SHARED) {
            assert!(
                !part.text_here().contains(PACKAGED_PROGRAM),
                "{}",
                part.path
            );
        }
    }

    #[test]
    fn the_configurations_can_be_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("motoreach.toml");
        std::fs::write(&path, BOX.configuration.text.replace("# hosts", "hosts")).unwrap();
        assert!(crate::config::Config::load(Some(&path)).is_ok());
        let keys = RELAY.configuration.text.replace("# tls_", "tls_");
        std::fs::write(&path, keys.replace("# listen", "listen")).unwrap();
        assert!(crate::relay::config::RelayConfig::load(Some(&path)).is_ok());
    }
}
