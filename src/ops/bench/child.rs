//! The box that is measured: this same program as another process, on a port that was free.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::clock::stopwatch;
use crate::domain::Status;

/// Longest wait for the box to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// What the sample workshop tells about itself.
#[derive(Deserialize)]
pub(super) struct Sample {
    pub(super) people: Vec<SamplePerson>,
    pub(super) requests: Vec<SampleRequest>,
}

/// Somebody in the sample workshop.
#[derive(Deserialize)]
pub(super) struct SamplePerson {
    pub(super) id: i64,
    pub(super) role: String,
    pub(super) token: String,
}

/// A request in the sample workshop.
#[derive(Deserialize)]
pub(super) struct SampleRequest {
    pub(super) id: i64,
    pub(super) owner_id: i64,
    status: String,
}

/// A box in a process of its own; it and its data end with this value.
pub(super) struct Box {
    pub(super) address: SocketAddr,
    pub(super) sample: Sample,
    child: Child,
    directory: PathBuf,
}

impl Box {
    /// Starts a sample workshop with so many requests.
    pub(super) async fn start(requests: usize) -> anyhow::Result<Self> {
        let directory =
            std::env::temp_dir().join(format!("motoreach-bench-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let address = free_address()?;
        let file = directory.join("sample.json");
        let child = Command::new(std::env::current_exe()?)
            .args(["demo", "--no-relay", "--requests", &requests.to_string()])
            .args(["--listen", &address.to_string()])
            .arg("--data")
            .arg(&directory)
            .arg("--json")
            .arg(&file)
            .stdout(Stdio::null())
            .spawn()
            .context("the box could not be started")?;
        let begun = stopwatch();
        let mut sample: Sample = loop {
            if let Ok(text) = std::fs::read(&file) {
                break serde_json::from_slice(&text)?;
            }
            if begun.elapsed() > ANSWER_WAIT {
                bail!(
                    "the sample workshop did not come up in {} s",
                    ANSWER_WAIT.as_secs()
                );
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        };
        // Nobody may write in what was called off.
        let takes_messages =
            |status: &str| Status::from_word(status).is_some_and(Status::takes_messages);
        sample
            .requests
            .retain(|request| takes_messages(&request.status));
        Ok(Self {
            address,
            sample,
            child,
            directory,
        })
    }

    /// Ends the process without a word, as a power cut would.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Serves the same data again, and waits for the first answer.
    pub(super) async fn start_again(&mut self) -> anyhow::Result<()> {
        self.child = Command::new(std::env::current_exe()?)
            .args(["serve", "--listen", &self.address.to_string()])
            .arg("--data")
            .arg(self.directory.join("box"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let begun = stopwatch();
        while !self.answers().await {
            if begun.elapsed() > ANSWER_WAIT {
                bail!("the box did not answer in {} s", ANSWER_WAIT.as_secs());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// Resident memory of the process, in KiB.
    pub(super) fn memory_kib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number
            .and_then(|number| number.parse().ok())
            .context("the system does not tell")
    }

    /// Ends the process and removes its data.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        self.kill()
    }

    async fn answers(&self) -> bool {
        let asked = async {
            let mut stream = TcpStream::connect(self.address).await?;
            let ask = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
            stream.write_all(ask.as_bytes()).await?;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        asked.await.is_ok_and(|answer| answer.ends_with(b"200"))
    }
}

impl Drop for Box {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// A port that was free a moment ago.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
