//! `kill -9` at random moments under load, again and again on one data directory (R1).
//!
//! Clients name what they send and send again what was not acknowledged. In the end every
//! acknowledged message is there once, in order, and each client has seen just what is stored.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::harness::{
    Chat, Frame, Plan, Program, Random, SOON, Sample, Starting, post, run, until,
};
use crate::history;

/// Kills in `make test`; `make prove` asks for 10,000.
const KILLS: u64 = 200;
/// One kill in so many comes while the server starts.
const KILLED_AT_START_ONE_IN: u64 = 8;
/// How long after it was started such a kill comes, at most: longer than a start takes.
const START_MAX: Duration = Duration::from_millis(400);
/// Messages acknowledged between a start and a kill, at most.
const ACKNOWLEDGED_MAX: u64 = 60;
/// One life in so many is long enough for the log to be moved into the database meanwhile.
const LONG_LIFE_ONE_IN: u64 = 20;
const LONG_LIFE_ACKNOWLEDGED_MAX: u64 = 1_500;
/// How long after the last of them the kill comes, at most: longer than a commit takes.
const COMMIT_MAX: Duration = Duration::from_millis(12);
/// Doctor looks at the data after so many kills.
const DOCTOR_EVERY: u64 = 20;
/// Messages of one client on their way, at most.
const UNDERWAY_MAX: u64 = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_it_has_every_acknowledged_message_once_and_in_order() {
    let kills = std::env::var("MOTOREACH_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    of_this_program(&Plan::default(), kills).await;
}

/// The same of any program, killed so often.
pub(crate) async fn of_this_program(plan: &Plan<'_>, kills: u64) {
    let mut random = Random::announced("killed");
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let start = async || Program::start_as(home.path(), &data, plan).await;
    let load = Load::start(start().await, &mut random);

    for kill in 1..=kills {
        if random.below(KILLED_AT_START_ONE_IN) == 0 {
            let starting = Starting::by(home.path(), &data, plan);
            tokio::time::sleep(random.shorter(START_MAX)).await;
            starting.kill();
        } else {
            let program = start().await;
            load.goes_to(&program.sample);
            let long_life = random.below(LONG_LIFE_ONE_IN) == 0;
            let more = if long_life {
                LONG_LIFE_ACKNOWLEDGED_MAX
            } else {
                ACKNOWLEDGED_MAX
            };
            let enough = load.acknowledged() + random.below(more);
            let seen = async || (load.acknowledged() >= enough).then_some(());
            until("the load goes on after a kill", SOON, seen).await;
            tokio::time::sleep(random.shorter(COMMIT_MAX)).await;
            program.kill();
        }
        // In a long run the journal grows, and with it the time that doctor takes.
        if kill % DOCTOR_EVERY.max(kills / 20) == 0 {
            println!("{kill} kills, {} acknowledged", load.acknowledged());
            doctor_is_content(home.path()).await;
        }
    }

    let program = start().await;
    load.goes_to(&program.sample);
    let clients = load.finish().await;
    for request in [0, 1] {
        let stored = history::all(&program.sample, request).await;
        history::is_in_order(&stored);
        for client in clients.iter().filter(|client| client.request == request) {
            client.agrees_with(&stored);
        }
        println!("request {request}: {} messages", stored.len());
    }
    assert!(program.stop().await.success());
    doctor_is_content(home.path()).await;
}

async fn doctor_is_content(home: &Path) {
    let data = home.join("data/box");
    let doctor = run(
        &[],
        &["doctor", "--json", "--data", data.to_str().unwrap()],
        "",
    )
    .await;
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
}

/// Several people who never stop writing.
pub struct Load {
    server: watch::Sender<Option<Sample>>,
    finishing: watch::Sender<bool>,
    acknowledged: Arc<AtomicU64>,
    people: JoinSet<Client>,
}

impl Load {
    /// Four people at sockets and one who posts over HTTP, in two conversations. `program` only
    /// says who they are; it is stopped.
    fn start(program: Program, random: &mut Random) -> Self {
        let load = Self::of(&program.sample, random);
        program.kill();
        load
    }

    /// The same, with nobody to write to yet.
    pub fn of(sample: &Sample, random: &mut Random) -> Self {
        let (server, servers) = watch::channel(None);
        let (finishing, finished) = watch::channel(false);
        let acknowledged = Arc::new(AtomicU64::new(0));
        let mut people = JoinSet::new();
        let tokens = [
            (0, sample.owner(0), Way::Socket),
            (0, sample.admin(), Way::Socket),
            (1, sample.owner(1), Way::Socket),
            (1, sample.admin(), Way::Socket),
            (0, sample.admin(), Way::Http),
        ];
        for (number, (request, token, way)) in tokens.into_iter().enumerate() {
            let client = Client {
                number,
                request,
                request_id: sample.request(request),
                token: token.to_owned(),
                random: random.child(),
                said: 0,
                underway: VecDeque::new(),
                acknowledged: Vec::new(),
                seen: Vec::new(),
                position: None,
                count: Arc::clone(&acknowledged),
            };
            people.spawn(client.live(way, servers.clone(), finished.clone()));
        }
        Self {
            server,
            finishing,
            acknowledged,
            people,
        }
    }

    /// Tells everybody where the server is now.
    pub fn goes_to(&self, sample: &Sample) {
        self.server.send_replace(Some(sample.clone()));
    }

    /// Messages acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Nobody says anything new; everybody waits until what they said is acknowledged.
    pub async fn finish(mut self) -> Vec<Client> {
        self.finishing.send_replace(true);
        let mut clients = Vec::new();
        let all = async {
            while let Some(client) = self.people.join_next().await {
                clients.push(client.unwrap());
            }
        };
        let done = tokio::time::timeout(SOON, all).await;
        assert!(
            done.is_ok(),
            "not everything is acknowledged within {SOON:?}"
        );
        clients
    }

    /// Nobody goes on; what was acknowledged until now counts. For a server that is gone.
    pub async fn abandon(mut self) -> Vec<Client> {
        self.server.send_replace(None);
        self.finish_without_server().await
    }

    async fn finish_without_server(&mut self) -> Vec<Client> {
        self.finishing.send_replace(true);
        let mut clients = Vec::new();
        while let Some(client) = self.people.join_next().await {
            clients.push(client.unwrap());
        }
        clients
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Socket,
    Http,
}

/// One person, and all they know.
pub struct Client {
    number: usize,
    /// Counted from 0, as in the sample.
    pub request: usize,
    request_id: i64,
    token: String,
    random: Random,
    /// How much was said; the text of a message is its number.
    said: u64,
    underway: VecDeque<(Uuid, String)>,
    acknowledged: Vec<(Uuid, String, i64)>,
    /// Messages as they came from the server, with their names.
    seen: Vec<(i64, Uuid)>,
    /// The log and the newest place in it that was seen.
    position: Option<(String, i64)>,
    count: Arc<AtomicU64>,
}

impl Client {
    async fn live(
        mut self,
        way: Way,
        mut servers: watch::Receiver<Option<Sample>>,
        finishing: watch::Receiver<bool>,
    ) -> Self {
        loop {
            let sample = servers.borrow_and_update().clone();
            let finished = *finishing.borrow();
            if finished && (self.underway.is_empty() || sample.is_none()) {
                return self;
            }
            if let Some(sample) = sample {
                match way {
                    Way::Socket => self.converse(&sample, &finishing).await,
                    Way::Http => self.post(&sample, &finishing).await,
                }
            }
            // Either there is another server, or this one is asked again.
            let _ = tokio::time::timeout(Duration::from_millis(5), servers.changed()).await;
        }
    }

    /// Until the socket ends, or everything is said and acknowledged.
    async fn converse(&mut self, sample: &Sample, finishing: &watch::Receiver<bool>) {
        let opening = Chat::open(sample, &self.token, self.request_id, self.position.as_ref());
        let Ok(mut chat) = opening.await else { return };
        for (name, content) in self.underway.clone() {
            if chat.say(name, &content).await.is_err() {
                return;
            }
        }
        loop {
            let finished = *finishing.borrow();
            if finished && self.underway.is_empty() {
                return;
            }
            let more = 1 + self.random.below(UNDERWAY_MAX);
            while !finished && (self.underway.len() as u64) < more {
                let (name, content) = self.next_message();
                if chat.say(name, &content).await.is_err() {
                    return;
                }
            }
            let Frame::Json(frame) = chat.next().await else {
                return;
            };
            self.take(&frame);
        }
    }

    async fn post(&mut self, sample: &Sample, finishing: &watch::Receiver<bool>) {
        loop {
            if self.underway.is_empty() {
                if *finishing.borrow() {
                    return;
                }
                self.next_message();
            }
            let (name, content) = self.underway[0].clone();
            let path = format!("/api/service-requests/{}/messages/", self.request_id);
            let body = json!({ "content": content, "client_id": name });
            match post(sample.url(), &path, &self.token, &body).await {
                Ok(answer) if answer.status == 201 => {
                    self.acknowledge(name, answer.body["id"].as_i64().unwrap());
                }
                Ok(answer) => {
                    assert!(matches!(answer.status, 503 | 507), "{answer:?}");
                    return;
                }
                Err(_) => return,
            }
        }
    }

    fn next_message(&mut self) -> (Uuid, String) {
        let message = (Uuid::now_v7(), format!("{} {}", self.number, self.said));
        self.said += 1;
        self.underway.push_back(message.clone());
        message
    }

    fn take(&mut self, frame: &Value) {
        match frame["type"].as_str().unwrap() {
            "chat.hello" => {
                let log = frame["log"].as_str().unwrap().to_owned();
                if let Some((known, rev)) = &self.position {
                    assert_eq!(*known, log, "the journal began anew");
                    assert!(frame["rev"].as_i64() >= Some(*rev), "the journal went back");
                }
                // What was missed comes next; the position moves with it.
                self.position
                    .get_or_insert((log, frame["rev"].as_i64().unwrap()));
            }
            "chat.history" => {
                assert!(self.seen.is_empty(), "a history instead of what was missed");
                frame["messages"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .for_each(|it| self.see(it));
            }
            "chat.message" => {
                self.see(frame);
                self.position.as_mut().unwrap().1 = frame["rev"].as_i64().unwrap();
            }
            "chat.ack" => {
                let name = frame["client_id"].as_str().unwrap().parse().unwrap();
                self.acknowledge(name, frame["id"].as_i64().unwrap());
            }
            "chat.error" => {
                let code = frame["code"].as_str().unwrap();
                let expected = ["storage_failing", "disk_full", "busy", "unavailable"];
                assert!(expected.contains(&code), "{frame}");
            }
            _ => {}
        }
    }

    fn see(&mut self, message: &Value) {
        let name = message["client_id"].as_str().unwrap().parse().unwrap();
        self.seen.push((message["id"].as_i64().unwrap(), name));
    }

    fn acknowledge(&mut self, name: Uuid, id: i64) {
        let (next, content) = self.underway.pop_front().expect("only what was sent");
        assert_eq!(next, name, "acknowledged in the order in which it was sent");
        self.acknowledged.push((name, content, id));
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Compares what this person knows with what is stored in their request.
    pub fn agrees_with(&self, stored: &[Value]) {
        let who = format!("person {} in request {}", self.number, self.request);
        let places: HashMap<_, _> = stored
            .iter()
            .enumerate()
            .map(|(place, message)| (message["client_id"].as_str().unwrap(), place))
            .collect();
        assert_eq!(places.len(), stored.len(), "a name is stored twice");
        let mut last = None;
        for (name, content, id) in &self.acknowledged {
            let place = places.get(name.to_string().as_str());
            let place = *place.unwrap_or_else(|| panic!("{who}: {content:?} ({id}) is lost"));
            assert_eq!(
                stored[place]["id"].as_i64(),
                Some(*id),
                "{who}: {content:?}"
            );
            assert_eq!(
                stored[place]["content"].as_str(),
                Some(content.as_str()),
                "{who}"
            );
            assert!(Some(place) > last, "{who}: {content:?} is out of order");
            last = Some(place);
        }
        let mine = format!("{} ", self.number);
        let texts = stored
            .iter()
            .filter_map(|message| message["content"].as_str());
        let numbers: Vec<u64> = texts
            .filter_map(|text| text.strip_prefix(&mine)?.parse().ok())
            .collect();
        assert!(
            numbers.is_sorted_by(|a, b| a < b),
            "{who}: doubled or out of order: {numbers:?}"
        );
        // Everything that this person was shown, without a gap from the first to the last.
        let Some((first, _)) = self.seen.first() else {
            return;
        };
        let from = stored
            .iter()
            .position(|it| it["id"].as_i64() == Some(*first));
        let from = from.unwrap_or_else(|| panic!("{who}: saw {first}, which is not stored"));
        for ((id, name), message) in self.seen.iter().zip(&stored[from..]) {
            assert_eq!(
                message["id"].as_i64(),
                Some(*id),
                "{who} saw something else"
            );
            assert_eq!(
                message["client_id"].as_str(),
                Some(name.to_string().as_str()),
                "{who}"
            );
        }
        assert!(
            from + self.seen.len() <= stored.len(),
            "{who} saw more than is stored"
        );
    }
}
