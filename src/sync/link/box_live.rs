//! The box's end once both copies agree: entries out as the relay takes them, posts in.
//!
//! The journal is the outbox: what is kept here is a window of a few numbers, whatever the backlog.

use std::collections::VecDeque;

use super::End;
use super::box_wishes::{BoxAnswer, BoxNews, BoxOrder, BoxWish, PostFate, SealedPostFate};
use crate::domain::Seq;
use crate::seal::Position;
use crate::wire::link::{Applied, Entries, Frame, POST_CREDIT, Refused, UNACKNOWLEDGED_BYTES_MAX};

/// Posts that no owner wrote, in one session, before the relay is given up as hostile or broken.
const BAD_POSTS_MAX: u32 = 64;

/// What is under way.
pub(super) struct Live {
    /// The newest entry that was sent.
    sent: Seq,
    /// Batches that are not acknowledged: their last positions and bytes.
    window: VecDeque<(Seq, usize)>,
    bytes: usize,
    /// Answers that are still to come for batches that were sent.
    unanswered: usize,
    /// A batch did not fit: once everything is answered, go on from where the relay stands.
    rewind: bool,
    /// The store is reading a batch.
    reading: bool,
    /// There may be more to read.
    more: bool,
    posts_in: u32,
    bad_posts: u32,
}

impl Live {
    /// Begins where the relay's copy ends. That is noted: a relay that was put back has less than it
    /// once acknowledged, and a box that was restored does not know yet how much the relay has.
    pub(super) fn begin(relay_has: Position, wishes: &mut Vec<BoxWish>) -> Self {
        let mut live = Self {
            sent: relay_has.seq,
            window: VecDeque::new(),
            bytes: 0,
            unanswered: 0,
            rewind: false,
            reading: false,
            more: true,
            posts_in: 0,
            bad_posts: 0,
        };
        wishes.push(BoxWish::Store(BoxOrder::Applied(relay_has)));
        wishes.push(BoxWish::Tell(BoxNews::Online));
        wishes.push(BoxWish::Send(Frame::Credit(POST_CREDIT)));
        live.pump(wishes);
        live
    }

    pub(super) fn awaits_relay(&self) -> bool {
        !self.window.is_empty()
    }

    pub(super) fn grown(&mut self, wishes: &mut Vec<BoxWish>) {
        self.more = true;
        self.pump(wishes);
    }

    pub(super) fn frame(&mut self, frame: Frame, wishes: &mut Vec<BoxWish>) -> Result<(), End> {
        match frame {
            Frame::Applied(applied) => self.applied(applied, wishes),
            Frame::Post(post) => {
                self.posts_in += 1;
                if self.posts_in > POST_CREDIT {
                    return Err(End::TooMany);
                }
                wishes.push(BoxWish::Store(BoxOrder::Accept(Box::new(post))));
                Ok(())
            }
            Frame::Moment(moment) => {
                wishes.push(BoxWish::Tell(BoxNews::Moment(moment)));
                Ok(())
            }
            Frame::Challenge(_)
            | Frame::Hello(_)
            | Frame::Welcome(_)
            | Frame::Granted
            | Frame::Entries(_)
            | Frame::Refused(_)
            | Frame::Credit(_)
            | Frame::Ping
            | Frame::Pong
            | Frame::Goaway(_)
            | Frame::Probe(_)
            | Frame::Chains(_)
            | Frame::GiveBack(_)
            | Frame::Given(_)
            | Frame::Fork(_)
            | Frame::Retain(_)
            | Frame::Watch(_) => Err(End::Protocol),
        }
    }

    pub(super) fn answer(
        &mut self,
        answer: BoxAnswer,
        wishes: &mut Vec<BoxWish>,
    ) -> Result<(), End> {
        match answer {
            BoxAnswer::Batch(batch) => {
                self.read(batch, wishes);
                Ok(())
            }
            BoxAnswer::Post(fate) => self.took(fate, wishes),
            BoxAnswer::Failed => Err(End::Store),
            BoxAnswer::Done | BoxAnswer::NotOurs | BoxAnswer::Chains(_) | BoxAnswer::Adopted(_) => {
                Err(End::Protocol)
            }
        }
    }

    fn read(&mut self, batch: Option<Box<Entries>>, wishes: &mut Vec<BoxWish>) {
        self.reading = false;
        if let Some(batch) = batch {
            // A rewind while the store was reading: what it read is not next any more.
            if batch.prev.seq == self.sent && !self.rewind {
                let last = batch.head.position.seq;
                let bytes = batch.entries.iter().map(|entry| entry.size()).sum();
                self.sent = last;
                self.window.push_back((last, bytes));
                self.bytes += bytes;
                self.unanswered += 1;
                wishes.push(BoxWish::Send(Frame::Entries(*batch)));
            }
            self.more = true;
        }
        self.pump(wishes);
    }

    fn applied(&mut self, applied: Applied, wishes: &mut Vec<BoxWish>) -> Result<(), End> {
        self.unanswered = self.unanswered.saturating_sub(1);
        let Some(position) = applied.position.filter(|it| it.seq <= self.sent) else {
            // It lost what it had (a copy was put back under us), or has what we never sent.
            return Err(End::Rewound);
        };
        let mut moved = false;
        while let Some((last, bytes)) = self.window.front().copied()
            && last <= position.seq
        {
            self.window.pop_front();
            self.bytes -= bytes;
            moved = true;
        }
        if moved {
            wishes.push(BoxWish::Store(BoxOrder::Applied(position)));
            wishes.push(BoxWish::Tell(BoxNews::Progress));
        }
        self.rewind |= applied.rewind && !self.window.is_empty();
        if self.rewind && self.unanswered == 0 {
            self.rewind = false;
            self.window.clear();
            self.bytes = 0;
            self.sent = position.seq;
            self.more = true;
        }
        self.pump(wishes);
        Ok(())
    }

    fn pump(&mut self, wishes: &mut Vec<BoxWish>) {
        if self.reading || self.rewind || !self.more || self.bytes >= UNACKNOWLEDGED_BYTES_MAX {
            return;
        }
        self.more = false;
        self.reading = true;
        wishes.push(BoxWish::Store(BoxOrder::Batch(self.sent)));
    }

    fn took(&mut self, fate: SealedPostFate, wishes: &mut Vec<BoxWish>) -> Result<(), End> {
        let SealedPostFate { id, fate } = fate;
        self.posts_in = self.posts_in.saturating_sub(1);
        let why = match fate {
            // The journal is the acknowledgement.
            PostFate::InJournal => None,
            PostFate::Later => Some("later"),
            // The seal was right: the link ended while the post was on its way.
            PostFate::NotAuthentic(why @ ("revoked" | "expired")) => Some(why),
            PostFate::NotAuthentic(why) => {
                wishes.push(BoxWish::Tell(BoxNews::BadPost(why)));
                self.bad_posts += 1;
                Some(why)
            }
        };
        if let Some(why) = why {
            let why = why.to_owned();
            wishes.push(BoxWish::Send(Frame::Refused(Refused { id, why })));
        }
        if self.bad_posts > BAD_POSTS_MAX {
            return Err(End::TooMany);
        }
        wishes.push(BoxWish::Send(Frame::Credit(1)));
        Ok(())
    }
}
