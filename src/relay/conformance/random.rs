//! Anything in any order: SQLite answers like the reference, to copies of boxes that go back in time,
//! send late and twice, fork below the line, and to a relay that is itself restored.

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;

use super::ops::{Op, PENS, op};
use super::pen::{Draft, NOW, Pen, device, event, given_back, granted, invite, log, post, thread};
use super::run;
use crate::domain::{Seq, WorkshopKey};
use crate::relay::memory::MemoryRelay;
use crate::relay::sqlite::SqliteRelay;
use crate::relay::store::{RelayStore, SessionAsked, Subscription, WorkshopLine, WorkshopState};
use crate::seal::Clear;

/// The two stores side by side, and the boxes.
struct World {
    reference: MemoryRelay,
    sqlite: SqliteRelay,
    backup: (MemoryRelay, SqliteRelay),
    pens: Vec<Pen>,
    turn: u64,
}

/// The same of both stores, which must answer the same.
macro_rules! both {
    ($world:expr, $store:ident => $asked:expr) => {{
        let $store = &$world.reference;
        let expected = $asked.await;
        let $store = &$world.sqlite;
        let answered = $asked.await;
        same(stringify!($asked), &answered, &expected);
        answered
    }};
}

/// Fails with where the two begin to differ; both may be long.
#[track_caller]
fn same(asked: &str, answered: &impl Debug, expected: &impl Debug) {
    let (answered, expected) = (format!("{answered:?}"), format!("{expected:?}"));
    if answered != expected {
        let both = answered.bytes().zip(expected.bytes());
        let at = both.take_while(|(one, other)| one == other).count();
        let from = at.saturating_sub(300);
        let around = |text: &str| text.chars().skip(from).take(600).collect::<String>();
        panic!(
            "{asked}\n  sqlite:    {}\n  reference: {}",
            around(&answered),
            around(&expected)
        );
    }
}

impl World {
    fn new() -> Self {
        let (reference, sqlite) = (MemoryRelay::new(), SqliteRelay::in_memory());
        Self {
            backup: (reference.copy(), sqlite.copy()),
            reference,
            sqlite,
            pens: (0..PENS).map(|at| Pen::new(1 + at as u64 / 3)).collect(),
            turn: 0,
        }
    }

    fn turn(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }

    async fn position(&self, workshop: WorkshopKey) -> usize {
        let state: Option<WorkshopState> = both!(self, store => store.state(workshop)).unwrap();
        let position = state.and_then(|state| state.position);
        position.map_or(0, |position| usize::try_from(position.seq.0).unwrap())
    }

    async fn act(&mut self, op: Op) {
        let turn = self.turn();
        match op {
            Op::Enter { pen, claim, days } => {
                let asked = SessionAsked {
                    claim,
                    now: NOW.plus_ms(days * 86_400_000),
                    ..self.pens[pen].asks(turn)
                };
                let session = both!(self, store => store.open_session(asked.clone())).unwrap();
                if session.lineage.is_some() {
                    self.pens[pen].lineage = session.lineage;
                    let fence = self.pens[pen].fence();
                    both!(self, store => store.confirm(fence)).unwrap();
                }
            }
            Op::EnterUnconfirmed { pen } => {
                let asked = self.pens[pen].asks(turn);
                let session = both!(self, store => store.open_session(asked.clone())).unwrap();
                self.pens[pen].lineage = session.lineage.or(self.pens[pen].lineage);
            }
            Op::Write {
                pen,
                first,
                count,
                thread: of,
            } => {
                for number in first..first + count {
                    self.write(pen, Draft::of(number, of.map(thread)));
                }
            }
            Op::Say {
                pen,
                number,
                clear,
                of,
            } => {
                let clear = match clear {
                    0 => granted(of % 4, vec![super::pen::wrap(invite(of % 4), 0, 1)]),
                    1 => Clear::Revoked {
                        invite: invite(of % 4),
                        wraps: vec![super::pen::wrap(invite((of + 1) % 4), 1, 2)],
                    },
                    _ => Clear::Erased { event: event(of) },
                };
                self.write(pen, Draft::message(number).saying(clear));
            }
            Op::Incarnate { pen } => self.pens[pen].log = log(turn),
            Op::Send { pen, off, count } => self.send(pen, off, count).await,
            Op::Prevail { pen, closed } => self.prevail(pen, closed).await,
            Op::Fork { pen, back, follow } => {
                let pen_of = &self.pens[pen];
                let here = self.position(pen_of.workshop).await;
                let at = here.min(pen_of.entries.len()).saturating_sub(back);
                let common = pen_of.position_at(at);
                if let Some(fence) = self.fence(pen) {
                    let _ = both!(self, store => store.fork(fence, common));
                }
                if follow {
                    self.pens[pen].fork(at, log(turn));
                }
            }
            Op::Copy { from, to } => self.pens[to] = self.pens[from].clone(),
            Op::Post { pen, number, of } => {
                let (workshop, post) = (self.pens[pen].workshop, post(number, invite(of)));
                let _ = both!(self, store => store.post(workshop, post.clone(), NOW));
            }
            Op::Refuse { pen, number } => {
                if let Some(fence) = self.fence(pen) {
                    let _ = both!(self, store => {
                        store.refuse_post(fence, event(number), "expired".into())
                    });
                }
            }
            Op::Retain { pen, back, closed } => {
                let here = self.position(self.pens[pen].workshop).await;
                let line = Seq(i64::try_from(here).unwrap() - back);
                let closed: Vec<_> = closed.into_iter().map(thread).collect();
                if let Some(fence) = self.fence(pen) {
                    let _ = both!(self, store => store.retain(fence, line, closed.clone()));
                }
            }
            Op::Trim { pen } => {
                let workshop = self.pens[pen].workshop;
                self.reference.trim(workshop, NOW).await.unwrap();
                self.sqlite.trim(workshop, NOW).await.unwrap();
            }
            Op::Subscribe { pen, endpoint, of } => {
                let workshop = self.pens[pen].workshop;
                let subscription = Subscription {
                    endpoint: endpoint.to_string(),
                    p256dh: vec![1; 65],
                    auth: vec![2; 16],
                    invite: invite(of),
                    device: device(1),
                    shown: false,
                };
                let _ = both!(self, store => {
                    store.subscribe(workshop, thread(1), subscription.clone())
                });
            }
            Op::Shown {
                endpoint,
                gone: false,
            } => {
                let _ = both!(self, store => store.shown(endpoint.to_string(), true));
            }
            Op::Shown {
                endpoint,
                gone: true,
            } => {
                let _ = both!(self, store => store.unsubscribe(endpoint.to_string()));
            }
            Op::Backup => self.backup = (self.reference.copy(), self.sqlite.copy()),
            Op::Restore => {
                self.reference = self.backup.0.copy();
                self.sqlite = self.backup.1.copy();
            }
        }
    }

    /// Forks at the last position that both have, sends the rest, and trims.
    async fn prevail(&mut self, pen: usize, closed: Vec<u64>) {
        let turn = self.turn();
        let asked = SessionAsked {
            claim: true,
            ..self.pens[pen].asks(turn)
        };
        let session = both!(self, store => store.open_session(asked.clone())).unwrap();
        self.pens[pen].lineage = session.lineage;
        let (shop, fence) = (self.pens[pen].workshop, self.pens[pen].fence());
        let seqs: Vec<_> = (0..=self.pens[pen].head().seq.0).map(Seq).collect();
        let chains = both!(self, store => store.chains(shop, seqs.clone())).unwrap();
        let pen_of = &self.pens[pen];
        let agree = |at: &usize| chains[*at] == Some(pen_of.position_at(*at).chain);
        let at = (0..chains.len()).rfind(agree).unwrap();
        let common = pen_of.position_at(at);
        let forked = both!(self, store => store.fork(fence, common)).unwrap();
        assert_eq!(forked, Some(common));
        if at < self.position(shop).await.max(self.pens[pen].entries.len()) {
            let rest = self.pens[pen].entries.split_off(at);
            self.pens[pen].log = log(turn);
            for (_, entry) in rest {
                let number = u64::from_be_bytes(entry.id.as_bytes()[8..].try_into().unwrap());
                self.write(pen, Draft::of(number, entry.thread));
            }
        }
        while self.position(shop).await < self.pens[pen].entries.len() {
            self.send(pen, 0, 64).await;
        }
        let line = self.pens[pen].head().seq;
        let closed: Vec<_> = closed.into_iter().map(thread).collect();
        both!(self, store => store.retain(fence, line, closed.clone())).unwrap();
        self.reference.trim(shop, NOW).await.unwrap();
        self.sqlite.trim(shop, NOW).await.unwrap();
    }

    fn write(&mut self, pen: usize, draft: Draft) {
        let pen = &mut self.pens[pen];
        if pen.entries.iter().all(|(_, entry)| entry.id != draft.id) {
            pen.write(draft);
        }
    }

    fn fence(&self, pen: usize) -> Option<crate::relay::store::Fence> {
        self.pens[pen].lineage.map(|_| self.pens[pen].fence())
    }

    async fn send(&mut self, pen: usize, off: i64, count: usize) {
        let here = self.position(self.pens[pen].workshop).await;
        let after = here.saturating_add_signed(isize::try_from(off).unwrap());
        let pen_of = &self.pens[pen];
        let Some((first, _)) = pen_of.entries.get(after) else {
            return;
        };
        let rest = pen_of.entries[after..].iter();
        let same = rest.take_while(|(log, _)| log == first).count();
        let batch = pen_of.batch(after, after + count.min(same));
        if let Some(fence) = self.fence(pen) {
            let _ = both!(self, store => store.append(fence, batch.clone()));
        }
    }

    /// Everything that can be read is the same, and what is given back verifies.
    async fn compare(&self) {
        let lines: Vec<WorkshopLine> = self.sqlite.workshops().await.unwrap();
        let expected = self.reference.workshops().await.unwrap();
        for (line, expected) in lines.iter().zip(&expected) {
            let bytes = line.bytes;
            assert_eq!(
                *line,
                WorkshopLine {
                    bytes,
                    ..expected.clone()
                }
            );
        }
        assert_eq!(lines.len(), expected.len());
        for pen in [&self.pens[0], &self.pens[PENS - 1]] {
            let shop = pen.workshop;
            let here = i64::try_from(self.position(shop).await).unwrap();
            let seqs: Vec<_> = (-1..here + 2).map(Seq).collect();
            both!(self, store => store.chains(shop, seqs.clone())).unwrap();
            for common in [0, here / 3, here - 1, here] {
                both!(self, store => given_back(store, pen, Seq(common)));
            }
            let ids: Vec<_> = (0..440).map(event).collect();
            both!(self, store => store.fate(shop, ids.clone())).unwrap();
            both!(self, store => store.posts_after(shop, 0, 1_000)).unwrap();
            for of in (0..3).map(thread) {
                both!(self, store => store.thread(shop, of, Seq(0), 1_000, 1 << 20)).unwrap();
                both!(self, store => store.thread(shop, of, Seq(here / 2), 9, 3_000)).unwrap();
                both!(self, store => store.subscriptions(shop, of, NOW)).unwrap();
            }
        }
        for link in (0..4).map(invite) {
            both!(self, store => store.invite(link)).unwrap();
            both!(self, store => store.wraps(link)).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn sqlite_answers_like_the_reference(ops in vec(op(), 1..150)) {
        run(async {
            let mut world = World::new();
            for op in ops {
                world.act(op).await;
            }
            world.compare().await;
        });
    }
}
