//! Which copy of a box may go on.

use super::pen::{NOW, Pen, nonce, thread};
use crate::domain::{Seq, Timestamp};
use crate::relay::lineage::COPY_REMEMBERED_MS;
use crate::relay::store::{Admit, Fence, RelayStore, RelayStoreError, Session, SessionAsked};
use crate::seal::Lineage;
use crate::wire::link::Verdict;

async fn verdict<S: RelayStore>(store: &S, asked: SessionAsked) -> Verdict {
    store.open_session(asked).await.unwrap().verdict
}

fn later(asked: SessionAsked, ms: i64) -> SessionAsked {
    SessionAsked {
        now: NOW.plus_ms(ms),
        ..asked
    }
}

pub(super) async fn a_workshop_enters_by_membership_or_code_and_no_other_way<S: RelayStore>(
    store: S,
) {
    let mut pen = Pen::new(1);
    let stranger = SessionAsked {
        admit: Admit::Known,
        ..pen.asks(1)
    };
    let refused = Session {
        verdict: Verdict::Unknown,
        lineage: None,
        position: None,
        orphans: 0,
    };
    assert_eq!(store.open_session(stranger.clone()).await.unwrap(), refused);
    assert_eq!(store.state(pen.workshop).await.unwrap(), None);
    let session = pen.enter(&store, 2).await;
    assert_eq!(session.verdict, Verdict::Resume);
    assert_eq!(session.lineage.unwrap().nonce, nonce(2));
    let known = SessionAsked {
        lineage: pen.lineage,
        ..stranger
    };
    assert_eq!(verdict(&store, known).await, Verdict::Resume);
    store.add_code([8; 32], NOW.plus_ms(1_000)).await.unwrap();
    let code = store.codes(NOW).await.unwrap()[0].id;
    let paired = SessionAsked {
        admit: Admit::Code(code),
        ..Pen::new(2).asks(3)
    };
    assert_eq!(verdict(&store, paired).await, Verdict::Resume);
}

pub(super) async fn a_code_is_for_one_workshop_and_may_be_shown_again_by_it<S: RelayStore>(
    store: S,
) {
    store.add_code([8; 32], NOW.plus_ms(1_000)).await.unwrap();
    store.add_code([9; 32], NOW.plus_ms(1_000)).await.unwrap();
    let codes = store.codes(NOW).await.unwrap();
    assert_eq!(codes.len(), 2);
    assert_eq!((codes[0].key, codes[0].used_by), ([8; 32], None));
    let code = codes[0].id;
    let (first, second) = (Pen::new(1), Pen::new(2));
    let by_code = |pen: &Pen, turn| SessionAsked {
        admit: Admit::Code(code),
        ..pen.asks(turn)
    };
    assert_eq!(verdict(&store, by_code(&first, 1)).await, Verdict::Resume);
    // Its welcome got lost.
    assert_eq!(verdict(&store, by_code(&first, 2)).await, Verdict::Resume);
    assert_eq!(verdict(&store, by_code(&second, 3)).await, Verdict::BadCode);
    assert_eq!(store.state(second.workshop).await.unwrap(), None);
    let used = store.codes(NOW).await.unwrap()[0].used_by;
    assert_eq!(used, Some(first.workshop));
    // A known workshop needs none, but the one that it shows is not for another.
    let other = SessionAsked {
        admit: Admit::Code(codes[1].id),
        ..first.asks(4)
    };
    assert_eq!(verdict(&store, other).await, Verdict::Resume);
    let second = SessionAsked {
        admit: Admit::Code(codes[1].id),
        ..second.asks(5)
    };
    assert_eq!(verdict(&store, second).await, Verdict::BadCode);
}

pub(super) async fn a_code_that_ended_is_none<S: RelayStore>(store: S) {
    store.add_code([8; 32], NOW).await.unwrap();
    assert!(store.codes(NOW).await.unwrap().is_empty());
    let early = store.codes(Timestamp(NOW.0 - 1)).await.unwrap();
    for code in [early[0].id, early[0].id + 7] {
        let asked = SessionAsked {
            admit: Admit::Code(code),
            ..Pen::new(1).asks(1)
        };
        assert_eq!(verdict(&store, asked).await, Verdict::BadCode);
    }
}

pub(super) async fn a_box_goes_on_after_a_cut_between_welcome_and_grant<S: RelayStore>(store: S) {
    let mut pen = Pen::new(1);
    // The very first welcome is lost twice.
    for turn in 1..=2 {
        assert_eq!(verdict(&store, pen.asks(turn)).await, Verdict::Resume);
    }
    pen.enter(&store, 3).await;
    // Later ones are lost before and after the box stored them.
    for turn in 4..=5 {
        let session = store.open_session(pen.asks(turn)).await.unwrap();
        assert_eq!(session.verdict, Verdict::Resume);
        if turn == 5 {
            pen.lineage = session.lineage;
        }
    }
    assert_eq!(verdict(&store, pen.asks(6)).await, Verdict::Resume);
}

/// A box that was let in three times, and a copy of it from after the first.
async fn box_and_old_copy<S: RelayStore>(store: &S) -> (Pen, Pen) {
    let mut pen = Pen::new(1);
    pen.enter(store, 1).await;
    let copy = pen.clone();
    for turn in 2..=3 {
        pen.enter(store, turn).await;
    }
    (pen, copy)
}

pub(super) async fn the_first_older_copy_is_a_restore_and_the_second_within_30_days_a_clone<
    S: RelayStore,
>(
    store: S,
) {
    let (pen, mut copy) = box_and_old_copy(&store).await;
    assert_eq!(copy.enter(&store, 10).await.verdict, Verdict::Restored);
    assert_eq!(copy.enter(&store, 11).await.verdict, Verdict::Resume);
    let soon = later(pen.asks(12), COPY_REMEMBERED_MS - 1);
    assert_eq!(verdict(&store, soon).await, Verdict::Quarantined);
    // Both: whoever is on the line now is fenced too.
    assert_eq!(verdict(&store, copy.asks(13)).await, Verdict::Quarantined);
    let confirmed = store.confirm(copy.fence()).await;
    assert!(matches!(confirmed, Err(RelayStoreError::Fenced)));
}

pub(super) async fn an_older_copy_after_30_days_is_a_restore_again<S: RelayStore>(store: S) {
    let (pen, mut copy) = box_and_old_copy(&store).await;
    assert_eq!(copy.enter(&store, 10).await.verdict, Verdict::Restored);
    let late = later(pen.asks(11), COPY_REMEMBERED_MS);
    assert_eq!(verdict(&store, late).await, Verdict::Restored);
}

pub(super) async fn a_restore_cut_before_its_grant_is_no_clone<S: RelayStore>(store: S) {
    let (_, mut copy) = box_and_old_copy(&store).await;
    assert_eq!(verdict(&store, copy.asks(10)).await, Verdict::Restored);
    assert_eq!(verdict(&store, copy.asks(11)).await, Verdict::Resume);
    copy.enter(&store, 12).await;
    // A card that was made new by the recovery words has no grant at all.
    copy.lineage = None;
    let late = later(copy.asks(13), COPY_REMEMBERED_MS);
    assert_eq!(verdict(&store, late.clone()).await, Verdict::Restored);
    assert_eq!(verdict(&store, late).await, Verdict::Resume);
}

pub(super) async fn nobody_goes_on_in_quarantine_until_one_is_declared_real<S: RelayStore>(
    store: S,
) {
    let (mut pen, mut copy) = box_and_old_copy(&store).await;
    copy.enter(&store, 10).await;
    assert_eq!(pen.enter(&store, 11).await.verdict, Verdict::Quarantined);
    for asked in [pen.asks(12), copy.asks(13)] {
        let months_later = later(asked, 5 * COPY_REMEMBERED_MS);
        assert_eq!(verdict(&store, months_later).await, Verdict::Quarantined);
    }
    assert!(store.workshops().await.unwrap()[0].quarantined);
    let real = SessionAsked {
        claim: true,
        ..pen.asks(14)
    };
    // The welcome is lost, and the grant of the other copy is worth nothing all the same.
    assert_eq!(verdict(&store, real.clone()).await, Verdict::Resume);
    assert_eq!(verdict(&store, copy.asks(15)).await, Verdict::Superseded);
    let session = store.open_session(real).await.unwrap();
    pen.lineage = session.lineage;
    store.confirm(pen.fence()).await.unwrap();
    assert!(!store.workshops().await.unwrap()[0].quarantined);
    assert_eq!(verdict(&store, pen.asks(16)).await, Verdict::Resume);
}

pub(super) async fn the_other_copy_is_superseded_for_30_days_unless_it_is_declared_real<
    S: RelayStore,
>(
    store: S,
) {
    let (mut pen, copy) = box_and_old_copy(&store).await;
    let real = SessionAsked {
        claim: true,
        ..pen.asks(10)
    };
    pen.lineage = store.open_session(real).await.unwrap().lineage;
    store.confirm(pen.fence()).await.unwrap();
    for turn in 11..13 {
        let soon = later(copy.asks(turn), COPY_REMEMBERED_MS - 1);
        assert_eq!(verdict(&store, soon).await, Verdict::Superseded);
        // Nothing was changed by it.
        assert!(store.confirm(pen.fence()).await.is_ok());
    }
    let late = later(copy.asks(14), COPY_REMEMBERED_MS);
    assert_eq!(verdict(&store, late).await, Verdict::Restored);
    let claiming = SessionAsked {
        claim: true,
        ..copy.asks(15)
    };
    assert_eq!(verdict(&store, claiming).await, Verdict::Resume);
    assert_eq!(verdict(&store, pen.asks(16)).await, Verdict::Superseded);
}

pub(super) async fn a_relay_that_went_back_in_time_blames_nobody<S: RelayStore>(store: S) {
    let mut pen = Pen::new(1);
    pen.enter(&store, 1).await;
    // Grants that this copy of the relay does not remember, twice in a month.
    for (turn, generation) in [(2, 40), (3, 80)] {
        pen.lineage = Some(Lineage {
            generation,
            nonce: nonce(100 + turn),
        });
        let session = pen.enter(&store, turn).await;
        assert_eq!(session.verdict, Verdict::Resume);
        assert_eq!(session.lineage.unwrap().generation, generation + 1);
    }
    // An absurd one is nobody's.
    pen.lineage = Some(Lineage {
        generation: u64::MAX,
        nonce: nonce(9),
    });
    assert_eq!(verdict(&store, pen.asks(4)).await, Verdict::Restored);
}

pub(super) async fn another_key_is_another_workshop<S: RelayStore>(store: S) {
    let mut pen = Pen::new(1);
    pen.enter(&store, 1).await;
    let thief = SessionAsked {
        public_key: Pen::new(2).key().public_key(),
        claim: true,
        ..pen.asks(2)
    };
    assert_eq!(verdict(&store, thief).await, Verdict::Unknown);
    assert!(store.confirm(pen.fence()).await.is_ok());
}

pub(super) async fn an_older_session_changes_nothing<S: RelayStore>(store: S) {
    let mut pen = Pen::new(1);
    pen.enter(&store, 1).await;
    pen.write_messages(1..=2);
    let old = pen.fence();
    pen.enter(&store, 2).await;
    let nobody = Fence {
        workshop: Pen::new(7).workshop,
        generation: 1,
    };
    for fence in [old, nobody] {
        let fenced = [
            store.confirm(fence).await.is_ok(),
            store.append(fence, pen.batch(0, 2)).await.is_ok(),
            store.fork(fence, pen.position_at(0)).await.is_ok(),
            store.retain(fence, Seq(0), vec![thread(1)]).await.is_ok(),
            store
                .refuse_post(fence, pen.entries[0].1.id, "revoked".into())
                .await
                .is_ok(),
        ];
        assert_eq!(fenced, [false; 5]);
    }
    assert_eq!(
        store.state(pen.workshop).await.unwrap().unwrap().position,
        None
    );
    pen.send(&store, 0, 2).await;
}

pub(super) async fn the_box_was_heard_of_and_says_where_it_is_found<S: RelayStore>(store: S) {
    let mut pen = Pen::new(1);
    pen.enter(&store, 1).await;
    let state = store.state(pen.workshop).await.unwrap().unwrap();
    assert_eq!(
        (state.doors, state.seen_ms),
        (vec!["box.local".to_owned()], NOW.0)
    );
    for (ms, seen) in [(50, 50), (20, 50), (90, 90)] {
        store.seen(pen.workshop, NOW.plus_ms(ms)).await.unwrap();
        let state = store.state(pen.workshop).await.unwrap().unwrap();
        assert_eq!(state.seen_ms, NOW.0 + seen);
    }
    store.seen(Pen::new(9).workshop, NOW).await.unwrap();
    store.probe().await.unwrap();
}
