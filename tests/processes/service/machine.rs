//! A machine that systemd really runs: Debian in namespaces of its own, with its own process 1, its own
//! mounts, control groups and network. Nothing in it is seen outside, and all of it goes with the test.
//!
//! Root makes one in a second; where that is not allowed the test fails, because a unit that was never
//! started is not a promise.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::harness::until;

/// What is in it; a change makes a new one.
const PACKAGES: &str =
    "systemd,systemd-sysv,dbus,udev,curl,init-system-helpers,iproute2,procps,e2fsprogs,mount";
const VERSION: u32 = 2;
/// By when systemd has started everything, on a busy computer.
const BOOTED: Duration = Duration::from_secs(60);

/// What becomes process 1: a new root from an untouched Debian and a layer in memory, then systemd.
const BEGIN: &str = r#"
set -e
debian=$1 home=$2
mount --make-rprivate /
mount -t tmpfs layer "$home"
mkdir "$home/new" "$home/work" "$home/root"
mount -t overlay -o "lowerdir=$debian,upperdir=$home/new,workdir=$home/work" debian "$home/root"
cd "$home/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev
for device in null zero full random urandom tty loop-control; do
	[ -e "/dev/$device" ] || continue
	touch "dev/$device"
	mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
number=0
while [ $number -lt 64 ]; do
	mknod -m 660 dev/loop$number b 7 $number
	number=$((number + 1))
done
ip link set lo up
pivot_root . mnt
umount -l /mnt
mount --make-rshared /
exec env -i container=motoreach-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=journal
"#;

/// A running machine.
pub struct Machine {
    namespace: Child,
    init: u32,
    _home: TempDir,
}

/// What a line of shell in it said.
#[derive(Debug)]
pub struct Said {
    pub fine: bool,
    pub text: String,
}

impl Machine {
    /// Boots one.
    pub async fn boot() -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "a machine of its own needs root: run the tests as root"
        );
        let home = tempfile::tempdir().unwrap();
        let debian = debian();
        let namespace = Command::new("unshare")
            .args(["--mount", "--pid", "--cgroup", "--ipc", "--uts", "--net"])
            .args(["--fork", "--kill-child", "sh", "-c", BEGIN, "sh"])
            .args([debian.as_path(), home.path()])
            .stdin(Stdio::null())
            .stdout(File::create(debian.with_extension("out")).unwrap())
            .spawn()
            .expect("unshare(1) of util-linux is needed for a machine");
        let mut machine = Self {
            init: 0,
            namespace,
            _home: home,
        };
        machine.init = until("process 1 begins", BOOTED, async || machine.first_child()).await;
        until("systemd has started the machine", BOOTED, async || {
            let ended = machine.namespace.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "this computer does not allow it: {ended:?}"
            );
            let text = machine.run("systemctl is-system-running").text;
            matches!(text.trim(), "running" | "degraded").then_some(())
        })
        .await;
        machine
    }

    fn first_child(&self) -> Option<u32> {
        let id = self.namespace.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }

    /// Runs a line of shell in it.
    pub fn run(&self, line: &str) -> Said {
        let done = self.command(line).output().unwrap();
        let said = [done.stdout, done.stderr].concat();
        Said {
            fine: done.status.success(),
            text: String::from_utf8_lossy(&said).into_owned(),
        }
    }

    /// The same for a line that must work; gives what it said.
    #[track_caller]
    pub fn sh(&self, line: &str) -> String {
        let said = self.run(line);
        assert!(said.fine, "{line}\n{}\n{}", said.text, self.log());
        said.text
    }

    fn command(&self, line: &str) -> Command {
        let mut root = OsString::from("--root=");
        root.push(format!("/proc/{}/root", self.init));
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--target={}", self.init))
            .args(["--mount", "--pid", "--cgroup", "--ipc", "--uts", "--net"])
            .arg(root)
            .args([
                "env",
                "-i",
                "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "sh",
                "-c",
            ])
            .arg(format!("cd /; {line}"))
            .stdin(Stdio::null());
        command
    }

    /// Puts a file of ours into it.
    pub fn put(&self, file: &Path, at: &str) {
        let place = Path::new("/proc")
            .join(self.init.to_string())
            .join("root")
            .join(at);
        fs::copy(file, place).unwrap();
    }

    /// The process of a service.
    pub fn main_pid(&self, unit: &str) -> u32 {
        let pid = self.sh(&format!("systemctl show --property=MainPID --value {unit}"));
        pid.trim().parse().unwrap()
    }

    /// Whether the page is served, to somebody at the machine.
    pub fn serves(&self) -> bool {
        self.run("curl --silent --fail --max-time 1 --output /dev/null http://127.0.0.1/")
            .fine
    }

    /// What everybody in it logged last.
    pub fn log(&self) -> String {
        self.run("journalctl --no-pager --lines=60 --output=short")
            .text
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Process 1 goes with it, and with that one everything.
        let _ = self.namespace.kill();
        let _ = self.namespace.wait();
    }
}

/// The untouched Debian, made once: of the release that this computer runs, whose libraries the program
/// was built with.
fn debian() -> PathBuf {
    let release = fs::read_to_string("/etc/os-release").unwrap();
    let named = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let release = named.expect("this computer is no Debian");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let place = folder.join(format!("debian-{release}-{VERSION}"));
    // Several tests ask for it at the same time.
    let lock = File::create(folder.join("debian.lock")).unwrap();
    lock.lock().unwrap();
    if !place.exists() {
        let beside = folder.join("debian-unfinished");
        let _ = fs::remove_dir_all(&beside);
        let made = Command::new("mmdebstrap")
            .args(["--quiet", "--variant=minbase"])
            .arg(format!("--include={PACKAGES}"))
            .args([
                "--dpkgopt=path-exclude=/usr/share/doc/*",
                "--dpkgopt=path-exclude=/usr/share/man/*",
            ])
            .arg(release)
            .arg(&beside)
            .output()
            .expect("mmdebstrap is needed to make a machine");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        fs::rename(beside, &place).unwrap();
    }
    place
}
