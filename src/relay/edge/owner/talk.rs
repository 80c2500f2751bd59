//! An owner's open socket: what is new in the thread goes out, what the page says is done.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use crate::domain::{LogId, Seq};
use crate::http::pump::{End, Incoming, Pump};
use crate::http::upgrade::CloseReason;
use crate::relay::edge::Relay;
use crate::relay::presence::{Cut, Look, Note, Place, Todo};
use crate::relay::store::{Fate, RelayStore, RelayStoreError};
use crate::wire::link::MomentKind;
use crate::wire::owner::{OwnerFrame, RelayFrame};

/// A socket looks by itself this often, whatever it was told.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Somebody who types is said to type at most this often.
const TYPING_EVERY: Duration = Duration::from_secs(2);

pub(super) struct Talk<'a, S> {
    pub(super) relay: &'a Relay<S>,
    pub(super) place: Place,
    pub(super) pump: Pump,
    /// The incarnation that the page follows.
    pub(super) log: Option<LogId>,
    /// The last entry that the page was sent, or began after.
    pub(super) sent: Seq,
    /// Up to here the page has everything of its thread.
    pub(super) head: Seq,
    /// How many wrapped keys the page has.
    pub(super) wraps: usize,
    /// The newest epoch among them.
    pub(super) epoch: u16,
    look_at: Instant,
    typed: Option<Instant>,
}

impl<'a, S: RelayStore> Talk<'a, S> {
    pub(super) fn new(relay: &'a Relay<S>, place: Place, pump: Pump) -> Self {
        Self {
            relay,
            place,
            pump,
            log: None,
            sent: Seq(0),
            head: Seq(0),
            wraps: 0,
            epoch: 0,
            look_at: Instant::now() + LOOK_EVERY,
            typed: None,
        }
    }

    /// Until the socket ends.
    pub(super) async fn run(mut self) {
        let end = match self.go_on().await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        let pump = self.leave();
        Box::pin(pump.end(end)).await;
    }

    /// Gives up its place; what is left is a socket to be closed.
    pub(super) fn leave(self) -> Pump {
        self.pump
    }

    async fn go_on(&mut self) -> Result<Infallible, End> {
        let shutdown = self.relay.shutdown.clone();
        loop {
            // Every arm is cancel-safe: what is not taken stays a mark, or in the socket.
            tokio::select! {
                () = shutdown.cancelled() => return Err(End::Close(CloseReason::RESTARTING)),
                todo = self.place.next() => Box::pin(self.carry_out(todo)).await?,
                incoming = self.pump.receive() => match incoming? {
                    Incoming::Text(text) => Box::pin(self.take(text)).await?,
                    Incoming::Alive => {}
                },
            }
            if Instant::now() >= self.look_at {
                self.look_at = Instant::now() + LOOK_EVERY;
                Box::pin(self.look(Look::All)).await?;
            }
            Box::pin(self.pump.keep_alive(&self.place)).await?;
        }
    }

    async fn carry_out(&mut self, todo: Todo) -> Result<(), End> {
        if let Some(cut) = todo.cut {
            return Err(self.say_gone(cut).await);
        }
        if let Some(how) = todo.look {
            self.look(how).await?;
        }
        if todo.presence {
            let (workshop_online, offline_since) = self.presence().await?;
            self.tell(RelayFrame::Presence {
                workshop_online,
                offline_since,
            })
            .await?;
        }
        for note in todo.notes {
            self.pass_on(note).await?;
        }
        Ok(())
    }

    async fn pass_on(&mut self, note: Note) -> Result<(), End> {
        match note {
            Note::Moment(what) => {
                let what = match what {
                    MomentKind::Online => "online",
                    MomentKind::Offline => "offline",
                    MomentKind::Typing => "typing",
                };
                self.tell(RelayFrame::Moment { what }).await
            }
            Note::Seen(up_to) => self.tell(RelayFrame::Seen { up_to }).await,
            Note::Refused(post) => {
                let workshop = self.place.belongs().workshop;
                let fates = self.relay.store.fate(workshop, vec![post]).await;
                for (id, fate) in fates.map_err(|error| failed(&error))? {
                    if let Fate::Refused(why) = fate {
                        let id = id.uuid();
                        self.tell(RelayFrame::Refused { id, why }).await?;
                    }
                }
                Ok(())
            }
        }
    }

    async fn take(&mut self, text: Utf8Bytes) -> Result<(), End> {
        let Ok(frame) = serde_json::from_str::<OwnerFrame>(&text) else {
            // A frame of a later version, or a broken one: the socket stays open (wire.md §6).
            let detail = "That frame could not be read.".to_owned();
            return self.refuse("malformed", detail, None, None).await;
        };
        drop(text);
        match frame {
            OwnerFrame::Auth { .. } => Ok(()),
            OwnerFrame::Post {
                id,
                kind,
                epoch,
                sealed,
            } => self.post(id, kind, epoch, &sealed).await,
            OwnerFrame::Typing {} => {
                let now = Instant::now();
                if self.typed.is_none_or(|at| now - at >= TYPING_EVERY) {
                    self.typed = Some(now);
                    self.place.typing();
                }
                Ok(())
            }
            OwnerFrame::PushSubscribe {
                endpoint,
                p256dh,
                auth,
            } => self.subscribe(endpoint, &p256dh, &auth).await,
            OwnerFrame::PushUnsubscribe { endpoint } => self.unsubscribe(endpoint).await,
            OwnerFrame::PushTest { endpoint } => self.test_push(&endpoint).await,
            OwnerFrame::Seen { up_to } => self.seen(up_to),
            OwnerFrame::Ping {} => self.tell(RelayFrame::Pong {}).await,
        }
    }

    /// What the page is told before its socket closes because of its link.
    pub(super) async fn say_gone(&mut self, cut: Cut) -> End {
        let why = match cut {
            Cut::Revoked => "revoked",
            Cut::Expired => "expired",
        };
        let text = Utf8Bytes::from(RelayFrame::Gone { why }.encode());
        let said = self.pump.send(text, &super::Nobody).await;
        said.err().unwrap_or(End::Close(CloseReason::SIGN_IN_AGAIN))
    }

    pub(super) async fn tell(&mut self, frame: RelayFrame) -> Result<(), End> {
        let text = Utf8Bytes::from(frame.encode());
        drop(frame);
        self.pump.send_long(text, &self.place).await
    }

    pub(super) async fn refuse(
        &mut self,
        code: &'static str,
        detail: String,
        id: Option<Uuid>,
        wait: Option<Duration>,
    ) -> Result<(), End> {
        self.tell(RelayFrame::Error {
            code,
            detail,
            id,
            retry_after_s: wait.map(|wait| wait.as_secs() + 1),
        })
        .await
    }
}

/// What a store that cannot read means for a socket: come again, it may pass.
pub(super) fn failed(error: &RelayStoreError) -> End {
    tracing::warn!(%error, "an owner's socket ends: the store failed");
    End::Close(CloseReason::TRY_AGAIN_LATER)
}
