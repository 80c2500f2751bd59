//! The relay's end of a link, as a machine: frames and the store's answers in, wishes out.
//!
//! Every write carries the session's fence; whatever comes late, doubled or out of order does not fit
//! the copy's end and is answered with where that is. Posts are kept by the journal alone: there is
//! no cursor that could be wrong, only a place from which this session has sent on.

use super::kept::{Admit, Appended, Fence, PairingCode, Session, SessionAsked};
use super::relay_wishes::{RelayAnswer, RelayFacts, RelayNews, RelayOrder, RelayWish};
use super::said::{doors, word};
use super::{End, transcript};
use crate::domain::WorkshopKey;
use crate::seal::verify;
use crate::wire::link::{
    Applied, Chains, Challenge, Frame, HelloBody, Moment, PROBE_POSITIONS_MAX, PROTO, Signed,
    Verdict, WelcomeBody,
};

/// Posts read from the mailbox at once.
const POSTS_READ_MAX: u32 = 32;

/// The relay's end of one session.
pub struct RelayEnd {
    facts: RelayFacts,
    challenge: Challenge,
    state: State,
    wishes: Vec<RelayWish>,
}

enum State {
    /// Waiting for a hello.
    Challenging,
    /// Waiting for the codes that the hello may have been made with.
    Pairing { hello: Signed, body: Box<HelloBody> },
    /// Waiting for the store's verdict.
    Opening {
        hello: Signed,
        body: Box<HelloBody>,
        code: Option<[u8; 32]>,
    },
    /// The box may write.
    Open(Open),
    /// Nothing is done any more.
    Over,
}

/// An open session.
#[derive(Clone, Copy)]
struct Open {
    fence: Fence,
    /// The box has stored its grant.
    confirmed: bool,
    /// So has the relay noted: no older session of the box changes anything any more.
    up: bool,
    /// Posts that the box still takes.
    credit: u32,
    /// Where this session has sent on in the mailbox.
    sent: i64,
    /// The store is reading posts.
    reading: bool,
    /// There may be more to read.
    more: bool,
    /// What is read now is read on from a place that does not count any more.
    anew: bool,
}

impl RelayEnd {
    /// The end of a line that was just accepted: it begins.
    pub fn new(facts: RelayFacts) -> Self {
        let challenge = Challenge {
            relay: facts.identity.public_key(),
            nonce: facts.nonce,
            proto_min: PROTO,
            proto_max: PROTO,
            time_ms: facts.now.0,
        };
        Self {
            wishes: vec![RelayWish::Send(Frame::Challenge(challenge.clone()))],
            facts,
            challenge,
            state: State::Challenging,
        }
    }

    /// What is to be done, in this order.
    pub fn wishes(&mut self) -> Vec<RelayWish> {
        std::mem::take(&mut self.wishes)
    }

    /// The workshop on the line, once it was let in.
    pub const fn workshop(&self) -> Option<WorkshopKey> {
        match &self.state {
            State::Open(open) => Some(open.fence.workshop),
            State::Challenging | State::Pairing { .. } | State::Opening { .. } | State::Over => {
                None
            }
        }
    }

    /// The mailbox has something new.
    pub fn posts_wait(&mut self) {
        if let State::Open(open) = &mut self.state {
            open.more = true;
            pump(open, &mut self.wishes);
        }
    }

    /// Sends everything that waits in the mailbox once more: what the box put off may be taken now.
    pub fn offer_again(&mut self) {
        if let State::Open(open) = &mut self.state {
            open.sent = 0;
            open.anew = open.reading;
        }
        self.posts_wait();
    }

    /// Something of the moment for the box; lost when it is not ready.
    pub fn moment(&mut self, moment: Moment) {
        if matches!(&self.state, State::Open(open) if open.confirmed) {
            self.send(Frame::Moment(moment));
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
            (State::Challenging, Frame::Hello(hello)) => self.hello(hello),
            (State::Open(open), frame) => self.open_frame(open, frame),
            _ => self.end(End::Protocol),
        }
    }

    /// The store answered the oldest order.
    pub fn answer(&mut self, answer: RelayAnswer) {
        match (std::mem::replace(&mut self.state, State::Over), answer) {
            (State::Over, _) => {}
            (_, RelayAnswer::Fenced) => self.end(End::Fenced),
            (_, RelayAnswer::Failed) => self.end(End::Store),
            (State::Pairing { hello, body }, RelayAnswer::Codes(codes)) => {
                self.pair(hello, body, &codes);
            }
            (State::Opening { hello, body, code }, RelayAnswer::Session(session)) => {
                self.opened(&hello, &body, code, session);
            }
            (State::Open(open), answer) => self.open_answer(open, answer),
            _ => self.end(End::Protocol),
        }
    }

    fn hello(&mut self, hello: Signed) {
        let Ok(body) = minicbor::decode::<HelloBody>(&hello.body) else {
            return self.end(End::Protocol);
        };
        let message = transcript::hello_message(&self.challenge, &hello.body);
        if verify(&body.public_key, &message, &hello.signature).is_err() {
            return self.end(End::Protocol);
        }
        if body.proto != PROTO {
            return self.end(End::Version);
        }
        let body = Box::new(body);
        if body.pairing.is_some() {
            self.state = State::Pairing { hello, body };
            self.store(RelayOrder::Codes);
        } else {
            self.open(hello, body, None);
        }
    }

    fn pair(&mut self, hello: Signed, body: Box<HelloBody>, codes: &[PairingCode]) {
        let shown = body.pairing.as_deref().unwrap_or_default();
        let code = codes.iter().find(|code| {
            let expected =
                transcript::box_proof(&code.key, &self.challenge, body.workshop, &body.public_key);
            transcript::same(&expected, shown)
        });
        let code = code.map(|code| (code.id, code.key));
        self.open(hello, body, code);
    }

    fn open(&mut self, hello: Signed, body: Box<HelloBody>, code: Option<(i64, [u8; 32])>) {
        let member =
            transcript::membership(&self.facts.membership, body.workshop, &body.public_key);
        let is_member = body
            .membership
            .as_deref()
            .is_some_and(|shown| transcript::same(&member, shown));
        let admit = match (code, is_member) {
            (Some((id, _)), _) => Admit::Code(id),
            (None, true) => Admit::Member,
            (None, false) => Admit::Known,
        };
        let asked = SessionAsked {
            workshop: body.workshop,
            public_key: body.public_key,
            lineage: body.lineage,
            head: body.head,
            history: body.history.clone(),
            claim: body.claim,
            admit,
            doors: doors(&body.doors),
            now: self.facts.now,
            grant_nonce: self.facts.grant_nonce,
        };
        let code = code.map(|(_, key)| key);
        self.state = State::Opening { hello, body, code };
        self.store(RelayOrder::Open(Box::new(asked)));
    }

    fn opened(
        &mut self,
        hello: &Signed,
        body: &HelloBody,
        code: Option<[u8; 32]>,
        session: Session,
    ) {
        let verdict = match session.verdict {
            Verdict::Unknown if body.pairing.is_some() && code.is_none() => Verdict::BadCode,
            verdict @ (Verdict::Resume
            | Verdict::Restored
            | Verdict::Quarantined
            | Verdict::Superseded
            | Verdict::Unknown
            | Verdict::BadCode) => verdict,
        };
        let goes_on = matches!(verdict, Verdict::Resume | Verdict::Restored);
        let membership = goes_on.then(|| {
            transcript::membership(&self.facts.membership, body.workshop, &body.public_key)
        });
        let welcome = WelcomeBody {
            verdict,
            lineage: session.lineage,
            position: session.position,
            orphans: session.orphans,
            membership,
            public_url: self.facts.public_url.clone(),
            pairing: code.map(|code| transcript::relay_proof(&code, &self.challenge, &body.nonce)),
        };
        let body_bytes = minicbor::to_vec(&welcome).expect("writing to memory cannot fail");
        let message = transcript::welcome_message(&self.challenge, hello, &body_bytes);
        let signature = self.facts.identity.sign(&message);
        self.send(Frame::Welcome(Signed {
            body: body_bytes,
            signature,
        }));
        match (goes_on, session.lineage) {
            (true, Some(lineage)) => {
                self.state = State::Open(Open {
                    fence: Fence {
                        workshop: body.workshop,
                        generation: lineage.generation,
                    },
                    confirmed: false,
                    up: false,
                    credit: 0,
                    sent: 0,
                    reading: false,
                    more: true,
                    anew: false,
                });
            }
            _ => self.end(End::Refused(verdict)),
        }
    }

    fn open_frame(&mut self, mut open: Open, frame: Frame) {
        let (fence, workshop) = (open.fence, open.fence.workshop);
        match frame {
            Frame::Granted if !open.confirmed => {
                open.confirmed = true;
                self.store(RelayOrder::Confirm(fence));
            }
            // Until the grant is stored at the box, a copy that was cut off there could not be told
            // from a clone.
            _ if !open.confirmed => return self.end(End::Protocol),
            Frame::Entries(entries) => self.store(RelayOrder::Append(fence, Box::new(entries))),
            Frame::Probe(probe) if probe.seqs.len() <= PROBE_POSITIONS_MAX => {
                self.store(RelayOrder::Chains(workshop, probe.seqs));
            }
            Frame::GiveBack(asked) => self.store(RelayOrder::GiveBack(workshop, asked)),
            Frame::Fork(fork) => self.store(RelayOrder::Fork(fence, fork.common)),
            Frame::Retain(retain) => {
                self.store(RelayOrder::Retain(fence, retain.line, retain.closed));
            }
            Frame::Watch(watch) => self.store(RelayOrder::Watch(fence, watch.alarm)),
            // Put off, not refused: it stays where it is.
            Frame::Refused(refused) if refused.why == "later" => {}
            Frame::Refused(refused) => {
                self.store(RelayOrder::Refuse(fence, refused.id, word(refused.why)));
            }
            Frame::Credit(posts) => {
                open.credit = open.credit.saturating_add(posts).min(POSTS_READ_MAX);
                pump(&mut open, &mut self.wishes);
            }
            Frame::Moment(moment) => self.tell(RelayNews::Moment(workshop, moment)),
            Frame::Granted
            | Frame::Probe(_)
            | Frame::Challenge(_)
            | Frame::Hello(_)
            | Frame::Welcome(_)
            | Frame::Applied(_)
            | Frame::Post(_)
            | Frame::Ping
            | Frame::Pong
            | Frame::Goaway(_)
            | Frame::Chains(_)
            | Frame::Given(_) => return self.end(End::Protocol),
        }
        self.state = State::Open(open);
    }

    fn open_answer(&mut self, mut open: Open, answer: RelayAnswer) {
        match answer {
            // The first order of an open session is to confirm it.
            RelayAnswer::Done if !open.up => {
                open.up = true;
                self.tell(RelayNews::Up(open.fence.workshop));
            }
            RelayAnswer::Done => {}
            RelayAnswer::Appended(Appended::Applied(position)) => {
                self.send(Frame::Applied(Applied {
                    position: Some(position),
                    rewind: false,
                }));
            }
            RelayAnswer::Appended(Appended::Rewind(position)) => {
                self.send(Frame::Applied(Applied {
                    position,
                    rewind: true,
                }));
            }
            RelayAnswer::Appended(Appended::Forged) => return self.end(End::Protocol),
            RelayAnswer::Chains(chains) => self.send(Frame::Chains(Chains { chains })),
            RelayAnswer::Given(given) => self.send(Frame::Given(*given)),
            RelayAnswer::Forked(position) => self.send(Frame::Applied(Applied {
                position,
                rewind: position.is_none(),
            })),
            RelayAnswer::Posts(posts) => {
                open.reading = false;
                open.more |= !posts.is_empty();
                for (place, post) in posts {
                    open.sent = open.sent.max(place);
                    open.credit = open.credit.saturating_sub(1);
                    self.send(Frame::Post(post));
                }
                if std::mem::take(&mut open.anew) {
                    open.sent = 0;
                    open.more = true;
                }
                pump(&mut open, &mut self.wishes);
            }
            RelayAnswer::Codes(_)
            | RelayAnswer::Session(_)
            | RelayAnswer::Fenced
            | RelayAnswer::Failed => return self.end(End::Protocol),
        }
        self.state = State::Open(open);
    }

    fn send(&mut self, frame: Frame) {
        self.wishes.push(RelayWish::Send(frame));
    }

    fn store(&mut self, order: RelayOrder) {
        self.wishes.push(RelayWish::Store(order));
    }

    fn tell(&mut self, news: RelayNews) {
        self.wishes.push(RelayWish::Tell(news));
    }

    fn end(&mut self, why: End) {
        self.state = State::Over;
        self.wishes.push(RelayWish::End(why));
    }
}

/// Reads on in the mailbox as far as the box takes posts.
fn pump(open: &mut Open, wishes: &mut Vec<RelayWish>) {
    if open.reading || !open.more || open.credit == 0 || !open.confirmed {
        return;
    }
    open.more = false;
    open.reading = true;
    wishes.push(RelayWish::Store(RelayOrder::Posts(
        open.fence.workshop,
        open.sent,
        open.credit.min(POSTS_READ_MAX),
    )));
}
