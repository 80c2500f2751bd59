//! How a chat socket begins: hello, then what was missed or the newest messages, all of one moment.

use super::talk::Chat;
use crate::domain::{Actor, Change, LogId, MessageId, Rejection, Request as Job, RequestId, Seq};
use crate::http::error::closing;
use crate::http::limits::HISTORY_BYTES_MAX;
use crate::http::pump::End;
use crate::http::requests::workshop;
use crate::hub::{Dialect, v1_frame};
use crate::store::messages::{Missed, Page};
use crate::store::people;
use crate::store::{self, CommandError, Head, View, messages, receipts, requests};
use crate::wire::api::{RequestBody, UserBody};
use crate::wire::message::ChatMessage;
use crate::wire::server::{ReceiptBody, ServerFrame, You};
use crate::wire::{HISTORY_MESSAGES_DEFAULT, RESUME_CHANGES_MAX, side_word};

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
    Missed {
        changes: Vec<(Seq, Change)>,
        then: Option<Seq>,
    },
}

/// What a reader who was away is told first: what happened after its position, or the newest page.
fn what(
    view: &View<'_>,
    id: RequestId,
    after: Option<Seq>,
    until: Seq,
) -> Result<What, CommandError> {
    if let Some(after) = after
        && let Missed::Changes { changes, then } = messages::missed(view, id, after, until)?
    {
        return Ok(What::Missed { changes, then });
    }
    let page = messages::page(view, id, None, HISTORY_MESSAGES_DEFAULT)?;
    Ok(What::Newest(page))
}

impl Chat<'_> {
    /// Says hello and what was missed (`motoreach.v1`), or nothing (the original contract, whose
    /// clients ask for history over HTTP).
    pub(super) async fn begin(&mut self, position: Option<Head>) -> Result<(), End> {
        let (who, id, dialect) = (self.who, self.id, self.dialect);
        let looked = self
            .edge
            .store
            .read(move |view| -> Result<_, CommandError> {
                // Asked again from inside the room: whoever was signed out on the way here was not
                // in it to be cut.
                let actor = people::actor(view, who)?.ok_or(Rejection::SignedOut)?;
                if dialect == Dialect::Original {
                    return Ok(None);
                }
                let head = store::head(view)?;
                let request = requests::load_for(view, id, &actor)?;
                let request = request.ok_or(Rejection::NoSuch("request"))?;
                let known = position.filter(|at| at.log == head.log && at.seq <= head.seq);
                let after = match known {
                    Some(at)
                        if messages::missed_too_much(view, id, at.seq, RESUME_CHANGES_MAX)? =>
                    {
                        None
                    }
                    known => known.map(|at| at.seq),
                };
                let what = what(view, id, after, head.seq)?;
                let receipts = receipts::newest(view, id)?;
                Ok(Some(Box::new(Beginning {
                    workshop: workshop(view)?,
                    receipts: receipts.iter().map(ReceiptBody::from).collect(),
                    actor,
                    head,
                    request,
                    what,
                })))
            })
            .await;
        let beginning = looked.map_err(|error| End::Close(closing(error)))?;
        if let Some(beginning) = beginning {
            self.sent_up_to = beginning.head.seq;
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
            request: Box::new(RequestBody::new(&request, &workshop, actor.side())),
        })
        .await?;
        let mut what = what;
        loop {
            let then = match what {
                What::Newest(page) => return self.tell(&history(&page, None)).await,
                What::Missed { changes, then } => {
                    for (seq, change) in changes {
                        if let Some(frame) = v1_frame(seq, &change, &workshop, actor.side()) {
                            self.tell(&frame).await?;
                        }
                    }
                    then
                }
            };
            let Some(after) = then else {
                return Ok(());
            };
            what = self.next_stretch(after, head.seq).await?;
        }
    }

    async fn next_stretch(&mut self, after: Seq, until: Seq) -> Result<What, End> {
        let (who, id) = (self.who, self.id);
        let look = self
            .edge
            .store
            .read(move |view| -> Result<_, CommandError> {
                people::actor(view, who)?.ok_or(Rejection::SignedOut)?;
                what(view, id, Some(after), until)
            });
        look.await.map_err(|error| End::Close(closing(error)))
    }
}

/// The frame with a stretch of the conversation: its newest messages, as many as one frame may
/// carry. A reader asks for the older ones as it does for any.
pub(super) fn history(page: &Page, before: Option<MessageId>) -> ServerFrame {
    let mut bytes = 0;
    let mut messages: Vec<_> = page
        .messages
        .iter()
        .rev()
        .map(ChatMessage::from)
        .take_while(|message| {
            bytes += serde_json::to_vec(message).map_or(0, |encoded| encoded.len());
            bytes <= HISTORY_BYTES_MAX
        })
        .collect();
    messages.reverse();
    ServerFrame::History {
        has_more: page.has_more || messages.len() < page.messages.len(),
        messages,
        before: before.map(|id| id.0),
    }
}
