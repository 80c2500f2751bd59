//! The chat socket: `GET /ws/service-chat/<id>/` (`wire.md` §2, §6).
//!
//! Enter the room first, then read after the position, then drop what comes twice: nothing is lost,
//! doubled or out of order across a reconnect.

use std::pin::Pin;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use serde::Deserialize;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tracing::Instrument;
use uuid::Uuid;

use super::edge::Edge;
use super::error::told;
use super::problem::Problem;
use super::pump::{End, Incoming, Pump, reason};
use super::requests::workshop;
use super::session::{Session, Step};
use super::upgrade::{CloseReason, WebSocket, upgrade};
use crate::clock::stopwatch;
use crate::commands::Posted;
use crate::domain::{Actor, Change, LogId, MessageId, Rejection, Request as Job, RequestId, Seq};
use crate::hub::{Dialect, Listener, Next, Place, v1_frame};
use crate::store::messages::{Missed, Page};
use crate::store::people::Credential;
use crate::store::{self, CommandError, CommandResult, Head, Need, messages, receipts, requests};
use crate::wire::api::{RequestBody, UserBody};
use crate::wire::message::ChatMessage;
use crate::wire::server::{ReceiptBody, ServerFrame, You};
use crate::wire::{HISTORY_MESSAGES_DEFAULT, RESUME_CHANGES_MAX, side_word};

/// The subprotocol of `wire.md` §6.
pub(super) const V1: &str = "motoreach.v1";
/// Messages of one socket on their way to the disk; past it the socket is not read.
const POSTS_UNDERWAY_MAX: usize = 32;

/// How a chat socket asks.
#[derive(Deserialize, Default)]
pub(super) struct ChatQuery {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access: Option<String>,
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    log: Option<String>,
}

impl ChatQuery {
    /// The token, under either of its names.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref().or(self.access.as_deref())
    }
}

/// Upgrades, then closes with a code that a browser can read if the token or the request is wrong.
pub(super) async fn socket(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    query: Result<Query<ChatQuery>, QueryRejection>,
    mut request: Request,
) -> Result<Response, Problem> {
    let upgrading = upgrade(&mut request, &[V1])?;
    let Query(query) = query.unwrap_or_default();
    let dialect = if upgrading.protocol.is_some() {
        Dialect::V1
    } else {
        Dialect::Original
    };
    let who = query.token().and_then(|token| edge.socket_token(token));
    let position = query
        .after
        .and_then(|after| after.parse().ok())
        .zip(query.log.and_then(|log| log.parse().ok()))
        .map(|(after, log)| Head {
            log,
            seq: Seq(after),
        });
    let id = id.parse().ok().map(RequestId);
    let socket = upgrading.socket;
    let span = tracing::debug_span!("chat", request = id.map_or(0, |id| id.0));
    let tracker = edge.tracker.clone();
    tracker.spawn(
        async move {
            if let Ok(socket) = socket.await {
                admit(&edge, socket, who, id, dialect, position).await;
            }
        }
        .instrument(span),
    );
    Ok(upgrading.response)
}

async fn admit(
    edge: &Edge,
    socket: WebSocket,
    who: Option<Credential>,
    id: Option<RequestId>,
    dialect: Dialect,
    position: Option<Head>,
) {
    let Some(who) = who else {
        return CloseReason::SIGN_IN_AGAIN.close(socket).await;
    };
    let looked = edge
        .store
        .read(move |view| -> Result<_, CommandError> {
            let actor = store::people::actor(view, who)?.ok_or(Rejection::SignedOut)?;
            let id = id.ok_or(Rejection::NoSuch("request"))?;
            requests::load_for(view, id, &actor)?.ok_or(Rejection::NoSuch("request"))?;
            Ok((actor, id))
        })
        .await;
    let (actor, id) = match looked {
        Ok(found) => found,
        Err(CommandError::Rejected(Rejection::SignedOut)) => {
            return CloseReason::SIGN_IN_AGAIN.close(socket).await;
        }
        Err(CommandError::Rejected(_)) => return CloseReason::NOT_YOURS.close(socket).await,
        Err(CommandError::Store(error)) => {
            tracing::warn!(%error, "a socket could not be served");
            return CloseReason::TRY_AGAIN_LATER.close(socket).await;
        }
    };
    let place = edge.hub.enter(
        id,
        Listener {
            actor,
            session: who.session,
            dialect,
        },
    );
    let mut chat = Chat {
        edge,
        who,
        id,
        dialect,
        place,
        pump: Pump::new(socket),
        session: Session::new(id, dialect),
        sent_up_to: Seq(0),
        posts: FuturesOrdered::new(),
    };
    let end = chat.run(position).await;
    drop(chat.place);
    chat.pump.end(end).await;
}

struct Underway {
    client_id: Option<Uuid>,
    result: CommandResult<Posted>,
}

type Post = Pin<Box<dyn Future<Output = Underway> + Send>>;

struct Chat<'a> {
    edge: &'a Edge,
    who: Credential,
    id: RequestId,
    dialect: Dialect,
    place: Place,
    pump: Pump,
    session: Session,
    /// What stands up to here was sent in the beginning; it comes again from the hub.
    sent_up_to: Seq,
    posts: FuturesOrdered<Post>,
}

/// What a socket is told in the beginning, all of one moment.
struct Beginning {
    actor: Actor,
    head: Head,
    request: Job,
    workshop: String,
    receipts: Vec<ReceiptBody>,
    what: What,
}

enum What {
    Newest(Page),
    Changes(Vec<(Seq, Change)>),
}

impl Chat<'_> {
    /// Until the socket ends.
    async fn run(&mut self, position: Option<Head>) -> End {
        match self.talk(position).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn talk(&mut self, position: Option<Head>) -> Result<std::convert::Infallible, End> {
        self.begin(position).await?;
        let shutdown = self.edge.shutdown.clone();
        loop {
            let reads_on = self.posts.len() < POSTS_UNDERWAY_MAX;
            // Every arm is cancel-safe: what is not taken stays queued in the hub, in the socket or
            // among the posts.
            tokio::select! {
                () = shutdown.cancelled() => return Err(End::Close(CloseReason::RESTARTING)),
                next = self.place.next() => self.pass_on(next).await?,
                Some(post) = self.posts.next() => self.answer(post).await?,
                incoming = self.pump.receive(), if reads_on => match incoming? {
                    Incoming::Text(text) => self.take(&text).await?,
                    Incoming::Alive => {}
                },
            }
            self.pump.keep_alive(&self.place).await?;
        }
    }

    /// Says hello and what was missed (`motoreach.v1`), or nothing (the original contract, whose
    /// clients ask for history over HTTP).
    async fn begin(&mut self, position: Option<Head>) -> Result<(), End> {
        let (who, id, dialect) = (self.who, self.id, self.dialect);
        let looked = self
            .edge
            .store
            .read(move |view| -> Result<_, CommandError> {
                let head = store::head(view)?;
                if dialect == Dialect::Original {
                    return Ok((head, None));
                }
                let actor = store::people::actor(view, who)?.ok_or(Rejection::SignedOut)?;
                let request = requests::load_for(view, id, &actor)?;
                let request = request.ok_or(Rejection::NoSuch("request"))?;
                let known = position.filter(|at| at.log == head.log && at.seq <= head.seq);
                let missed = known
                    .map(|at| messages::missed(view, id, at.seq, RESUME_CHANGES_MAX))
                    .transpose()?;
                let what = match missed {
                    Some(Missed::Changes(changes)) => What::Changes(changes),
                    Some(Missed::TooMuch) | None => {
                        What::Newest(messages::page(view, id, None, HISTORY_MESSAGES_DEFAULT)?)
                    }
                };
                let receipts = receipts::newest(view, id)?;
                Ok((
                    head,
                    Some(Box::new(Beginning {
                        workshop: workshop(view)?,
                        receipts: receipts.iter().map(ReceiptBody::from).collect(),
                        actor,
                        head,
                        request,
                        what,
                    })),
                ))
            })
            .await;
        let (head, beginning) = looked.map_err(|error| match error {
            CommandError::Rejected(Rejection::SignedOut) => End::Close(CloseReason::SIGN_IN_AGAIN),
            CommandError::Rejected(_) => End::Close(CloseReason::NOT_YOURS),
            CommandError::Store(error) => {
                tracing::warn!(%error, "a conversation could not be read");
                End::Close(CloseReason::TRY_AGAIN_LATER)
            }
        })?;
        self.sent_up_to = head.seq;
        if let Some(beginning) = beginning {
            self.greet(*beginning).await?;
        }
        Ok(())
    }

    async fn greet(&mut self, beginning: Beginning) -> Result<(), End> {
        let Beginning {
            actor,
            head,
            request,
            workshop,
            receipts,
            what,
        } = beginning;
        self.tell(&ServerFrame::Hello {
            log: LogId::uuid(head.log),
            rev: head.seq.0,
            you: You {
                user: UserBody::of(&actor),
                side: side_word(actor.side()),
            },
            peers: self.edge.hub.peers(self.id),
            workshop_online: self.edge.hub.workshop_online(),
            receipts,
            request: Box::new(RequestBody::new(&request, &workshop)),
        })
        .await?;
        match what {
            What::Newest(page) => self.tell(&history(&page, None)).await,
            What::Changes(changes) => {
                for (seq, change) in changes {
                    if let Some(frame) = v1_frame(seq, &change, &workshop) {
                        self.tell(&frame).await?;
                    }
                }
                Ok(())
            }
        }
    }

    async fn pass_on(&mut self, next: Next) -> Result<(), End> {
        match next {
            Next::Frame { seq: Some(seq), .. } if seq <= self.sent_up_to => Ok(()),
            Next::Frame { text, .. } => self.pump.send(text, &self.place).await,
            Next::Recount => Ok(()),
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
                let actor = store::people::actor(view, who)?.ok_or(Rejection::SignedOut)?;
                requests::load_for(view, id, &actor)?.ok_or(Rejection::NoSuch("request"))?;
                Ok(messages::page(view, id, before, limit)?)
            })
            .await;
        match page {
            Ok(page) => self.tell(&history(&page, before)).await,
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

    async fn tell(&mut self, frame: &ServerFrame) -> Result<(), End> {
        self.pump
            .send(Utf8Bytes::from(frame.encode()), &self.place)
            .await
    }
}

fn history(page: &Page, before: Option<MessageId>) -> ServerFrame {
    ServerFrame::History {
        messages: page.messages.iter().map(ChatMessage::from).collect(),
        has_more: page.has_more,
        before: before.map(|id| id.0),
    }
}
