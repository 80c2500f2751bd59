//! What runs on the machines of the network: boxes, and Avahi as everybody else's name service.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::lan::{Host, Lan};
use crate::harness::{SOON, program_path, until};

/// A process of the test whose output lies in a file; it goes with the test.
pub(super) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    fn start(mut command: Command, log: PathBuf) -> Self {
        let file = File::create(&log).unwrap();
        let child = command
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// What it said so far.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it says something that `look` finds.
    pub(super) async fn says<T>(&self, what: &str, look: impl Fn(&str) -> Option<T>) -> T {
        until(what, SOON, async || look(&self.said())).await
    }

    /// Waits until it says this.
    pub(super) async fn says_words(&self, words: &str) {
        self.says(words, |said| said.contains(words).then_some(()))
            .await;
    }

    /// Asks it to end, and waits until it has.
    pub(super) async fn stop(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let ended = async || self.child.try_wait().unwrap();
        until("it ends when asked to", SOON, ended).await;
        self.said()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("--- {} ---\n{}", self.log.display(), self.said());
        }
    }
}

/// A box on this machine, with its data under `name`.
pub(super) fn a_box(lan: &Lan, host: &Host, name: &str) -> Running {
    a_box_with(lan, host, name, &[])
}

/// The same with further arguments.
pub(super) fn a_box_with(lan: &Lan, host: &Host, name: &str, arguments: &[&str]) -> Running {
    let all: Vec<_> = ["--listen", "[::]:80"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    a_box_as(lan, host, name, &all)
}

/// A box that is told where to listen.
pub(super) fn a_box_as(lan: &Lan, host: &Host, name: &str, arguments: &[&str]) -> Running {
    let mut command = host.command(program_path());
    command
        .args(["serve", "--data"])
        .arg(lan.files().join(name))
        .args(arguments)
        .env("MOTOREACH_LOG", "motoreach=debug");
    Running::start(command, lan.files().join(format!("{name}.log")))
}

impl Running {
    /// Waits until the box says that the network knows it by this name.
    pub(super) async fn is_known_as(&self, name: &str) {
        let words = format!("the network knows the box's name name={name}");
        self.says_words(&words).await;
    }

    /// The name that the network knows, once it does.
    pub(super) async fn known_name(&self) -> String {
        let line = "the network knows the box's name name=";
        let found = |said: &str| {
            let rest = &said[said.rfind(line)? + line.len()..];
            Some(rest.lines().next()?.trim().to_owned())
        };
        self.says("the network knows it", found).await
    }
}

/// Avahi on a machine: name service and the tools that ask it.
pub(super) struct Avahi<'a> {
    host: &'a Host,
    daemon: Running,
    _bus: Running,
    files: PathBuf,
}

impl<'a> Avahi<'a> {
    /// Starts it with this name for its host.
    pub(super) async fn start(lan: &Lan, host: &'a Host, name: &str) -> Self {
        let files = lan.files().join(format!("avahi-{name}"));
        fs::create_dir(&files).unwrap();
        let bus = bus(host, &files).await;
        let config = files.join("avahi.conf");
        let text = format!(
            "[server]\nhost-name={name}\nuse-ipv4=yes\nuse-ipv6=yes\nallow-interfaces=eth0\n\
             [publish]\npublish-workstation=no\n"
        );
        fs::write(&config, text).unwrap();
        let mut command = with_bus(host.command("avahi-daemon"), &files);
        command
            .arg("--file")
            .arg(&config)
            .args(["--no-drop-root", "--no-rlimits", "--no-chroot"]);
        let daemon = Running::start(command, files.join("daemon.log"));
        daemon.says_words("Server startup complete").await;
        Self {
            host,
            daemon,
            _bus: bus,
            files,
        }
    }

    /// What it logged.
    pub(super) const fn daemon(&self) -> &Running {
        &self.daemon
    }

    /// Asks once for the address behind a name.
    pub(super) fn resolve(&self, name: &str) -> Option<String> {
        let mut command = with_bus(self.host.command("timeout"), &self.files);
        let out = command
            .args(["10", "avahi-resolve", "-4", "-n", name])
            .output()
            .unwrap();
        let out = String::from_utf8(out.stdout).unwrap();
        out.split_whitespace().nth(1).map(str::to_owned)
    }

    /// Asks until a name leads to this address.
    pub(super) async fn finds(&self, name: &str, address: &str) {
        let look = async || (self.resolve(name)? == address).then_some(());
        until(format!("{name} is {address}"), SOON, look).await;
    }

    /// Watches services of this type; says each as a line of `avahi-browse -rp`.
    pub(super) fn browse(&self, service: &str) -> Running {
        let mut command = with_bus(self.host.command("avahi-browse"), &self.files);
        command.args(["-rp", service]);
        Running::start(command, self.files.join(format!("{service}.log")))
    }
}

/// A message bus of its own.
async fn bus(host: &Host, files: &Path) -> Running {
    let (config, socket) = (files.join("bus.conf"), files.join("bus"));
    let text = format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_type="signal"/><allow send_requested_reply="true"/><allow receive_type="method_call"/>
<allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>
</policy></busconfig>"#,
        socket.display()
    );
    fs::write(&config, text).unwrap();
    let mut command = host.command("dbus-daemon");
    command
        .arg(format!("--config-file={}", config.display()))
        .args(["--nofork", "--print-address"]);
    let bus = Running::start(command, files.join("bus.log"));
    bus.says_words("unix:path=").await;
    bus
}

fn with_bus(mut command: Command, files: &Path) -> Command {
    let address = format!("unix:path={}", files.join("bus").display());
    command
        .env("DBUS_SYSTEM_BUS_ADDRESS", address)
        .stdin(Stdio::null());
    command
}
