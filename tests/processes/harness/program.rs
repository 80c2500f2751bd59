//! The program as a process: started, waited for, killed; never left behind.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Process, SOON, until};

pub(super) const PROGRAM: &str = env!("CARGO_BIN_EXE_motoreach");

/// Where the program is.
pub const fn program_path() -> &'static str {
    PROGRAM
}

/// By when a command has ended; doctor reads the whole journal, which is long after a long run.
const COMMAND_MAX: Duration = Duration::from_secs(600);

/// How a sample workshop is started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan<'a> {
    /// Which program; none: the one that cargo built with these tests.
    pub program: Option<&'a str>,
    /// Words before it, such as `strace …`.
    pub before: &'a [&'a str],
    /// For its environment, such as a point at which to end.
    pub environment: &'a [(&'a str, &'a str)],
    /// How many requests there are; none: three.
    pub requests: Option<u32>,
    /// Whether it brings a relay of its own.
    pub relay: bool,
}

impl<'a> Plan<'a> {
    /// The program with the words before it.
    pub(super) fn words(&self) -> Vec<&'a str> {
        let program = self.program.unwrap_or(PROGRAM);
        self.before.iter().copied().chain([program]).collect()
    }
}

/// A sample workshop that listens.
pub struct Program {
    child: Child,
    /// The server itself: `child`, or what `child` runs.
    pid: Pid,
    log: PathBuf,
    pub sample: Sample,
}

/// What `demo --json` says.
#[derive(Clone, Debug)]
pub struct Sample(Value);

impl Sample {
    pub fn url(&self) -> &str {
        self.0["box"].as_str().unwrap()
    }

    pub fn address(&self) -> &str {
        self.url()
            .trim_start_matches("http://")
            .trim_end_matches('/')
    }

    /// The request number `k`, counted from 0.
    pub fn request(&self, k: usize) -> i64 {
        self.0["requests"][k]["id"].as_i64().unwrap()
    }

    /// The owner's link to request number `k`.
    pub fn invite_url(&self, k: usize) -> &str {
        self.0["requests"][k]["invite_url"].as_str().unwrap()
    }

    /// The same at the sample's own relay.
    pub fn relay_invite_url(&self, k: usize) -> &str {
        self.0["requests"][k]["relay_invite_url"].as_str().unwrap()
    }

    /// Where the sample's own relay listens.
    pub fn relay_address(&self) -> SocketAddr {
        let url = self.0["relay"].as_str().unwrap();
        url.trim_start_matches("http://").parse().unwrap()
    }

    /// The process of the sample's own relay.
    pub fn relay_pid(&self) -> u32 {
        self.0["relay_pid"].as_u64().unwrap().try_into().unwrap()
    }

    /// An access token of the owner of request number `k`.
    pub fn owner(&self, k: usize) -> &str {
        let id = &self.0["requests"][k]["owner_id"];
        self.token(|person| &person["id"] == id)
    }

    /// An access token of an admin.
    pub fn admin(&self) -> &str {
        self.token(|person| person["role"] == "workshop_admin")
    }

    /// Username and password of an admin.
    pub fn admin_login(&self) -> Value {
        let person = self.person(|person| person["role"] == "workshop_admin");
        serde_json::json!({ "username": person["username"], "password": person["password"] })
    }

    fn token(&self, is: impl Fn(&Value) -> bool) -> &str {
        self.person(is)["token"].as_str().unwrap()
    }

    fn person(&self, is: impl Fn(&Value) -> bool) -> &Value {
        self.0["people"]
            .as_array()
            .unwrap()
            .iter()
            .find(|person| is(person))
            .unwrap()
    }
}

impl Program {
    /// Starts a sample workshop in `home` (made, or gone on with) and waits until it listens.
    pub async fn start(home: &Path) -> Self {
        Self::start_with(home, &home.join("data"), &[]).await
    }

    /// The same with its data elsewhere, behind another program such as `strace …`.
    pub async fn start_with(home: &Path, data: &Path, before: &[&str]) -> Self {
        Self::start_as(
            home,
            data,
            &Plan {
                before,
                ..Plan::default()
            },
        )
        .await
    }

    /// The same by a plan.
    pub async fn start_as(home: &Path, data: &Path, plan: &Plan<'_>) -> Self {
        let mut starting = Starting::by(home, data, plan);
        let sample = until("the sample workshop listens", SOON, async || {
            starting.look()
        })
        .await;
        starting.finish(sample)
    }

    /// Starts one that ends by itself, as at a point where it was asked to, and waits until it has.
    pub async fn starts_and_ends(home: &Path, data: &Path, plan: &Plan<'_>) {
        let mut starting = Starting::by(home, data, plan);
        let ended = async || starting.child.as_mut()?.try_wait().unwrap();
        until("it ends by itself", SOON, ended).await;
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(mut self) {
        kill_process(self.pid, Signal::KILL).unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end and waits until it has.
    pub async fn stop(self) -> ExitStatus {
        self.ask_to_stop();
        self.end().await
    }

    /// Asks it to end. Asked twice, it ends at once.
    pub fn ask_to_stop(&self) {
        kill_process(self.pid, Signal::TERM).unwrap();
    }

    /// Waits until it has ended by itself.
    pub async fn end(mut self) -> ExitStatus {
        until("it ends when asked to", SOON, async || {
            self.child.try_wait().unwrap()
        })
        .await
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The server's own process.
    pub fn process(&self) -> Process {
        Process::of(self.pid)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.is_alive() {
            let _ = kill_process(self.pid, Signal::KILL);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            println!("--- what the server logged ---\n{}", self.log());
        }
    }
}

/// A program that does not listen yet.
pub struct Starting {
    child: Option<Child>,
    json: PathBuf,
    log: PathBuf,
}

impl Starting {
    /// Starts a sample workshop by a plan.
    pub fn by(home: &Path, data: &Path, plan: &Plan<'_>) -> Self {
        let (json, log) = (home.join("sample.json"), home.join("server.log"));
        let _ = fs::remove_file(&json);
        let words = plan.words();
        let child = Command::new(words[0])
            .args(&words[1..])
            .args([
                "demo",
                "--listen",
                "127.0.0.1:0",
                "--requests",
                &plan.requests.unwrap_or(3).to_string(),
            ])
            .args((!plan.relay).then_some("--no-relay"))
            .arg("--data")
            .arg(data)
            .arg("--json")
            .arg(&json)
            .envs(plan.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(
                File::options()
                    .create(true)
                    .append(true)
                    .open(&log)
                    .unwrap(),
            )
            .spawn()
            .unwrap_or_else(|error| panic!("{words:?} does not start: {error}"));
        Self {
            child: Some(child),
            json,
            log,
        }
    }

    /// What the sample is, once it listens.
    fn look(&mut self) -> Option<Sample> {
        if let Some(status) = self.child.as_mut()?.try_wait().unwrap() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            panic!("the server ended while starting ({status}):\n{log}");
        }
        let text = fs::read(&self.json).ok()?;
        Some(Sample(
            serde_json::from_slice(&text).expect("--json is written whole"),
        ))
    }

    fn finish(mut self, sample: Sample) -> Program {
        let pid = i32::try_from(sample.0["pid"].as_i64().unwrap()).unwrap();
        Program {
            child: self.child.take().unwrap(),
            pid: Pid::from_raw(pid).unwrap(),
            log: self.log.clone(),
            sample,
        }
    }

    /// Kills it wherever it is.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.end();
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Outcome {
    /// The one JSON object that `--json` promises.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs the program to its end, behind `before`, with `input` on stdin.
pub async fn run(before: &[&str], arguments: &[&str], input: &str) -> Outcome {
    let plan = Plan {
        before,
        ..Plan::default()
    };
    run_as(&plan, arguments, input).await
}

/// The same by a plan.
pub async fn run_as(plan: &Plan<'_>, arguments: &[&str], input: &str) -> Outcome {
    use std::io::Write;
    let mut words = plan.words();
    words.extend(arguments);
    let mut child = Command::new(words[0])
        .args(&words[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{words:?} does not start: {error}"));
    // A program that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let pid = Pid::from_child(&child);
    let waiting = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    let output = tokio::time::timeout(COMMAND_MAX, waiting)
        .await
        .unwrap_or_else(|_| {
            let _ = kill_process(pid, Signal::KILL);
            panic!("{words:?} does not end")
        });
    let output = output.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
