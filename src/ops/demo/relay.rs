//! The sample's relay: a process of its own, kept running for as long as the sample runs and never
//! longer.
//!
//! It stops when its standard input ends, which it does when this process ends in whatever way.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::ops::say;
use crate::ops::serve::url;
use crate::telemetry::LOG_VARIABLE;

/// By when a relay listens.
const START_MAX: Duration = Duration::from_secs(30);
/// By when it has stopped after it was asked to.
const STOP_MAX: Duration = Duration::from_secs(10);
/// What it says once it listens (`ops::relay`).
const LISTENS: &str = "Listening on ";
/// Between its end and its next start.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The relay of a sample.
pub(super) struct Relay {
    plan: Plan,
    pid: Arc<AtomicU32>,
    stop: CancellationToken,
    keeping: JoinHandle<()>,
}

impl Relay {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// It does not start; its own words are on stderr.
    pub(super) async fn start(data: &Path, listen: Option<SocketAddr>) -> anyhow::Result<Self> {
        let plan = Plan {
            program: std::env::current_exe()?,
            data: data.to_owned(),
            listen: listen.map_or_else(free_address, Ok)?,
        };
        let life = plan.begin().await?;
        let pid = Arc::new(AtomicU32::new(life.child.id().unwrap_or(0)));
        let stop = CancellationToken::new();
        let keeping = tokio::spawn(keep(life, plan.clone(), Arc::clone(&pid), stop.clone()));
        Ok(Self {
            plan,
            pid,
            stop,
            keeping,
        })
    }

    /// Where the line leads.
    pub(super) const fn address(&self) -> SocketAddr {
        self.plan.listen
    }

    /// What owners' links begin with.
    pub(super) fn url(&self) -> String {
        url(self.plan.listen)
    }

    /// Its process now; 0 while it is being started again.
    pub(super) fn pid(&self) -> u32 {
        self.pid.load(Ordering::SeqCst)
    }

    /// A code with which one box may come.
    ///
    /// # Errors
    /// The relay gave none.
    pub(super) async fn code(&self) -> anyhow::Result<String> {
        #[derive(Deserialize)]
        struct Answer {
            code: String,
        }
        let asked = Command::new(&self.plan.program)
            .args(["relay", "pair", "--json", "--data"])
            .arg(&self.plan.data)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output();
        let output = timeout(START_MAX, asked)
            .await
            .context("The sample's relay gives no pairing code.")??;
        let answer: Answer = serde_json::from_slice(&output.stdout)
            .context("The sample's relay gives no pairing code.")?;
        Ok(answer.code)
    }

    /// Stops it and waits until it is gone.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        let _ = self.keeping.await;
    }
}

/// How it is started, each time alike.
#[derive(Clone)]
struct Plan {
    program: PathBuf,
    data: PathBuf,
    listen: SocketAddr,
}

impl Plan {
    async fn begin(&self) -> anyhow::Result<Life> {
        // The sample's own words are enough unless somebody asked for more.
        let log = std::env::var_os(LOG_VARIABLE).unwrap_or_else(|| "warn".into());
        let mut child = Command::new(&self.program)
            .args(["relay", "--stop-with-stdin", "--data"])
            .arg(&self.data)
            .args(["--listen", &self.listen.to_string()])
            .args(["--public-url", &url(self.listen)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            // Ctrl-C is for the sample, which then stops its relay.
            .process_group(0)
            .env(LOG_VARIABLE, log)
            .kill_on_drop(true)
            .spawn()
            .context("The sample's relay cannot be started.")?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("The sample's relay cannot be started.");
        };
        let mut lines = BufReader::new(stdout).lines();
        let listens = async {
            while let Some(line) = lines.next_line().await? {
                if line.starts_with(LISTENS) {
                    return io::Result::Ok(true);
                }
            }
            Ok(false)
        };
        if !timeout(START_MAX, listens)
            .await
            .is_ok_and(|said| said.unwrap_or(false))
        {
            let _ = child.kill().await;
            bail!("The sample's relay does not listen on {}.", self.listen);
        }
        // What else it says on stdout is for an operator, whom the sample does not have.
        let said = tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Life { child, stdin, said })
    }
}

/// One run of it.
struct Life {
    child: Child,
    stdin: ChildStdin,
    said: JoinHandle<()>,
}

impl Life {
    async fn stop(mut self) {
        drop(self.stdin);
        if timeout(STOP_MAX, self.child.wait()).await.is_err() {
            tracing::warn!("the sample's relay did not stop in time");
            let _ = self.child.kill().await;
        }
        self.said.abort();
    }
}

/// Starts it again whenever it ends by itself: a sample is there to be hurt.
async fn keep(mut life: Life, plan: Plan, pid: Arc<AtomicU32>, stop: CancellationToken) {
    loop {
        // Cancel-safe: `wait` may be called again.
        let ended = tokio::select! {
            () = stop.cancelled() => return life.stop().await,
            ended = life.child.wait() => ended,
        };
        pid.store(0, Ordering::SeqCst);
        say(format_args!(
            "The relay ended ({}); it is started again.",
            ended.map_or_else(|error| error.to_string(), |status| status.to_string())
        ));
        life = loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(AGAIN_AFTER) => {}
            }
            match plan.begin().await {
                Ok(life) => break life,
                Err(error) => tracing::warn!(%error, "the sample's relay does not start again"),
            }
        };
        pid.store(life.child.id().unwrap_or(0), Ordering::SeqCst);
    }
}

/// An address of this machine that nobody listens on.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
