//! How much a card is written to (R10): the bytes that the process writes to its database and log,
//! counted by strace, so that the figures are the same on every machine.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Program, Sample, get, post};

/// Single messages, one after the other.
const SINGLE: usize = 100;
const SINGLE_BYTES_MAX: usize = 16_000;
/// Clients that write at once, and what each says.
const CLIENTS: usize = 16;
const EACH: usize = 25;
const LOAD_BYTES_MAX: usize = 6_000;
const WORDS: &str = "The brake pads are worn, about 2 mm are left. Shall we change them?";

/// A sample workshop whose writes are counted.
struct Counted {
    _home: TempDir,
    trace: PathBuf,
    program: Program,
    sample: Sample,
}

impl Counted {
    async fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let trace = home.path().join("trace");
        let out = trace.to_str().unwrap().to_owned();
        #[rustfmt::skip]
        let strace = [
            "strace", "-f", "--seccomp-bpf", "-qq", "-y", "-s", "0", "-o", &out,
            "-e", "trace=pwrite64,write,writev,pwritev",
        ];
        let program = Program::start_with(home.path(), &home.path().join("data"), &strace).await;
        let sample = program.sample.clone();
        Self {
            _home: home,
            trace,
            program,
            sample,
        }
    }

    /// Bytes written so far to anything in the box's directory. Every answer comes after its commit,
    /// and strace writes a call down before the next one of that thread; the last may be missing.
    fn bytes(&self) -> usize {
        bytes(&self.trace)
    }

    async fn says(&self, request: usize) {
        let request = self.sample.request(request);
        let path = format!("/api/service-requests/{request}/messages/");
        let body = json!({ "content": WORDS });
        let answer = post(self.sample.url(), &path, self.sample.admin(), &body).await;
        assert_eq!(answer.unwrap().status, 201);
    }
}

fn bytes(trace: &Path) -> usize {
    let text = fs::read_to_string(trace).unwrap();
    text.lines()
        .filter(|line| line.contains("/data/box/"))
        .filter_map(|line| line.rsplit_once("= ")?.1.parse::<usize>().ok())
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_writes_little_and_a_box_that_nobody_uses_writes_nothing() {
    let counted = Counted::start().await;
    for k in 0..3 {
        counted.says(k).await;
    }
    let before = counted.bytes();
    for number in 0..SINGLE {
        counted.says(number % 3).await;
    }
    let single = (counted.bytes() - before) / SINGLE;

    let before = counted.bytes();
    let client = async |client: usize| {
        for _ in 0..EACH {
            counted.says(client % 3).await;
        }
    };
    futures_util::future::join_all((0..CLIENTS).map(client)).await;
    let load = (counted.bytes() - before) / (CLIENTS * EACH);
    println!("{single} bytes a message, {load} among {CLIENTS} at once");
    assert!(single <= SINGLE_BYTES_MAX, "{single}");
    assert!(load <= LOAD_BYTES_MAX, "{load}");

    // Asking whether it is well is no use.
    let before = counted.bytes();
    for _ in 0..20 {
        for path in ["/healthz", "/readyz"] {
            let answer = get(counted.sample.url(), path, "").await.unwrap();
            assert_eq!(answer.status, 200, "{path}");
        }
    }
    assert_eq!(
        counted.bytes(),
        before,
        "it was written to only to be asked"
    );
    assert!(counted.program.stop().await.success());
}
