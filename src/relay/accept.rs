//! The relay's end of a link at work: one box's session from its first frame to its last.
//!
//! `sync::link::RelayEnd` decides; this carries frames, does what the machine wants done in the store,
//! one order after the other, and watches the line's silence.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_util::sync::CancellationToken;

use super::push::is_news;
use super::store::{Appended, RelayStore, RelayStoreError, Wake};
use crate::crash;
use crate::domain::WorkshopKey;
use crate::seal::SealedEntry;
use crate::sync::line::{Broken, LinkLine};
use crate::sync::link::{
    Beat, End, Pulse, RelayAnswer, RelayEnd, RelayFacts, RelayNews, RelayOrder, RelayWish,
};
use crate::wire::link::{Frame, Goaway, Moment};

/// A box says hello within this time.
const HELLO: Duration = Duration::from_secs(10);
/// Posts are looked for at least this often: hints may be lost. What the box put off is offered
/// again as often.
const POSTS_LOOK: Duration = Duration::from_secs(30);
/// That a box was heard of is noted at most this often.
const SEEN_EVERY: Duration = Duration::from_secs(60);
/// A restart spreads its boxes over so many milliseconds.
const RESTART_SPREAD_MS: u32 = 5_000;

/// What a session needs besides its socket.
pub struct Conversation<S> {
    /// What is kept.
    pub store: S,
    /// Who the relay is.
    pub facts: RelayFacts,
    /// Random: spreads pings and restarts.
    pub spread: u8,
    /// Moments of owners for the box of a workshop, once it is known which; closed when a newer
    /// session of the same box is on the line.
    pub moments: mpsc::Receiver<Moment>,
    /// Ends every session when the relay stops.
    pub shutdown: CancellationToken,
}

/// What the relay learns while a session goes on.
pub trait Listener: Send {
    /// A workshop's box is on the line, and stays there until the session is over.
    fn up(&mut self, workshop: WorkshopKey);
    /// Something of the moment for a thread's owner.
    fn moment(&mut self, workshop: WorkshopKey, moment: Moment);
    /// These of the entries that were just applied are worth a notification, in their order.
    fn applied(&mut self, workshop: WorkshopKey, news: Vec<SealedEntry>);
}

/// Talks with a box until the session is over, and says why it is.
pub async fn converse<T, S, L>(
    socket: WebSocketStream<T>,
    mut with: Conversation<S>,
    listener: &mut L,
) -> End
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: RelayStore,
    L: Listener,
{
    let mut session = Session::new(LinkLine::new(socket), &with);
    let end = loop {
        if let Some(end) = session.carry_out(listener) {
            break end;
        }
        if let Err(end) = session.next(&mut with, listener).await {
            break end;
        }
    };
    session.say_goodbye(&end);
    // Closing may take seconds; that the box is gone is known now.
    drop(with);
    session.line.close().await;
    end
}

struct Session<T, S> {
    line: LinkLine<T>,
    machine: RelayEnd,
    store: S,
    orders: VecDeque<RelayOrder>,
    wakes: broadcast::Receiver<Wake>,
    pulse: Pulse,
    began: Instant,
    look_at: Instant,
    seen_at: Instant,
    spread: u8,
}

impl<T, S> Session<T, S>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: RelayStore,
{
    fn new(line: LinkLine<T>, with: &Conversation<S>) -> Self {
        let began = Instant::now();
        Self {
            line,
            machine: RelayEnd::new(with.facts.clone()),
            store: with.store.clone(),
            orders: VecDeque::new(),
            // Before the first look, so that nothing falls between the two.
            wakes: with.store.wakes(),
            pulse: Pulse::new(0, with.spread),
            began,
            look_at: began + POSTS_LOOK,
            seen_at: began,
            spread: with.spread,
        }
    }

    /// Does what the machine wants; an end is its last wish.
    fn carry_out<L: Listener>(&mut self, listener: &mut L) -> Option<End> {
        for wish in self.machine.wishes() {
            match wish {
                RelayWish::Send(frame) => {
                    let is_welcome = matches!(frame, Frame::Welcome(_));
                    if let Err(broken) = self.line.send(frame) {
                        return Some(ended(broken));
                    }
                    if is_welcome {
                        crash::point("relay-welcome-sent");
                    }
                }
                RelayWish::Store(order) => self.orders.push_back(order),
                RelayWish::Tell(RelayNews::Up(workshop)) => listener.up(workshop),
                RelayWish::Tell(RelayNews::Moment(workshop, moment)) => {
                    listener.moment(workshop, moment);
                }
                RelayWish::End(end) => return Some(end),
            }
        }
        None
    }

    /// Waits for the next thing to happen and tells the machine.
    async fn next<L: Listener>(
        &mut self,
        with: &mut Conversation<S>,
        listener: &mut L,
    ) -> Result<(), End> {
        // While an order is carried out nothing else is looked at: answers keep their order, and a
        // box that sends faster than the disk takes is slowed down by its own line.
        if let Some(order) = self.orders.pop_front() {
            let answer = carry(&self.store, order, with, listener).await;
            self.machine.answer(answer);
            return Ok(());
        }
        let known = self.machine.workshop();
        let next_beat = self.began + Duration::from_millis(self.pulse.next_ms());
        let until = match known {
            Some(_) => next_beat.min(self.look_at),
            None => self.began + HELLO,
        };
        // Every arm is cancel-safe: frames, wakes and moments are taken whole or not at all.
        tokio::select! {
            received = self.line.receive() => {
                self.pulse.heard(self.now_ms());
                match received {
                    Ok(Some(frame)) => self.machine.frame(frame),
                    Ok(None) => {}
                    Err(broken) => return Err(ended(broken)),
                }
                self.note_seen().await;
            }
            wake = self.wakes.recv() => match wake {
                Ok(Wake::Posts(workshop)) if Some(workshop) == known => self.machine.posts_wait(),
                Err(broadcast::error::RecvError::Lagged(_)) => self.machine.posts_wait(),
                Err(broadcast::error::RecvError::Closed) => return Err(End::Store),
                Ok(
                    Wake::Posts(_)
                    | Wake::Thread(..)
                    | Wake::Workshop(_)
                    | Wake::Revoked(_)
                    | Wake::Refused(..),
                ) => {}
            },
            moment = with.moments.recv() => match moment {
                Some(moment) => self.machine.moment(moment),
                // It would be told at its next write; it may never write again.
                None => return Err(End::Fenced),
            },
            () = sleep_until(until) => return self.on_time(known),
            () = with.shutdown.cancelled() => {
                return Err(End::SentAway { reconnect_in_ms: 0, why: "restarting".into() });
            }
        }
        Ok(())
    }

    fn on_time(&mut self, known: Option<WorkshopKey>) -> Result<(), End> {
        if known.is_none() {
            return Err(End::Protocol);
        }
        if Instant::now() >= self.look_at {
            self.look_at = Instant::now() + POSTS_LOOK;
            self.machine.offer_again();
        }
        match self.pulse.beat(self.now_ms()) {
            Beat::Quiet => Ok(()),
            Beat::Ping => self.line.send(Frame::Ping).map_err(ended),
            Beat::Dead => Err(ended(Broken::Stuck)),
        }
    }

    async fn note_seen(&mut self) {
        if let Some(workshop) = self.machine.workshop()
            && Instant::now() >= self.seen_at
        {
            self.seen_at = Instant::now() + SEEN_EVERY;
            let now = crate::clock::Clock::system().now();
            if let Err(error) = self.store.seen(workshop, now).await {
                tracing::warn!(%workshop, %error, "that a box was heard of could not be noted");
            }
        }
    }

    /// Tells the box why, where it can do something with it.
    fn say_goodbye(&self, end: &End) {
        let goodbye = |why: &str, reconnect_in_ms| {
            Some(Frame::Goaway(Goaway {
                reconnect_in_ms,
                why: why.to_owned(),
            }))
        };
        let frame = match end {
            End::SentAway { why, .. } if why == "restarting" => {
                let spread = RESTART_SPREAD_MS * u32::from(self.spread) / 255;
                goodbye("restarting", spread)
            }
            End::Fenced => goodbye("fenced", 0),
            End::TooMany => goodbye("too_many", 0),
            End::Protocol => goodbye("protocol", 0),
            End::Version => goodbye("version", 0),
            End::Store => goodbye("storage", 0),
            End::SentAway { .. }
            | End::Refused(_)
            | End::OtherRelay
            | End::NotOurs
            | End::Closed
            | End::Silent
            | End::Garbage
            | End::Rewound => None,
        };
        if let Some(frame) = frame {
            let _ = self.line.send(frame);
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

const fn ended(broken: Broken) -> End {
    match broken {
        Broken::Closed => End::Closed,
        Broken::Garbage => End::Garbage,
        Broken::Stuck => End::Silent,
    }
}

/// Does one thing in the store.
async fn carry<S: RelayStore, L: Listener>(
    store: &S,
    order: RelayOrder,
    with: &Conversation<S>,
    listener: &mut L,
) -> RelayAnswer {
    let done = match order {
        RelayOrder::Codes => store.codes(with.facts.now).await.map(RelayAnswer::Codes),
        RelayOrder::Open(asked) => {
            let opened = store.open_session(*asked).await;
            crash::point("relay-session-opened");
            opened.map(RelayAnswer::Session)
        }
        RelayOrder::Confirm(fence) => store.confirm(fence).await.map(|()| RelayAnswer::Done),
        RelayOrder::Append(fence, entries) => {
            let news = entries.entries.iter().filter(|entry| is_news(entry));
            let news: Vec<_> = news.cloned().collect();
            let applied = store.append(fence, *entries).await;
            crash::point("relay-applied");
            if matches!(applied, Ok(Appended::Applied(_))) && !news.is_empty() {
                listener.applied(fence.workshop, news);
            }
            applied.map(RelayAnswer::Appended)
        }
        RelayOrder::Chains(workshop, seqs) => {
            store.chains(workshop, seqs).await.map(RelayAnswer::Chains)
        }
        RelayOrder::GiveBack(workshop, asked) => {
            let given = store.give_back(workshop, asked).await;
            given.map(|given| RelayAnswer::Given(Box::new(given)))
        }
        RelayOrder::Fork(fence, common) => {
            let forked = store.fork(fence, common).await;
            crash::point("relay-forked");
            forked.map(RelayAnswer::Forked)
        }
        RelayOrder::Retain(fence, line, closed) => {
            let noted = store.retain(fence, line, closed).await;
            noted.map(|()| RelayAnswer::Done)
        }
        RelayOrder::Watch(fence, alarm) => {
            let noted = store.set_alarm(fence, alarm).await;
            noted.map(|()| RelayAnswer::Done)
        }
        RelayOrder::Posts(workshop, after, limit) => {
            let posts = store.posts_after(workshop, after, limit).await;
            posts.map(RelayAnswer::Posts)
        }
        RelayOrder::Refuse(fence, id, why) => {
            let refused = store.refuse_post(fence, id, why).await;
            refused.map(|()| RelayAnswer::Done)
        }
    };
    done.unwrap_or_else(|error| match error {
        RelayStoreError::Fenced => RelayAnswer::Fenced,
        RelayStoreError::Full | RelayStoreError::Failed(_) => {
            tracing::error!(%error, "a box's session ends: the store failed");
            RelayAnswer::Failed
        }
    })
}
