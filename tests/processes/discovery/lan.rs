//! A workshop's network: a switch, and machines on it that have nothing but their cable. Each is a
//! network namespace; the switch is the one that the test itself runs in.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// Set inside the namespace.
const INSIDE: &str = "MOTOREACH_INSIDE_A_LAN";

/// Runs a test as root of a network of its own: `this` is the test's name below `discovery`.
pub(super) fn on_a_lan(this: &str, test: impl AsyncFnOnce(&Lan)) {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        return runtime.block_on(test(&Lan::new()));
    }
    let root = rustix::process::geteuid().is_root();
    let own_user = ["--user", "--map-root-user"];
    let again = Command::new("unshare")
        .args(own_user.iter().filter(|_| !root))
        .args(["--net", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("discovery::{this}"), "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare(1) of util-linux is needed for a network of our own");
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(
        again.status.success() && said.contains("1 passed"),
        "{said}\n{}\nThis test needs a network namespace: run it as root, or allow unprivileged user \
         namespaces.",
        String::from_utf8_lossy(&again.stderr)
    );
    for line in said.lines().filter(|line| line.starts_with("names:")) {
        println!("{line}");
    }
}

/// The workshop's network.
pub(super) struct Lan {
    files: TempDir,
}

impl Lan {
    fn new() -> Self {
        ip(&["link", "set", "lo", "up"]);
        let lan = Self {
            files: TempDir::new().unwrap(),
        };
        lan.switch("switch0");
        lan
    }

    /// Where the test's files may lie.
    pub(super) fn files(&self) -> &Path {
        self.files.path()
    }

    /// Another switch, on its own until it is joined to one.
    pub(super) fn switch(&self, name: &str) {
        ip(&["link", "add", name, "type", "bridge"]);
        ip(&["link", "set", name, "up"]);
    }

    /// A cable between two switches.
    pub(super) fn join(&self, one: &str, other: &str) {
        ip(&[
            "link", "add", "join0", "type", "veth", "peer", "name", "join1",
        ]);
        for (end, switch) in [("join0", one), ("join1", other)] {
            ip(&["link", "set", end, "master", switch]);
            ip(&["link", "set", end, "up"]);
        }
    }

    /// A machine with this address, on the first switch.
    pub(super) fn host(&self, name: &str, address: &str) -> Host {
        let host = self.host_on("switch0", name);
        host.has_address(address);
        host
    }

    /// A machine without an address.
    pub(super) fn host_on(&self, switch: &str, name: &str) -> Host {
        let child = Command::new("unshare")
            .args([
                "--net",
                "--mount",
                "--",
                "sh",
                "-c",
                "mount -t tmpfs tmpfs /run && ip link set lo up && echo up && exec cat",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut host = Host {
            child,
            cable: format!("to-{name}"),
        };
        let mut up = [0; 3];
        let answers = host.child.stdout.as_mut().unwrap();
        std::io::Read::read_exact(answers, &mut up).unwrap();
        let pid = host.child.id().to_string();
        ip(&[
            "link",
            "add",
            &host.cable,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            &pid,
        ]);
        ip(&["link", "set", &host.cable, "master", switch]);
        ip(&["link", "set", &host.cable, "up"]);
        host.ip(&["link", "set", "eth0", "up"]);
        host
    }
}

/// A machine on it.
pub(super) struct Host {
    child: Child,
    /// The switch's end of its cable.
    cable: String,
}

impl Host {
    /// A program that runs on it.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--target={}", self.child.id()))
            .args(["--net", "--mount", "--", program])
            .stdin(Stdio::null());
        command
    }

    /// Runs a program to its end.
    pub(super) fn run(&self, words: &[&str]) -> Output {
        self.command(words[0]).args(&words[1..]).output().unwrap()
    }

    /// Gives it this address and no other, such as `10.9.0.1/24`.
    pub(super) fn has_address(&self, address: &str) {
        self.ip(&["-4", "addr", "flush", "dev", "eth0"]);
        self.ip(&["addr", "add", address, "dev", "eth0"]);
    }

    /// Pulls its cable.
    pub(super) fn unplug(&self) {
        ip(&["link", "set", &self.cable, "down"]);
    }

    /// Plugs it in again.
    pub(super) fn plug_in(&self) {
        ip(&["link", "set", &self.cable, "up"]);
    }

    fn ip(&self, words: &[&str]) {
        let all: Vec<_> = std::iter::once("ip").chain(words.iter().copied()).collect();
        must_do(&all, &self.run(&all));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn ip(words: &[&str]) {
    must_do(words, &Command::new("ip").args(words).output().unwrap());
}

fn must_do(words: &[&str], done: &Output) {
    assert!(
        done.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}
