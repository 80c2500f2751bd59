//! A box that `motoreach serve` runs, as a workshop has it: nobody's sample.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use rustix::process::{Pid, Signal, kill_process};

use super::relay::listens;
use super::{Plan, SOON, until};

/// A box that listens. Its data is in the directory that it was given, and stays.
pub struct Served {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Served {
    /// Starts a box on this data and waits until it listens.
    pub async fn start(data: &Path, environment: &[(&str, &str)]) -> Self {
        Self::start_behind(&[], data, environment).await
    }

    /// The same behind another program such as `strace …`.
    pub async fn start_behind(before: &[&str], data: &Path, environment: &[(&str, &str)]) -> Self {
        let plan = Plan {
            before,
            environment,
            ..Plan::default()
        };
        Self::start_as(data, &plan).await
    }

    /// The same by a plan: its program, the words before it, its environment.
    pub async fn start_as(data: &Path, plan: &Plan<'_>) -> Self {
        let log = data.with_extension("log");
        let words = plan.words();
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .envs(plan.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(
                File::options()
                    .create(true)
                    .append(true)
                    .open(&log)
                    .unwrap(),
            )
            .spawn()
            .unwrap();
        let said = child.stdout.take().unwrap();
        let (tells, told) = mpsc::channel();
        // Reads until the box ends, so that it never waits for a reader.
        std::thread::spawn(move || {
            for line in BufReader::new(said).lines().map_while(Result::ok) {
                if let Some(address) = listens(&line) {
                    let _ = tells.send(address);
                }
            }
        });
        let mut served = Self {
            child,
            url: String::new(),
            log,
        };
        let address = until("the box listens", SOON, async || {
            if let Some(status) = served.child.try_wait().unwrap() {
                panic!("the box ended while starting ({status}):\n{}", served.log());
            }
            told.try_recv().ok()
        });
        served.url = format!("http://{}", address.await);
        served
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it is, without a scheme.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// `kill -9`, and waits until it is gone, and what it runs behind.
    pub fn kill(mut self) {
        kill_process(self.server(), Signal::KILL).unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended by itself.
    pub async fn end(mut self) {
        let ended = async || self.child.try_wait().unwrap();
        until("the box ends", SOON, ended).await;
    }

    /// Asks the box to end and waits until it has, and what it runs behind.
    pub async fn stop(self) {
        kill_process(self.server(), Signal::TERM).unwrap();
        self.end().await;
    }

    /// The box itself: behind strace it is its child.
    fn server(&self) -> Pid {
        let child = Pid::from_child(&self.child);
        let number = child.as_raw_nonzero();
        let children = fs::read_to_string(format!("/proc/{number}/task/{number}/children"));
        let children = children.unwrap_or_default();
        let first = children.split_whitespace().next();
        let first = first.and_then(|first| first.parse().ok());
        first.and_then(Pid::from_raw).unwrap_or(child)
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("--- what the box logged ---\n{}", self.log());
        }
    }
}
