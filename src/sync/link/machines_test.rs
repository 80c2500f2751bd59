//! Both machines against each other, with a script where their stores would be.

use std::sync::Arc;

use super::kept::Session;
use super::*;
use crate::domain::{DeviceId, EventId, InviteId, LogId, RequestKey, Seq, Timestamp, WorkshopKey};
use crate::seal::{Chain, Lineage, Position, RootSecret, SealedPost, SigningKey};
use crate::wire::link::{Applied, Entries, Frame, Refused, Verdict};

const WORKSHOP: WorkshopKey = WorkshopKey::from_bytes([1; 16]);

fn key(byte: u8) -> Arc<SigningKey> {
    Arc::new(SigningKey::derive(
        &RootSecret::from_bytes([byte; 32]),
        "test",
    ))
}

fn at(seq: i64) -> Position {
    Position {
        log: LogId::from_bytes([2; 16]),
        seq: Seq(seq),
        chain: if seq == 0 {
            Chain::GENESIS
        } else {
            Chain::from_bytes([u8::try_from(seq).unwrap(); 32])
        },
    }
}

fn post(number: u8) -> SealedPost {
    SealedPost {
        id: EventId::from_bytes([number; 16]),
        thread: RequestKey::from_bytes([3; 16]),
        invite: InviteId::from_bytes([4; 16]),
        device: DeviceId::from_bytes([5; 16]),
        kind: "message".into(),
        epoch: 0,
        sealed: vec![6; 40],
    }
}

/// A box whose journal has ten entries, and a relay.
struct Ends {
    bx: BoxEnd,
    rl: RelayEnd,
}

impl Ends {
    fn new(doors: &[&str], public_url: &str) -> Self {
        let facts = BoxFacts {
            head: at(10),
            history: vec![crate::wire::link::Incarnation {
                log: at(1).log,
                first: Seq(1),
            }],
            lineage: None,
            membership: None,
            relay: None,
            code: None,
            claim: false,
            doors: doors.iter().map(ToString::to_string).collect(),
        };
        let relay = RelayFacts {
            identity: key(8),
            membership: [9; 32],
            public_url: public_url.to_owned(),
            now: Timestamp(0),
            nonce: [1; 16],
            grant_nonce: [2; 16],
        };
        Self {
            bx: BoxEnd::new(WORKSHOP, key(7), facts, [3; 16]),
            rl: RelayEnd::new(relay),
        }
    }

    /// Hands over what the relay sends; gives whatever else it wants.
    fn reach_box(&mut self) -> Vec<RelayWish> {
        let wishes = self.rl.wishes();
        let (sent, other): (Vec<_>, Vec<_>) = wishes
            .into_iter()
            .partition(|it| matches!(it, RelayWish::Send(_)));
        for wish in sent {
            if let RelayWish::Send(frame) = wish {
                self.bx.frame(frame);
            }
        }
        other
    }

    fn reach_relay(&mut self) -> Vec<BoxWish> {
        let wishes = self.bx.wishes();
        let (sent, other): (Vec<_>, Vec<_>) = wishes
            .into_iter()
            .partition(|it| matches!(it, BoxWish::Send(_)));
        for wish in sent {
            if let BoxWish::Send(frame) = wish {
                self.rl.frame(frame);
            }
        }
        other
    }

    /// Until the box was told where the relay's copy ends; gives what it wants then.
    fn welcome(&mut self, position: Option<Position>) -> Vec<BoxWish> {
        self.reach_box();
        self.reach_relay();
        self.reach_box();
        self.rl.answer(RelayAnswer::Session(Session {
            verdict: Verdict::Resume,
            lineage: Some(Lineage {
                generation: 1,
                nonce: [2; 16],
            }),
            position,
            orphans: 0,
        }));
        self.reach_box();
        self.reach_relay()
    }

    /// Both agree that the relay has so much; gives what the box wants when it goes live.
    fn live(&mut self, relay_has: i64) -> Vec<BoxWish> {
        let position = (relay_has > 0).then(|| at(relay_has));
        let wishes = self.welcome(position);
        assert!(matches!(
            wishes.as_slice(),
            [BoxWish::Store(BoxOrder::Grant(_))]
        ));
        self.bx.answer(BoxAnswer::Done);
        if relay_has > 0 {
            self.reach_relay();
            let chains = BoxAnswer::Chains(vec![Some(at(relay_has).chain)]);
            self.bx.answer(chains);
        }
        let wishes = self.reach_relay();
        assert!(self.bx.is_live());
        wishes
    }
}

fn ends() -> Ends {
    Ends::new(&[], "https://relay.example")
}

fn noted(wishes: &[BoxWish]) -> Vec<Position> {
    let noted = wishes.iter().filter_map(|wish| match wish {
        BoxWish::Store(BoxOrder::Applied(position)) => Some(*position),
        BoxWish::Store(_) | BoxWish::Send(_) | BoxWish::Tell(_) | BoxWish::End(_) => None,
    });
    noted.collect()
}

fn ended(wishes: &[BoxWish]) -> bool {
    wishes.iter().any(|wish| matches!(wish, BoxWish::End(_)))
}

#[test]
fn what_a_relay_has_is_noted_even_if_it_had_more_before() {
    for has in [0, 3, 10] {
        let wishes = ends().live(has);
        assert_eq!(noted(&wishes), [at(has)], "{has}");
        assert!(!wishes.contains(&BoxWish::Tell(BoxNews::Progress)));
    }
}

#[test]
fn only_what_was_sent_and_acknowledged_is_progress() {
    let mut ends = ends();
    ends.live(3);
    let head = crate::seal::SignedHead::sign(&key(7), at(10));
    let batch = Entries {
        prev: at(3),
        log: at(3).log,
        entries: Vec::new(),
        head,
    };
    ends.bx.answer(BoxAnswer::Batch(Some(Box::new(batch))));
    ends.bx.wishes();
    ends.bx.frame(Frame::Applied(Applied {
        position: Some(at(10)),
        rewind: false,
    }));
    let wishes = ends.bx.wishes();
    assert_eq!(noted(&wishes), [at(10)]);
    assert!(wishes.contains(&BoxWish::Tell(BoxNews::Progress)));
}

#[test]
fn a_link_that_ended_while_its_posts_waited_says_nothing_against_the_relay() {
    let mut ends = ends();
    ends.live(10);
    ends.bx.wishes();
    let mut offer = |why| {
        let post = post(1);
        let id = post.id;
        ends.bx.frame(Frame::Post(post));
        let fate = PostFate::NotAuthentic(why);
        ends.bx.answer(SealedPostFate { id, fate }.into());
        ends.bx.wishes()
    };
    for why in ["revoked", "expired"].repeat(100) {
        let wishes = offer(why);
        let told = BoxWish::Send(Frame::Refused(Refused {
            id: post(1).id,
            why: why.to_owned(),
        }));
        assert!(wishes.contains(&told) && !ended(&wishes));
    }
    // A relay that makes posts up is left.
    let left = (0..100).any(|_| ended(&offer("unreadable")));
    assert!(left);
}

#[test]
fn staff_click_on_nothing_that_is_no_address() {
    for url in [
        "javascript:alert(1)//",
        "relay.example",
        "",
        "https://a@b",
        &format!("https://{}", "a".repeat(2_000)),
    ] {
        let mut ends = Ends::new(&[], url);
        let wishes = ends.welcome(None);
        assert_eq!(wishes, [BoxWish::End(End::Protocol)], "{url}");
    }
}

/// A relay's end that is open.
fn open_relay() -> RelayEnd {
    let mut ends = ends();
    ends.live(10);
    ends.reach_box();
    ends.rl
}

fn posts_asked(wishes: &[RelayWish]) -> Vec<i64> {
    let asked = wishes.iter().filter_map(|wish| match wish {
        RelayWish::Store(RelayOrder::Posts(_, after, _)) => Some(*after),
        RelayWish::Store(_) | RelayWish::Send(_) | RelayWish::Tell(_) | RelayWish::End(_) => None,
    });
    asked.collect()
}

#[test]
fn a_box_is_there_once_its_grant_is_noted() {
    let mut ends = ends();
    ends.welcome(None);
    ends.bx.answer(BoxAnswer::Done);
    ends.reach_relay();
    let is_up = |wishes: &[RelayWish]| {
        wishes
            .iter()
            .any(|wish| matches!(wish, RelayWish::Tell(RelayNews::Up(WORKSHOP))))
    };
    // Until then a newer session may be the one that counts.
    assert!(!is_up(&ends.reach_box()));
    ends.rl.answer(RelayAnswer::Done);
    assert!(is_up(&ends.reach_box()));
    ends.rl.answer(RelayAnswer::Posts(Vec::new()));
    ends.rl.answer(RelayAnswer::Done);
    assert!(!is_up(&ends.reach_box()));
}

#[test]
fn everything_is_offered_again_although_a_look_was_under_way() {
    let mut rl = open_relay();
    rl.answer(RelayAnswer::Done);
    rl.answer(RelayAnswer::Posts(vec![(5, post(1))]));
    assert_eq!(posts_asked(&rl.wishes()), [5]);
    rl.offer_again();
    assert_eq!(posts_asked(&rl.wishes()), [0; 0]);
    rl.answer(RelayAnswer::Posts(vec![(9, post(2))]));
    assert_eq!(posts_asked(&rl.wishes()), [0]);
}

#[test]
fn owners_are_told_no_more_than_a_few_addresses_and_a_word() {
    let long = format!("http://{}", "a".repeat(300));
    let many = ["http://box.local"; 20];
    let doors = [&["javascript:alert(1)", &long][..], &many].concat();
    let mut ends = Ends::new(&doors, "https://relay.example");
    ends.reach_box();
    ends.reach_relay();
    let wishes = ends.reach_box();
    let [RelayWish::Store(RelayOrder::Open(asked))] = wishes.as_slice() else {
        panic!("{wishes:?}");
    };
    assert_eq!(asked.doors, ["http://box.local"; 8]);

    let mut rl = open_relay();
    for (said, told) in [
        ("revoked", "revoked"),
        ("<b>", "refused"),
        (&long, "refused"),
    ] {
        rl.frame(Frame::Refused(Refused {
            id: post(1).id,
            why: said.to_owned(),
        }));
        let wishes = rl.wishes();
        let [RelayWish::Store(RelayOrder::Refuse(_, _, why))] = wishes.as_slice() else {
            panic!("{wishes:?}");
        };
        assert_eq!(why, told);
    }
}
