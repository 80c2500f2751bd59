//! One session with the relay, from the open line to its end.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::moments;
use super::orders::{self, UnderWay};
use super::report::Reporter;
use super::retention;
use crate::commands::PostTurns;
use crate::domain::LinkState;
use crate::hub::{LinkBoard, StaffMoment};
use crate::store::Store;
use crate::sync::line::{Broken, LinkLine};
use crate::sync::link::{Beat, BoxEnd, BoxNews, BoxOrder, BoxWish, End, Pulse};
use crate::wire::link::{Frame, Goaway};

/// The relay answers what it was sent within this time, or the line is dead although it pings.
const PROGRESS: Duration = Duration::from_secs(20);
/// The relay is told what it may trim this often.
const RETAIN_EVERY: Duration = Duration::from_secs(3_600);

/// What a session works with.
pub(super) struct With<'a> {
    pub(super) store: &'a Store,
    pub(super) board: &'a LinkBoard,
    pub(super) reporter: &'a mut Reporter,
    /// Changes whenever the journal has grown.
    pub(super) grown: &'a mut watch::Receiver<u64>,
    /// Changes when settings do: the session is over then.
    pub(super) settings: &'a mut watch::Receiver<u64>,
    pub(super) shutdown: &'a CancellationToken,
    /// Random: spreads pings.
    pub(super) spread: u8,
}

/// How a session went.
pub(super) struct Went {
    /// Why it is over; none: because settings changed or the box stops.
    pub(super) end: Option<End>,
    /// Whether the relay acknowledged something.
    pub(super) applied: bool,
}

/// Talks with the relay until the session is over.
pub(super) async fn talk<T>(line: LinkLine<T>, machine: BoxEnd, with: With<'_>) -> Went
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let now = Instant::now();
    let staff = with.board.staff_moments();
    let mut session = Session {
        pulse: Pulse::new(0, with.spread),
        line,
        machine,
        with,
        orders: FuturesOrdered::new(),
        turns: PostTurns::default(),
        staff,
        began: now,
        progress: now,
        retain_at: now,
        applied: false,
    };
    let end = loop {
        if let Some(end) = session.carry_out().await {
            break Some(end);
        }
        match session.next().await {
            Ok(true) => {}
            Ok(false) => break None,
            Err(end) => break Some(end),
        }
    };
    let applied = session.applied;
    session.leave(end.as_ref()).await;
    Went { end, applied }
}

struct Session<'a, T> {
    line: LinkLine<T>,
    machine: BoxEnd,
    with: With<'a>,
    orders: FuturesOrdered<UnderWay>,
    /// Keeps each phone's posts in order.
    turns: PostTurns,
    staff: broadcast::Receiver<StaffMoment>,
    pulse: Pulse,
    began: Instant,
    progress: Instant,
    retain_at: Instant,
    applied: bool,
}

impl<T> Session<'_, T>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// Does what the machine wants; an end is its last wish.
    async fn carry_out(&mut self) -> Option<End> {
        for wish in self.machine.wishes() {
            match wish {
                BoxWish::Send(frame) => {
                    if let Err(broken) = self.line.send(frame) {
                        return Some(ended(broken));
                    }
                }
                BoxWish::Store(order) => {
                    if let BoxOrder::Grant(grant) = &order {
                        self.with.reporter.public_url(grant.public_url.clone());
                    }
                    let begun = orders::begin(self.with.store, self.with.board, &self.turns, order);
                    self.orders.push_back(begun);
                }
                BoxWish::Tell(news) => self.tell(news).await,
                BoxWish::End(end) => {
                    // What was begun is finished: that the relay said no must be remembered.
                    while self.orders.next().await.is_some() {}
                    return Some(end);
                }
            }
        }
        None
    }

    async fn tell(&mut self, news: BoxNews) {
        match news {
            BoxNews::Online => {
                self.with.reporter.stands(LinkState::Online).await;
                if let Some(watch) = retention::watch(self.with.store).await {
                    self.machine.watch(watch);
                }
                for moment in moments::staffed(self.with.store, self.with.board).await {
                    self.machine.moment(moment);
                }
            }
            BoxNews::Progress => self.applied = true,
            BoxNews::Merged(adopted) => {
                tracing::warn!(?adopted, "two copies of the journal were brought together");
                self.with.reporter.numbers().await;
            }
            BoxNews::Moment(moment) => {
                moments::from_relay(self.with.store, self.with.board, &moment).await;
            }
            BoxNews::BadPost(why) => {
                tracing::warn!(why, "the relay handed over what no owner wrote");
                self.with.reporter.bad_post();
            }
        }
    }

    /// Waits for the next thing to happen and tells the machine; `false`: leave.
    async fn next(&mut self) -> Result<bool, End> {
        let mut until = self.began + Duration::from_millis(self.pulse.next_ms());
        if self.machine.awaits_relay() {
            until = until.min(self.progress + PROGRESS);
        }
        if self.machine.is_live() {
            until = until.min(self.retain_at);
        }
        let numbers_due = self.with.reporter.due();
        let has_orders = !self.orders.is_empty();
        // Every arm is cancel-safe: frames, answers and hints are taken whole or not at all, and orders
        // under way stay where they are.
        tokio::select! {
            received = self.line.receive() => {
                self.pulse.heard(self.now_ms());
                match received {
                    Ok(Some(frame)) => {
                        if !matches!(frame, Frame::Ping | Frame::Pong | Frame::Moment(_)) {
                            self.progress = Instant::now();
                        }
                        self.machine.frame(frame);
                    }
                    Ok(None) => {}
                    Err(broken) => return Err(ended(broken)),
                }
            }
            Some(answer) = self.orders.next(), if has_orders => {
                // What waits may be less now.
                self.with.reporter.is_stale();
                if let Some(answer) = answer {
                    // From here on it is the relay's turn.
                    self.progress = Instant::now();
                    self.machine.answer(answer);
                }
            }
            changed = self.with.grown.changed() => {
                if changed.is_err() {
                    return Ok(false);
                }
                self.machine.grown();
                self.with.reporter.is_stale();
            }
            moment = self.staff.recv() => match moment {
                Ok(moment) => {
                    let moment = moments::from_staff(self.with.store, moment).await;
                    if let Some(moment) = moment {
                        self.machine.moment(moment);
                    }
                }
                // Of the moment: the next one says how it is.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(false),
            },
            () = sleep_until(numbers_due), if self.with.reporter.is_behind() => {
                self.with.reporter.numbers().await;
            }
            () = sleep_until(until) => self.on_time().await?,
            changed = self.with.settings.changed() => {
                let _ = changed;
                return Ok(false);
            }
            () = self.with.shutdown.cancelled() => return Ok(false),
        }
        Ok(true)
    }

    async fn on_time(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if self.machine.awaits_relay() && now >= self.progress + PROGRESS {
            return Err(End::Silent);
        }
        if self.machine.is_live() && now >= self.retain_at {
            self.retain_at = now + RETAIN_EVERY;
            if let Some(retain) = retention::retain(self.with.store).await {
                self.machine.retain(retain);
            }
        }
        match self.pulse.beat(self.now_ms()) {
            Beat::Quiet => Ok(()),
            Beat::Ping => self.line.send(Frame::Ping).map_err(ended),
            Beat::Dead => Err(End::Silent),
        }
    }

    /// Says why we leave, where the relay can do something with it.
    async fn leave(self, end: Option<&End>) {
        let why = match end {
            None => Some("leaving"),
            Some(End::NotOurs) => Some("not_ours"),
            Some(End::TooMany) => Some("too_many"),
            Some(End::Protocol) => Some("protocol"),
            Some(End::Store) => Some("storage"),
            Some(
                End::Version
                | End::OtherRelay
                | End::Refused(_)
                | End::Rewound
                | End::Fenced
                | End::Closed
                | End::Silent
                | End::Garbage
                | End::SentAway { .. },
            ) => None,
        };
        if let Some(why) = why {
            let _ = self.line.send(Frame::Goaway(Goaway {
                reconnect_in_ms: 0,
                why: why.to_owned(),
            }));
        }
        self.line.close().await;
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
