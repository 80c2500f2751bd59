//! A crowd: four rooms, sockets of both contracts and posts over HTTP, connections that break at any
//! moment. At the end everybody has seen the same, in the same order, each message once.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Workshop, number, text};
use crate::resume::resumed;
use crate::socket::Socket;

const ACTIONS: usize = 60;

/// SplitMix64: small, and the same everywhere for the same seed.
pub(crate) struct Random(u64);

impl Random {
    /// Seeded by `MOTOREACH_SEED`, or freshly; says by what.
    #[allow(clippy::print_stdout, reason = "a red run is repeated with its seed")]
    pub(crate) fn printed() -> Self {
        let given = std::env::var("MOTOREACH_SEED").ok();
        let seed = given.map_or_else(
            || Uuid::new_v4().as_u64_pair().0,
            |seed| seed.parse().expect("MOTOREACH_SEED is a number"),
        );
        println!("MOTOREACH_SEED={seed}");
        Self::new(seed)
    }

    fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap();
        usize::try_from(self.next() % bound).unwrap()
    }

    fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(
            (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes(),
        )
        .into_uuid()
    }
}

/// What one page shows and what it knows of its own posts.
#[derive(Default)]
struct Page {
    /// Ids, in the order in which they are shown.
    shown: Vec<i64>,
    /// The newest position that was seen, and of which log.
    position: Option<(i64, String)>,
    /// Own posts that were not acknowledged yet.
    outbox: Vec<(Uuid, String)>,
    /// The id that each own post was acknowledged with.
    acknowledged: BTreeMap<Uuid, i64>,
}

impl Page {
    fn show(&mut self, id: i64) {
        assert!(
            self.shown.last().is_none_or(|last| *last < id),
            "{id} after {:?}",
            self.shown.last()
        );
        self.shown.push(id);
    }

    fn acknowledge(&mut self, client_id: Uuid, id: i64) {
        let before = self.acknowledged.insert(client_id, id);
        assert!(
            before.is_none_or(|before| before == id),
            "{client_id}: {before:?} and {id}"
        );
        self.outbox.retain(|(waiting, _)| *waiting != client_id);
    }

    fn take(&mut self, frame: &Value) {
        if let (Some(rev), Some((at, _))) = (frame["rev"].as_i64(), &mut self.position)
            && frame["type"] != "chat.ack"
        {
            // A repeated position would show something twice after the next resume.
            assert!(rev > *at, "{frame} at {at}");
            *at = rev;
        }
        match frame["type"].as_str().unwrap() {
            "chat.message" => self.show(number(&frame["id"])),
            "chat.ack" => {
                let client_id = text(&frame["client_id"]).parse().unwrap();
                self.acknowledge(client_id, number(&frame["id"]));
            }
            "chat.history" => {
                let messages = frame["messages"].as_array().unwrap();
                self.shown = messages
                    .iter()
                    .map(|message| number(&message["id"]))
                    .collect();
            }
            "chat.error" => panic!("{frame}"),
            _ => {}
        }
    }
}

/// Somebody who speaks `motoreach.v1` over a line that breaks.
async fn v1(workshop: &Workshop, request: i64, token: &str, mut random: Random) -> Page {
    let mut page = Page::default();
    let mut socket = connect(workshop, request, token, &mut page).await;
    for action in 0..ACTIONS {
        match random.below(10) {
            0..5 => {
                let id = random.uuid();
                page.outbox.push((id, format!("v1 {action}")));
                socket.post_as(id, &format!("v1 {action}")).await;
            }
            5 => {
                if let Some(newest) = page.shown.last() {
                    let read = json!({"type": "chat.read", "up_to": newest});
                    socket.say(&read).await;
                }
            }
            6 => socket.say(&json!({"type": "chat.typing"})).await,
            7 => {
                // Breaks with whatever is under way.
                socket.cut();
                socket = connect(workshop, request, token, &mut page).await;
            }
            _ => {
                // Reads some of what came.
                for _ in 0..random.below(5) {
                    if page.outbox.is_empty() {
                        break;
                    }
                    let frame = socket.hear().await;
                    page.take(&frame);
                }
            }
        }
    }
    settle(&mut socket, &mut page).await;
    // Whoever comes back at the end knows everything.
    socket.close().await;
    page
}

/// Until everything that was posted is acknowledged.
async fn settle(socket: &mut Socket, page: &mut Page) {
    while !page.outbox.is_empty() {
        let frame = socket.hear().await;
        page.take(&frame);
    }
}

/// Connects, resumes, and offers everything again that was not acknowledged.
async fn connect(workshop: &Workshop, request: i64, token: &str, page: &mut Page) -> Socket {
    let mut socket = match &page.position {
        None => {
            let mut socket = workshop.chat_v1(request, token).await;
            let hello = socket.hear_a("chat.hello").await;
            let history = socket.hear_a("chat.history").await;
            page.position = Some((number(&hello["rev"]), text(&hello["log"])));
            page.take(&history);
            socket
        }
        Some((after, log)) => {
            resumed(workshop, request, token, &after.to_string(), log)
                .await
                .0
        }
    };
    for (id, content) in &page.outbox {
        socket.post_as(*id, content).await;
    }
    socket
}

/// Somebody with the original contract: what was missed comes over HTTP.
async fn original(workshop: &Workshop, request: i64, token: &str, mut random: Random) -> Page {
    let mut page = Page::default();
    let mut socket = workshop.chat(request, token).await;
    for _ in 0..ACTIONS {
        match random.below(8) {
            0..3 => {
                let frame = json!({"type": "chat.message", "content": random.uuid()});
                socket.say(&frame).await;
                // Comes back to its sender like everybody's; others' come before it.
                loop {
                    let message = socket.hear().await;
                    let id = number(&message["id"]);
                    if page.shown.last().is_none_or(|last| *last < id) {
                        page.show(id);
                    }
                    if message["content"] == frame["content"] {
                        break;
                    }
                }
            }
            3 => {
                socket.close().await;
                socket = workshop.chat(request, token).await;
                catch_up(workshop, request, token, &mut page).await;
            }
            4 => {
                workshop.mark_read(request, token).await;
            }
            _ => {}
        }
    }
    socket.close().await;
    page
}

async fn catch_up(workshop: &Workshop, request: i64, token: &str, page: &mut Page) {
    let messages = workshop.messages(request, token).await;
    let all: Vec<_> = messages
        .iter()
        .map(|message| number(&message["id"]))
        .collect();
    assert!(
        page.shown.iter().all(|shown| all.contains(shown)),
        "what was shown is there"
    );
    page.shown = all;
}

/// Somebody whose socket never opens: posts over HTTP, every second one twice at once.
async fn poster(workshop: &Workshop, request: i64, token: &str, mut random: Random) -> Page {
    let mut page = Page::default();
    let path = format!("/api/service-requests/{request}/messages/");
    for action in 0..ACTIONS / 2 {
        let id = random.uuid();
        let body = json!({"client_id": id, "content": format!("HTTP {action}")});
        if random.below(2) == 0 {
            let (one, two) = tokio::join!(
                workshop.post(&path, token, &body),
                workshop.post(&path, token, &body)
            );
            let one = one.expect(201).json();
            assert_eq!(one["id"], two.expect(201).json()["id"]);
            page.acknowledge(id, number(&one["id"]));
        } else {
            let posted = workshop.post(&path, token, &body).await;
            page.acknowledge(id, number(&posted.expect(201).json()["id"]));
        }
    }
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_the_same_in_the_same_order_each_message_once() {
    let mut random = Random::printed();
    let mut workshop = Workshop::open().await;
    let chitra = workshop.take_in("Chitra Das", "KL 01 B 7", None).await;
    let dev = workshop.take_in("Dev Rao", "KL 02 C 9", None).await;
    let owners = [workshop.asha.clone(), workshop.bilal.clone(), chitra, dev];

    let room = |owner: &crate::harness::Owner, random: &mut Random| {
        let mut fork = || Random::new(random.next());
        let (owner, workshop) = (owner.clone(), &workshop);
        let randoms = [fork(), fork(), fork(), fork(), fork()];
        async move {
            let [one, two, three, four, five] = randoms;
            let (staff, mechanic) = (&workshop.admin.token, &workshop.meera.token);
            let pages = tokio::join!(
                v1(workshop, owner.request, &owner.token, one),
                v1(workshop, owner.request, mechanic, two),
                original(workshop, owner.request, staff, three),
                original(workshop, owner.request, &owner.token, four),
                poster(workshop, owner.request, &workshop.ravi.token, five),
            );
            (owner, pages)
        }
    };
    let rooms = tokio::join!(
        room(&owners[0], &mut random),
        room(&owners[1], &mut random),
        room(&owners[2], &mut random),
        room(&owners[3], &mut random),
    );
    for (owner, (phone, bay, desk, tablet, http)) in [rooms.0, rooms.1, rooms.2, rooms.3] {
        let stored = workshop.messages(owner.request, &owner.token).await;
        let ids: Vec<_> = stored
            .iter()
            .map(|message| number(&message["id"]))
            .collect();
        assert!(ids.len() < 500, "all of them are on one page");
        let by_name: BTreeMap<Uuid, i64> = stored
            .iter()
            .map(|message| {
                (
                    text(&message["client_id"]).parse().unwrap(),
                    number(&message["id"]),
                )
            })
            .collect();
        assert_eq!(by_name.len(), ids.len(), "no id stands there twice");
        for mut page in [phone, bay] {
            for (client_id, id) in &page.acknowledged {
                assert_eq!(by_name.get(client_id), Some(id));
            }
            // The last thing that a page does is to come back.
            let (after, log) = page.position.clone().unwrap();
            let after = after.to_string();
            let (mut socket, hello) =
                resumed(&workshop, owner.request, &owner.token, &after, &log).await;
            let head = number(&hello["rev"]);
            while page.shown.last() != ids.last() {
                let frame = socket.hear().await;
                page.take(&frame);
            }
            assert!(head >= *ids.last().unwrap());
            let from = page.shown[0];
            let expected: Vec<_> = ids.iter().copied().filter(|id| *id >= from).collect();
            assert_eq!(page.shown, expected);
            assert_eq!(
                page.shown[0], ids[0],
                "nothing was lost at the beginning either"
            );
        }
        for mut page in [desk, tablet] {
            catch_up(&workshop, owner.request, &owner.token, &mut page).await;
            assert_eq!(page.shown, ids);
        }
        for (client_id, id) in &http.acknowledged {
            assert_eq!(by_name.get(client_id), Some(id));
        }
        let posted: usize = http.acknowledged.len();
        assert_eq!(posted, ACTIONS / 2);
    }
    assert_eq!(workshop.check().faults, Vec::<String>::new());
    workshop.halt().await;
    assert_eq!(workshop.check().faults, Vec::<String>::new());
}
