//! A relay that lies: forged entries, endless ones, old welcomes again, posts that it may not send,
//! floods. The box believes none of it, stays up, and its disk does not fill.

use std::fs;
use std::path::Path;

use motoreach::domain::{DeviceId, EventId, InviteId, LogId, RequestKey, Seq};
use motoreach::seal::{Chain, Position, SealedEntry, SealedPost, SignedHead, body_sha};
use motoreach::wire::link::{BATCH_ENTRIES_MAX, Chains, Frame, Given, GivenEntry};

use crate::harness::agreement::{Entry, journal};
use crate::harness::hostile::{CODE, HostileRelay, HostileSession, Pretence};
use crate::harness::{SOON, Workshop, random_bytes, run};

/// What a hostile relay may make the box's disk grow by.
const GROWTH_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// What it tries to make it grow by.
const FLOOD_BYTES: usize = 64 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_the_box_never_wrote_are_not_taken_back() {
    let (workshop, mut relay) = paired().await;
    let before = Before::of(&workshop);
    for bodies in [Bodies::Garbage, Bodies::Gone] {
        let mut session = relay.lets_in(more_than(&before)).await;
        let mut run = ForgedRun::new(bodies);
        comes_to_give_back(&mut session).await;
        let entries = run.entries(3);
        let head = SignedHead::sign(relay.identity(), run.position());
        let given = Given {
            begins: Some(Chain::GENESIS),
            entries,
            ends: Some(head),
            next: None,
        };
        session.says(&Frame::Given(given)).await;
        session.waits_until_left().await;
        before.still_holds(&workshop).await;
        again(&workshop).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_without_an_end_do_not_fill_the_disk() {
    let (workshop, mut relay) = paired().await;
    let before = Before::of(&workshop);
    for bodies in [Bodies::Garbage, Bodies::Gone] {
        let mut session = relay.lets_in(more_than(&before)).await;
        let mut run = ForgedRun::new(bodies);
        comes_to_give_back(&mut session).await;
        let (mut sent, mut begins) = (0, Some(Chain::GENESIS));
        while sent < FLOOD_BYTES {
            let given = Given {
                begins: begins.take(),
                entries: run.entries(BATCH_ENTRIES_MAX),
                ends: None,
                next: Some(vec![1]),
            };
            let frame = Frame::Given(given);
            sent += frame.encode().len();
            if !session.says(&frame).await {
                break;
            }
            match session.hears().await {
                Some(Frame::GiveBack(_)) => {}
                _ => break,
            }
        }
        println!("{bodies:?}: the box had enough after {} KiB", sent / 1_024);
        assert!(sent < FLOOD_BYTES, "the box takes entries without an end");
        before.still_holds(&workshop).await;
        again(&workshop).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_welcome_of_an_earlier_session_opens_nothing() {
    let (workshop, mut relay) = paired().await;
    let before = Before::of(&workshop);
    let earlier = relay.lets_in(Pretence::default()).await;
    let said = earlier.said.clone();
    drop(earlier);
    let mut socket = relay.is_dialled().await;
    // The very same challenge, and the very same welcome: only the box's own nonce is new.
    for frame in &said {
        let message = tokio_tungstenite::tungstenite::Message::binary(frame.encode());
        let _ = futures_util::SinkExt::send(&mut socket, message).await;
    }
    let mut frames = 0;
    while let Some(Ok(message)) = futures_util::StreamExt::next(&mut socket).await {
        if let Ok(Some(frame)) = Frame::decode(&message.into_data()) {
            frames += 1;
            let harmless = matches!(frame, Frame::Hello(_) | Frame::Goaway(_));
            assert!(harmless, "{frame:?}");
        }
    }
    assert!(frames <= 2, "nothing but a hello and a good-bye");
    assert_ne!(workshop.link().await["state"], "online");
    before.still_holds(&workshop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn posts_that_no_owner_wrote_never_come_into_the_journal() {
    let (workshop, mut relay) = paired().await;
    let before = Before::of(&workshop);
    let mut session = relay.lets_in(Pretence::default()).await;
    let thread = before
        .journal
        .iter()
        .find_map(|entry| entry.thread)
        .unwrap();
    let kinds = [
        "message",
        "read",
        "device",
        "status",
        "person_added",
        "estimate",
        "",
    ];
    let mut refused = 0;
    for kind in kinds {
        let post = SealedPost {
            id: EventId::from_bytes(random_bytes()),
            thread: RequestKey::from_bytes(*thread.as_bytes()),
            invite: InviteId::from_bytes(random_bytes()),
            device: DeviceId::from_bytes(random_bytes()),
            kind: kind.to_owned(),
            epoch: 0,
            sealed: vec![1; 200],
        };
        let id = post.id;
        assert!(session.says(&Frame::Post(post)).await);
        // It may also end the session over a kind that no relay may send.
        loop {
            match session.hears().await {
                Some(Frame::Refused(answer)) if answer.id == id => {
                    refused += 1;
                    break;
                }
                Some(_) => {}
                None => {
                    session = relay.lets_in(Pretence::default()).await;
                    break;
                }
            }
        }
    }
    println!("{refused} of {} posts were refused by name", kinds.len());
    before.still_holds(&workshop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_frames_costs_the_relay_its_session_and_the_box_nothing() {
    let (workshop, mut relay) = paired().await;
    let before = Before::of(&workshop);
    let memory = workshop.program().process().memory_bytes();
    let post = |sealed: usize| SealedPost {
        id: EventId::from_bytes(random_bytes()),
        thread: RequestKey::from_bytes(random_bytes()),
        invite: InviteId::from_bytes(random_bytes()),
        device: DeviceId::from_bytes(random_bytes()),
        kind: "message".to_owned(),
        epoch: 0,
        sealed: vec![7; sealed],
    };
    let floods: [(&str, Flood); 5] = [
        (
            "posts",
            Box::new(move || Frame::Post(post(60_000)).encode()),
        ),
        ("pings", Box::new(|| Frame::Ping.encode())),
        ("long frames", Box::new(|| vec![0x82; 400_000])),
        ("garbage", Box::new(|| random_bytes::<64>().to_vec())),
        ("unknown frames", Box::new(|| vec![0x82, 0x18, 0xff, 0xa0])),
    ];
    for (what, frame) in floods {
        let mut session = relay.lets_in(Pretence::default()).await;
        let mut sent = 0;
        let flood = async {
            while sent < FLOOD_BYTES / 4 && session.says_bytes(frame()).await {
                sent += frame().len();
            }
        };
        // Pings are small: a few seconds of them are enough.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), flood).await;
        drop(session);
        println!("{what}: {} KiB", sent / 1_024);
        before.still_holds(&workshop).await;
        again(&workshop).await;
    }
    let grown = workshop
        .program()
        .process()
        .memory_bytes()
        .saturating_sub(memory);
    assert!(
        grown < 4 * GROWTH_BYTES_MAX,
        "the box grew by {grown} bytes"
    );
}

/// Makes the next frame of a flood.
type Flood = Box<dyn Fn() -> Vec<u8> + Send>;

/// A box that believes in a hostile relay.
async fn paired() -> (Workshop, HostileRelay) {
    let workshop = Workshop::without_relay().await;
    let mut relay = HostileRelay::new().await;
    let url = format!("http://{}", relay.address());
    let letting_in = async {
        let mut session = relay.lets_in(Pretence::default()).await;
        // Until the box says that it is paired; what it sends is not answered.
        while session.hears().await.is_some() {}
    };
    tokio::select! {
        answer = workshop.asks_to_pair(&url, CODE) => assert_eq!(answer.status, 200, "{answer:?}"),
        () = letting_in => panic!("the box left before it was paired"),
    }
    (workshop, relay)
}

/// Nobody waits: an admin's tap brings the box back at once.
async fn again(workshop: &Workshop) {
    let relay = workshop.link().await;
    let url = relay["url"].as_str().unwrap().to_owned();
    workshop.begins_to_pair(&url, CODE);
}

/// A relay that says it has more than the box.
fn more_than(before: &Before) -> Pretence {
    let seq = i64::try_from(before.journal.len()).unwrap() + 50;
    Pretence {
        position: Some(Position {
            log: LogId::from_bytes(random_bytes()),
            seq: Seq(seq),
            chain: Chain::from_bytes(random_bytes()),
        }),
        orphans: 0,
    }
}

/// Answers the box's search so that nothing is common, until it asks for everything.
async fn comes_to_give_back(session: &mut HostileSession) {
    loop {
        let frame = session.hears().await.expect("the box asks what there is");
        if let Frame::Probe(probe) = frame {
            let chains = vec![None; probe.seqs.len()];
            session.says(&Frame::Chains(Chains { chains })).await;
        } else if matches!(frame, Frame::GiveBack(_)) {
            return;
        }
    }
}

/// Whether forged entries have bodies.
#[derive(Clone, Copy, Debug)]
enum Bodies {
    Garbage,
    /// As if erased: nothing that would have to open.
    Gone,
}

/// A run whose chain is right and whose entries nobody wrote.
struct ForgedRun {
    log: LogId,
    seq: i64,
    chain: Chain,
    bodies: Bodies,
}

impl ForgedRun {
    fn new(bodies: Bodies) -> Self {
        Self {
            log: LogId::from_bytes(random_bytes()),
            seq: 0,
            chain: Chain::GENESIS,
            bodies,
        }
    }

    fn entries(&mut self, count: usize) -> Vec<GivenEntry> {
        (0..count).map(|_| self.next()).collect()
    }

    fn next(&mut self) -> GivenEntry {
        self.seq += 1;
        let body = vec![1; 400];
        let mut entry = SealedEntry {
            seq: Seq(self.seq),
            id: EventId::from_bytes(random_bytes()),
            thread: None,
            kind: "message_posted".to_owned(),
            flags: 0,
            epoch: 0,
            body_sha: body_sha(&body),
            chain: self.chain,
            body: match self.bodies {
                Bodies::Garbage => Some(body),
                Bodies::Gone => None,
            },
            clear: None,
        };
        entry.chain = self.chain.next(&entry.link(self.log));
        self.chain = entry.chain;
        GivenEntry {
            log: self.log,
            entry,
            settled: false,
        }
    }

    fn position(&self) -> Position {
        Position {
            log: self.log,
            seq: Seq(self.seq),
            chain: self.chain,
        }
    }
}

/// The box as it was.
struct Before {
    journal: Vec<Entry>,
    bytes: u64,
}

impl Before {
    fn of(workshop: &Workshop) -> Self {
        Self {
            journal: journal(&workshop.box_data()),
            bytes: bytes_below(&workshop.box_data()),
        }
    }

    /// The journal has nothing that staff did not write, the disk is not fuller, the box serves.
    async fn still_holds(&self, workshop: &Workshop) {
        let (now, here) = (journal(&workshop.box_data()), workshop.box_data());
        assert_eq!(now[..self.journal.len()], self.journal);
        let new = &now[self.journal.len()..];
        assert!(
            new.iter().all(|entry| entry.kind == "message_posted"),
            "{new:?}"
        );
        let grown = bytes_below(&here).saturating_sub(self.bytes);
        assert!(
            grown < GROWTH_BYTES_MAX,
            "the box's disk grew by {grown} bytes"
        );
        let written = tokio::time::timeout(SOON, workshop.staff_writes(0, "the box serves"));
        written.await.expect("the box serves");
        let data = here.to_str().unwrap();
        let doctor = run(&[], &["doctor", "--json", "--data", data], "").await;
        assert_eq!(doctor.code, Some(0), "{doctor:?}");
    }
}

fn bytes_below(directory: &Path) -> u64 {
    let files = fs::read_dir(directory).unwrap().map(Result::unwrap);
    files
        .map(|file| file.metadata().map_or(0, |it| it.len()))
        .sum()
}
