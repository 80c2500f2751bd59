//! A clock that jumps while the box runs, and between its runs (R16). A file tells the program how far
//! its clock is off and whether the network told it the time (`src/clock/machine.rs`).

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Plan, Program, SOON, Sample, get, post, until};
use crate::history;

const DAY_S: i64 = 24 * 3_600;
/// Before any computer.
const IN_1970: i64 = -1_800_000_000;
/// An access token lives a quarter of an hour.
const AN_HOUR_S: i64 = 3_600;

/// A sample workshop whose clock can be put off.
struct Off {
    home: TempDir,
    clock: PathBuf,
    program: Option<Program>,
    sample: Sample,
}

impl Off {
    async fn by(seconds: i64) -> Self {
        Self::that_says(&seconds.to_string()).await
    }

    /// The network told it the time before it started.
    async fn told() -> Self {
        Self::that_says("0 told").await
    }

    async fn that_says(words: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = home.path().join("clock");
        fs::write(&clock, words).unwrap();
        let program = start(home.path(), &clock).await;
        Self {
            sample: program.sample.clone(),
            program: Some(program),
            home,
            clock,
        }
    }

    /// The machine's clock is put to so many seconds from the truth.
    fn jumps_to(&self, seconds: i64) {
        self.says(&seconds.to_string());
    }

    /// The network told the machine the time, and it is off by so much all the same.
    fn is_told(&self, seconds: i64) {
        self.says(&format!("{seconds} told"));
    }

    fn says(&self, words: &str) {
        let beside = self.clock.with_extension("new");
        fs::write(&beside, words).unwrap();
        fs::rename(beside, &self.clock).unwrap();
    }

    async fn starts_again(&mut self, seconds: i64) {
        self.jumps_to(seconds);
        let program = start(self.home.path(), &self.clock).await;
        self.sample = program.sample.clone();
        self.program = Some(program);
    }

    async fn stops(&mut self) {
        let program = self.program.take().unwrap();
        assert!(program.stop().await.success());
    }

    fn is_killed(&mut self) {
        self.program.take().unwrap().kill();
    }

    async fn login(&self) -> String {
        let login = self.sample.admin_login();
        let answer = post(self.sample.url(), "/api/auth/login/", "", &login).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["access"].as_str().unwrap().to_owned()
    }

    /// What a token gives its bearer now.
    async fn asks(&self, token: &str) -> u16 {
        let path = "/api/service-requests/";
        get(self.sample.url(), path, token).await.unwrap().status
    }

    async fn tries_to_say(&self, token: &str, body: &Value) -> u16 {
        let answer = post(self.sample.url(), &self.messages(), token, body).await;
        answer.unwrap().status
    }

    /// Says something; gives its number and its time.
    async fn says_as(&self, token: &str, body: &Value) -> (i64, i64) {
        let answer = post(self.sample.url(), &self.messages(), token, body).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        let at: Timestamp = answer.body["created_at"].as_str().unwrap().parse().unwrap();
        (answer.body["id"].as_i64().unwrap(), at.as_second())
    }

    fn messages(&self) -> String {
        format!("/api/service-requests/{}/messages/", self.sample.request(0))
    }
}

async fn start(home: &Path, clock: &Path) -> Program {
    let plan = Plan {
        environment: &[("MOTOREACH_CLOCK_FILE", clock.to_str().unwrap())],
        ..Plan::default()
    };
    Program::start_as(home, &home.join("data"), &plan).await
}

fn truth() -> i64 {
    Timestamp::now().as_second()
}

fn words(content: &str) -> Value {
    json!({ "content": content })
}

#[tokio::test]
async fn jumps_both_ways_sign_nobody_out_and_reorder_nothing() {
    let mut box_ = Off::by(0).await;
    let (mut said, mut tokens) = (Vec::new(), Vec::new());
    for shift in [
        3 * DAY_S,
        0,
        IN_1970,
        3 * DAY_S,
        -3 * DAY_S,
        3_650 * DAY_S,
        0,
    ] {
        box_.jumps_to(shift);
        // A leap forward may be the truth: then a quarter of an hour is over, and pages refresh.
        if shift == 3 * DAY_S {
            tokens.clear();
        }
        tokens.push(box_.login().await);
        for token in &tokens {
            assert_eq!(box_.asks(token).await, 200, "{shift}");
        }
        said.push(box_.says_as(&tokens[0], &words(&shift.to_string())).await);
    }
    let (order, times): (Vec<_>, Vec<_>) = said.iter().copied().unzip();
    assert!(order.is_sorted(), "{said:?}");
    assert!(times.is_sorted(), "time does not run back: {said:?}");
    let ahead = said.last().unwrap().1 - truth();
    assert!(
        (3 * DAY_S - 60..=3 * DAY_S + 60).contains(&ahead),
        "{ahead}"
    );

    // The network tells the truth, three days back: who signed in meanwhile stays.
    box_.is_told(0);
    let told = async || {
        let at = box_.says_as(&tokens[0], &words("the truth")).await.1;
        (at - truth() < 60).then_some(())
    };
    until("the network's time is believed", SOON, told).await;
    tokens.push(box_.login().await);
    for token in &tokens {
        assert_eq!(box_.asks(token).await, 200);
    }

    // However often it is started again, nothing is out of order and everybody is let in.
    box_.stops().await;
    for shift in [IN_1970, 3 * DAY_S, 0] {
        box_.starts_again(shift).await;
        let admin = box_.sample.admin().to_owned();
        box_.says_as(&admin, &words("again")).await;
        box_.is_killed();
    }
    box_.starts_again(0).await;
    let stored = history::all(&box_.sample, 0).await;
    history::is_in_order(&stored);
    box_.stops().await;
}

#[tokio::test]
async fn what_ran_out_while_the_clock_was_ahead_stays_over() {
    let mut box_ = Off::told().await;
    let old = box_.login().await;
    let soon = json!({ "content": "Burn this", "expires_in": AN_HOUR_S });
    let (secret, _) = box_.says_as(&old, &soon).await;
    assert_eq!(box_.asks(&old).await, 200);

    // A month later sign-ins are over, and what was to be erased is.
    box_.is_told(31 * DAY_S);
    let over = async || (box_.asks(&old).await == 401).then_some(());
    until("a month is over", SOON, over).await;
    let young = box_.login().await;
    // Whoever writes what is to be erased wakes the clockwork.
    assert_eq!(box_.tries_to_say(&young, &soon).await, 201);
    let erased = async |token: &str| {
        let path = box_.messages();
        let answer = get(box_.sample.url(), &path, token).await.unwrap();
        let stored = answer.body.as_array().unwrap().clone();
        let message = stored.into_iter().find(|it| it["id"] == secret).unwrap();
        (message["content"] == "").then_some(())
    };
    let looks = async || erased(&young).await;
    until("what was to be erased is", SOON, looks).await;

    // Back again: the sign-in of then is over for good, the words are gone.
    box_.is_told(0);
    let back = box_.login().await;
    assert_eq!(box_.asks(&back).await, 200);
    assert_eq!(box_.asks(&old).await, 401, "nothing is revived");
    assert!(erased(&back).await.is_some(), "the words stay gone");
    box_.stops().await;
}

#[tokio::test]
async fn how_late_it_is_survives_a_restart_and_a_power_cut() {
    let mut box_ = Off::by(2 * DAY_S).await;
    let admin = box_.sample.admin().to_owned();
    let (_, first) = box_.says_as(&admin, &words("first")).await;
    assert!(first - truth() > 2 * DAY_S - 60);
    box_.stops().await;
    assert!(box_.home.path().join("data/box/clock-floor").exists());

    box_.starts_again(IN_1970).await;
    let admin = box_.sample.admin().to_owned();
    let (_, second) = box_.says_as(&admin, &words("second")).await;
    assert!(second >= first, "{first} {second}");

    // Nothing was written down since the jump, but the journal knows.
    box_.jumps_to(4 * DAY_S);
    let (_, third) = box_.says_as(&box_.login().await, &words("third")).await;
    assert!(third - truth() > 4 * DAY_S - 60);
    box_.is_killed();
    box_.starts_again(IN_1970).await;
    let admin = box_.sample.admin().to_owned();
    let (_, fourth) = box_.says_as(&admin, &words("fourth")).await;
    assert!(fourth >= third, "{third} {fourth}");

    // The network tells at last.
    box_.is_told(0);
    let told = async || {
        let at = box_.says_as(&admin, &words("told")).await.1;
        ((at - truth()).abs() < 60).then_some(())
    };
    until("the network's time is believed", SOON, told).await;
    box_.stops().await;
    let floor = fs::read_to_string(box_.home.path().join("data/box/clock-floor")).unwrap();
    let floor: i64 = floor.trim().parse().unwrap();
    assert!((floor / 1_000 - truth()).abs() < 60, "the floor comes down");
}
