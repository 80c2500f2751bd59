//! A box under a small service manager, programs to update it with, and a key to sign them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Outcome, SOON, get, post, until};

const UNDER_TEST: &str = env!("CARGO_BIN_EXE_motoreach");
const MANAGER: &str = include_str!("systemctl.py");
const PASSWORD: &str = "correct horse battery";
/// The new program proves itself in this time, in seconds.
const STAYS_UP: &str = "1";
/// By then it must have begun to, in seconds.
const LIMIT: &str = "30";

/// What a program pretends.
#[derive(Clone, Copy, Debug)]
pub enum Trait {
    /// It dies when it begins to serve.
    DiesAtStart,
    /// It stands still when it begins to serve.
    HangsAtStart,
    /// It dies as soon as it serves.
    DiesServing,
    /// It dies in its self-test.
    DiesInTest,
    /// It changes the database.
    Migrates,
    /// It cannot change the database.
    CannotMigrate,
    /// It says that it is another version than the one it was signed as.
    Lies,
}

/// A program that was signed.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: PathBuf,
    pub signature: PathBuf,
}

impl Program {
    pub fn word(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

/// A box, its service manager, and who publishes programs for it.
pub struct Bench {
    home: tempfile::TempDir,
    pub url: String,
    admin: String,
    request: i64,
    said: Vec<String>,
}

impl Bench {
    /// A box that runs 0.1.0 and has a workshop with a conversation.
    pub async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        for folder in ["units", "keys", "bin", "releases"] {
            fs::create_dir(at(folder)).unwrap();
        }
        write_program(&at("systemctl"), MANAGER);
        for name in ["ours", "other"] {
            sign_command(
                &["-G", "-W", "-f"],
                &[
                    ("-p", &at(&format!("keys/{name}.pub"))),
                    ("-s", &at(&format!("keys/{name}.key"))),
                ],
            );
        }
        let key = fs::read_to_string(at("keys/ours.pub")).unwrap();
        let key = key.lines().nth(1).unwrap();
        fs::write(at("motoreach.toml"), format!("update_key = \"{key}\"\n")).unwrap();
        write_program(&at("bin/motoreach"), &shell("0.1.0", &[]));
        let mut bench = Self {
            url: String::new(),
            admin: String::new(),
            request: 0,
            said: Vec::new(),
            home,
        };
        let program = bench.program();
        let data = bench.data();
        let config = bench.at("motoreach.toml");
        bench.unit(
            "motoreach.service",
            &[
                &program,
                Path::new("serve"),
                Path::new("--listen"),
                Path::new("127.0.0.1:0"),
                Path::new("--data"),
                &data,
                Path::new("--config"),
                &config,
            ],
        );
        bench.manage(&["start", "motoreach.service"]);
        bench.finds_itself().await;
        bench.set_up().await;
        bench
    }

    /// The trial is minded by a unit of its own, as on a real box.
    pub fn with_trial_unit(&self) {
        let old = self.at("bin/motoreach.old");
        let state = self.state();
        self.unit(
            "motoreach-trial.service",
            &[
                &old,
                Path::new("update"),
                Path::new("--trial"),
                Path::new("--state"),
                &state,
            ],
        );
        fs::write(self.at("units/motoreach-trial.service.once"), "").unwrap();
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.at("data")
    }

    pub fn state(&self) -> PathBuf {
        self.at("state")
    }

    /// The program in place.
    pub fn program(&self) -> PathBuf {
        self.at("bin/motoreach")
    }

    /// A program of this version, rightly signed for this machine.
    pub fn release(&self, version: &str, traits: &[Trait]) -> Program {
        self.release_for(version, &target(), "ours", traits)
    }

    /// A program as somebody signs it for some machine.
    pub fn release_for(&self, version: &str, target: &str, key: &str, traits: &[Trait]) -> Program {
        let path = self.at(&format!("releases/{}", Uuid::new_v4()));
        write_program(&path, &shell(version, traits));
        let signature = self.sign(&path, version, target, key);
        Program { path, signature }
    }

    fn sign(&self, path: &Path, version: &str, target: &str, key: &str) -> PathBuf {
        let signature = path.with_extension("minisig");
        let signed = if version.ends_with("!lies") {
            version.trim_end_matches("!lies")
        } else {
            version
        };
        let words = format!("version:{signed} target:{target}");
        sign_command(
            &["-S", "-t", &words],
            &[
                ("-s", &self.at(&format!("keys/{key}.key"))),
                ("-m", path),
                ("-x", &signature),
            ],
        );
        signature
    }

    /// `motoreach update …` as an admin at the box types it.
    pub async fn update(&self, words: &[&str]) -> Outcome {
        self.update_with(&[], words).await
    }

    /// The same with more in its environment.
    pub async fn update_with(&self, environment: &[(&str, &str)], words: &[&str]) -> Outcome {
        let mut command = self.update_command(environment, words);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = output.await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Outcome {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    pub fn update_command(&self, environment: &[(&str, &str)], words: &[&str]) -> Command {
        let mut command = Command::new(self.program());
        command
            .arg("update")
            .args(words)
            .arg("--json")
            .arg("--program")
            .arg(self.program())
            .arg("--service-manager")
            .arg(self.at("systemctl"))
            .arg("--state")
            .arg(self.state())
            .arg("--data")
            .arg(self.data())
            .arg("--config")
            .arg(self.at("motoreach.toml"))
            .env("MANAGER", self.at("units"))
            .envs(environment.iter().copied());
        for (option, usual) in [("--stays-up", STAYS_UP), ("--limit", LIMIT)] {
            if !words.contains(&option) {
                command.args([option, usual]);
            }
        }
        command
    }

    /// Somebody minds a trial that was noted, as at a start of the machine.
    pub async fn goes_on(&self, environment: &[(&str, &str)]) -> Outcome {
        let mut command = Command::new(self.at("bin/motoreach.old"));
        command
            .args(["update", "--trial", "--state"])
            .arg(self.state())
            .env("MANAGER", self.at("units"))
            .envs(environment.iter().copied());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = output.await.unwrap();
        Outcome {
            code: output.status.code(),
            out: String::new(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// How the last update ended.
    pub fn outcome(&self) -> Value {
        let json = fs::read(self.state().join("outcome.json")).unwrap();
        serde_json::from_slice(&json).unwrap()
    }

    /// Whether a trial is noted.
    pub fn is_on_trial(&self) -> bool {
        self.state().join("trial.json").exists()
    }

    /// The power goes: everything ends at once.
    pub fn loses_power(&self) {
        for unit in ["motoreach-trial.service", "motoreach.service"] {
            let ended = [self.pid(unit, "keeper"), self.main_pid(unit)];
            for pid in ended.into_iter().flatten() {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            let _ = fs::remove_file(self.at(&format!("units/{unit}.state")));
            let _ = fs::remove_file(self.at(&format!("units/{unit}.keeper")));
        }
    }

    /// The machine starts: the box does, by itself.
    pub fn boots(&self) {
        self.manage(&["start", "motoreach.service"]);
    }

    pub fn manage(&self, words: &[&str]) {
        let done = Command::new(self.at("systemctl"))
            .args(words)
            .env("MANAGER", self.at("units"))
            .status()
            .unwrap();
        assert!(done.success(), "{words:?}");
    }

    /// What the box logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.at("units/motoreach.service.log")).unwrap_or_default()
    }

    /// The box serves this version, and everything that was ever acknowledged is there.
    pub async fn serves(&mut self, version: &str) {
        let socket = self.data().join("control.sock");
        until(format_args!("{version} serves"), SOON, async || {
            let says = hello(&socket).await?;
            (says == version).then_some(())
        })
        .await;
        self.finds_itself().await;
        self.has_all().await;
    }

    /// Somebody writes something, and it is acknowledged.
    pub async fn writes(&mut self, words: &str) {
        let path = format!("/api/service-requests/{}/messages/", self.request);
        let body = json!({ "content": words, "client_id": Uuid::now_v7() });
        let sent = post(&self.url, &path, &self.admin, &body).await.unwrap();
        assert_eq!(sent.status, 201, "{sent:?}");
        self.said.push(words.to_owned());
    }

    async fn has_all(&self) {
        let path = format!("/api/service-requests/{}/messages/", self.request);
        let read = get(&self.url, &path, &self.admin).await.unwrap();
        assert_eq!(read.status, 200, "{read:?}");
        let read: Vec<_> = read
            .body
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["content"].as_str().unwrap())
            .collect();
        assert_eq!(
            read, self.said,
            "what was acknowledged is there, once, in order"
        );
    }

    /// Where it listens now.
    async fn finds_itself(&mut self) {
        let pid = until("the box has a process", SOON, async || {
            self.main_pid("motoreach.service")
        })
        .await;
        let url = until("the box listens", SOON, async || {
            let log = self.log();
            let line = log
                .lines()
                .rev()
                .find(|line| line.starts_with("Listening on "))?;
            let address = line.strip_prefix("Listening on ")?.split(": ").next()?;
            let url = format!("http://{address}");
            let answer = get(&url, "/healthz", "").await.ok()?;
            (answer.status == 200).then_some(url)
        });
        self.url = url.await;
        let _ = pid;
    }

    async fn set_up(&mut self) {
        let body = json!({ "workshop_name": "Nair Motors", "full_name": "Meera Nair", "username": "meera", "password": PASSWORD });
        let done = post(&self.url, "/api/setup/", "", &body).await.unwrap();
        assert_eq!(done.status, 201, "{done:?}");
        self.admin = done.body["access"].as_str().unwrap().to_owned();
        let body = json!({ "customer": { "full_name": "Dev Pillai" }, "vehicle": { "plate": "KL 07" }, "description": "Brakes squeal" });
        let opened = post(&self.url, "/api/service-requests/", &self.admin, &body)
            .await
            .unwrap();
        assert_eq!(opened.status, 201, "{opened:?}");
        self.request = opened.body["id"].as_i64().unwrap();
        self.writes("before the update").await;
    }

    /// What the box says that it is, if it says anything.
    pub async fn version(&self) -> Option<String> {
        hello(&self.data().join("control.sock")).await
    }

    /// The key that it trusts.
    pub fn key(&self) -> String {
        let file = fs::read_to_string(self.at("keys/ours.pub")).unwrap();
        file.lines().nth(1).unwrap().to_owned()
    }

    /// An update stands still at a point: it holds the place and tests nothing any more.
    pub async fn is_at(&self, point: &str) {
        let scratch = self.state().join("scratch");
        let progress = self.state().join("progress.json");
        until(format_args!("the update is at {point}"), SOON, async || {
            let progress = fs::read_to_string(&progress).ok()?;
            (progress.contains("testing") && !scratch.exists()).then_some(())
        })
        .await;
    }

    /// The box is killed, and its service manager starts it again.
    pub async fn ends_and_comes_again(&self) {
        let unit = "motoreach.service";
        let before = until("the box runs", SOON, async || {
            self.version().await?;
            self.main_pid(unit)
        })
        .await;
        let _ = rustix::process::kill_process(before, rustix::process::Signal::KILL);
        until("the box is another process, or none", SOON, async || {
            (self.main_pid(unit) != Some(before)).then_some(())
        })
        .await;
    }

    fn unit(&self, name: &str, words: &[&Path]) {
        let words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
        fs::write(self.at(&format!("units/{name}.command")), words.join("\n")).unwrap();
    }

    fn main_pid(&self, unit: &str) -> Option<rustix::process::Pid> {
        let json = fs::read(self.at(&format!("units/{unit}.state"))).ok()?;
        let state: Value = serde_json::from_slice(&json).ok()?;
        let pid = state["pid"].as_i64()?;
        rustix::process::Pid::from_raw(pid.try_into().ok()?)
    }

    fn pid(&self, unit: &str, what: &str) -> Option<rustix::process::Pid> {
        let text = fs::read_to_string(self.at(&format!("units/{unit}.{what}"))).ok()?;
        rustix::process::Pid::from_raw(text.trim().parse().ok()?)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.loses_power();
        if std::thread::panicking() {
            println!("--- what the box logged ---\n{}", self.log());
            let trial = fs::read_to_string(self.at("units/motoreach-trial.service.log"));
            println!(
                "--- what the trial logged ---\n{}",
                trial.unwrap_or_default()
            );
            if let Ok(outcome) = fs::read_to_string(self.state().join("outcome.json")) {
                println!("--- outcome ---\n{outcome}");
            }
        }
    }
}

/// What the box says that it is.
async fn hello(socket: &Path) -> Option<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::UnixStream::connect(socket).await.ok()?;
    stream.write_all(b"{\"do\":\"hello\"}\n").await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let answer: Value = serde_json::from_str(&answer).ok()?;
    Some(answer["Ok"]["version"].as_str()?.to_owned())
}

/// A program of a few lines, around the one under test.
fn shell(version: &str, traits: &[Trait]) -> String {
    let mut lines = vec![format!("export MOTOREACH_PRETEND_VERSION={version}")];
    let serves = |what: &str| format!("case \"$1\" in serve) export {what} ;; esac");
    for it in traits {
        lines.push(match it {
            Trait::DiesAtStart => serves("MOTOREACH_CRASH_AT=serve-begun"),
            Trait::HangsAtStart => serves("MOTOREACH_STALL_AT=serve-begun"),
            Trait::DiesServing => serves("MOTOREACH_CRASH_AT=serve-ready"),
            Trait::DiesInTest => "export MOTOREACH_CRASH_AT=self-test".to_owned(),
            Trait::Migrates => "export MOTOREACH_PRETEND_MIGRATION=works".to_owned(),
            Trait::CannotMigrate => "export MOTOREACH_PRETEND_MIGRATION=fails".to_owned(),
            Trait::Lies => "export MOTOREACH_PRETEND_VERSION=7.7.7".to_owned(),
        });
    }
    format!(
        "#!/bin/sh\n{}\nexec {UNDER_TEST} \"$@\"\n",
        lines.join("\n")
    )
}

fn write_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs Debian's minisign.
fn sign_command(words: &[&str], paths: &[(&str, &Path)]) {
    let mut command = Command::new("minisign");
    command.args(words);
    for (option, path) in paths {
        command.arg(option).arg(path);
    }
    let done = command.stdin(std::process::Stdio::null()).output();
    let done = done.unwrap_or_else(|error| panic!("minisign: {error}; see .ci/setup"));
    assert!(done.status.success(), "{done:?}");
}

/// What this build is for.
pub fn target() -> String {
    static TARGET: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TARGET
        .get_or_init(|| {
            let home = tempfile::tempdir().unwrap();
            let mut command = Command::new(UNDER_TEST);
            let output = command
                .args(["self-test", "--data"])
                .arg(home.path())
                .output()
                .unwrap();
            let json: Value = serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|error| panic!("{error}: {output:?}"));
            json["target"].as_str().unwrap().to_owned()
        })
        .clone()
}
