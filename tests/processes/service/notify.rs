//! What is said to the service manager, heard on a socket of our own: ready only when it serves, alive
//! only while it lives, and that it stops.

use std::io::{self, BufRead, BufReader};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::harness::{SOON, get, post, program_path, until};

/// What the manager says that it waits for a sign of life, in microseconds; a quarter of it is one look.
const WATCHDOG_US: &str = "400000";

/// Nobody who lives is silent for so long.
const SILENCE: Duration = Duration::from_secs(3);
/// Signs that were on their way.
const SIGNS_MAX: usize = 100;

/// A service manager's ear.
struct Manager {
    home: TempDir,
    ear: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let ear = UnixDatagram::bind(home.path().join("notify")).unwrap();
        ear.set_read_timeout(Some(SOON)).unwrap();
        Self { home, ear }
    }

    /// The program in the surroundings that a manager makes; the shell runs `line` first, and becomes it.
    fn command(&self, line: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{line} exec \"$0\" \"$@\""), program_path()])
            .args(arguments)
            .env("NOTIFY_SOCKET", self.home.path().join("notify"))
            .env("WATCHDOG_USEC", WATCHDOG_US)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn data(&self) -> std::path::PathBuf {
        self.home.path().join("data")
    }

    /// The next message.
    fn hear(&self) -> io::Result<String> {
        let mut message = [0; 4_096];
        let length = self.ear.recv(&mut message)?;
        Ok(String::from_utf8_lossy(&message[..length]).into_owned())
    }

    /// Everything until a message with this word.
    fn hear_until(&self, word: &str) -> String {
        let mut heard = String::new();
        while !heard.contains(word) {
            heard += &self
                .hear()
                .unwrap_or_else(|error| panic!("{word}: {error}; heard:\n{heard}"));
        }
        heard
    }
}

/// A process that is not left behind.
struct Running(Child);

impl Running {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program with a socket that somebody else opened, as the first one after stderr.
fn start_with_socket(manager: &Manager, words: &[&str]) -> (Running, String) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", socket.local_addr().unwrap());
    // The shell gives the socket the number that the protocol wants.
    let line = "exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$;";
    let mut command = manager.command(line, words);
    let child = command.stdin(OwnedFd::from(socket)).spawn().unwrap();
    (Running(child), base)
}

#[tokio::test]
async fn it_is_ready_when_it_serves_on_the_socket_that_was_handed_over() {
    let manager = Manager::new();
    let data = manager.data();
    let serve = [
        "serve",
        "--data",
        data.to_str().unwrap(),
        "--listen",
        "192.0.2.1:1",
    ];
    let (mut running, base) = start_with_socket(&manager, &serve);
    let heard = manager.hear_until("READY=1");
    assert!(!heard.contains("WATCHDOG=1\nREADY"), "{heard}");
    assert!(heard.contains("STATUS=Waiting on 127.0.0.1:"), "{heard}");
    assert_eq!(get(&base, "/healthz", "").await.unwrap().status, 200);
    manager.hear_until("WATCHDOG=1");
    running.signal(Signal::TERM);
    manager.hear_until("STOPPING=1");
    let ended = until("it ends", SOON, async || running.0.try_wait().unwrap()).await;
    assert!(ended.success());
}

#[tokio::test]
async fn a_relay_says_the_same() {
    let manager = Manager::new();
    let data = manager.data();
    let serve = ["relay", "--data", data.to_str().unwrap()];
    let (running, base) = start_with_socket(&manager, &serve);
    manager.hear_until("READY=1");
    assert_eq!(get(&base, "/healthz", "").await.unwrap().status, 200);
    manager.hear_until("WATCHDOG=1");
    running.signal(Signal::TERM);
    manager.hear_until("STOPPING=1");
}

#[test]
fn a_socket_that_is_none_is_refused_with_a_sentence() {
    let manager = Manager::new();
    let data = manager.data();
    let line = "exec 3</dev/null; export LISTEN_FDS=1 LISTEN_PID=$$;";
    let done = manager
        .command(line, &["serve", "--data", data.to_str().unwrap()])
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("Socket 1 of those"), "{said}");
}

/// A disk that takes a write and never says that it is done: the writer hangs, everything else runs.
#[tokio::test]
async fn a_writer_that_hangs_is_not_alive() {
    let manager = Manager::new();
    let data = manager.data();
    let (running, base) = start_with_socket(&manager, &["serve", "--data", data.to_str().unwrap()]);
    manager.hear_until("READY=1");
    manager.hear_until("WATCHDOG=1");
    let pid = running.0.id().to_string();
    let mut strace = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e"])
        .args(["inject=fdatasync,fsync:delay_enter=3600000000", "-p", &pid])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace is needed to hold a write up");
    let mut said = BufReader::new(strace.stderr.take().unwrap());
    let _strace = Running(strace);
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("attached"), "{line}");
    // Signs of life go on until something is written.
    manager.hear_until("WATCHDOG=1");
    let set_up = serde_json::json!({
        "workshop_name": "W", "full_name": "Ada", "username": "ada", "password": "correct horse",
    });
    let stuck = tokio::spawn(async move { post(&base, "/api/setup/", "", &set_up).await });
    manager.ear.set_read_timeout(Some(SILENCE)).unwrap();
    let silent = tokio::task::spawn_blocking(move || {
        for _ in 0..SIGNS_MAX {
            match manager.hear() {
                Ok(heard) => assert!(!heard.contains("STOPPING"), "{heard}"),
                Err(_) => return,
            }
        }
        panic!("signs of life although nothing is written");
    });
    silent.await.unwrap();
    assert!(!stuck.is_finished(), "the write was not held up");
    stuck.abort();
}

#[test]
fn a_program_that_nobody_listens_to_says_nothing_and_runs() {
    let home = tempfile::tempdir().unwrap();
    let gone = Path::new("/nonexistent/notify");
    let mut child = Command::new(program_path())
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(home.path().join("data"))
        .env("NOTIFY_SOCKET", gone)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let running = Running(child);
    let mut line = String::new();
    while !line.contains("Listening on") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0);
    }
    drop(running);
}
