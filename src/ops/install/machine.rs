//! The machine that is installed on, or a folder that stands for one (`--root`): files written whole or
//! not at all, and the system's own programs.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// Where to install.
pub(super) struct Machine {
    root: PathBuf,
    /// Whether it is a folder only: nothing of it can be started.
    pub(super) asleep: bool,
}

impl Machine {
    /// This machine, or the folder `root`.
    ///
    /// # Errors
    /// It is this one, and we are not root, or systemd does not run it.
    pub(super) fn of(root: Option<PathBuf>) -> anyhow::Result<Self> {
        if let Some(root) = root {
            return Ok(Self { root, asleep: true });
        }
        if !rustix::process::geteuid().is_root() {
            bail!("This changes the machine, so it needs root: put `sudo` in front of it.");
        }
        if !sd_notify::booted().unwrap_or(false) {
            bail!(
                "systemd does not run this machine, so nothing was changed. Let its own service \
                 manager run `motoreach serve --data DIR`."
            );
        }
        Ok(Self {
            root: PathBuf::from("/"),
            asleep: false,
        })
    }

    /// A path of the machine.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// Writes a file beside its place, on disk before it gets its name.
    pub(super) fn write(&self, path: &str, mode: u32, from: &mut dyn Read) -> anyhow::Result<()> {
        let place = self.path(path);
        put(&place, mode, from).with_context(|| format!("{} cannot be written.", place.display()))
    }

    /// Removes a file; one that is not there is fine.
    pub(super) fn remove(&self, path: &str) -> anyhow::Result<()> {
        gone(fs::remove_file(self.path(path)))
            .with_context(|| format!("/{path} cannot be removed."))
    }

    /// Removes a folder with everything in it; one that is not there is fine.
    pub(super) fn remove_all(&self, path: &str) -> anyhow::Result<()> {
        gone(fs::remove_dir_all(self.path(path)))
            .with_context(|| format!("/{path} cannot be removed."))
    }

    /// Makes users that are missing.
    pub(super) fn make_users(&self, list: &str) -> anyhow::Result<()> {
        let mut command = Command::new("systemd-sysusers");
        if self.asleep {
            command.arg("--root").arg(&self.root);
        }
        // By its name alone it is found inside of the folder, too.
        let name = Path::new(list).file_name().unwrap_or_default();
        run(command.arg(name))
    }

    /// Runs systemctl; on a folder only what needs nothing that runs.
    pub(super) fn systemctl(&self, words: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new("systemctl");
        if self.asleep {
            command.arg("--root").arg(&self.root);
        }
        run(command.arg("--quiet").args(words))
    }

    /// The same for what may fail because it is done already, or not known here.
    pub(super) fn systemctl_may(&self, words: &[&str]) {
        self.may("systemctl", &[&["--quiet"], words].concat());
    }

    /// Runs a program of the system that may be missing, or have nothing to do.
    pub(super) fn may(&self, program: &str, words: &[&str]) {
        if !self.asleep {
            let _ = Command::new(program)
                .args(words)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
    }

    /// The last lines that a unit logged.
    pub(super) fn last_words(&self, unit: &str) -> String {
        let words = ["--unit", unit, "--lines=5", "--output=cat", "--no-pager"];
        let said = Command::new("journalctl").args(words).output();
        said.map_or_else(
            |_| String::new(),
            |said| String::from_utf8_lossy(&said.stdout).trim_end().to_owned(),
        )
    }
}

/// Runs a program of the system.
pub(super) fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let done = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("`{program}` of this system cannot be run."))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("`{program}` failed: {}", said.trim_end());
    }
    Ok(())
}

fn put(place: &Path, mode: u32, from: &mut dyn Read) -> io::Result<()> {
    let folder = place.parent().unwrap_or(place);
    fs::create_dir_all(folder)?;
    // A program that runs cannot be written to, but its name can be given to another one.
    let beside = place.with_extension("new");
    let mut file = File::create(&beside)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    io::copy(from, &mut file)?;
    file.flush()?;
    file.sync_all()?;
    fs::rename(&beside, place)?;
    File::open(folder)?.sync_all()
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
