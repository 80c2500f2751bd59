//! What is done to a box's data, and by which user: the one who owns it. Root only starts these.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, geteuid, setpriority_process};
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::domain::BackupFault;

/// The longest that copying or keeping a database takes.
const COPY_MAX: Duration = Duration::from_secs(30 * 60);
/// The longest that a backup takes, with its proof.
const BACKUP_MAX: Duration = Duration::from_secs(2 * 3_600);
/// A new program is tested with what the machine has to spare: nice(1)'s 10.
const LOW_PRIORITY: i32 = 10;

/// Whoever owns the data directory.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    data: PathBuf,
    /// User and group, when they are not this process's.
    other: Option<(u32, u32)>,
}

/// What a command answered.
pub(super) struct Answer {
    /// The JSON that it printed.
    pub(super) json: Value,
    /// How it went, when it went wrong: its own sentence.
    pub(super) fault: Option<String>,
}

impl Owner {
    /// The owner of this directory; where there is none yet, whoever runs this.
    pub(super) fn of(data: &Path) -> Self {
        let owner = std::fs::metadata(data).ok();
        let other = owner
            .map(|it| (it.uid(), it.gid()))
            .filter(|(user, _)| geteuid().is_root() && *user != 0);
        Self {
            data: data.to_owned(),
            other,
        }
    }

    /// Gives a folder to them.
    pub(super) fn give(&self, folder: &Path) -> io::Result<()> {
        match self.other {
            Some((user, group)) => chown(folder, Some(user), Some(group)),
            None => Ok(()),
        }
    }

    /// Has this program do something to the data and a folder beside it.
    pub(super) async fn copy(&self, what: &str, folder: &Path) -> anyhow::Result<Value> {
        let this = std::env::current_exe().context("This program cannot find its own file.")?;
        let mut command = Command::new(this);
        command.args([OsStr::new("copy"), what.as_ref()]);
        command.args([OsStr::new("--data"), self.data.as_ref()]);
        command.args([OsStr::new("--folder"), folder.as_ref()]);
        let answer = self.run(command, COPY_MAX).await?;
        match answer.fault {
            Some(fault) => bail!(fault),
            None => Ok(answer.json),
        }
    }

    /// Has the running server make a backup, or this program where none runs.
    pub(super) async fn back_up(&self, config: Option<&Path>) -> anyhow::Result<()> {
        let this = std::env::current_exe().context("This program cannot find its own file.")?;
        let mut command = Command::new(this);
        command.args(["backup", "--json"]);
        command.args([OsStr::new("--data"), self.data.as_ref()]);
        if let Some(config) = config {
            command.args([OsStr::new("--config"), config.as_ref()]);
        }
        let answer = self.run(command, BACKUP_MAX).await?;
        match answer.fault {
            // A box without a workshop has nothing to lose.
            Some(_) if answer.json["error"]["code"] == BackupFault::NotSetUp.word() => Ok(()),
            Some(fault) => bail!(fault),
            None => Ok(()),
        }
    }

    /// Has another program test itself on a copy of the data: with an environment of its own, with low
    /// priority, and not for ever.
    pub(super) async fn self_test(
        &self,
        program: &Path,
        folder: &Path,
        limit: Duration,
    ) -> anyhow::Result<Answer> {
        let mut command = Command::new(program);
        command.args([
            OsStr::new("self-test"),
            OsStr::new("--data"),
            folder.as_ref(),
        ]);
        command.env_clear();
        for name in ["PATH", "LANG", "TZ"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOME", folder);
        self.run(command, limit).await
    }

    /// Runs a command of this program as the owner, to its end.
    pub(super) async fn run(
        &self,
        mut command: Command,
        limit: Duration,
    ) -> anyhow::Result<Answer> {
        if let Some((user, group)) = self.other {
            command.uid(user).gid(group);
        }
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let child = command.spawn().context("It cannot be started.")?;
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(pid) = pid {
            // A test that is not polite is still a test.
            let _ = setpriority_process(Some(pid), LOW_PRIORITY);
        }
        let Ok(ended) = timeout(limit, child.wait_with_output()).await else {
            let fault = format!("it was not done within {} s.", limit.as_secs());
            return Ok(Answer {
                json: Value::Null,
                fault: Some(fault),
            });
        };
        let ended = ended.context("It cannot be waited for.")?;
        let json: Value = serde_json::from_slice(&ended.stdout).unwrap_or_default();
        let fault = (!ended.status.success()).then(|| {
            let own = json["error"]["detail"].as_str().map(str::to_owned);
            own.or_else(|| last_words(&ended.stderr))
                .unwrap_or_else(|| format!("it ended by itself ({}).", ended.status))
        });
        Ok(Answer { json, fault })
    }
}

/// The last line that a command wrote for people.
fn last_words(stderr: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stderr);
    let line = text
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())?;
    let line = line.strip_prefix("motoreach: ").unwrap_or(line);
    // Whatever it is, it is no more than a sentence.
    Some(line.chars().take(400).collect())
}
