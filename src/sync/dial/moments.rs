//! Presence and typing across the link: of the moment, never stored, lost without harm.

use crate::domain::RequestId;
use crate::hub::{LinkBoard, StaffDoes, StaffMoment};
use crate::store::{Store, StoreError, requests};
use crate::wire::link::{Moment, MomentKind};

/// The threads that somebody of the staff has open: what a session begins with.
pub(super) async fn staffed(store: &Store, board: &LinkBoard) -> Vec<Moment> {
    let mut moments = Vec::new();
    for request in board.staffed() {
        moments.extend(of(store, request, MomentKind::Online).await);
    }
    moments
}

/// What staff do, for the owner of the thread.
pub(super) async fn from_staff(store: &Store, moment: StaffMoment) -> Option<Moment> {
    let what = match moment.what {
        StaffDoes::Opened => MomentKind::Online,
        StaffDoes::Left => MomentKind::Offline,
        StaffDoes::Typing => MomentKind::Typing,
    };
    of(store, moment.request, what).await
}

/// What an owner at the relay does, for staff who have the thread open.
pub(super) async fn from_relay(store: &Store, board: &LinkBoard, moment: &Moment) {
    let thread = moment.thread;
    let looked = store
        .read(move |view| -> Result<_, StoreError> { requests::by_key(view, thread) })
        .await;
    let Ok(Some(request)) = looked else { return };
    match moment.what {
        MomentKind::Online => board.remote_owner(request.id, &request.owner.name, true),
        MomentKind::Offline => board.remote_owner(request.id, &request.owner.name, false),
        MomentKind::Typing => board.remote_typing(request.id),
    }
}

async fn of(store: &Store, request: RequestId, what: MomentKind) -> Option<Moment> {
    let looked = store
        .read(move |view| -> Result<_, StoreError> { requests::load(view, request) })
        .await;
    let request = looked.ok().flatten()?;
    Some(Moment {
        thread: request.key,
        what,
    })
}
