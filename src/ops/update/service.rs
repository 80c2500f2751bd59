//! The service manager that runs the box: stopped, started and asked how it fares.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use tokio::process::Command;

/// The box.
const BOX: &str = "motoreach.service";
/// What opens port 80 for it; while that listens, a visitor starts the box.
const DOOR: &str = "motoreach.socket";
/// What minds a trial, also after a power cut.
const TRIAL: &str = "motoreach-trial.service";
/// systemd runs this machine.
const SYSTEMD: &str = "/run/systemd/system";

/// Who runs the box.
#[derive(Clone, Debug)]
pub(super) enum Service {
    /// Something that speaks as `systemctl` does.
    Managed {
        /// The command.
        systemctl: PathBuf,
    },
    /// Somebody, by hand.
    ByHand,
}

/// How the box fares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct State {
    pub(super) active: Active,
    /// Its process; 0: none.
    pub(super) pid: u32,
    /// How often it was started again after it had ended by itself.
    pub(super) restarts: u32,
}

/// What systemd says of a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Active {
    /// It says that it is ready.
    Yes,
    /// It starts, or waits to be started again.
    Starting,
    /// It was given up.
    Failed,
    /// It is stopped.
    No,
}

impl Service {
    /// Whoever runs the box on this machine.
    pub(super) async fn found(named: Option<&Path>) -> Self {
        if let Some(named) = named {
            return Self::Managed {
                systemctl: named.to_owned(),
            };
        }
        let systemd = Self::Managed {
            systemctl: "systemctl".into(),
        };
        match Path::new(SYSTEMD).is_dir() && systemd.has(BOX).await {
            true => systemd,
            false => Self::ByHand,
        }
    }

    /// The command, when it is not the system's.
    pub(super) fn named(&self) -> Option<PathBuf> {
        match self {
            Self::Managed { systemctl } if systemctl != Path::new("systemctl") => {
                Some(systemctl.clone())
            }
            Self::Managed { .. } | Self::ByHand => None,
        }
    }

    /// Stops the box, and waits until it has stopped.
    pub(super) async fn stop(&self) -> anyhow::Result<()> {
        if self.has(DOOR).await {
            self.order(&["stop", DOOR, BOX]).await
        } else {
            self.order(&["stop", BOX]).await
        }
    }

    /// Has the box started; how it fares is asked for afterwards.
    pub(super) async fn start(&self) -> anyhow::Result<()> {
        // A start that is given up for its many tries is no reason not to try this one.
        let _ = self.order(&["reset-failed", BOX]).await;
        if self.is_enabled(DOOR).await {
            self.order(&["start", "--no-block", DOOR]).await?;
        }
        self.order(&["start", "--no-block", BOX]).await
    }

    /// How the box fares.
    pub(super) async fn state(&self) -> anyhow::Result<State> {
        let names = ["ActiveState", "MainPID", "NRestarts"];
        let said = self.show(BOX, &names).await?;
        let value = |name: &str| {
            let mut lines = said.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        };
        let number = |name: &str| value(name).and_then(|it| it.parse().ok()).unwrap_or(0);
        Ok(State {
            active: match value("ActiveState") {
                Some("active" | "reloading") => Active::Yes,
                Some("activating") => Active::Starting,
                Some("failed") => Active::Failed,
                Some(_) | None => Active::No,
            },
            pid: number("MainPID"),
            restarts: number("NRestarts"),
        })
    }

    /// Has somebody mind the trial who goes on after a power cut; false when there is nobody.
    pub(super) async fn mind_trial(&self) -> bool {
        if !self.has(TRIAL).await {
            return false;
        }
        let _ = self.order(&["reset-failed", TRIAL]).await;
        match self.order(&["start", "--no-block", TRIAL]).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "the trial is minded by this command alone");
                false
            }
        }
    }

    async fn has(&self, unit: &str) -> bool {
        let said = self.show(unit, &["LoadState"]).await;
        said.is_ok_and(|said| said.trim() == "LoadState=loaded")
    }

    async fn is_enabled(&self, unit: &str) -> bool {
        let said = self.show(unit, &["UnitFileState"]).await;
        said.is_ok_and(|said| said.trim() == "UnitFileState=enabled")
    }

    async fn show(&self, unit: &str, names: &[&str]) -> anyhow::Result<String> {
        let names = names.join(",");
        self.ask(&["show", "--property", &names, unit]).await
    }

    async fn order(&self, words: &[&str]) -> anyhow::Result<()> {
        self.ask(words).await.map(drop)
    }

    async fn ask(&self, words: &[&str]) -> anyhow::Result<String> {
        let Self::Managed { systemctl } = self else {
            bail!("No service manager runs the box.");
        };
        let done = Command::new(systemctl)
            .args(words)
            .stdin(Stdio::null())
            .output()
            .await
            .with_context(|| format!("{} cannot be run.", systemctl.display()))?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            bail!("`systemctl {}` failed: {}", words.join(" "), said.trim());
        }
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }
}
