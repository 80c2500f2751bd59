//! The mailbox: a post waits until the journal has it.

use super::pen::{Draft, NOW, Pen, event, invite, log, post};
use crate::domain::EventId;
use crate::relay::limits::{
    POST_BYTES_PER_WORKSHOP_MAX, POSTS_PER_INVITE_MAX, REFUSED_PER_INVITE_MAX,
};
use crate::relay::store::{Fate, Posted, RelayStore, RelayStoreError};
use crate::seal::{POST_BYTES_MAX, SealedPost};

async fn pen_of<S: RelayStore>(store: &S) -> Pen {
    let mut pen = Pen::new(1);
    pen.enter(store, 1).await;
    pen
}

async fn ids<S: RelayStore>(store: &S, pen: &Pen) -> Vec<EventId> {
    let posts = store.posts_after(pen.workshop, 0, 1_000).await.unwrap();
    posts.into_iter().map(|(_, post)| post.id).collect()
}

pub(super) async fn a_post_waits_until_the_journal_has_it<S: RelayStore>(store: S) {
    let mut pen = pen_of(&store).await;
    let first = post(1, invite(1));
    for _ in 0..2 {
        let posted = store.post(pen.workshop, first.clone(), NOW).await.unwrap();
        assert_eq!(posted, Posted::Kept);
    }
    // The first bytes stay.
    let other = SealedPost {
        sealed: vec![8; 9],
        ..first.clone()
    };
    assert_eq!(
        store.post(pen.workshop, other, NOW).await.unwrap(),
        Posted::Kept
    );
    store
        .post(pen.workshop, post(2, invite(1)), NOW)
        .await
        .unwrap();
    let waiting = store.posts_after(pen.workshop, 0, 9).await.unwrap();
    assert_eq!((waiting.len(), &waiting[0].1), (2, &first));
    let line = store.workshops().await.unwrap().remove(0);
    assert_eq!((line.posts, line.oldest_post_ms), (2, Some(NOW.0)));

    pen.write(Draft::message(1).by_owner());
    pen.send(&store, 0, 64).await;
    assert_eq!(ids(&store, &pen).await, [event(2)]);
    let again = store.post(pen.workshop, first, NOW).await.unwrap();
    assert_eq!(again, Posted::InJournal);
    let fates = store
        .fate(pen.workshop, vec![event(1), event(2), event(3)])
        .await
        .unwrap();
    assert_eq!(
        fates,
        [(event(1), Fate::InJournal), (event(2), Fate::Waiting)]
    );
    let stranger = store
        .post(Pen::new(9).workshop, post(1, invite(1)), NOW)
        .await;
    assert!(matches!(stranger, Err(RelayStoreError::Fenced)));
}

pub(super) async fn a_refused_post_waits_again_when_it_is_offered_again<S: RelayStore>(store: S) {
    let mut pen = pen_of(&store).await;
    for number in 1..=2 {
        store
            .post(pen.workshop, post(number, invite(1)), NOW)
            .await
            .unwrap();
    }
    let refuse = async |number, why: &str| {
        store
            .refuse_post(pen.fence(), event(number), why.into())
            .await
            .unwrap();
    };
    refuse(1, "expired").await;
    // Once is enough, and one that nobody knows is no mistake.
    refuse(1, "revoked").await;
    refuse(7, "revoked").await;
    assert_eq!(ids(&store, &pen).await, [event(2)]);
    let fate = store.fate(pen.workshop, vec![event(1)]).await.unwrap();
    assert_eq!(fate, [(event(1), Fate::Refused("expired".into()))]);
    assert_eq!(store.workshops().await.unwrap()[0].posts, 1);

    let renewed = SealedPost {
        sealed: vec![9; 50],
        ..post(1, invite(2))
    };
    let posted = store
        .post(pen.workshop, renewed.clone(), NOW)
        .await
        .unwrap();
    assert_eq!(posted, Posted::Kept);
    let waiting = store.posts_after(pen.workshop, 0, 9).await.unwrap();
    assert_eq!(waiting[1].1, renewed);
    assert!(waiting[1].0 > waiting[0].0);
    // The journal's word is the last.
    refuse(1, "expired").await;
    pen.write(Draft::message(1));
    pen.send(&store, 0, 64).await;
    let fate = store.fate(pen.workshop, vec![event(1)]).await.unwrap();
    assert_eq!(fate, [(event(1), Fate::InJournal)]);
}

pub(super) async fn posts_come_in_pages_and_in_order<S: RelayStore>(store: S) {
    let pen = pen_of(&store).await;
    for number in [5, 3, 9, 1] {
        store
            .post(pen.workshop, post(number, invite(1)), NOW)
            .await
            .unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), 0);
    loop {
        let page = store.posts_after(pen.workshop, after, 3).await.unwrap();
        let Some((last, _)) = page.last() else { break };
        after = *last;
        seen.extend(page.into_iter().map(|(_, post)| post.id));
    }
    assert_eq!(seen, [5, 3, 9, 1].map(event));
}

pub(super) async fn a_full_mailbox_says_so<S: RelayStore>(store: S) {
    let mut pen = pen_of(&store).await;
    let most = POSTS_PER_INVITE_MAX.unsigned_abs();
    for number in 1..=most {
        store
            .post(pen.workshop, post(number, invite(1)), NOW)
            .await
            .unwrap();
    }
    let workshop = pen.workshop;
    let more = async |number, of, bytes| {
        let post = SealedPost {
            sealed: vec![1; bytes],
            ..post(number, invite(of))
        };
        store.post(workshop, post, NOW).await.unwrap()
    };
    assert_eq!(more(most + 1, 1, 9).await, Posted::TooMany);
    // One that waits already is no more, and another link is not in the way.
    assert_eq!(more(1, 1, 9).await, Posted::Kept);
    assert_eq!(more(most + 1, 2, 9).await, Posted::Kept);
    store
        .refuse_post(pen.fence(), event(2), "expired".into())
        .await
        .unwrap();
    assert_eq!(more(most + 2, 1, 9).await, Posted::Kept);
    assert_eq!(more(2, 1, 9).await, Posted::TooMany);
    pen.write(Draft::message(3));
    pen.send(&store, 0, 64).await;
    assert_eq!(more(2, 1, 9).await, Posted::Kept);

    let big = usize::try_from(POST_BYTES_PER_WORKSHOP_MAX).unwrap() / POST_BYTES_MAX;
    let numbers = 10_000..;
    let mut kept = 0;
    for number in numbers {
        if more(number, number, POST_BYTES_MAX).await == Posted::TooMany {
            break;
        }
        kept += 1;
    }
    assert_eq!(kept, big - 1, "the small ones are in there too");
}

pub(super) async fn only_the_newest_refusals_are_remembered<S: RelayStore>(store: S) {
    let pen = pen_of(&store).await;
    let most = REFUSED_PER_INVITE_MAX.unsigned_abs();
    for number in 1..=most + 2 {
        store
            .post(pen.workshop, post(number, invite(1)), NOW)
            .await
            .unwrap();
        store
            .refuse_post(pen.fence(), event(number), "expired".into())
            .await
            .unwrap();
    }
    let ids = (1..=most + 2).map(event).collect();
    let fates = store.fate(pen.workshop, ids).await.unwrap();
    assert_eq!(fates.len(), usize::try_from(most).unwrap());
    assert_eq!(fates[0].0, event(3));
}

pub(super) async fn a_post_among_the_orphans_is_kept_until_it_came_back<S: RelayStore>(store: S) {
    let mut pen = pen_of(&store).await;
    pen.write_messages(1..=3);
    pen.send(&store, 0, 64).await;
    store.fork(pen.fence(), pen.position_at(1)).await.unwrap();
    let offered = store.post(pen.workshop, post(2, invite(1)), NOW).await;
    assert_eq!(offered.unwrap(), Posted::Kept);
    pen.fork(1, log(2));
    pen.write_messages([2]);
    pen.send(&store, 1, 64).await;
    assert!(ids(&store, &pen).await.is_empty());
    let fates = store
        .fate(pen.workshop, vec![event(2), event(3)])
        .await
        .unwrap();
    assert_eq!(fates, [(event(2), Fate::InJournal)]);
}
