//! The relay's settings with the link's driver played: what it makes of them is what people are told.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::clock::Clock;
use crate::commands::SetUp;
use crate::discovery::Board;
use crate::domain::{FullName, LinkTrouble, Timestamp, Username};
use crate::health;
use crate::http::edge::{MessageLimits, Parts};
use crate::http::invites::Doors;
use crate::http::restore_desk;
use crate::http::token::{TOKEN_KEY_PURPOSE, TokenKeys};
use crate::hub::{Hub, SOCKETS_PER_PERSON_MAX};
use crate::machine::Machine;
use crate::seal::Lineage;
use crate::store::backup::Backups;
use crate::store::{DataDir, Store};

/// A box with an admin, and nobody who drives its link but the test.
struct Desk {
    edge: Edge,
    admin: Credential,
    _dir: TempDir,
}

impl Desk {
    async fn open() -> Self {
        let dir = TempDir::new().unwrap();
        let data = DataDir::new(dir.path());
        let store = Store::open(data, Clock::system(), Box::new(|_| {})).unwrap();
        let set_up = SetUp {
            workshop_name: FullName::parse("Sharma Motors").unwrap(),
            full_name: FullName::parse("Priya Sharma").unwrap(),
            username: Username::parse("priya").unwrap(),
            password_hash: "none".to_owned(),
        };
        let person = store.write(|tx| set_up.run(tx)).await.unwrap();
        let signing = store.keys().signing_key(TOKEN_KEY_PURPOSE);
        let hub = Hub::new(SOCKETS_PER_PERSON_MAX);
        let (shutdown, tracker) = (CancellationToken::new(), TaskTracker::new());
        let board = Board::still("127.0.0.1:80".parse().unwrap());
        let link = hub.link();
        let edge = Edge::new(Parts {
            backups: Backups::new(store.clone(), shutdown.clone(), tracker.clone()),
            health: health::Watch::new(store.clone(), link, board.clone(), Machine::this()),
            updates: crate::update::desk::Desk::new(store.dir().path(), None),
            hub,
            tokens: TokenKeys::new(&signing, store.keys().workshop().uuid()).into(),
            store,
            public_url: None,
            set_up_code: None,
            restore: restore_desk::desk().0,
            board,
            message_limits: MessageLimits::On,
            shutdown,
            tracker,
        });
        let admin = Credential {
            person: person.id,
            key: person.key,
            only: None,
            version: person.token_version,
            session: None,
        };
        Self {
            edge,
            admin,
            _dir: dir,
        }
    }

    /// Plays the driver: whatever is set up next comes to this.
    fn comes_to(&self, state: LinkState) {
        let board = self.edge.hub.link();
        let mut settings = board.settings();
        tokio::spawn(async move {
            settings.changed().await.unwrap();
            let report = LinkReport {
                state,
                settings: *settings.borrow_and_update(),
                ..LinkReport::unpaired(Timestamp(1))
            };
            board.set(report);
        });
    }

    async fn connect(&self, url: &str, code: &str) -> Result<RelayBody, Problem> {
        let typed = ConnectBody {
            url: url.to_owned(),
            code: code.to_owned(),
        };
        let connected = connect(State(self.edge.clone()), Bearer(self.admin), ApiJson(typed));
        connected.await.map(|Json(body)| body)
    }

    async fn settings(&self) -> Option<Settings> {
        self.edge.store.read(link::settings).await.unwrap()
    }
}

#[tokio::test]
async fn a_relay_that_takes_the_code_is_connected() {
    let it = Desk::open().await;
    it.comes_to(LinkState::Online);
    let body = it.connect("relay.example", " abcde-fghjk ").await.unwrap();
    assert_eq!((body.state, body.why), ("online", None));
    assert_eq!(body.url.as_deref(), Some("https://relay.example"));
    let kept = it.settings().await.unwrap();
    assert_eq!(kept.pairing_code.as_deref(), Some("abcde-fghjk"));
}

#[tokio::test]
async fn a_wrong_code_is_told_at_once_and_leaves_nothing_behind() {
    let it = Desk::open().await;
    it.comes_to(LinkState::Stopped(LinkRefusal::BadCode));
    let refused = it.connect("relay.example", "abcde-fghjk").await;
    let problem = refused.unwrap_err();
    assert_eq!(problem.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem.code(), "relay_bad_code");
    assert_eq!(it.settings().await, None);
}

#[tokio::test]
async fn what_was_connected_before_is_kept_when_another_code_is_wrong() {
    let it = Desk::open().await;
    it.comes_to(LinkState::Online);
    it.connect("relay.example", "abcde-fghjk").await.unwrap();
    it.comes_to(LinkState::Stopped(LinkRefusal::OtherRelay));
    let refused = it.connect("other.example", "abcde-fghjk").await;
    assert_eq!(refused.unwrap_err().code(), "relay_other");
    assert_eq!(it.settings().await.unwrap().url, "https://relay.example");
}

#[tokio::test]
async fn a_relay_that_does_not_answer_is_kept_and_told_in_words() {
    let it = Desk::open().await;
    it.comes_to(LinkState::Waiting {
        retry_at: Timestamp(2),
        why: LinkTrouble::NoAnswer,
    });
    let body = it.connect("relay.example", "abcde-fghjk").await.unwrap();
    assert_eq!((body.state, body.why), ("waiting", Some("no_answer")));
    assert!(body.detail.is_some() && body.retry_at.is_some());
    assert!(it.settings().await.is_some());
}

#[tokio::test]
async fn what_cannot_be_an_address_is_never_tried() {
    let it = Desk::open().await;
    for (url, code) in [("http://relay.example", "abcde"), ("relay.example", "")] {
        let refused = it.connect(url, code).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(it.settings().await, None);
}

#[tokio::test]
async fn once_paired_links_begin_with_the_relays_name_and_have_the_boxs_door_too() {
    let it = Desk::open().await;
    it.comes_to(LinkState::Online);
    it.connect("relay.example", "abcde-fghjk").await.unwrap();
    let lineage = Lineage {
        generation: 1,
        nonce: [1; 16],
    };
    let grant = it
        .edge
        .store
        .write(move |tx| link::granted(tx, &lineage, None, &[7; 32], "https://chat.example"));
    grant.await.unwrap();
    let lan = "http://box.local".to_owned();
    let doors = it.edge.store.read(|view| Doors::of(view, lan)).await;
    assert_eq!(doors.unwrap().relay(), Some("https://chat.example"));
    it.comes_to(LinkState::Unpaired);
    let gone = disconnect(State(it.edge.clone()), Bearer(it.admin)).await;
    assert_eq!(gone.unwrap(), StatusCode::NO_CONTENT);
    let lan = "http://box.local".to_owned();
    let doors = it.edge.store.read(|view| Doors::of(view, lan)).await;
    assert_eq!(doors.unwrap().relay(), None);
}

#[tokio::test]
async fn the_real_one_is_claimed_where_a_relay_is_set_up() {
    let it = Desk::open().await;
    let nothing = claim(State(it.edge.clone()), Bearer(it.admin)).await;
    assert_eq!(nothing.map(|_| ()).unwrap_err().code(), "no_relay");
    it.comes_to(LinkState::Stopped(LinkRefusal::Quarantined));
    let body = it.connect("relay.example", "abcde-fghjk").await.unwrap();
    assert_eq!((body.state, body.why), ("stopped", Some("quarantined")));
    it.comes_to(LinkState::Online);
    let claimed = claim(State(it.edge.clone()), Bearer(it.admin)).await;
    assert_eq!(claimed.unwrap().0.state, "online");
    assert!(it.settings().await.unwrap().claim);
}
