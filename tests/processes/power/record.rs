//! A box, recorded by strace: its first run, and at work, while one and several people write, to its end. What was acknowledged is told by what went to the clients.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::disk::Disk;
use super::trace::{self, Deed};
use crate::harness::{Plan, Program, Served, post};

/// What begins the words of a message; six digits follow.
const MARK: &str = "power-";
/// People who write at once.
const CLIENTS: usize = 4;

/// What a box did, and what was there before.
pub struct Recording {
    pub before: Disk,
    pub deeds: Vec<Deed>,
    pub promises: Vec<Promise>,
    /// What was kept before any of it.
    pub already: Vec<Kept>,
    /// The box's secret, as it was in the end.
    pub secret: Vec<u8>,
}

impl Recording {
    /// Everything that was promised in the end.
    pub fn kept(&self) -> Vec<Kept> {
        let told = self.promises.iter().map(|it| it.what.clone());
        self.already.iter().cloned().chain(told).collect()
    }

    /// What was promised before so many deeds were done.
    pub fn kept_after(&self, deeds: usize) -> Vec<Kept> {
        let told = self.promises.iter().filter(|it| it.after < deeds);
        let told = told.map(|it| it.what.clone());
        self.already.iter().cloned().chain(told).collect()
    }
}

/// Something that a client was told is kept.
pub struct Promise {
    /// How many deeds were done when it was told.
    pub after: usize,
    pub what: Kept,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// The first run is over, and its words were shown.
    SetUp,
    /// A message is in the conversation, at this place.
    Message { id: i64, words: String },
}

/// Records a program below this directory.
pub struct Recorder {
    before: Disk,
    data: PathBuf,
    trace: PathBuf,
}

impl Recorder {
    /// Looks at what is there.
    pub fn of(data: &Path) -> Self {
        fs::create_dir_all(data).unwrap();
        Self {
            before: Disk::of(data),
            data: data.to_owned(),
            trace: data.with_extension("trace"),
        }
    }

    /// The words to put before the program; `more` are further words for strace.
    pub fn words<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        #[rustfmt::skip]
        let words = [
            "strace", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "2097152",
            "-o", self.trace.to_str().unwrap(), "-e", trace::CALLS,
        ];
        words.iter().chain(more).copied().collect()
    }

    /// The program has ended: what it did.
    pub fn finish(self) -> Recording {
        let text = fs::read_to_string(&self.trace).unwrap();
        let deeds = trace::read(&text, &self.data);
        let promises = deeds.iter().enumerate().filter_map(|(after, deed)| {
            let Deed::Said { text } = deed else {
                return None;
            };
            let what = promised(&String::from_utf8_lossy(text))?;
            Some(Promise { after, what })
        });
        Recording {
            before: self.before,
            already: Vec::new(),
            promises: promises.collect(),
            secret: fs::read(self.data.join("root.secret")).unwrap_or_default(),
            deeds,
        }
    }
}

/// What an answer promises.
fn promised(answer: &str) -> Option<Kept> {
    if !answer.starts_with("HTTP/1.1 20") {
        return None;
    }
    if answer.contains("\"recovery_words\":") {
        return Some(Kept::SetUp);
    }
    let id = answer.split_once("\"id\":")?.1;
    let id = id.split([',', '}']).next()?.parse().ok()?;
    let words = marked(answer)?;
    Some(Kept::Message { id, words })
}

/// The mark in a text.
pub fn marked(text: &str) -> Option<String> {
    let at = text.find(MARK)?;
    text.get(at..at + MARK.len() + 6).map(str::to_owned)
}

/// How a box is to be recorded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work<'a> {
    /// Messages that one client writes, one after the other; several write as many again.
    pub messages: usize,
    pub environment: &'a [(&'a str, &'a str)],
    /// Further words for strace, such as faults to inject.
    pub strace: &'a [&'a str],
}

/// Records a box from its first run on. It takes no more messages than a person may write at once.
pub async fn from_the_first_run(data: &Path, work: Work<'_>) -> Recording {
    let recorder = Recorder::of(data);
    let before = recorder.words(work.strace);
    let served = Served::start_behind(&before, data, work.environment).await;
    let url = served.url();
    let (token, request) = set_up(url).await;
    talks(url, &token, request, work.messages).await;
    served.stop().await;
    recorder.finish()
}

/// Records a box that has been in use.
pub async fn at_work(home: &Path, work: Work<'_>) -> Recording {
    assert!(Program::start(home).await.stop().await.success());
    let recorder = Recorder::of(&home.join("data/box"));
    let before = recorder.words(work.strace);
    let plan = Plan {
        before: &before,
        environment: work.environment,
        ..Plan::default()
    };
    let program = Program::start_as(home, &home.join("data"), &plan).await;
    let sample = program.sample.clone();
    talks(
        sample.url(),
        sample.admin(),
        sample.request(0),
        work.messages,
    )
    .await;
    assert!(program.stop().await.success());
    recorder.finish()
}

/// Records a box whose disk fails from a certain flush on, until it refuses a message; it is killed then,
/// and started again on a disk that works. What the failed flush left in the machine's memory only is
/// read back as if it were on the disk.
pub async fn failing_and_started_again(home: &Path, work: Work<'_>) -> Recording {
    assert!(Program::start(home).await.stop().await.success());
    let data = home.join("data");
    let failing = Recorder::of(&data.join("box"));
    let before = failing.words(work.strace);
    let program = Program::start_with(home, &data, &before).await;
    let sample = program.sample.clone();
    let counter = Counter::default();
    while says(
        sample.url(),
        sample.admin(),
        sample.request(0),
        counter.next(),
    )
    .await
    {}
    program.kill();
    let mut recording = failing.finish();

    // Not by the sample, which opens and closes the database before it serves.
    let again = Recorder::of(&data.join("box"));
    let served = Served::start_behind(&again.words(&[]), &data.join("box"), &[]).await;
    for _ in 0..work.messages {
        let number = counter.next();
        assert!(says(served.url(), sample.admin(), sample.request(0), number).await);
    }
    served.kill();
    let begun = recording.deeds.len();
    let again = again.finish();
    recording.deeds.extend(again.deeds);
    let promises = again.promises.into_iter().map(|promise| Promise {
        after: begun + promise.after,
        ..promise
    });
    recording.promises.extend(promises);
    recording
}

/// One person writes so many messages, then several at once as many again.
async fn talks(url: &str, token: &str, request: i64, messages: usize) {
    let counter = Counter::default();
    for _ in 0..messages {
        says(url, token, request, counter.next()).await;
    }
    let client = async || {
        for _ in 0..messages / CLIENTS {
            says(url, token, request, counter.next()).await;
        }
    };
    futures_util::future::join_all((0..CLIENTS).map(|_| client())).await;
}

#[derive(Default)]
struct Counter(std::sync::atomic::AtomicUsize);

impl Counter {
    fn next(&self) -> usize {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

/// The first run and a first request.
async fn set_up(url: &str) -> (String, i64) {
    let body = json!({
        "workshop_name": "Nair Motors", "full_name": "Meera Nair", "username": "meera",
        "password": "a long password",
    });
    let answer = post(url, "/api/setup/", "", &body).await.unwrap();
    let token = answer.body["access"].as_str().unwrap().to_owned();
    let body = json!({
        "customer": { "full_name": "Asha" }, "vehicle": { "plate": "KL 01 A 1" },
        "description": "Brakes",
    });
    let answer = post(url, "/api/service-requests/", &token, &body)
        .await
        .unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    (token, answer.body["id"].as_i64().unwrap())
}

/// A message; gives whether it was taken: a disk that fails may refuse it.
async fn says(url: &str, token: &str, request: i64, number: usize) -> bool {
    let path = format!("/api/service-requests/{request}/messages/");
    let body = json!({ "content": format!("{MARK}{number:06}") });
    let answer = post(url, &path, token, &body).await.unwrap();
    assert!(matches!(answer.status, 201 | 503), "{answer:?}");
    answer.status == 201
}
