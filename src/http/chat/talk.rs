//! A chat socket's conversation: what comes from the browser becomes commands, what comes from the
//! hub and from the commands goes back.

use std::convert::Infallible;
use std::pin::Pin;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use super::begin::history;
use crate::clock::stopwatch;
use crate::commands::Posted;
use crate::domain::{MessageId, Rejection, RequestId, Seq};
use crate::http::edge::Edge;
use crate::http::error::told;
use crate::http::pump::{End, Incoming, Pump, reason};
use crate::http::session::{Session, Step};
use crate::http::upgrade::{CloseReason, WebSocket};
use crate::hub::{Dialect, Next, Place};
use crate::store::people::{self, Credential};
use crate::store::{CommandError, CommandResult, Head, Need, messages, requests};
use crate::wire::server::ServerFrame;

/// Messages of one socket on their way to the disk; past it the socket is not read.
const POSTS_UNDERWAY_MAX: usize = 32;

struct Underway {
    client_id: Option<Uuid>,
    result: CommandResult<Posted>,
}

type Post = Pin<Box<dyn Future<Output = Underway> + Send>>;

pub(super) struct Chat<'a> {
    pub(super) edge: &'a Edge,
    pub(super) who: Credential,
    pub(super) id: RequestId,
    pub(super) dialect: Dialect,
    pub(super) place: Place,
    pub(super) pump: Pump,
    session: Session,
    /// What stands up to here was sent in the beginning; it comes again from the hub.
    pub(super) sent_up_to: Seq,
    posts: FuturesOrdered<Post>,
}

impl<'a> Chat<'a> {
    /// A socket that has its place in the room.
    pub(super) fn new(
        edge: &'a Edge,
        who: Credential,
        id: RequestId,
        dialect: Dialect,
        place: Place,
        socket: WebSocket,
    ) -> Self {
        Self {
            edge,
            who,
            id,
            dialect,
            place,
            pump: Pump::new(socket),
            session: Session::new(id, dialect),
            sent_up_to: Seq(0),
            posts: FuturesOrdered::new(),
        }
    }

    /// Until the socket ends.
    ///
    /// What is long or seldom is boxed: an idle socket's task keeps no room for it.
    pub(super) async fn run(mut self, position: Option<Head>) {
        if let Err(end) = Box::pin(self.begin(position)).await {
            drop(self.place);
            return self.pump.end(end).await;
        }
        let mut chat = Self {
            pump: self.pump.begun().await,
            ..self
        };
        let end = match chat.talk().await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        drop(chat.place);
        chat.pump.end(end).await;
    }

    async fn talk(&mut self) -> Result<Infallible, End> {
        let shutdown = self.edge.shutdown.clone();
        loop {
            let reads_on = self.posts.len() < POSTS_UNDERWAY_MAX;
            // Every arm is cancel-safe: what is not taken stays queued in the hub, in the socket or
            // among the posts.
            tokio::select! {
                () = shutdown.cancelled() => return Err(End::Close(CloseReason::RESTARTING)),
                next = self.place.next() => self.pass_on(next).await?,
                Some(post) = self.posts.next() => Box::pin(self.answer(post)).await?,
                incoming = self.pump.receive(), if reads_on => match incoming? {
                    Incoming::Text(text) => Box::pin(self.take(&text)).await?,
                    Incoming::Alive => {}
                },
            }
            self.pump.keep_alive(&self.place).await?;
        }
    }

    async fn pass_on(&mut self, next: Next) -> Result<(), End> {
        match next {
            Next::Frame { seq: Some(seq), .. } if seq <= self.sent_up_to => Ok(()),
            Next::Frame { text, .. } => self.pump.send(text, &self.place).await,
            Next::Delivered(up_to) => self.tell(&ServerFrame::Delivered { up_to: up_to.0 }).await,
            Next::Recount | Next::Link => Ok(()),
            Next::Cut(why) => Err(End::Close(reason(why))),
        }
    }

    async fn take(&mut self, text: &str) -> Result<(), End> {
        let step = self.session.on_text(text, stopwatch(), Uuid::now_v7());
        self.carry_out(step).await
    }

    async fn carry_out(&mut self, step: Step) -> Result<(), End> {
        match step {
            Step::Nothing => Ok(()),
            Step::Tell(frame) => self.tell(&frame).await,
            Step::Typing => {
                self.edge.hub.typing(&self.place);
                Ok(())
            }
            Step::Post { command, client_id } => {
                if self.edge.count_message(self.who.person).is_err() {
                    let detail = "That was a little too often. Please wait a moment.".to_owned();
                    return self.refuse("rate_limited", detail, client_id).await;
                }
                let post = self
                    .edge
                    .submit_as(self.who, Need::Ordinary, move |tx, actor| {
                        command.run(tx, actor)
                    });
                self.posts.push_back(Box::pin(async move {
                    Underway {
                        client_id,
                        result: post.await,
                    }
                }));
                Ok(())
            }
            Step::Read(command) => {
                let done = self
                    .edge
                    .submit_as(self.who, Need::Essential, move |tx, actor| {
                        command.run(tx, actor)
                    });
                self.done(done.await.map(|_| ()), None).await
            }
            Step::Redact(command) => {
                if self.edge.count_message(self.who.person).is_err() {
                    let detail = "That was a little too often. Please wait a moment.".to_owned();
                    return self.refuse("rate_limited", detail, None).await;
                }
                let done = self
                    .edge
                    .submit_as(self.who, Need::Essential, move |tx, actor| {
                        command.run(tx, actor)
                    });
                self.done(done.await, None).await
            }
            Step::History { before, limit } => self.send_history(before, limit).await,
        }
    }

    async fn send_history(&mut self, before: Option<MessageId>, limit: usize) -> Result<(), End> {
        let (who, id) = (self.who, self.id);
        let page = self
            .edge
            .store
            .read(move |view| -> Result<_, CommandError> {
                let actor = people::actor(view, who)?.ok_or(Rejection::SignedOut)?;
                requests::gate(view, id, &actor)?.ok_or(Rejection::NoSuch("request"))?;
                Ok(messages::page(view, id, before, limit)?)
            })
            .await;
        match page {
            Ok(page) => {
                let frame = history(&page, before);
                // Not kept while a slow reader takes the frame.
                drop(page);
                self.tell(&frame).await
            }
            Err(error) => self.done(Err(error), None).await,
        }
    }

    /// A post is on disk, or was refused.
    async fn answer(&mut self, post: Underway) -> Result<(), End> {
        let Underway { client_id, result } = post;
        let posted = match result {
            Ok(posted) => posted,
            Err(error) => return self.done(Err(error), client_id).await,
        };
        let id = posted.message.id.0;
        if posted.fresh {
            tracing::info!(request = %self.id, seq = id, "message posted");
        }
        // What was committed before goes first: an acknowledgement's position leaves nothing behind it.
        while let Some(next) = self.place.try_next() {
            self.pass_on(next).await?;
        }
        match client_id {
            Some(client_id) => {
                self.tell(&ServerFrame::Ack {
                    client_id,
                    id,
                    rev: id,
                })
                .await
            }
            None => Ok(()),
        }
    }

    async fn done(
        &mut self,
        result: Result<(), CommandError>,
        client_id: Option<Uuid>,
    ) -> Result<(), End> {
        match result {
            Ok(()) => Ok(()),
            Err(CommandError::Rejected(Rejection::SignedOut)) => {
                Err(End::Close(CloseReason::SIGN_IN_AGAIN))
            }
            Err(error) => {
                let (code, detail) = told(error);
                self.refuse(code, detail, client_id).await
            }
        }
    }

    async fn refuse(
        &mut self,
        code: &'static str,
        detail: String,
        client_id: Option<Uuid>,
    ) -> Result<(), End> {
        match self.session.error(code, detail, client_id) {
            Some(frame) => self.tell(&frame).await,
            None => Ok(()),
        }
    }

    pub(super) async fn tell(&mut self, frame: &ServerFrame) -> Result<(), End> {
        self.pump
            .send(Utf8Bytes::from(frame.encode()), &self.place)
            .await
    }
}
