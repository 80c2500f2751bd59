//! The box's end of a link, as a machine: frames and the store's answers in, wishes out.
//!
//! ```text
//! Challenged → Greeted → Granting ─┬─ Comparing → TakingBack → Adopting → Forking ─┬─ Live
//!                                  └──────────── positions agree ──────────────────┘
//! ```
//! It does no IO and reads no clock (invariant 5). `sync::dial` carries out its wishes; the property
//! test drives it against the relay's end over a network that loses and doubles.

mod reconcile;

use std::sync::Arc;

use super::box_live::Live;
use super::box_wishes::{BoxAnswer, BoxFacts, BoxNews, BoxOrder, BoxWish, Grant, SealedPostFate};
use super::search::Search;
use super::{End, transcript};
use crate::domain::{Seq, WorkshopKey};
use crate::net::Target;
use crate::seal::{Chain, Position, SigningKey, verify};
use crate::wire::link::{
    Chains, Challenge, Frame, HelloBody, Moment, PROTO, Retain, Signed, Verdict, Watch, WelcomeBody,
};

/// The longest address of a relay, in bytes.
const URL_BYTES_MAX: usize = 1_024;

/// The box's end of one session.
pub struct BoxEnd {
    workshop: WorkshopKey,
    key: Arc<SigningKey>,
    facts: BoxFacts,
    nonce: [u8; 16],
    state: State,
    /// Where the relay's copy ended when it said welcome.
    relay_end: Position,
    wishes: Vec<BoxWish>,
}

enum State {
    /// Waiting for the relay to begin.
    Challenged,
    /// Waiting for its verdict.
    Greeted { challenge: Challenge, hello: Signed },
    /// Waiting until the grant is on disk.
    Granting { welcome: WelcomeBody },
    /// Is the relay's position on our journal? Waiting for our chain there.
    Locating { relay: Chain, orphans: u32 },
    /// Looking for the last common position.
    Comparing {
        search: Search,
        ours: Option<Vec<Option<Chain>>>,
        theirs: Option<Vec<Option<Chain>>>,
    },
    /// Forgetting what an earlier session staged.
    Clearing { common: Seq },
    /// Waiting for the next stretch.
    TakingBack { common: Seq },
    /// Waiting until a stretch is staged.
    Staging { common: Seq, next: Option<Vec<u8>> },
    /// Waiting for the one transaction.
    Adopting,
    /// Waiting until the relay has moved its tail aside.
    Forking { common: Position },
    /// Everything flows.
    Live(Live),
    /// Nothing is done any more.
    Over,
}

impl BoxEnd {
    /// The end of a line that was just opened. `nonce` is random.
    pub fn new(
        workshop: WorkshopKey,
        key: Arc<SigningKey>,
        facts: BoxFacts,
        nonce: [u8; 16],
    ) -> Self {
        Self {
            workshop,
            key,
            nonce,
            state: State::Challenged,
            relay_end: Position {
                log: facts.head.log,
                seq: Seq(0),
                chain: Chain::GENESIS,
            },
            facts,
            wishes: Vec::new(),
        }
    }

    /// What is to be done, in this order.
    pub fn wishes(&mut self) -> Vec<BoxWish> {
        std::mem::take(&mut self.wishes)
    }

    /// Whether both ends agree and everything flows.
    pub const fn is_live(&self) -> bool {
        matches!(self.state, State::Live(_))
    }

    /// Whether it is the relay's turn: it must do something for the session to go on.
    pub fn awaits_relay(&self) -> bool {
        match &self.state {
            State::Challenged
            | State::Greeted { .. }
            | State::TakingBack { .. }
            | State::Forking { .. } => true,
            State::Comparing { theirs, .. } => theirs.is_none(),
            State::Live(live) => live.awaits_relay(),
            State::Granting { .. }
            | State::Locating { .. }
            | State::Clearing { .. }
            | State::Staging { .. }
            | State::Adopting
            | State::Over => false,
        }
    }

    /// The journal has grown.
    pub fn grown(&mut self) {
        if let State::Live(live) = &mut self.state {
            live.grown(&mut self.wishes);
        }
    }

    /// Something of the moment is to be told to a thread's owner; lost when the line is not up.
    pub fn moment(&mut self, moment: Moment) {
        if self.is_live() {
            self.send(Frame::Moment(moment));
        }
    }

    /// What the relay may forget the words of; lost when the line is not up.
    pub fn retain(&mut self, retain: Retain) {
        if self.is_live() {
            self.send(Frame::Retain(retain));
        }
    }

    /// Who is told when the box is silent; lost when the line is not up.
    pub fn watch(&mut self, watch: Watch) {
        if self.is_live() {
            self.send(Frame::Watch(watch));
        }
    }

    /// A frame came in.
    pub fn frame(&mut self, frame: Frame) {
        match (std::mem::replace(&mut self.state, State::Over), frame) {
            (State::Over, _) => {}
            (_, Frame::Goaway(goaway)) => self.end(End::SentAway {
                reconnect_in_ms: goaway.reconnect_in_ms,
                why: goaway.why,
            }),
            (state, Frame::Ping) => {
                self.state = state;
                self.send(Frame::Pong);
            }
            (state, Frame::Pong) => self.state = state,
            (State::Challenged, Frame::Challenge(challenge)) => self.challenged(challenge),
            (State::Greeted { challenge, hello }, Frame::Welcome(welcome)) => {
                self.welcomed(&challenge, &hello, &welcome);
            }
            (
                State::Comparing {
                    search,
                    ours,
                    theirs: None,
                },
                Frame::Chains(Chains { chains }),
            ) => self.compared(search, ours, Some(chains)),
            (State::TakingBack { common }, Frame::Given(given)) => self.given(common, given),
            (State::Forking { common }, Frame::Applied(applied)) => self.forked(common, applied),
            (State::Live(mut live), frame) => match live.frame(frame, &mut self.wishes) {
                Ok(()) => self.state = State::Live(live),
                Err(end) => self.end(end),
            },
            // The relay's owners may come and go before we are ready to hear of it.
            (state, Frame::Moment(_)) => self.state = state,
            _ => self.end(End::Protocol),
        }
    }

    /// The store answered the oldest order that is answered at all.
    pub fn answer(&mut self, answer: BoxAnswer) {
        match (std::mem::replace(&mut self.state, State::Over), answer) {
            (State::Over, _) => {}
            (State::Live(mut live), answer) => match live.answer(answer, &mut self.wishes) {
                Ok(()) => self.state = State::Live(live),
                Err(end) => self.end(end),
            },
            (_, BoxAnswer::Failed) => self.end(End::Store),
            (_, BoxAnswer::NotOurs) => self.end(End::NotOurs),
            (State::Granting { welcome }, BoxAnswer::Done) => self.granted(&welcome),
            (State::Locating { relay, orphans }, BoxAnswer::Chains(chains)) => {
                self.located(relay, orphans, chains.first().copied().flatten());
            }
            (
                State::Comparing {
                    search,
                    ours: None,
                    theirs,
                },
                BoxAnswer::Chains(chains),
            ) => self.compared(search, Some(chains), theirs),
            (State::Clearing { common }, BoxAnswer::Done) => self.ask_back(common, None),
            (State::Staging { common, next }, BoxAnswer::Done) => match next {
                Some(cursor) => self.ask_back(common, Some(cursor)),
                None => {
                    self.state = State::Adopting;
                    let relay_head = self.relay_end.seq;
                    self.store(BoxOrder::Adopt { common, relay_head });
                }
            },
            (State::Adopting, BoxAnswer::Adopted(adopted)) => self.adopted(adopted),
            _ => self.end(End::Protocol),
        }
    }

    fn challenged(&mut self, challenge: Challenge) {
        if challenge.proto_min > PROTO || challenge.proto_max < PROTO {
            return self.end(End::Version);
        }
        // A code pairs anew: then, and only then, may it be another relay than before.
        if self.facts.code.is_none() && self.facts.relay.is_some_and(|it| it != challenge.relay) {
            return self.end(End::OtherRelay);
        }
        let public_key = self.key.public_key();
        let pairing = self
            .facts
            .code
            .as_ref()
            .map(|code| transcript::box_proof(code, &challenge, self.workshop, &public_key));
        let body = HelloBody {
            workshop: self.workshop,
            public_key,
            nonce: self.nonce,
            proto: PROTO,
            lineage: self.facts.lineage,
            head: self.facts.head,
            history: self.facts.history.clone(),
            claim: self.facts.claim,
            membership: self.facts.membership.clone(),
            pairing,
            doors: self.facts.doors.clone(),
        };
        let body = minicbor::to_vec(&body).expect("writing to memory cannot fail");
        let signature = self.key.sign(&transcript::hello_message(&challenge, &body));
        let hello = Signed { body, signature };
        self.send(Frame::Hello(hello.clone()));
        self.state = State::Greeted { challenge, hello };
    }

    fn welcomed(&mut self, challenge: &Challenge, hello: &Signed, welcome: &Signed) {
        let message = transcript::welcome_message(challenge, hello, &welcome.body);
        if verify(&challenge.relay, &message, &welcome.signature).is_err() {
            return self.end(End::Protocol);
        }
        let Ok(body) = minicbor::decode::<WelcomeBody>(&welcome.body) else {
            return self.end(End::Protocol);
        };
        match body.verdict {
            Verdict::Resume | Verdict::Restored => {}
            verdict @ (Verdict::Quarantined
            | Verdict::Superseded
            | Verdict::Unknown
            | Verdict::BadCode) => {
                self.store(BoxOrder::Refused(verdict));
                return self.end(End::Refused(verdict));
            }
        }
        if let Some(code) = &self.facts.code {
            let expected = transcript::relay_proof(code, challenge, &self.nonce);
            let shown = body.pairing.as_deref().unwrap_or_default();
            // Whoever does not know the code is not the relay that showed it to its operator. A
            // relay that knows us already need not know the code any more.
            let known = self.facts.relay == Some(challenge.relay);
            if !known && !transcript::same(&expected, shown) {
                return self.end(End::OtherRelay);
            }
        }
        let (Some(lineage), true) = (body.lineage, is_an_address(&body.public_url)) else {
            return self.end(End::Protocol);
        };
        self.store(BoxOrder::Grant(Grant {
            lineage,
            membership: body.membership.clone(),
            relay: challenge.relay,
            public_url: body.public_url.clone(),
        }));
        self.state = State::Granting { welcome: body };
    }

    fn granted(&mut self, welcome: &WelcomeBody) {
        self.send(Frame::Granted);
        let orphans = welcome.orphans;
        let Some(position) = welcome.position.filter(|it| it.seq > Seq(0)) else {
            return if orphans == 0 {
                self.live(self.relay_end);
            } else {
                self.take_back(Seq(0));
            };
        };
        self.relay_end = position;
        if self
            .limit(position.log)
            .is_some_and(|it| position.seq <= it)
        {
            self.state = State::Locating {
                relay: position.chain,
                orphans,
            };
            self.store(BoxOrder::Chains(vec![position.seq]));
        } else {
            self.compare();
        }
    }

    /// The last position of an incarnation of ours.
    fn limit(&self, log: crate::domain::LogId) -> Option<Seq> {
        let history = &self.facts.history;
        let index = history.iter().position(|each| each.log == log)?;
        Some(
            history
                .get(index + 1)
                .map_or(self.facts.head.seq, |next| Seq(next.first.0 - 1)),
        )
    }

    fn located(&mut self, relay: Chain, orphans: u32, ours: Option<Chain>) {
        match (ours == Some(relay), orphans) {
            (true, 0) => self.live(self.relay_end),
            (true, _) => self.take_back(self.relay_end.seq),
            (false, _) => self.compare(),
        }
    }

    fn live(&mut self, relay_has: Position) {
        let live = Live::begin(relay_has, &mut self.wishes);
        self.state = State::Live(live);
    }

    fn send(&mut self, frame: Frame) {
        self.wishes.push(BoxWish::Send(frame));
    }

    fn store(&mut self, order: BoxOrder) {
        self.wishes.push(BoxWish::Store(order));
    }

    fn tell(&mut self, news: BoxNews) {
        self.wishes.push(BoxWish::Tell(news));
    }

    fn end(&mut self, why: End) {
        self.state = State::Over;
        self.wishes.push(BoxWish::End(why));
    }
}

/// Whether owners' links may begin so: staff click on them.
fn is_an_address(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && url.len() <= URL_BYTES_MAX && Target::parse(url).is_ok()
}

impl From<SealedPostFate> for BoxAnswer {
    fn from(fate: SealedPostFate) -> Self {
        Self::Post(fate)
    }
}
