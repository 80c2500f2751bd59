//! What is measured runs as other processes of this same program, each with a directory of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::clock::stopwatch;

/// Longest wait for a process to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// A directory that goes with this value.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// An empty one; `name` tells those of one measurement apart.
    pub(super) fn new(name: &str) -> anyhow::Result<Self> {
        let path =
            std::env::temp_dir().join(format!("motoreach-bench-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process that ends with this value.
pub(super) struct Process(Child);

impl Process {
    /// Starts this program with other arguments.
    pub(super) fn start(with: impl FnOnce(&mut Command)) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        with(&mut command);
        let child = command.stdout(Stdio::null()).spawn();
        Ok(Self(child.context("a process could not be started")?))
    }

    /// Ends it without a word, as a power cut would.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// Resident memory, in KiB.
    pub(super) fn memory_kib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number
            .and_then(|number| number.parse().ok())
            .context("the system does not tell")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What this program prints when it is called so.
pub(super) fn printed(with: impl FnOnce(&mut Command)) -> anyhow::Result<Vec<u8>> {
    let mut command = Command::new(std::env::current_exe()?);
    with(&mut command);
    let output = command.stderr(Stdio::inherit()).output()?;
    anyhow::ensure!(output.status.success(), "a command failed: {command:?}");
    Ok(output.stdout)
}

/// A deadline for something that a process does.
pub(super) struct Patience(Instant);

impl Patience {
    pub(super) fn new() -> Self {
        Self(stopwatch())
    }

    /// Waits a little.
    ///
    /// # Errors
    /// It has taken too long by now.
    pub(super) async fn wait(&self, what: &str) -> anyhow::Result<()> {
        if self.0.elapsed() > ANSWER_WAIT {
            bail!("{what} took more than {} s", ANSWER_WAIT.as_secs());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        Ok(())
    }
}

/// Waits for the first answer at an address.
pub(super) async fn until_it_answers(address: SocketAddr) -> anyhow::Result<()> {
    let patience = Patience::new();
    while !answers(address).await {
        patience.wait("the first answer").await?;
    }
    Ok(())
}

async fn answers(address: SocketAddr) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        let ask = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(ask.as_bytes()).await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    asked.await.is_ok_and(|answer| answer.ends_with(b"200"))
}

/// A port that was free a moment ago.
pub(super) fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Takes as many open files as the system allows, for this process and those that it starts.
pub(super) fn take_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Whoever has too few is told so when a socket cannot be opened.
    let _ = setrlimit(Resource::Nofile, limit);
}
