//! The notification socket: `GET /ws/notifications/` (`wire.md` §3). One object on connect and
//! whenever the numbers change, whichever way a message came in.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use tracing::Instrument;

use super::asked::asked;
use super::edge::Edge;
use super::error::closing;
use super::problem::Problem;
use super::pump::{End, Incoming, Pump, reason};
use super::upgrade::{CloseReason, WebSocket};
use crate::domain::Rejection;
use crate::hub::{Dialect, Listener, Next, Place};
use crate::store::people::{self, Credential};
use crate::store::{CommandError, unread};
use crate::wire::server::{LinkBody, Notification, ServerFrame, UnreadBody};

/// Changes within this time are told as one: a burst of messages is not a burst of counting.
const RECOUNT_PAUSE: Duration = Duration::from_millis(25);

/// Upgrades, then closes with a code that a browser can read if the token is wrong.
pub(super) async fn socket(
    State(edge): State<Edge>,
    mut request: Request,
) -> Result<Response, Problem> {
    let asked = asked(&edge, &mut request)?;
    let (upgrading, who, dialect) = (asked.upgrading, asked.who, asked.dialect);
    let socket = upgrading.socket;
    let tracker = edge.tracker.clone();
    tracker.spawn(
        async move {
            if let Ok(socket) = socket.await {
                admit(&edge, socket, who, dialect).await;
            }
        }
        .instrument(tracing::debug_span!("notifications")),
    );
    Ok(upgrading.response)
}

async fn admit(edge: &Edge, socket: WebSocket, who: Option<Credential>, dialect: Dialect) {
    let Some(who) = who else {
        return CloseReason::SIGN_IN_AGAIN.close(socket).await;
    };
    let look = edge.store.read(move |view| -> Result<_, CommandError> {
        Ok(people::actor(view, who)?.ok_or(Rejection::SignedOut)?)
    });
    let actor = match Box::pin(look).await {
        Ok(actor) => actor,
        Err(error) => return closing(error).close(socket).await,
    };
    let listener = Listener {
        actor,
        session: who.session,
        dialect,
    };
    let Some(place) = edge.hub.watch(listener) else {
        return CloseReason::TRY_AGAIN_LATER.close(socket).await;
    };
    let mut watch = Watch {
        edge,
        who,
        place,
        pump: Pump::new(socket),
        told: None,
    };
    if let Err(end) = Box::pin(watch.begin()).await {
        drop(watch.place);
        return watch.pump.end(end).await;
    }
    let mut watch = Watch {
        pump: watch.pump.begun().await,
        ..watch
    };
    let end = match watch.talk().await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    drop(watch.place);
    watch.pump.end(end).await;
}

struct Watch<'a> {
    edge: &'a Edge,
    who: Credential,
    place: Place,
    pump: Pump,
    /// A hash of the numbers that were told last: an idle socket does not keep the numbers.
    told: Option<u64>,
}

impl Watch<'_> {
    /// The numbers, and to staff how the link stands.
    async fn begin(&mut self) -> Result<(), End> {
        self.recount().await?;
        if self.place.is_told_of_link() {
            self.tell_link().await?;
        }
        Ok(())
    }

    async fn talk(&mut self) -> Result<Infallible, End> {
        let shutdown = self.edge.shutdown.clone();
        loop {
            // Every arm is cancel-safe: what is not taken stays queued in the hub or the socket.
            tokio::select! {
                () = shutdown.cancelled() => return Err(End::Close(CloseReason::RESTARTING)),
                next = self.place.next() => match next {
                    Next::Frame { text, .. } => self.pump.send(text, &self.place).await?,
                    Next::Recount => {
                        Box::pin(self.recount()).await?;
                        tokio::time::sleep(RECOUNT_PAUSE).await;
                    }
                    Next::Link => {
                        self.tell_link().await?;
                        tokio::time::sleep(RECOUNT_PAUSE).await;
                    }
                    Next::Delivered(_) => {}
                    Next::Cut(why) => return Err(End::Close(reason(why))),
                },
                // Nothing that a client says here means anything; that it says something does.
                incoming = self.pump.receive() => match incoming? {
                    Incoming::Text(_) | Incoming::Alive => {}
                },
            }
            self.pump.keep_alive(&self.place).await?;
        }
    }

    /// The relay is the workshop's own affair: owners are told nothing of it here.
    async fn tell_link(&mut self) -> Result<(), End> {
        let frame = ServerFrame::Link(LinkBody::from(&self.edge.hub.link().report()));
        self.pump.send(frame.encode().into(), &self.place).await
    }

    async fn recount(&mut self) -> Result<(), End> {
        let who = self.who;
        let counted = self
            .edge
            .store
            .read(move |view| -> Result<_, CommandError> {
                let actor = people::actor(view, who)?.ok_or(Rejection::SignedOut)?;
                Ok(UnreadBody::from(unread::summary(view, &actor)?))
            })
            .await;
        let counted = counted.map_err(|error| End::Close(closing(error)))?;
        let text = Notification::new(counted).encode();
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        if self.told == Some(hash) {
            return Ok(());
        }
        self.told = Some(hash);
        self.pump.send(text.into(), &self.place).await
    }
}
