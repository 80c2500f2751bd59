//! What the machine wants done in the box's store.

use std::pin::Pin;

use futures_util::FutureExt;

use crate::commands::{Accepted, PostTurns, Turn};
use crate::crash;
use crate::domain::Seq;
use crate::hub::LinkBoard;
use crate::seal::SealedPost;
use crate::store::link;
use crate::store::link::adopt::{self, Staged};
use crate::store::{CommandError, CommandResult, Need, Store, StoreError};
use crate::sync::link::{Adopted, BoxAnswer, BoxOrder, PostFate, SealedPostFate};

/// An order under way; `None` where the machine waits for no answer.
pub(super) type UnderWay = Pin<Box<dyn Future<Output = Option<BoxAnswer>> + Send>>;

/// Begins an order. Writes are queued at once, so that they keep their order and share commits.
pub(super) fn begin(
    store: &Store,
    board: &LinkBoard,
    turns: &PostTurns,
    order: BoxOrder,
) -> UnderWay {
    let need = Need::Essential;
    match order {
        BoxOrder::Grant(grant) => {
            let done = store.submit(need, move |tx| {
                link::granted(
                    tx,
                    &grant.lineage,
                    grant.membership.as_deref(),
                    &grant.relay,
                    &grant.public_url,
                )
            });
            Box::pin(async move {
                let answer = told(done.await.map(|()| BoxAnswer::Done));
                crash::point("box-grant-stored");
                Some(answer)
            })
        }
        BoxOrder::Refused(verdict) => {
            let done = store.submit(need, move |tx| link::refused(tx, verdict));
            Box::pin(async move {
                noted(done.await);
                None
            })
        }
        BoxOrder::Chains(seqs) => {
            let store = store.clone();
            Box::pin(async move {
                let read = store.read(move |view| link::chains(view, &seqs)).await;
                Some(told(
                    read.map(BoxAnswer::Chains).map_err(CommandError::from),
                ))
            })
        }
        BoxOrder::Clear => {
            let done = store.submit(need, adopt::clear);
            Box::pin(async move { Some(told(done.await.map(|()| BoxAnswer::Done))) })
        }
        BoxOrder::Stage(given) => {
            let done = store.submit(need, move |tx| adopt::stage(tx, &given));
            Box::pin(async move {
                let answer = told(done.await.map(|staged| match staged {
                    Staged::Taken => BoxAnswer::Done,
                    Staged::NotOurs(_) => BoxAnswer::NotOurs,
                }));
                crash::point("box-fork-staged");
                Some(answer)
            })
        }
        BoxOrder::Adopt { common, relay_head } => {
            // As long as the journal is long.
            let done = store.submit_long(need, move |tx| adopt::finish(tx, common, relay_head));
            Box::pin(async move {
                let answer = told(
                    done.await
                        .map(|adopted| BoxAnswer::Adopted(told_short(&adopted))),
                );
                crash::point("box-fork-committed");
                Some(answer)
            })
        }
        BoxOrder::Batch(after) => {
            let store = store.clone();
            Box::pin(async move { Some(batch(&store, after).await) })
        }
        BoxOrder::Applied(position) => {
            let done = store.submit(need, move |tx| link::applied(tx, position));
            let board = board.clone();
            Box::pin(async move {
                // Whoever looks it up must find what was told (invariant 1).
                if noted(done.await) {
                    board.delivered(position.seq);
                }
                None
            })
        }
        BoxOrder::Accept(post) => accept(store, turns, *post),
    }
}

async fn batch(store: &Store, after: Seq) -> BoxAnswer {
    match store.read(move |view| link::batch_after(view, after)).await {
        Ok(batch) => BoxAnswer::Batch(batch.map(Box::new)),
        Err(error) => failed(&error.into()),
    }
}

/// What the machine needs to know of an adoption.
pub(in crate::sync) const fn told_short(adopted: &adopt::Adopted) -> Adopted {
    match adopted {
        adopt::Adopted::Kept => Adopted::Kept,
        adopt::Adopted::FastForward { .. } => Adopted::FastForward,
        adopt::Adopted::Forked { common, .. } => Adopted::Forked(*common),
    }
}

/// Takes a post in when it is its turn. One that there is no room for now stays in the mailbox.
fn accept(store: &Store, turns: &PostTurns, post: SealedPost) -> UnderWay {
    let turn = turns.offered(&post);
    let taking = turns.clone();
    let done = store.submit(Need::Ordinary, move |tx| taking.take(tx, turn, post));
    let mut done = Box::pin(done);
    // A writer that has no room says so at once: before the next post is queued.
    if let Some(outcome) = done.as_mut().now_or_never() {
        let fate = fate(turns, turn, outcome);
        return Box::pin(async move { Some(fate) });
    }
    let turns = turns.clone();
    Box::pin(async move {
        let fate = fate(&turns, turn, done.await);
        crash::point("box-post-committed");
        Some(fate)
    })
}

fn fate(turns: &PostTurns, turn: Turn, outcome: CommandResult<Accepted>) -> BoxAnswer {
    let fate = match outcome {
        Ok(Accepted::Journalled { .. } | Accepted::Known) => PostFate::InJournal,
        Ok(Accepted::Unauthentic(why)) => PostFate::NotAuthentic(why),
        Ok(Accepted::Later(_)) => PostFate::Later,
        Err(error) => {
            turns.put_off(turn);
            let passes = matches!(
                error,
                CommandError::Store(StoreError::Full | StoreError::Busy)
            );
            if !passes {
                return failed(&error);
            }
            PostFate::Later
        }
    };
    BoxAnswer::Post(SealedPostFate {
        id: turn.id(),
        fate,
    })
}

fn told(done: Result<BoxAnswer, CommandError>) -> BoxAnswer {
    done.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &CommandError) -> BoxAnswer {
    tracing::error!(%error, "the link's session ends: the store failed");
    BoxAnswer::Failed
}

/// For what may be lost: the next session says it again.
fn noted(done: Result<(), CommandError>) -> bool {
    if let Err(error) = &done {
        tracing::warn!(%error, "the link's state could not be noted");
    }
    done.is_ok()
}
