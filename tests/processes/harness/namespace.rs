//! A mount namespace of our own: a small disk that nobody else sees and that goes with the test.
//!
//! Root makes one at once, anybody else inside a user namespace. Where neither is allowed the test
//! fails: a full disk that was never tried is not a promise.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A shell in the namespace; its end is the end of its mounts.
pub struct Namespace {
    shell: Child,
    answers: BufReader<ChildStdout>,
    /// What runs a program inside: the words before it.
    enter: Vec<String>,
}

impl Namespace {
    pub fn new() -> Self {
        let root = rustix::process::geteuid().is_root();
        let own_user = ["--user", "--map-root-user"];
        let mut shell = Command::new("unshare")
            .args(own_user.iter().filter(|_| !root))
            .args(["--mount", "sh"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare(1) of util-linux is needed for a small disk");
        let mut enter = vec![
            "nsenter".into(),
            format!("--target={}", shell.id()),
            "--mount".into(),
        ];
        if !root {
            enter.extend(["--user".into(), "--preserve-credentials".into()]);
        }
        let answers = BufReader::new(shell.stdout.take().unwrap());
        Self {
            shell,
            answers,
            enter,
        }
    }

    /// Mounts a disk of this size, such as `12M`, at an existing directory.
    pub fn mount(&mut self, at: &Path, size: &str) {
        self.sh(&format!(
            "mount -t tmpfs -o size={size},mode=0700 small {}",
            at.display()
        ));
    }

    /// Changes how it is mounted, such as `size=24M` or `ro`.
    pub fn remount(&mut self, at: &Path, options: &str) {
        self.sh(&format!("mount -o remount,{options} {}", at.display()));
    }

    /// The words before a program that shall run inside.
    pub fn enter(&self) -> Vec<&str> {
        self.enter.iter().map(String::as_str).collect()
    }

    /// Runs a line of shell inside; fails when it fails.
    pub fn sh(&mut self, line: &str) {
        let shell = self.shell.stdin.as_mut().unwrap();
        writeln!(shell, "({line}) 2>&1 && echo did-it || echo did-not").unwrap();
        let mut said = String::new();
        while !said.ends_with("did-it\n") && !said.ends_with("did-not\n") {
            let read = self.answers.read_line(&mut said).unwrap();
            assert!(
                read > 0,
                "this machine allows no mount namespace, so a small disk cannot be tried: run the \
                 tests as root, or allow unprivileged user namespaces"
            );
        }
        assert!(
            said.ends_with("did-it\n"),
            "this machine does not allow it ({}), so a small disk cannot be tried: run the tests \
             as root, or allow unprivileged user namespaces\n{line}",
            said.trim()
        );
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
