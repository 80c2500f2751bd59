//! One session over a network that may lose it at any moment.

use std::collections::VecDeque;

use futures_util::FutureExt;

use super::chance::Random;
use super::world::Machine;
use crate::commands::{AcceptPost, Accepted};
use crate::relay::alarm::AlarmStore;
use crate::relay::sqlite::SqliteRelay;
use crate::relay::store::{Kept, RelayStore, RelayStoreError};
use crate::seal::Position;
use crate::store::link;
use crate::store::link::adopt::{self, Staged};
use crate::store::memory::MemoryStore;
use crate::store::{CommandError, CommandResult, StoreError};
use crate::sync::dial::orders::told_short;
use crate::sync::link::{
    BoxAnswer, BoxEnd, BoxNews, BoxOrder, BoxWish, End, PostFate, RelayAnswer, RelayEnd,
    RelayOrder, RelayWish, SealedPostFate,
};
use crate::wire::link::{Entries, Frame};

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nobody has anything more to say.
    Quiet,
    /// The network lost it.
    Cut,
    /// An end gave it up.
    Ended(End),
}

/// Both ends and what is under way between them.
pub(super) struct Line<'w> {
    pub(super) store: &'w MemoryStore,
    pub(super) relay: &'w SqliteRelay,
    pub(super) bx: BoxEnd,
    pub(super) rl: RelayEnd,
    to_box: VecDeque<Frame>,
    to_relay: VecDeque<Frame>,
    pub(super) merges: u64,
    pub(super) doubled: u64,
}

/// A relay's end that does not know yet that its box is gone, with what was under way to it.
pub(super) struct Ghost {
    rl: RelayEnd,
    to_relay: VecDeque<Frame>,
}

impl<'w> Line<'w> {
    pub(super) fn new(machine: Machine, store: &'w MemoryStore, relay: &'w SqliteRelay) -> Self {
        Self {
            store,
            relay,
            bx: machine.bx,
            rl: machine.rl,
            to_box: VecDeque::new(),
            to_relay: VecDeque::new(),
            merges: 0,
            doubled: 0,
        }
    }

    /// Runs until nobody has anything to say, somebody gives up, or the network loses it.
    pub(super) fn run(&mut self, random: &mut Random, cut: f64) -> Outcome {
        loop {
            if let Some(outcome) = self.box_wishes(random, cut) {
                return outcome;
            }
            let relay_ended = match relay_wishes(&mut self.rl, self.relay, |frame| {
                self.to_box.push_back(frame);
                random.chance(cut)
            }) {
                Ok(ended) => ended,
                Err(()) => return Outcome::Cut,
            };
            if random.chance(cut) {
                return Outcome::Cut;
            }
            let from_box = random.chance(0.5);
            let (frame, is_to_relay) = match (self.to_relay.len(), self.to_box.len()) {
                (0, 0) => match relay_ended {
                    Some(end) => return Outcome::Ended(end),
                    None => return Outcome::Quiet,
                },
                (0, _) => (self.to_box.pop_front(), false),
                (_, 0) => (self.to_relay.pop_front(), true),
                _ if from_box => (self.to_relay.pop_front(), true),
                _ => (self.to_box.pop_front(), false),
            };
            let Some(frame) = frame else { continue };
            let again = matches!(frame, Frame::Entries(_) | Frame::Post(_)) && random.chance(0.15);
            self.doubled += u64::from(again);
            for frame in std::iter::once(frame.clone()).chain(again.then_some(frame)) {
                if is_to_relay {
                    self.rl.frame(frame);
                } else {
                    self.bx.frame(frame);
                }
            }
        }
    }

    /// Does what the box's end wants, until it wants nothing more.
    fn box_wishes(&mut self, random: &mut Random, cut: f64) -> Option<Outcome> {
        loop {
            let wishes = self.bx.wishes();
            if wishes.is_empty() {
                return None;
            }
            for wish in wishes {
                match wish {
                    BoxWish::Send(frame) => self.to_relay.push_back(frame),
                    BoxWish::Tell(BoxNews::Merged(_)) => self.merges += 1,
                    BoxWish::Tell(_) => {}
                    BoxWish::End(end) => return Some(Outcome::Ended(end)),
                    BoxWish::Store(order) => {
                        if random.chance(cut) {
                            return Some(Outcome::Cut);
                        }
                        let answer = carry(self.store, order, random);
                        // Committed, and gone before it is known.
                        if random.chance(cut) {
                            return Some(Outcome::Cut);
                        }
                        if let Some(answer) = answer {
                            self.bx.answer(answer);
                        }
                    }
                }
            }
        }
    }

    /// What is left of a session that was cut: the relay may not notice for a minute.
    pub(super) fn into_ghost(self) -> Ghost {
        Ghost {
            rl: self.rl,
            to_relay: self.to_relay,
        }
    }
}

impl Ghost {
    /// What was under way arrives after all.
    pub(super) fn arrive(mut self, relay: &SqliteRelay) {
        loop {
            let ended = relay_wishes(&mut self.rl, relay, |_| false);
            match (ended, self.to_relay.pop_front()) {
                (Ok(None), Some(frame)) => self.rl.frame(frame),
                _ => return,
            }
        }
    }
}

/// Does what the relay's end wants; `Err` where the network lost it in between.
fn relay_wishes(
    rl: &mut RelayEnd,
    relay: &SqliteRelay,
    mut send: impl FnMut(Frame) -> bool,
) -> Result<Option<End>, ()> {
    loop {
        let wishes = rl.wishes();
        if wishes.is_empty() {
            return Ok(None);
        }
        for wish in wishes {
            match wish {
                RelayWish::Send(frame) => {
                    if send(frame) {
                        return Err(());
                    }
                }
                RelayWish::Tell(_) => {}
                RelayWish::End(end) => return Ok(Some(end)),
                RelayWish::Store(order) => {
                    let answer = carry_relay(relay, order);
                    rl.answer(answer);
                }
            }
        }
    }
}

fn carry(store: &MemoryStore, order: BoxOrder, random: &mut Random) -> Option<BoxAnswer> {
    let done = |done: CommandResult<BoxAnswer>| done.expect("a store in memory does not fail");
    Some(match order {
        BoxOrder::Grant(grant) => done(store.write(|tx| {
            link::granted(
                tx,
                &grant.lineage,
                grant.membership.as_deref(),
                &grant.relay,
                &grant.public_url,
            )?;
            Ok(BoxAnswer::Done)
        })),
        BoxOrder::Refused(verdict) => {
            store.write(|tx| link::refused(tx, verdict)).unwrap();
            return None;
        }
        BoxOrder::Chains(seqs) => {
            let chains = store.read(|view| link::chains(view, &seqs));
            BoxAnswer::Chains(chains.unwrap())
        }
        BoxOrder::Clear => done(store.write(|tx| {
            adopt::clear(tx)?;
            Ok(BoxAnswer::Done)
        })),
        BoxOrder::Stage(given) => done(store.write(|tx| {
            Ok(match adopt::stage(tx, &given)? {
                Staged::Taken => BoxAnswer::Done,
                Staged::NotOurs(why) => panic!("our own relay gave back what is not ours: {why}"),
            })
        })),
        BoxOrder::Adopt { common, relay_head } => done(store.write(|tx| {
            let adopted = adopt::finish(tx, common, relay_head)?;
            Ok(BoxAnswer::Adopted(told_short(&adopted)))
        })),
        BoxOrder::Batch(after) => {
            let batch = store.read(|view| link::batch_after(view, after)).unwrap();
            BoxAnswer::Batch(batch.map(|batch| Box::new(shortened(store, batch, random))))
        }
        BoxOrder::Applied(position) => {
            store.write(|tx| link::applied(tx, position)).unwrap();
            return None;
        }
        BoxOrder::Accept(post) => {
            let id = post.id;
            let fate = match store.write(|tx| AcceptPost { post: *post }.run(tx)) {
                Ok(Accepted::Journalled { .. } | Accepted::Known) => PostFate::InJournal,
                Ok(Accepted::Unauthentic(why)) => PostFate::NotAuthentic(why),
                Ok(Accepted::Later(_)) => PostFate::Later,
                Err(CommandError::Store(StoreError::Full)) => PostFate::Later,
                Err(error) => panic!("{error}"),
            };
            BoxAnswer::Post(SealedPostFate { id, fate })
        }
    })
}

/// At most four entries, so that a few make many batches.
fn shortened(store: &MemoryStore, mut batch: Entries, random: &mut Random) -> Entries {
    let length = 1 + usize::try_from(random.below(4)).unwrap();
    if batch.entries.len() > length {
        batch.entries.truncate(length);
        let last = batch.entries.last().unwrap();
        let head = Position {
            log: batch.log,
            seq: last.seq,
            chain: last.chain,
        };
        batch.head = link::sign(store.keys(), head);
    }
    batch
}

fn carry_relay(relay: &SqliteRelay, order: RelayOrder) -> RelayAnswer {
    let answer = match order {
        RelayOrder::Codes => now(relay.codes(super::world::NOW)).map(RelayAnswer::Codes),
        RelayOrder::Open(asked) => now(relay.open_session(*asked)).map(RelayAnswer::Session),
        RelayOrder::Confirm(fence) => now(relay.confirm(fence)).map(|()| RelayAnswer::Done),
        RelayOrder::Append(fence, entries) => {
            now(relay.append(fence, *entries)).map(RelayAnswer::Appended)
        }
        RelayOrder::Chains(workshop, seqs) => {
            now(relay.chains(workshop, seqs)).map(RelayAnswer::Chains)
        }
        RelayOrder::GiveBack(workshop, asked) => {
            now(relay.give_back(workshop, asked)).map(|given| RelayAnswer::Given(Box::new(given)))
        }
        RelayOrder::Fork(fence, common) => now(relay.fork(fence, common)).map(RelayAnswer::Forked),
        RelayOrder::Retain(fence, line, closed) => {
            now(relay.retain(fence, line, closed)).map(|()| RelayAnswer::Done)
        }
        RelayOrder::Watch(fence, alarm) => {
            now(relay.set_alarm(fence, alarm)).map(|()| RelayAnswer::Done)
        }
        RelayOrder::Posts(workshop, after, limit) => {
            now(relay.posts_after(workshop, after, limit)).map(RelayAnswer::Posts)
        }
        RelayOrder::Refuse(fence, id, why) => {
            now(relay.refuse_post(fence, id, why)).map(|()| RelayAnswer::Done)
        }
    };
    match answer {
        Ok(answer) => answer,
        Err(RelayStoreError::Fenced) => RelayAnswer::Fenced,
        Err(error) => panic!("{error}"),
    }
}

/// A store in memory answers at once.
pub(super) fn now<T>(future: impl Future<Output = Kept<T>>) -> Kept<T> {
    future
        .now_or_never()
        .expect("a store in memory answers at once")
}
