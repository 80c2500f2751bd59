//! Copies that disagree: what was replaced is kept, proven, until it came back.

use super::pen::{Draft, Pen, VerifiedRun, event, given_back, granted, invite, log, thread, wrap};
use crate::domain::{EventId, Seq};
use crate::relay::store::RelayStore;
use crate::seal::{Clear, Position};

fn events(numbers: impl IntoIterator<Item = u64>) -> Vec<EventId> {
    numbers.into_iter().map(event).collect()
}

/// A box with so many messages at the relay.
async fn with_messages<S: RelayStore>(store: &S, numbers: u64) -> Pen {
    let mut pen = Pen::new(1);
    pen.enter(store, 1).await;
    pen.write_messages(1..=numbers);
    pen.send(store, 0, 64).await;
    pen
}

pub(super) async fn what_a_fork_replaces_is_given_back_until_it_came_back<S: RelayStore>(store: S) {
    let mut pen = with_messages(&store, 10).await;
    let common = pen.position_at(7);
    // Before the fork the tail is given back as one run.
    let runs = given_back(&store, &pen, Seq(7)).await;
    assert_eq!(runs.len(), 1);
    assert_eq!(
        (runs[0].begins, runs[0].lacking()),
        (common.chain, events(8..=10))
    );
    assert!(
        runs[0]
            .entries
            .iter()
            .all(|given| given.entry.body.is_some())
    );
    assert_eq!(given_back(&store, &pen, Seq(10)).await, []);

    assert_eq!(store.fork(pen.fence(), common).await.unwrap(), Some(common));
    // It may come twice.
    assert_eq!(store.fork(pen.fence(), common).await.unwrap(), Some(common));
    let session = pen.enter(&store, 2).await;
    assert_eq!((session.position, session.orphans), (Some(common), 3));
    assert_eq!(given_back(&store, &pen, Seq(7)).await, runs);

    let old = pen.clone();
    pen.fork(7, log(2));
    pen.write_messages([8, 10]);
    pen.send(&store, 7, 64).await;
    assert_eq!(pen.enter(&store, 3).await.orphans, 1);
    let half = given_back(&store, &pen, Seq(9)).await;
    assert_eq!((half.len(), half[0].lacking()), (1, events([9])));
    let bodies = half[0]
        .entries
        .iter()
        .map(|given| given.entry.body.is_some());
    assert_eq!(bodies.collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(half[0].ends, old.head());

    pen.write_messages([9]);
    pen.send(&store, 9, 64).await;
    assert_eq!(pen.enter(&store, 4).await.orphans, 0);
    assert_eq!(given_back(&store, &pen, Seq(10)).await, []);
    assert_eq!(store.workshops().await.unwrap()[0].forks, 1);
}

pub(super) async fn a_position_elsewhere_is_no_common_one<S: RelayStore>(store: S) {
    let pen = with_messages(&store, 5).await;
    let here = pen.position_at(3);
    let elsewhere = [
        Position {
            log: log(9),
            ..here
        },
        Position {
            seq: Seq(2),
            ..here
        },
        Position {
            seq: Seq(6),
            ..here
        },
        Position {
            seq: Seq(-1),
            ..here
        },
        Position {
            chain: pen.position_at(2).chain,
            ..here
        },
    ];
    for position in elsewhere {
        assert_eq!(store.fork(pen.fence(), position).await.unwrap(), None);
    }
    let state = store.state(pen.workshop).await.unwrap().unwrap();
    assert_eq!(state.position, Some(pen.head()));
}

pub(super) async fn a_fork_to_the_beginning_leaves_nothing_but_orphans<S: RelayStore>(store: S) {
    let mut pen = with_messages(&store, 5).await;
    let nowhere = Position {
        log: log(99),
        ..pen.position_at(0)
    };
    assert_eq!(
        store.fork(pen.fence(), nowhere).await.unwrap(),
        Some(nowhere)
    );
    let session = pen.enter(&store, 2).await;
    assert_eq!((session.position, session.orphans), (None, 5));
    let runs = given_back(&store, &pen, Seq(0)).await;
    assert_eq!(runs[0].lacking(), events(1..=5));
    // The same incarnation may begin again: nothing of it is left.
    pen.fork(0, pen.log);
    pen.write_messages([20, 5, 4, 3, 2, 1]);
    pen.send(&store, 0, 2).await;
    let session = pen.enter(&store, 3).await;
    assert_eq!((session.position, session.orphans), (Some(pen.head()), 0));
}

pub(super) async fn forks_upon_forks_can_still_be_verified<S: RelayStore>(store: S) {
    let mut pen = with_messages(&store, 10).await;
    let old = pen.clone();
    // A fork right after another: nothing was signed at 7, and 6 and 7 must be proven all the same.
    store.fork(pen.fence(), pen.position_at(7)).await.unwrap();
    let proven = given_back(&store, &pen, Seq(5)).await;
    assert_eq!(proven.len(), 1);
    assert_eq!(
        (proven[0].lacking(), proven[0].ends),
        (events(6..=10), old.head())
    );
    store.fork(pen.fence(), pen.position_at(5)).await.unwrap();
    store.fork(pen.fence(), pen.position_at(4)).await.unwrap();
    let runs = given_back(&store, &pen, Seq(4)).await;
    assert_eq!((runs.len(), runs[0].lacking()), (1, events(5..=10)));
    assert_eq!(runs[0].begins, pen.position_at(4).chain);

    // Another copy goes on, and is replaced in its turn.
    pen.fork(4, log(2));
    pen.write_messages([20, 5, 21]);
    pen.send(&store, 4, 1).await;
    let second = pen.clone();
    store.fork(pen.fence(), pen.position_at(3)).await.unwrap();
    assert_eq!(pen.enter(&store, 2).await.orphans, 9);
    let runs = given_back(&store, &pen, Seq(3)).await;
    let lacking: Vec<_> = runs.iter().map(VerifiedRun::lacking).collect();
    assert_eq!(lacking, [events(6..=10), events([4, 20, 5, 21])]);
    assert_eq!(runs[1].ends, second.head());

    // Everything came back, the newest first.
    pen.fork(3, log(3));
    pen.write_messages([21, 5, 20, 4]);
    pen.send(&store, 3, 64).await;
    assert_eq!(given_back(&store, &pen, Seq(7)).await.len(), 1);
    pen.write_messages(6..=10);
    pen.send(&store, 7, 2).await;
    let session = pen.enter(&store, 3).await;
    assert_eq!((session.position, session.orphans), (Some(pen.head()), 0));
    assert_eq!(given_back(&store, &pen, Seq(12)).await, []);
}

pub(super) async fn long_runs_come_in_pages<S: RelayStore>(store: S) {
    let mut pen = with_messages(&store, 3).await;
    for number in 4..=200 {
        let mut draft = Draft::message(number);
        draft.body = vec![1; if number % 50 == 0 { 70_000 } else { 500 }];
        pen.write(draft);
    }
    for at in (3..200).step_by(20) {
        let batch = pen.batch(at, 200.min(at + 20));
        store.append(pen.fence(), batch).await.unwrap();
    }
    let tail = given_back(&store, &pen, Seq(2)).await;
    assert_eq!(tail[0].lacking(), events(3..=200));
    store.fork(pen.fence(), pen.position_at(100)).await.unwrap();
    pen.fork(100, log(2));
    pen.write_messages(300..=310);
    pen.send(&store, 100, 64).await;
    let runs = given_back(&store, &pen, Seq(50)).await;
    let lacking: Vec<_> = runs.iter().map(VerifiedRun::lacking).collect();
    assert_eq!(lacking[0], events(101..=200));
    assert_eq!(lacking[1], events((51..=100).chain(300..=310)));
}

pub(super) async fn an_erased_body_is_gone_from_the_orphans_too<S: RelayStore>(store: S) {
    let mut pen = with_messages(&store, 5).await;
    store.fork(pen.fence(), pen.position_at(3)).await.unwrap();
    pen.fork(3, log(2));
    pen.write(Draft::message(6).saying(Clear::Erased { event: event(4) }));
    pen.send(&store, 3, 64).await;
    let runs = given_back(&store, &pen, Seq(4)).await;
    let bodies = runs[0]
        .entries
        .iter()
        .map(|given| given.entry.body.is_some());
    assert_eq!(bodies.collect::<Vec<_>>(), [false, true]);
    // The erasure is replaced by a fork, and what it erased stays erased.
    store.fork(pen.fence(), pen.position_at(3)).await.unwrap();
    pen.fork(3, log(3));
    pen.write_messages([4]);
    pen.send(&store, 3, 64).await;
    let stretch = store
        .thread(pen.workshop, thread(1), Seq(3), 9, 10_000)
        .await;
    assert_eq!(stretch.unwrap().entries[0].body, None);
}

pub(super) async fn links_that_were_revoked_stay_so_through_a_fork<S: RelayStore>(store: S) {
    let mut pen = with_messages(&store, 1).await;
    pen.write(Draft::message(2).saying(granted(1, vec![wrap(invite(1), 0, 1)])));
    pen.write(Draft::message(3).saying(granted(2, vec![wrap(invite(2), 0, 2)])));
    pen.write(Draft::message(4).saying(Clear::Revoked {
        invite: invite(1),
        wraps: vec![wrap(invite(2), 1, 3)],
    }));
    pen.send(&store, 1, 64).await;
    store.fork(pen.fence(), pen.position_at(1)).await.unwrap();
    let known = store.invite(invite(2)).await.unwrap().unwrap();
    assert!(!known.revoked);
    assert_eq!(store.wraps(invite(2)).await.unwrap().len(), 2);
    // The grant comes back before its revocation does.
    pen.fork(1, log(2));
    pen.write(Draft::message(2).saying(granted(1, vec![wrap(invite(1), 0, 1)])));
    pen.send(&store, 1, 64).await;
    assert!(store.invite(invite(1)).await.unwrap().unwrap().revoked);
}
