//! The relay as a process.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;

use rustix::process::Pid;

use super::program::PROGRAM;
use super::{Process, SOON, run, until};

/// How a relay is started; the same for each of its lives.
#[derive(Clone, Debug, Default)]
pub struct RelayPlan {
    /// What owners' links begin with; none: where it listens.
    pub public_url: Option<String>,
    /// Where it listens; none: a free port.
    pub listen: Option<SocketAddr>,
    /// More words for its command line.
    pub words: Vec<String>,
    /// For its environment, such as a point at which to end.
    pub environment: Vec<(&'static str, &'static str)>,
    /// Words before it, such as `nsenter …`.
    pub before: Vec<String>,
}

impl RelayPlan {
    /// One that ends at a named point (`src/crash.rs`).
    pub fn that_ends_at(point: &'static str) -> Self {
        Self {
            environment: vec![("MOTOREACH_CRASH_AT", point)],
            ..Self::default()
        }
    }
}

/// A relay that listens. Its data is in the directory that it was given, and stays.
pub struct RelayProgram {
    child: Child,
    data: PathBuf,
    log: PathBuf,
    address: SocketAddr,
}

impl RelayProgram {
    /// Starts a relay on this data and waits until it listens.
    pub async fn start_as(data: &Path, plan: &RelayPlan) -> Self {
        fs::create_dir_all(data).unwrap();
        let log = data.with_extension("log");
        let mut words = plan.before.clone();
        words.push(PROGRAM.to_owned());
        let listen = plan.listen.unwrap_or(([127, 0, 0, 1], 0).into());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args(["relay", "--data"])
            .arg(data)
            .args(["--listen", &listen.to_string()])
            .args(plan.public_url.iter().flat_map(|url| ["--public-url", url]))
            .args(&plan.words)
            .envs(plan.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(
                File::options()
                    .create(true)
                    .append(true)
                    .open(&log)
                    .unwrap(),
            );
        let mut child = command.spawn().unwrap();
        let said = child.stdout.take().unwrap();
        let (tells, told) = mpsc::channel();
        // Reads until the relay ends, so that it never waits for a reader.
        std::thread::spawn(move || {
            for line in BufReader::new(said).lines().map_while(Result::ok) {
                if let Some(address) = listens(&line) {
                    let _ = tells.send(address);
                }
            }
        });
        let mut relay = Self {
            child,
            data: data.to_owned(),
            log,
            address: listen,
        };
        let address = until("the relay listens", SOON, async || {
            if let Some(status) = relay.child.try_wait().unwrap() {
                panic!(
                    "the relay ended while starting ({status}):\n{}",
                    relay.log()
                );
            }
            told.try_recv().ok()
        });
        relay.address = address.await;
        relay
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new pairing code.
    pub async fn code(&self) -> String {
        let data = self.data.to_str().unwrap();
        let pair = run(&[], &["relay", "pair", "--json", "--data", data], "").await;
        assert_eq!(pair.code, Some(0), "{pair:?}");
        pair.json()["code"].as_str().unwrap().to_owned()
    }

    /// What `relay status --json` says.
    pub async fn status(&self) -> serde_json::Value {
        let data = self.data.to_str().unwrap();
        let status = run(&[], &["relay", "status", "--json", "--data", data], "").await;
        assert_eq!(status.code, Some(0), "{status:?}");
        status.json()
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended by itself.
    pub async fn end(&mut self) -> ExitStatus {
        until("the relay ends", SOON, async || {
            self.child.try_wait().unwrap()
        })
        .await
    }

    /// What it logged, in all its lives on this data.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn process(&self) -> Process {
        Process::of(Pid::from_child(&self.child))
    }
}

impl Drop for RelayProgram {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("--- what the relay logged ---\n{}", self.log());
        }
    }
}

/// The address in `Listening on 127.0.0.1:41234: http://…`.
pub(super) fn listens(line: &str) -> Option<SocketAddr> {
    let rest = line.strip_prefix("Listening on ")?;
    rest.split(": ").next()?.trim().parse().ok()
}
