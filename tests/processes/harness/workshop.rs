//! A workshop with a relay: two processes, a line between them, and a door for owners, any of which
//! may be killed, cut or put back in time.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::agreement::{copy_head, is_the_same_everywhere, journal_head, newest_for_owner};
use super::http::{Answer, delete, get, post, put};
use super::{Line, Owner, Plan, Program, RelayPlan, RelayProgram, SOON, Sample, until};

/// What a failing test shows of each program.
const TALKATIVE: (&str, &str) = ("MOTOREACH_LOG", "info");

fn talkative<'a>(environment: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    environment.iter().copied().chain([TALKATIVE]).collect()
}

/// By when a long journal is at the relay.
const LONG: Duration = Duration::from_secs(300);

/// Box and relay with what lies between them. Either may be missing for a while.
pub struct Workshop {
    home: TempDir,
    program: Option<Program>,
    relay: Option<RelayProgram>,
    /// Between box and relay.
    pub line: Line,
    /// Between owners and relay.
    pub door: Line,
    sample: Sample,
}

impl Workshop {
    /// Both running, paired, and the relay up to date.
    pub async fn open() -> Self {
        let workshop = Self::apart().await;
        workshop.pairs().await;
        workshop.relay_catches_up(SOON).await;
        workshop
    }

    /// The same with these words in the box's environment.
    pub async fn open_with(environment: &[(&str, &str)]) -> Self {
        let plan = Plan {
            environment,
            ..Plan::default()
        };
        Self::open_as(&plan).await
    }

    /// The same with so many requests.
    pub async fn open_large(requests: u32) -> Self {
        let plan = Plan {
            requests: Some(requests),
            ..Plan::default()
        };
        Self::open_as(&plan).await
    }

    async fn open_as(plan: &Plan<'_>) -> Self {
        let mut workshop = Self::of_box(plan).await;
        workshop.start_relay().await;
        workshop.pairs().await;
        workshop.relay_catches_up(LONG).await;
        workshop
    }

    /// Both running; they do not know each other.
    pub async fn apart() -> Self {
        let mut workshop = Self::without_relay().await;
        workshop.start_relay().await;
        workshop
    }

    /// The box alone.
    pub async fn without_relay() -> Self {
        Self::without_relay_as(&Plan::default()).await
    }

    /// The same by a plan.
    pub async fn without_relay_as(plan: &Plan<'_>) -> Self {
        Self::of_box(plan).await
    }

    async fn of_box(plan: &Plan<'_>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let environment = talkative(plan.environment);
        let plan = Plan {
            environment: &environment,
            ..*plan
        };
        let program = Program::start_as(home.path(), &data, &plan).await;
        let (line, door) = (Line::to_nobody().await, Line::to_nobody().await);
        line.heals();
        door.heals();
        Self {
            sample: program.sample.clone(),
            program: Some(program),
            relay: None,
            line,
            door,
            home,
        }
    }

    /// Pairs them as an admin would: address and code, typed into the box.
    pub async fn pairs(&self) -> Value {
        let code = self.relay().code().await;
        let answer = self.asks_to_pair(&self.line.url(), &code).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Types an address and a code into the box.
    pub async fn asks_to_pair(&self, url: &str, code: &str) -> Answer {
        let body = json!({ "url": url, "code": code });
        let answer = put(self.url(), "/api/relay/", self.sample.admin(), &body).await;
        answer.unwrap()
    }

    /// The same without waiting for what comes of it.
    pub fn begins_to_pair(&self, url: &str, code: &str) {
        let body = json!({ "url": url, "code": code });
        let (base, token) = (self.url().to_owned(), self.sample.admin().to_owned());
        let asking = async move {
            let _ = put(&base, "/api/relay/", &token, &body).await;
        };
        tokio::spawn(asking);
    }

    /// An admin ends what was between the box and its relay.
    pub async fn leaves_its_relay(&self) {
        let answer = delete(self.url(), "/api/relay/", self.sample.admin()).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// The sample, as it was at the newest start of the box.
    pub fn sample(&self) -> &Sample {
        &self.sample
    }

    fn url(&self) -> &str {
        self.sample.url()
    }

    pub fn program(&self) -> &Program {
        self.program.as_ref().expect("the box runs")
    }

    pub fn relay(&self) -> &RelayProgram {
        self.relay.as_ref().expect("the relay runs")
    }

    /// Where the box keeps its data.
    pub fn box_data(&self) -> PathBuf {
        self.home.path().join("data/box")
    }

    /// Where the relay keeps its data.
    pub fn relay_data(&self) -> PathBuf {
        self.home.path().join("relay")
    }

    /// A place beside them.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// `kill -9` of the box.
    pub fn kill_box(&mut self) {
        self.program.take().expect("the box runs").kill();
    }

    /// The box ends in order.
    pub async fn stop_box(&mut self) {
        let status = self.program.take().expect("the box runs").stop().await;
        assert!(status.success(), "{status}");
    }

    pub async fn start_box(&mut self) {
        self.start_box_with(&[]).await;
    }

    /// Starts the box with these words in its environment.
    pub async fn start_box_with(&mut self, environment: &[(&str, &str)]) {
        assert!(self.program.is_none(), "the box runs already");
        let plan = Plan {
            environment: &talkative(environment),
            ..Plan::default()
        };
        let (home, data) = (self.home.path(), self.home.path().join("data"));
        let program = Program::start_as(home, &data, &plan).await;
        self.sample = program.sample.clone();
        self.program = Some(program);
    }

    /// Starts the box, which ends at a named point (`src/crash.rs`), and waits until it has.
    pub async fn starts_and_ends_at(&self, point: &str) {
        assert!(self.program.is_none(), "the box runs already");
        let plan = Plan {
            environment: &talkative(&[("MOTOREACH_CRASH_AT", point)]),
            ..Plan::default()
        };
        let (home, data) = (self.home.path(), self.home.path().join("data"));
        Program::starts_and_ends(home, &data, &plan).await;
    }

    /// `kill -9` of the relay.
    pub fn kill_relay(&mut self) {
        self.relay.take().expect("the relay runs").kill();
    }

    pub async fn start_relay(&mut self) {
        self.start_relay_as(RelayPlan::default()).await;
    }

    /// Starts the relay; owners' links begin with the door, whatever port it gets.
    pub async fn start_relay_as(&mut self, plan: RelayPlan) {
        assert!(self.relay.is_none(), "the relay runs already");
        let mut environment = plan.environment.clone();
        environment.push(TALKATIVE);
        let plan = RelayPlan {
            environment,
            public_url: plan.public_url.or_else(|| Some(self.door.url())),
            ..plan
        };
        let relay = RelayProgram::start_as(&self.relay_data(), &plan).await;
        self.leads_to(relay.address());
        self.relay = Some(relay);
    }

    /// Whether the relay has ended by itself.
    pub fn relay_has_ended(&mut self) -> bool {
        self.relay.as_mut().expect("the relay runs").has_ended()
    }

    /// Waits until the relay has the whole journal, or has ended by itself.
    pub async fn relay_catches_up_or_ends(&mut self) {
        let (here, there) = (self.box_data(), self.relay_data());
        let relay = self.relay.as_mut().expect("the relay runs");
        let done = async || {
            let same = copy_head(&there) == Some(journal_head(&here));
            (same || relay.has_ended()).then_some(())
        };
        until("the relay has the whole journal, or ends", SOON, done).await;
    }

    /// Waits until the relay has ended by itself.
    pub async fn relay_ends(&mut self) {
        let mut relay = self.relay.take().expect("the relay runs");
        let _ = relay.end().await;
    }

    /// The relay's data go on at another address; both lines to the old one lead nowhere.
    pub async fn moves_the_relay(&mut self) {
        (self.line, self.door) = (Line::to_nobody().await, Line::to_nobody().await);
        self.line.heals();
        self.door.heals();
        self.start_relay().await;
    }

    /// Another box on a copy of the data below `home`, at the same line.
    pub async fn another_box(&self, home: &Path) -> AnotherBox {
        AnotherBox(Program::start(home).await)
    }

    fn leads_to(&self, relay: SocketAddr) {
        self.line.leads_to(relay);
        self.door.leads_to(relay);
    }

    /// The owner of request number `k` opens their link at the relay.
    pub async fn owner(&self, k: usize) -> Owner {
        let owner = Owner::opens(self.sample.invite_url(k), self.door.address());
        owner.is_open().await;
        owner
    }

    /// Staff give out another link to request number `k`.
    pub async fn grants(&self, k: usize) -> String {
        let path = self.invites(k);
        let answer = post(self.url(), &path, self.sample.admin(), &json!({})).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["url"].as_str().unwrap().to_owned()
    }

    /// Staff take a link to request number `k` back.
    pub async fn revokes(&self, k: usize, link: &str) {
        let (path, _) = link.split_once('#').unwrap();
        let invite = URL_SAFE_NO_PAD.decode(path.rsplit('/').next().unwrap());
        let invite = Uuid::from_slice(&invite.unwrap()).unwrap();
        let path = format!("{}{invite}/", self.invites(k));
        let answer = delete(self.url(), &path, self.sample.admin())
            .await
            .unwrap();
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    fn invites(&self, k: usize) -> String {
        format!("/api/service-requests/{}/invites/", self.sample.request(k))
    }

    /// Somebody of the staff writes in request number `k`; returns the message's event.
    pub async fn staff_writes(&self, k: usize, content: &str) -> Value {
        let path = format!("/api/service-requests/{}/messages/", self.sample.request(k));
        let body = json!({ "content": content });
        let answer = post(self.url(), &path, self.sample.admin(), &body).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body
    }

    /// What staff read in request number `k`: the newest 500 messages.
    pub async fn staff_reads(&self, k: usize) -> Vec<Value> {
        let request = self.sample.request(k);
        let path = format!("/api/service-requests/{request}/messages/?limit=500");
        let answer = get(self.url(), &path, self.sample.admin()).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body.as_array().unwrap().clone()
    }

    /// Words of request number `k` that are for its owner and the staff alone.
    pub async fn private_words(&self, k: usize) -> Vec<String> {
        let path = format!("/api/service-requests/{}/", self.sample.request(k));
        let answer = get(self.url(), &path, self.sample.admin()).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let request = answer.body;
        let mut words: Vec<String> = Vec::new();
        for value in [
            &request["description"],
            &request["customer"]["name"],
            &request["vehicle"]["plate"],
        ] {
            words.extend(value.as_str().map(str::to_owned));
        }
        let messages = self.staff_reads(k).await;
        let contents = messages.iter().filter_map(|it| it["content"].as_str());
        words.extend(contents.map(str::to_owned));
        // Short ones stand anywhere by chance.
        words.retain(|word| word.len() >= 8);
        words
    }

    /// How the box says that its link stands.
    pub async fn link(&self) -> Value {
        link_of(&self.sample).await
    }

    /// Waits until the box says that its link stands like this.
    #[track_caller]
    pub fn link_is(&self, state: &str, within: Duration) -> impl Future<Output = Value> {
        link_becomes(&self.sample, state, within)
    }

    /// Waits until the relay has the whole journal.
    pub async fn relay_catches_up(&self, within: Duration) {
        let (here, there) = (self.box_data(), self.relay_data());
        let same = async || (copy_head(&there) == Some(journal_head(&here))).then_some(());
        until("the relay has the whole journal", within, same).await;
    }

    /// Waits until nothing is under way any more, then checks that everybody has the same.
    pub async fn agrees(&self, owners: &[&Owner]) {
        self.line_is_at_rest(owners, SOON).await;
        is_the_same_everywhere(&self.box_data(), &self.relay_data(), owners).await;
    }

    /// Waits until nothing is under way any more.
    pub async fn line_is_at_rest(&self, owners: &[&Owner], within: Duration) {
        for owner in owners {
            owner.has_nothing_waiting(within).await;
        }
        self.relay_catches_up(within).await;
        for owner in owners {
            let newest = newest_for_owner(&self.box_data(), owner.thread());
            owner.has_come_to(newest, within).await;
        }
    }

    /// Keeps a copy of the box's or the relay's data as it is now.
    pub fn keep_copy(&self, data: &Path, name: &str) -> PathBuf {
        let kept = self.beside(name);
        copy_directory(data, &kept);
        kept
    }

    /// The line is as bad as it gets: nothing of what is open stays, nothing new begins.
    pub fn cut(&self) {
        self.line.cut();
    }
}

/// A copy of the box that runs beside it.
pub struct AnotherBox(Program);

impl AnotherBox {
    /// How it says that its link stands.
    pub async fn link(&self) -> Value {
        link_of(&self.0.sample).await
    }

    /// Waits until it says that its link stands like this.
    #[track_caller]
    pub fn link_is(&self, state: &str, within: Duration) -> impl Future<Output = Value> {
        link_becomes(&self.0.sample, state, within)
    }

    /// It ends in order.
    pub async fn stop(self) {
        let status = self.0.stop().await;
        assert!(status.success(), "{status}");
    }
}

async fn link_of(sample: &Sample) -> Value {
    let answer = get(sample.url(), "/api/relay/", sample.admin()).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

#[track_caller]
fn link_becomes(sample: &Sample, state: &str, within: Duration) -> impl Future<Output = Value> {
    let (sample, state) = (sample.clone(), state.to_owned());
    let what = format!("the link is {state}");
    let look = async move || {
        let link = link_of(&sample).await;
        (link["state"] == state).then_some(link)
    };
    until(what, within, look)
}

/// Puts `from` in the place of `to`.
pub fn put_back(from: &Path, to: &Path) {
    fs::remove_dir_all(to).unwrap();
    copy_directory(from, to);
}

/// Copies a data directory; sockets and what is only a lock stay behind.
pub fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
