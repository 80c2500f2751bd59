//! A cable that is pulled: nobody is told anything, both ends believe that the line is open. In a
//! network namespace of its own, because only there can a cable be pulled.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use motoreach::clock::stopwatch;

use crate::harness::{Owner, RelayPlan, SOON, Workshop, until};

use super::Said;

/// Set inside the namespace.
const INSIDE: &str = "MOTOREACH_INSIDE_A_NAMESPACE";
/// By when both ends have noticed (`sync.md` §3).
const NOTICED_MAX: Duration = Duration::from_secs(50);
/// By when the box is back: its longest wait, and a connection.
const BACK_MAX: Duration = Duration::from_secs(75);

#[test]
fn a_cable_that_is_pulled_is_noticed_by_both_ends_within_50_seconds() {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        return runtime.block_on(inside());
    }
    // This test once more, as root of a network of its own.
    let root = rustix::process::geteuid().is_root();
    let own_user = ["--user", "--map-root-user"];
    let this = "link::half_open::a_cable_that_is_pulled_is_noticed_by_both_ends_within_50_seconds";
    let again = Command::new("unshare")
        .args(own_user.iter().filter(|_| !root))
        .args(["--net", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", this, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare(1) of util-linux is needed for a network of our own");
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(
        again.status.success() && said.contains("1 passed"),
        "{said}\n{}\nThis test needs a network namespace: run it as root, or allow unprivileged user \
         namespaces.",
        String::from_utf8_lossy(&again.stderr)
    );
    for line in said.lines().filter(|line| line.starts_with("cable:")) {
        println!("{line}");
    }
}

async fn inside() {
    let far = FarNetwork::new();
    far.cable("link0", "10.77.0.1/24", "10.77.0.2/24");
    far.cable("door0", "10.78.0.1/24", "10.78.0.2/24");
    let mut workshop = Workshop::without_relay().await;
    workshop
        .start_relay_as(RelayPlan {
            listen: Some(([0, 0, 0, 0], 0).into()),
            before: far.enter(),
            ..RelayPlan::default()
        })
        .await;
    let port = workshop.relay().address().port();
    let code = workshop.relay().code().await;
    let answer = workshop
        .asks_to_pair(&format!("http://10.77.0.2:{port}"), &code)
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    workshop.relay_catches_up(SOON).await;
    let door = ([10, 78, 0, 2], port).into();
    let owner = Owner::opens(workshop.sample().invite_url(0), door);
    owner.is_open().await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, 3).await;
    said.is_everywhere(&workshop, &owner).await;

    let pulled = stopwatch();
    far.pull("link0");
    said.by_both(&workshop, &owner, 3).await;
    workshop.link_is("waiting", NOTICED_MAX).await;
    println!("cable: the box noticed after {:.1?}", pulled.elapsed());
    let told = async || (owner.workshop_online() == Some(false)).then_some(());
    until("the relay noticed", NOTICED_MAX, told).await;
    println!("cable: the relay noticed after {:.1?}", pulled.elapsed());
    assert!(pulled.elapsed() <= NOTICED_MAX);

    let plugged = stopwatch();
    far.plug_in("link0");
    workshop.link_is("online", BACK_MAX).await;
    println!(
        "cable: back {:.1?} after it was plugged in",
        plugged.elapsed()
    );
    said.is_everywhere(&workshop, &owner).await;
}

/// Another network, for as long as this lives; cables lead there.
struct FarNetwork(Child);

impl FarNetwork {
    fn new() -> Self {
        let child = Command::new("unshare")
            .args(["--net", "--", "sh", "-c", "ip link set lo up; echo up; cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut far = Self(child);
        let mut up = [0; 3];
        let answers = far.0.stdout.as_mut().unwrap();
        std::io::Read::read_exact(answers, &mut up).unwrap();
        ip(&["link", "set", "lo", "up"]);
        far
    }

    /// The words before a program that shall run there.
    fn enter(&self) -> Vec<String> {
        let target = format!("--target={}", self.0.id());
        ["nsenter", &target, "--net", "--"]
            .map(str::to_owned)
            .to_vec()
    }

    fn cable(&self, name: &str, here: &str, there: &str) {
        let (far_name, pid) = (format!("{name}-far"), self.0.id().to_string());
        ip(&[
            "link", "add", name, "type", "veth", "peer", "name", &far_name,
        ]);
        ip(&["link", "set", &far_name, "netns", &pid]);
        ip(&["addr", "add", here, "dev", name]);
        ip(&["link", "set", name, "up"]);
        let enter = self.enter();
        let far = |words: &[&str]| run(enter.iter().map(String::as_str).chain(["ip"]), words);
        far(&["addr", "add", there, "dev", &far_name]);
        far(&["link", "set", &far_name, "up"]);
    }

    /// Nothing passes any more, and nobody is told. The cable itself stays, with its addresses: taken
    /// down on this side, the box would be told that there is no way out.
    fn pull(&self, name: &str) {
        self.far_end(name, "down");
    }

    fn plug_in(&self, name: &str) {
        self.far_end(name, "up");
    }

    fn far_end(&self, name: &str, state: &str) {
        let enter = self.enter();
        let words = ["link", "set", &format!("{name}-far"), state];
        run(enter.iter().map(String::as_str).chain(["ip"]), &words);
    }
}

impl Drop for FarNetwork {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn ip(words: &[&str]) {
    run(std::iter::once("ip"), words);
}

fn run<'a>(program: impl Iterator<Item = &'a str>, words: &[&'a str]) {
    let all: Vec<&str> = program.chain(words.iter().copied()).collect();
    let done = Command::new(all[0]).args(&all[1..]).output().unwrap();
    assert!(
        done.status.success(),
        "{all:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}
