//! A workshop with people in it: an admin, two mechanics, two owners with a request each. It has a
//! box of its own that stops, and a directory that goes, when it is dropped.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use motoreach::appliance::{self, MessageLimits, Options, Outside, Running};
use motoreach::config::Config;
use motoreach::http::handed::Handed;
use motoreach::http::token::Grant;
use motoreach::store::verify::{self, Report};
use motoreach::store::{DataDir, people};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::client::{Answer, Ask};
use crate::socket::{Socket, V1};

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What the workshop is called.
pub(crate) const WORKSHOP: &str = "Sharma Motors";

/// The password of everybody who has one.
pub(crate) const PASSWORD: &str = "spanner and socket";

/// The cookie that carries the refresh token of staff.
pub(crate) const STAFF_COOKIE: &str = "motoreach_refresh";

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) token: String,
    /// The refresh token, as the browser sends it back.
    pub(crate) cookie: String,
}

/// Somebody who opened their link.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) request: i64,
    pub(crate) invite: String,
    pub(crate) url: String,
}

/// A box that nobody has set up yet.
pub(crate) struct FreshBox {
    running: Option<Running>,
    dir: TempDir,
    config: Config,
    limits: MessageLimits,
}

/// A box with people.
pub(crate) struct Workshop {
    fresh: FreshBox,
    pub(crate) admin: Person,
    /// A mechanic; Asha's request is her job.
    pub(crate) meera: Person,
    /// A mechanic without a job.
    pub(crate) ravi: Person,
    pub(crate) asha: Owner,
    pub(crate) bilal: Owner,
}

impl FreshBox {
    pub(crate) async fn start() -> Self {
        Self::start_with(on_loopback(), MessageLimits::Off).await
    }

    pub(crate) async fn start_with(config: Config, limits: MessageLimits) -> Self {
        let mut fresh = Self {
            running: None,
            dir: TempDir::new().unwrap(),
            config,
            limits,
        };
        fresh.begin().await;
        fresh
    }

    async fn begin(&mut self) {
        let options = Options {
            data: self.data(),
            listen: self.config.listen.clone(),
            handed: Handed::default(),
            config: self.config.clone(),
            message_limits: self.limits,
            outside: Outside::Everybody,
        };
        self.running = Some(appliance::start(options).await.unwrap());
    }

    pub(crate) fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running().addresses()[0]
    }

    fn data(&self) -> DataDir {
        DataDir::new(self.dir.path().join("box"))
    }

    /// The database file.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        let conn = rusqlite::Connection::open(self.data().database()).unwrap();
        conn.busy_timeout(PATIENCE).unwrap();
        conn
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask {
        Ask::new(self.address(), method, path)
    }

    /// Sets the box up; the admin is signed in.
    pub(crate) async fn set_up(&self) -> Person {
        let body = json!({"workshop_name": WORKSHOP, "full_name": "Priya Sharma",
            "username": "priya", "password": PASSWORD});
        let done = self.ask("POST", "/api/setup/").json(&body).send().await;
        let done = done.expect(201);
        signed_in(&done)
    }
}

impl Drop for FreshBox {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let stop = running.stop();
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(stop));
        }
    }
}

/// A configuration that listens on a free port of this machine.
pub(crate) fn on_loopback() -> Config {
    Config {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        ..Config::default()
    }
}

fn signed_in(answer: &Answer) -> Person {
    let body = answer.json();
    Person {
        id: body["user"]["id"].as_i64().unwrap(),
        name: text(&body["user"]["full_name"]),
        token: text(&body["access"]),
        cookie: answer.cookie(STAFF_COOKIE).unwrap(),
    }
}

/// The text of a JSON value that must be one.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
        .to_owned()
}

/// The number of a JSON value that must be one.
#[track_caller]
pub(crate) fn number(value: &Value) -> i64 {
    value
        .as_i64()
        .unwrap_or_else(|| panic!("not a number: {value}"))
}

/// The names of an object's fields, sorted.
#[track_caller]
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    let object = value
        .as_object()
        .unwrap_or_else(|| panic!("not an object: {value}"));
    let mut keys: Vec<_> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

impl std::ops::Deref for Workshop {
    type Target = FreshBox;

    fn deref(&self) -> &FreshBox {
        &self.fresh
    }
}

impl Workshop {
    pub(crate) async fn open() -> Self {
        Self::open_with(on_loopback(), MessageLimits::Off).await
    }

    pub(crate) async fn open_with(config: Config, limits: MessageLimits) -> Self {
        let fresh = FreshBox::start_with(config, limits).await;
        let admin = fresh.set_up().await;
        let nobody = Owner {
            id: 0,
            name: String::new(),
            token: String::new(),
            request: 0,
            invite: String::new(),
            url: String::new(),
        };
        let mut workshop = Self {
            fresh,
            meera: admin.clone(),
            ravi: admin.clone(),
            admin,
            asha: nobody.clone(),
            bilal: nobody,
        };
        workshop.meera = workshop.hire("mechanic", "Meera Pillai", "meera").await;
        workshop.ravi = workshop.hire("mechanic", "Ravi Kumar", "ravi").await;
        let job = Some(workshop.meera.id);
        workshop.asha = workshop.take_in("Asha Nair", "KL 07 CD 4521", job).await;
        workshop.bilal = workshop.take_in("Bilal Khan", "KL 08 A 100", None).await;
        workshop
    }

    /// Adds somebody to the staff and signs them in.
    pub(crate) async fn hire(&self, role: &str, name: &str, username: &str) -> Person {
        let body = json!({"full_name": name, "role": role, "username": username,
            "password": PASSWORD});
        self.post("/api/people/", &self.admin.token, &body)
            .await
            .expect(201);
        self.sign_in(username).await
    }

    /// A new sign-in of somebody who has a password.
    pub(crate) async fn sign_in(&self, username: &str) -> Person {
        let body = json!({"username": username, "password": PASSWORD});
        let login = self.ask("POST", "/api/auth/login/").json(&body);
        signed_in(&login.send().await.expect(200))
    }

    /// Takes a vehicle in, and its owner opens the link.
    pub(crate) async fn take_in(&self, name: &str, plate: &str, job_of: Option<i64>) -> Owner {
        let opened = self.open_request(name, plate, job_of).await;
        let url = text(&opened["invite"]["url"]);
        let session = self.open_link(&url).await.expect(200).json();
        Owner {
            id: number(&opened["customer"]["id"]),
            name: name.to_owned(),
            token: text(&session["access"]),
            request: number(&opened["id"]),
            invite: text(&opened["invite"]["id"]),
            url,
        }
    }

    /// Takes a vehicle in; nobody opens the link yet.
    pub(crate) async fn open_request(&self, name: &str, plate: &str, job_of: Option<i64>) -> Value {
        let body = json!({"customer": {"full_name": name, "phone": "+91 98450 11223"},
            "vehicle": {"plate": plate}, "description": "Brakes squeal.",
            "assigned_to": job_of});
        let opened = self.post("/api/service-requests/", &self.admin.token, &body);
        opened.await.expect(201).json()
    }

    /// What the owner's page does with a link: its secret is exchanged for a sign-in.
    pub(crate) async fn open_link(&self, url: &str) -> Answer {
        let secret = url.split_once('#').unwrap().1;
        let body = json!({"code": secret, "device_id": Uuid::new_v4()});
        self.ask("POST", "/api/auth/invite/")
            .json(&body)
            .send()
            .await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.ask("GET", path).token(token).send().await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.ask("POST", path).token(token).json(body).send().await
    }

    pub(crate) async fn patch(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.ask("PATCH", path).token(token).json(body).send().await
    }

    /// A ticket for one socket.
    pub(crate) async fn ticket(&self, token: &str) -> String {
        let issued = self.ask("POST", "/api/auth/ws-ticket/").token(token);
        let issued = issued.send().await.expect(200).json();
        assert_eq!(keys(&issued), ["ticket"]);
        text(&issued["ticket"])
    }

    /// Posts a message over HTTP and returns it.
    pub(crate) async fn write(&self, request: i64, token: &str, content: &str) -> Value {
        let path = format!("/api/service-requests/{request}/messages/");
        let body = json!({"content": content});
        self.post(&path, token, &body).await.expect(201).json()
    }

    /// All messages of a request, page by page.
    pub(crate) async fn messages(&self, request: i64, token: &str) -> Vec<Value> {
        let mut pages = Vec::new();
        let mut path = format!("/api/service-requests/{request}/messages/?limit=500");
        loop {
            let answer = self.get(&path, token).await.expect(200);
            pages.push(answer.json().as_array().unwrap().clone());
            let Some(link) = answer.field("link") else {
                break;
            };
            let link = link.strip_prefix('<').unwrap();
            path = link.strip_suffix(">; rel=\"prev\"").unwrap().to_owned();
        }
        pages.into_iter().rev().flatten().collect()
    }

    pub(crate) async fn mark_read(&self, request: i64, token: &str) -> Value {
        let path = format!("/api/service-requests/{request}/messages/mark-read/");
        let marked = self.ask("POST", &path).token(token).send().await;
        marked.expect(200).json()
    }

    /// A socket at any path.
    pub(crate) async fn socket(&self, path: &str, protocol: Option<&str>) -> Socket {
        let offer: Vec<_> = protocol
            .map(|protocol| ("sec-websocket-protocol", protocol))
            .into_iter()
            .collect();
        Socket::open(self.address(), path, &offer).await.unwrap()
    }

    /// A chat socket of the original contract.
    pub(crate) async fn chat(&self, request: i64, token: &str) -> Socket {
        let path = format!("/ws/service-chat/{request}/?token={token}");
        self.socket(&path, None).await
    }

    /// A `motoreach.v1` chat socket, before its hello.
    pub(crate) async fn chat_v1(&self, request: i64, token: &str) -> Socket {
        let path = format!("/ws/service-chat/{request}/?token={token}");
        self.socket(&path, Some(V1)).await
    }

    /// A `motoreach.v1` chat socket, its hello and its history.
    pub(crate) async fn greeted(&self, request: i64, token: &str) -> (Socket, Value, Value) {
        let mut socket = self.chat_v1(request, token).await;
        let hello = socket.hear_a("chat.hello").await;
        let history = socket.hear_a("chat.history").await;
        (socket, hello, history)
    }

    /// A notification socket of the original contract.
    pub(crate) async fn dots(&self, token: &str) -> Socket {
        self.socket(&format!("/ws/notifications/?token={token}"), None)
            .await
    }

    /// An access token of this person as it was or will be at another time, and for how long.
    pub(crate) async fn token_at(&self, person: i64, from_s: i64, life_s: i64) -> String {
        let store = self.running().store();
        let found = store
            .read(move |view| people::load(view, motoreach::domain::PersonId(person)))
            .await;
        let person = found.unwrap().unwrap();
        let grant = Grant {
            person: person.key.uuid(),
            user_id: person.id.0,
            role: motoreach::wire::role_word(person.role),
            version: person.token_version,
            session: None,
            request: None,
        };
        let tokens = self.running().tokens();
        let now_s = store.clock().now().seconds();
        tokens.issue(&grant, now_s + from_s, life_s, Uuid::new_v4())
    }

    /// Stops the box gracefully and starts it again on the same data; it has another port then.
    pub(crate) async fn restart(&mut self) {
        self.fresh.stop().await;
        self.fresh.begin().await;
    }

    pub(crate) async fn halt(&mut self) {
        self.fresh.stop().await;
    }

    /// What `motoreach doctor` finds.
    pub(crate) fn check(&self) -> Report {
        verify::check(&self.data()).unwrap()
    }

    /// What `motoreach doctor --rebuild` does, on a box that is stopped.
    pub(crate) fn rebuild(&self) -> Result<Report, motoreach::store::OpenError> {
        verify::rebuild(&self.data())
    }
}
