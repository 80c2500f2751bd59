//! Names of computers. A static program must find them by itself: on a machine set up for Avahi, one
//! built on glibc loads that machine's own name service into itself and dies.
//!
//! In a network and a file system of its own, where a name server of ours is the only one.

use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::UdpSocket;

use super::{emulated, program};
use crate::harness::{Plan, RelayPlan, SOON, Workshop};

/// Set inside the namespace.
const INSIDE: &str = "MOTOREACH_INSIDE_A_NAMESPACE";
const THIS: &str = "arm::names::it_finds_its_relay_by_a_name_of_dns_and_of_the_hosts_file";
/// Known to our name server alone.
const BY_DNS: &str = "relay.example.local";
/// Known to the hosts file alone.
const BY_FILE: &str = "by-file.example.local";
/// Where the relay listens, in a network that is ours alone.
const PORT: u16 = 8080;
/// What Avahi's package makes of it.
const NSSWITCH: &str = "hosts: files mdns4_minimal [NOTFOUND=return] dns\n";

#[test]
#[ignore = "`make arm` builds the program and runs this"]
fn it_finds_its_relay_by_a_name_of_dns_and_of_the_hosts_file() {
    let program = program();
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        return runtime.block_on(inside(&program));
    }
    // This test once more, as root of a network and of mounts of its own.
    let root = rustix::process::geteuid().is_root();
    let own_user = ["--user", "--map-root-user"];
    let home = tempfile::tempdir().unwrap();
    let mut mounts = "ip link set lo up".to_owned();
    let hosts = format!("127.0.0.1 localhost {BY_FILE}\n");
    for (name, content) in [
        ("nsswitch.conf", NSSWITCH),
        ("resolv.conf", "nameserver 127.0.0.1\n"),
        ("hosts", &hosts),
    ] {
        let ours = home.path().join(name);
        std::fs::write(&ours, content).unwrap();
        mounts += &format!(" && mount --bind {} /etc/{name}", ours.display());
    }
    let again = Command::new("unshare")
        .args(own_user.iter().filter(|_| !root))
        .args(["--net", "--mount", "--", "sh", "-c"])
        .arg(format!("{mounts} && exec \"$0\" \"$@\""))
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", THIS, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("unshare(1) of util-linux is needed for a network of our own");
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(
        again.status.success() && said.contains("1 passed"),
        "{said}\n{}\nThis test needs namespaces: run it as root, or allow unprivileged user \
         namespaces.",
        String::from_utf8_lossy(&again.stderr)
    );
}

async fn inside(program: &str) {
    let names = NameServer::start().await;
    let mut workshop = Workshop::without_relay_as(&Plan {
        requests: Some(1),
        ..emulated(program)
    })
    .await;

    pairs_by(&mut workshop, BY_DNS).await;
    assert!(names.asked() > 0, "nobody asked our name server");
    // The owner's link is in the journal: before the relay has that, it opens nothing.
    workshop.relay_catches_up(SOON).await;
    let owner = workshop.owner(0).await;
    owner.writes("Is it done?");
    workshop.staff_writes(0, "Tomorrow.").await;
    owner.sees("Tomorrow.").await;
    workshop.agrees(&[&owner]).await;

    workshop.leaves_its_relay().await;
    workshop.kill_relay();
    let asked = names.asked();
    pairs_by(&mut workshop, BY_FILE).await;
    assert_eq!(names.asked(), asked, "the hosts file comes first");
}

/// The relay goes by this name, and the box finds it.
async fn pairs_by(workshop: &mut Workshop, name: &str) {
    let url = format!("http://{name}:{PORT}");
    workshop
        .start_relay_as(RelayPlan {
            public_url: Some(url.clone()),
            listen: Some((Ipv4Addr::LOCALHOST, PORT).into()),
            ..RelayPlan::default()
        })
        .await;
    let code = workshop.relay().code().await;
    let answer = workshop.asks_to_pair(&url, &code).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    workshop.link_is("online", SOON).await;
}

/// A name server that knows one name.
struct NameServer {
    asked: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl NameServer {
    async fn start() -> Self {
        // A fixed port, in a network that is ours alone.
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).await.unwrap();
        let asked = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut question = [0; 512];
            loop {
                let (length, from) = socket.recv_from(&mut question).await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let answer = answer(&question[..length]);
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        Self { asked, task }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The answer to one question (RFC 1035 §4.1): this machine's address for the name that is known, no
/// address of another kind, and of other names that there is no such name.
fn answer(question: &[u8]) -> Vec<u8> {
    const HEADER_BYTES: usize = 12;
    const ADDRESS: [u8; 2] = [0, 1];
    let mut name = Vec::new();
    let mut at = HEADER_BYTES;
    while question[at] != 0 {
        let end = at + 1 + usize::from(question[at]);
        name.extend_from_slice(&question[at + 1..end]);
        name.push(b'.');
        at = end;
    }
    let kind = [question[at + 1], question[at + 2]];
    let asked = &question[HEADER_BYTES..at + 5];
    let known = name == format!("{BY_DNS}.").as_bytes();
    let count = u8::from(known && kind == ADDRESS);
    let no_such_name = if known { 0 } else { 3 };

    let mut answer = question[..2].to_vec();
    answer.extend([0x81, 0x80 | no_such_name, 0, 1, 0, count, 0, 0, 0, 0]);
    answer.extend_from_slice(asked);
    if count == 1 {
        // The name is the one at the question's place; class, a minute to live, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(Ipv4Addr::LOCALHOST.octets());
    }
    answer
}
