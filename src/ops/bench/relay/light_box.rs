//! A box without a disk: the real end of the link with keys of its own, and a journal of one entry
//! for each link that it gave out.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::crowd::Client;
use super::page::OwnersLink;
use super::served::{Relay, socket};
use crate::clock::Clock;
use crate::domain::{EventId, InviteId, LogId, RequestKey, Seq, WorkshopKey};
use crate::seal::{
    self, Chain, Clear, InviteSecret, LINK_KEY_PURPOSE, Lineage, Position, RootSecret, STAFF_ONLY,
    SealContext, SealedEntry, SignedHead, SigningKey, Wrap, auth_sha, body_sha, staff_key,
    thread_key,
};
use crate::sync::line::{LinkLine, socket_config};
use crate::sync::link::handshake::membership;
use crate::sync::link::{BoxAnswer, BoxEnd, BoxFacts, BoxNews, BoxOrder, BoxWish};
use crate::wire::link::{BATCH_ENTRIES_MAX, Entries, Incarnation, LINK_PROTOCOL};

/// How long its links are good for, in milliseconds: a day.
const LINK_LIFE_MS: i64 = 24 * 3_600 * 1_000;
/// Events are granted at a relay as this.
const KIND: &str = "invite_granted";

/// A box that was let in by a relay's own proof.
pub(super) struct LightBox {
    number: usize,
    relay: SocketAddr,
    workshop: WorkshopKey,
    root: RootSecret,
    key: Arc<SigningKey>,
    membership: Vec<u8>,
    lineage: Option<Lineage>,
    log: LogId,
    entries: Vec<SealedEntry>,
}

impl LightBox {
    pub(super) fn new(relay: &Relay, number: usize) -> anyhow::Result<Self> {
        let root = RootSecret::from_bytes(random()?);
        let key = SigningKey::derive(&root, LINK_KEY_PURPOSE);
        let workshop = WorkshopKey::new(Uuid::now_v7());
        let proof = membership(&relay.secrets()?.membership(), workshop, &key.public_key());
        Ok(Self {
            number,
            relay: relay.address,
            workshop,
            root,
            key: Arc::new(key),
            membership: proof,
            lineage: None,
            log: LogId::new(Uuid::now_v7()),
            entries: Vec::new(),
        })
    }

    /// Journals a link to a thread of its own.
    pub(super) fn give_out(&mut self, number: usize) -> OwnersLink {
        let thread = RequestKey::new(Uuid::now_v7());
        let invite = InviteId::new(Uuid::now_v7());
        let secret = InviteSecret::derive(&self.root, *invite.as_bytes());
        let epoch = 0;
        let key = thread_key(&self.root, *thread.as_bytes(), epoch);
        let id = EventId::new(Uuid::now_v7());
        let context = SealContext {
            workshop: *self.workshop.as_bytes(),
            thread: Some(*thread.as_bytes()),
            event: *id.as_bytes(),
            kind: KIND,
        };
        let now = Clock::system().now();
        let plain = seal::plain(now.0, seal::BOX_AUTHOR, invite.to_string().as_bytes());
        let body = seal::seal(&staff_key(&self.root), &context, &plain);
        let before = self.position(self.entries.len());
        let mut entry = SealedEntry {
            seq: Seq(before.seq.0 + 1),
            id,
            thread: Some(thread),
            kind: KIND.to_owned(),
            flags: STAFF_ONLY,
            epoch,
            body_sha: body_sha(&body),
            chain: before.chain,
            body: Some(body),
            clear: Some(Clear::Granted {
                invite,
                auth_sha: auth_sha(&secret.auth()),
                expires_ms: now.0 + LINK_LIFE_MS,
                wraps: vec![Wrap {
                    invite,
                    epoch,
                    wrapped: secret.wrap(&key, *invite.as_bytes(), epoch),
                }],
            }),
        };
        entry.chain = before.chain.next(&entry.link(self.log));
        self.entries.push(entry);
        OwnersLink {
            relay: self.relay,
            number,
            invite,
            secret,
        }
    }

    fn position(&self, entries: usize) -> Position {
        let last = entries.checked_sub(1).and_then(|at| self.entries.get(at));
        Position {
            log: self.log,
            seq: last.map_or(Seq(0), |entry| entry.seq),
            chain: last.map_or(Chain::GENESIS, |entry| entry.chain),
        }
    }

    fn facts(&self) -> BoxFacts {
        BoxFacts {
            head: self.position(self.entries.len()),
            history: vec![Incarnation {
                log: self.log,
                first: Seq(1),
            }],
            lineage: self.lineage,
            membership: Some(self.membership.clone()),
            relay: None,
            code: None,
            claim: false,
            doors: Vec::new(),
        }
    }

    /// Entries after a position that are not longer than a frame may be.
    fn batch(&self, after: Seq) -> anyhow::Result<Option<Box<Entries>>> {
        let begin = usize::try_from(after.0)?;
        let end = self.entries.len().min(begin + BATCH_ENTRIES_MAX);
        let entries = self.entries.get(begin..end).unwrap_or_default().to_vec();
        Ok((!entries.is_empty()).then(|| {
            Box::new(Entries {
                prev: self.position(begin),
                log: self.log,
                entries,
                head: SignedHead::sign(&self.key, self.position(end)),
            })
        }))
    }

    /// Does what the machine wants of a store; what it waits for is answered.
    fn answer(&mut self, order: BoxOrder) -> anyhow::Result<Option<BoxAnswer>> {
        Ok(match order {
            BoxOrder::Grant(grant) => {
                self.lineage = Some(grant.lineage);
                Some(BoxAnswer::Done)
            }
            BoxOrder::Batch(after) => Some(BoxAnswer::Batch(self.batch(after)?)),
            BoxOrder::Chains(seqs) => {
                let chain = |seq: Seq| usize::try_from(seq.0).map(|at| self.position(at).chain);
                let chains: Result<Vec<_>, _> = seqs.into_iter().map(chain).collect();
                Some(BoxAnswer::Chains(chains?.into_iter().map(Some).collect()))
            }
            BoxOrder::Applied(_) => None,
            BoxOrder::Refused(_)
            | BoxOrder::Clear
            | BoxOrder::Stage(_)
            | BoxOrder::Adopt { .. }
            | BoxOrder::Accept(_) => anyhow::bail!("a relay asked an idle box for {order:?}"),
        })
    }

    /// Carries out what the machine wants; true once the relay has the whole journal.
    fn carry_out(
        &mut self,
        machine: &mut BoxEnd,
        line: &LinkLine<TcpStream>,
    ) -> anyhow::Result<bool> {
        let (mut is_whole, head) = (false, self.position(self.entries.len()).seq);
        let mut answers = VecDeque::new();
        loop {
            for wish in machine.wishes() {
                match wish {
                    BoxWish::Send(frame) => {
                        line.send(frame)
                            .map_err(|broken| anyhow::anyhow!("a link broke: {broken:?}"))?;
                    }
                    BoxWish::Store(order) => {
                        if let BoxOrder::Applied(position) = &order {
                            is_whole |= position.seq >= head;
                        }
                        answers.extend(self.answer(order)?);
                    }
                    BoxWish::Tell(
                        BoxNews::Online
                        | BoxNews::Progress
                        | BoxNews::Merged(_)
                        | BoxNews::Moment(_)
                        | BoxNews::BadPost(_),
                    ) => {}
                    BoxWish::End(end) => anyhow::bail!("a link ended: {end:?}"),
                }
            }
            let Some(answer) = answers.pop_front() else {
                return Ok(is_whole);
            };
            machine.answer(answer);
        }
    }
}

impl Client for LightBox {
    async fn stay(
        mut self,
        coming: OwnedSemaphorePermit,
        leave: CancellationToken,
    ) -> anyhow::Result<Self> {
        let config = socket_config();
        let socket = socket(self.relay, self.number, "/link/", LINK_PROTOCOL, config).await?;
        let mut line = LinkLine::new(socket);
        let key = Arc::clone(&self.key);
        let mut machine = BoxEnd::new(self.workshop, key, self.facts(), random()?);
        let mut coming = Some(coming);
        loop {
            if self.carry_out(&mut machine, &line)? {
                coming.take();
            }
            // Cancel-safe: a frame is taken whole or not at all.
            tokio::select! {
                frame = line.receive() => {
                    let frame = frame.map_err(|broken| anyhow::anyhow!("a link broke: {broken:?}"))?;
                    if let Some(frame) = frame {
                        machine.frame(frame);
                    }
                }
                () = leave.cancelled() => break,
            }
        }
        line.close().await;
        Ok(self)
    }
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| anyhow::anyhow!("the system has no randomness"))?;
    Ok(bytes)
}
