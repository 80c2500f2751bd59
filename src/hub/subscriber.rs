//! One socket's place in the hub: a bounded queue of frames, and how it learns that it was cut.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::domain::{Actor, PersonId, Seq, SessionId, Side};

/// Frames that a reader may fall behind before it is cut (`wire.md` §6).
pub const QUEUE_FRAMES_MAX: usize = 256;
/// Bytes that a reader may fall behind before it is cut (`wire.md` §6).
pub const QUEUE_BYTES_MAX: usize = 1 << 20;

/// Which contract a socket speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// The original contract: message objects and nothing else (`wire.md` §2, §3).
    Original,
    /// Typed frames (`wire.md` §6).
    V1,
}

/// Whose socket it is.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The person, as they were when they connected.
    pub actor: Actor,
    /// The sign-in that the socket came from.
    pub session: Option<SessionId>,
    /// Which contract it speaks.
    pub dialect: Dialect,
}

/// Why a socket is to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// It does not take what is sent to it; it may come back at once and resume.
    TooSlow,
    /// The sign-in that it came from is over.
    SignedOut,
    /// Copies of the journal were brought together: come back at once and read anew.
    StartOver,
}

/// What a socket has to do next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// Send this. It stands at `seq` in the journal, or nowhere when it is only of the moment.
    Frame {
        /// Where it stands.
        seq: Option<Seq>,
        /// The frame.
        text: Utf8Bytes,
    },
    /// Numbers may have changed: count again.
    Recount,
    /// The relay has the journal up to here.
    Delivered(Seq),
    /// The link stands differently: look again.
    Link,
    /// Close.
    Cut(Cut),
}

/// One socket, as the hub sees it.
#[derive(Debug)]
pub struct Subscriber {
    pub(super) id: u64,
    pub(super) listener: Listener,
    queue: Mutex<Queue>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<(Option<Seq>, Utf8Bytes)>,
    bytes: usize,
    recount: bool,
    delivered: Option<Seq>,
    link: bool,
    cut: Option<Cut>,
}

impl Subscriber {
    pub(super) fn new(id: u64, listener: Listener) -> Self {
        Self {
            id,
            listener,
            queue: Mutex::default(),
            wake: Notify::new(),
        }
    }

    pub(super) const fn person(&self) -> PersonId {
        self.listener.actor.id
    }

    pub(super) const fn side(&self) -> Side {
        self.listener.actor.side()
    }

    /// Queues a frame, or cuts a reader that is too far behind.
    pub(super) fn push(&self, seq: Option<Seq>, text: Utf8Bytes) {
        let mut queue = self.queue();
        if queue.cut.is_some() {
            return;
        }
        if queue.frames.len() >= QUEUE_FRAMES_MAX || queue.bytes + text.len() > QUEUE_BYTES_MAX {
            queue.cut_off(Cut::TooSlow);
        } else {
            queue.bytes += text.len();
            queue.frames.push_back((seq, text));
        }
        drop(queue);
        self.wake.notify_one();
    }

    pub(super) fn recount(&self) {
        self.queue().recount = true;
        self.wake.notify_one();
    }

    /// Whether the socket learns how the link stands: staff's, where frames have types.
    pub fn is_told_of_link(&self) -> bool {
        self.side() == Side::Workshop && self.listener.dialect == Dialect::V1
    }

    /// However fast the relay takes the journal, only the newest position waits here.
    pub(super) fn delivered(&self, up_to: Seq) {
        self.queue().delivered = Some(up_to);
        self.wake.notify_one();
    }

    pub(super) fn look_at_link(&self) {
        self.queue().link = true;
        self.wake.notify_one();
    }

    pub(super) fn cut(&self, why: Cut) {
        self.queue().cut_off(why);
        self.wake.notify_one();
    }

    /// Whether the socket is to be closed, whatever is still queued.
    pub fn is_cut(&self) -> Option<Cut> {
        self.queue().cut
    }

    /// The next thing to do, if there is one already.
    pub fn try_next(&self) -> Option<Next> {
        self.queue().take()
    }

    /// Waits for the next thing to do. Cancel-safe: nothing is taken before it is returned.
    pub async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.queue().take() {
                return next;
            }
            self.wake.notified().await;
        }
    }

    /// Waits until the socket is to be closed; frames stay queued. Used while a frame is being sent.
    pub async fn until_cut(&self) -> Cut {
        loop {
            if let Some(why) = self.is_cut() {
                return why;
            }
            self.wake.notified().await;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn cut_off(&mut self, why: Cut) {
        self.frames = VecDeque::new();
        self.bytes = 0;
        self.cut = Some(why);
    }

    fn take(&mut self) -> Option<Next> {
        if let Some(why) = self.cut {
            return Some(Next::Cut(why));
        }
        if let Some((seq, text)) = self.frames.pop_front() {
            self.bytes -= text.len();
            if self.frames.is_empty() {
                // An idle socket keeps no room for frames that it does not have.
                self.frames = VecDeque::new();
            }
            return Some(Next::Frame { seq, text });
        }
        if self.recount {
            self.recount = false;
            return Some(Next::Recount);
        }
        if self.link {
            self.link = false;
            return Some(Next::Link);
        }
        self.delivered.take().map(Next::Delivered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscriber() -> Subscriber {
        let listener = Listener {
            actor: Actor::the_box(),
            session: None,
            dialect: Dialect::V1,
        };
        Subscriber::new(1, listener)
    }

    #[tokio::test]
    async fn frames_come_out_in_order_and_recounts_are_one() {
        let socket = subscriber();
        socket.recount();
        socket.recount();
        socket.push(Some(Seq(1)), "a".into());
        socket.push(None, "b".into());
        assert_eq!(
            socket.next().await,
            Next::Frame {
                seq: Some(Seq(1)),
                text: "a".into()
            }
        );
        assert_eq!(
            socket.next().await,
            Next::Frame {
                seq: None,
                text: "b".into()
            }
        );
        assert_eq!(socket.next().await, Next::Recount);
        assert_eq!(socket.queue().take(), None);
    }

    #[tokio::test]
    async fn of_the_link_only_the_newest_is_told_and_after_the_frames() {
        let socket = subscriber();
        socket.delivered(Seq(3));
        socket.look_at_link();
        socket.delivered(Seq(9));
        socket.look_at_link();
        socket.push(None, "a".into());
        assert!(matches!(socket.next().await, Next::Frame { .. }));
        assert_eq!(socket.next().await, Next::Link);
        assert_eq!(socket.next().await, Next::Delivered(Seq(9)));
        assert_eq!(socket.queue().take(), None);
    }

    #[tokio::test]
    async fn a_reader_too_many_frames_behind_is_cut_and_its_queue_freed() {
        let socket = subscriber();
        for _ in 0..=QUEUE_FRAMES_MAX {
            socket.push(None, "x".into());
        }
        assert_eq!(socket.next().await, Next::Cut(Cut::TooSlow));
        assert_eq!(socket.queue().frames.len(), 0);
    }

    #[tokio::test]
    async fn a_reader_too_many_bytes_behind_is_cut() {
        let socket = subscriber();
        let big: Utf8Bytes = "x".repeat(60_000).into();
        for _ in 0..=(QUEUE_BYTES_MAX / 60_000) {
            socket.push(None, big.clone());
        }
        assert_eq!(socket.is_cut(), Some(Cut::TooSlow));
    }
}
