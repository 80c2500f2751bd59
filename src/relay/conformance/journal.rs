//! The copy of a journal: appended to, read, never changed otherwise.

use super::pen::{Draft, Pen, event, log, post, thread};
use crate::domain::Seq;
use crate::relay::store::{Appended, Posted, RelayStore};
use crate::seal::{Clear, SignedHead, body_sha};
use crate::wire::link::Entries;

pub(super) async fn batches_are_applied_in_order_and_where_they_lead_is_told<S: RelayStore>(
    store: S,
) {
    let mut pen = Pen::new(1);
    let session = pen.enter(&store, 1).await;
    assert_eq!((session.position, session.orphans), (None, 0));
    pen.write_messages(1..=100);
    pen.send(&store, 0, 64).await;
    let state = store.state(pen.workshop).await.unwrap().unwrap();
    assert_eq!(state.position, Some(pen.head()));
    assert_eq!(pen.enter(&store, 2).await.position, Some(pen.head()));
    let seqs = vec![Seq(0), Seq(1), Seq(64), Seq(100), Seq(101), Seq(-1)];
    let chains = store.chains(pen.workshop, seqs).await.unwrap();
    let at = |seq| Some(pen.position_at(seq).chain);
    assert_eq!(chains, [at(0), at(1), at(64), at(100), None, None]);
    let stranger = store.chains(Pen::new(9).workshop, vec![Seq(0)]).await;
    assert_eq!(stranger.unwrap(), [None]);
}

pub(super) async fn a_batch_that_comes_again_or_late_changes_nothing<S: RelayStore>(store: S) {
    let mut pen = Pen::new(1);
    pen.enter(&store, 1).await;
    pen.write_messages(1..=6);
    let fence = pen.fence();
    let append = |batch| store.append(fence, batch);
    // One that comes too early.
    assert_eq!(
        append(pen.batch(2, 4)).await.unwrap(),
        Appended::Rewind(None)
    );
    pen.send(&store, 0, 2).await;
    for (after, to) in [(0, 2), (4, 6), (2, 4), (5, 6)] {
        let appended = append(pen.batch(after, to)).await.unwrap();
        assert_eq!(appended, Appended::Rewind(Some(pen.head())));
    }
    assert_eq!(pen.enter(&store, 2).await.position, Some(pen.head()));
}

pub(super) async fn a_forged_batch_changes_nothing<S: RelayStore>(store: S) {
    let mut pen = Pen::new(1);
    pen.enter(&store, 1).await;
    pen.write_messages(1..=2);
    pen.send(&store, 0, 2).await;
    let before = pen.head();
    pen.write_messages(3..=5);
    let good = pen.batch(2, 5);
    let mut forged: Vec<Entries> = Vec::new();
    let mut forge = |change: &dyn Fn(&mut Entries)| {
        let mut batch = good.clone();
        change(&mut batch);
        forged.push(batch);
    };
    forge(&|batch| batch.entries[1].body = Some(b"other words".to_vec()));
    forge(&|batch| batch.entries[1].body_sha = body_sha(b"other words"));
    forge(&|batch| batch.entries[1].id = event(99));
    forge(&|batch| batch.entries[1].flags = 1);
    forge(&|batch| batch.entries.swap(0, 1));
    forge(&|batch| {
        batch.entries.remove(1);
    });
    forge(&|batch| {
        batch.entries.pop();
    });
    forge(&|batch| batch.entries.clear());
    forge(&|batch| batch.log = log(77));
    forge(&|batch| batch.head.signature[0] ^= 1);
    forge(&|batch| batch.head = SignedHead::sign(&Pen::new(2).key(), batch.head.position));
    forge(&|batch| batch.head = SignedHead::sign(&Pen::new(1).key(), batch.prev));
    // An event that the journal has, in the next batch and in this one.
    let mut twice = pen.clone();
    twice.entries.truncate(4);
    twice.write(Draft::message(1));
    forged.push(twice.batch(2, 5));
    twice.entries.truncate(4);
    twice.write(Draft::message(3));
    forged.push(twice.batch(2, 5));
    for (number, batch) in forged.into_iter().enumerate() {
        let appended = store.append(pen.fence(), batch).await.unwrap();
        assert_eq!(appended, Appended::Forged, "forgery {number}");
        let state = store.state(pen.workshop).await.unwrap().unwrap();
        assert_eq!(state.position, Some(before), "forgery {number}");
    }
    pen.send(&store, 2, 3).await;
}

pub(super) async fn a_new_incarnation_goes_on_where_the_old_one_ended<S: RelayStore>(store: S) {
    let mut pen = Pen::new(1);
    pen.enter(&store, 1).await;
    pen.write_messages(1..=3);
    pen.send(&store, 0, 64).await;
    pen.log = log(2);
    pen.write_messages(4..=5);
    let mut wrong_prev = pen.batch(3, 5);
    wrong_prev.prev.log = log(2);
    let appended = store.append(pen.fence(), wrong_prev).await.unwrap();
    assert_eq!(appended, Appended::Rewind(Some(pen.position_at(3))));
    pen.send(&store, 3, 64).await;
    let head = pen.enter(&store, 2).await.position.unwrap();
    assert_eq!((head, head.log), (pen.head(), log(2)));
    // The first incarnation was left for good.
    let mut back = pen.clone();
    back.log = back.entries[0].0;
    back.write_messages(6..=6);
    let appended = store.append(pen.fence(), back.batch(5, 6)).await.unwrap();
    assert_eq!(appended, Appended::Forged);
    let common = pen.position_at(4);
    assert_eq!(store.fork(pen.fence(), common).await.unwrap(), Some(common));
    assert_eq!(pen.enter(&store, 3).await.position, Some(common));
    let common = pen.position_at(2);
    assert_eq!(store.fork(pen.fence(), common).await.unwrap(), Some(common));
    assert_eq!(pen.enter(&store, 4).await.position, Some(common));
}

pub(super) async fn an_owner_reads_a_thread_in_stretches_without_what_is_the_staffs<
    S: RelayStore,
>(
    store: S,
) {
    let mut pen = Pen::new(1);
    pen.enter(&store, 1).await;
    pen.write(Draft::of(1, None));
    pen.write(Draft::message(2));
    pen.write(Draft::message(3).staff_only());
    pen.write(Draft::of(4, Some(thread(2))));
    pen.write(Draft::message(5).by_owner());
    pen.write(Draft::message(6));
    pen.send(&store, 0, 64).await;
    let read = async |after, rows, bytes| {
        let stretch = store
            .thread(pen.workshop, thread(1), Seq(after), rows, bytes)
            .await
            .unwrap();
        let entries = stretch.entries.iter();
        for entry in &stretch.entries {
            let at = usize::try_from(entry.seq.0).unwrap() - 1;
            assert_eq!(*entry, pen.entries[at].1);
        }
        (
            entries.map(|entry| entry.seq.0).collect::<Vec<_>>(),
            stretch.more,
        )
    };
    assert_eq!(read(0, 10, 10_000).await, (vec![2, 5, 6], false));
    assert_eq!(read(0, 2, 10_000).await, (vec![2, 5], true));
    assert_eq!(read(5, 2, 10_000).await, (vec![6], false));
    assert_eq!(read(6, 2, 10_000).await, (vec![], false));
    // One that is longer than a stretch comes alone.
    assert_eq!(read(0, 10, 1).await, (vec![2], true));
    assert_eq!(read(0, 10, 400).await, (vec![2, 5], true));
    let stranger = store
        .thread(Pen::new(9).workshop, thread(1), Seq(0), 10, 10_000)
        .await
        .unwrap();
    assert!(stranger.entries.is_empty() && !stranger.more);
}

pub(super) async fn an_erased_body_never_comes_back<S: RelayStore>(store: S) {
    let mut pen = Pen::new(1);
    pen.enter(&store, 1).await;
    pen.write_messages(1..=2);
    pen.send(&store, 0, 64).await;
    let erase = |number| Clear::Erased {
        event: event(number),
    };
    pen.write(Draft::message(3).saying(erase(1)));
    // An erasure that is in the journal before what it erases, as after a merge.
    pen.write(Draft::message(4).saying(erase(5)));
    pen.write(Draft::message(5));
    pen.send(&store, 2, 1).await;
    let stretch = store
        .thread(pen.workshop, thread(1), Seq(0), 10, 10_000)
        .await
        .unwrap();
    let bodies: Vec<_> = stretch.entries.iter().map(|it| it.body.is_some()).collect();
    assert_eq!(bodies, [false, true, true, true, false]);
    // The chain is as it was.
    let chains = store
        .chains(pen.workshop, vec![Seq(1), Seq(5)])
        .await
        .unwrap();
    let expected = [1, 5].map(|seq| Some(pen.position_at(seq).chain));
    assert_eq!(chains, expected);
    // An entry may also come without its body.
    pen.write(Draft::message(6));
    pen.entries[5].1.body = None;
    pen.send(&store, 5, 1).await;
    // Erasure and erased in one batch, where nothing was erased before.
    let mut other = Pen::new(2);
    other.enter(&store, 2).await;
    other.write(Draft::message(1).saying(erase(2)));
    other.write(Draft::message(2));
    other.send(&store, 0, 64).await;
    let stretch = store
        .thread(other.workshop, thread(1), Seq(1), 10, 10_000)
        .await
        .unwrap();
    assert_eq!(stretch.entries[0].body, None);
}

pub(super) async fn two_workshops_with_the_same_ids_never_meet<S: RelayStore>(store: S) {
    let (mut one, mut two) = (Pen::new(1), Pen::new(2));
    one.enter(&store, 1).await;
    two.enter(&store, 2).await;
    one.write_messages(1..=4);
    two.write_messages([1, 2, 9]);
    one.send(&store, 0, 64).await;
    two.send(&store, 0, 64).await;
    two.write(Draft::message(10).saying(Clear::Erased { event: event(3) }));
    two.write(Draft::message(11).saying(Clear::Erased { event: event(1) }));
    two.send(&store, 3, 64).await;
    let of_one = store
        .thread(one.workshop, thread(1), Seq(0), 10, 10_000)
        .await
        .unwrap();
    let expected: Vec<_> = one.entries.iter().map(|(_, entry)| entry.clone()).collect();
    assert_eq!(of_one.entries, expected);
    let waits = post(4, super::pen::invite(1));
    let of_two = store
        .post(two.workshop, waits.clone(), super::pen::NOW)
        .await;
    assert_eq!(of_two.unwrap(), Posted::Kept);
    let of_one = store.post(one.workshop, waits, super::pen::NOW).await;
    assert_eq!(of_one.unwrap(), Posted::InJournal);
    assert!(
        store
            .posts_after(one.workshop, 0, 9)
            .await
            .unwrap()
            .is_empty()
    );
    let common = one.position_at(2);
    store.fork(one.fence(), common).await.unwrap();
    assert_eq!(one.enter(&store, 3).await.orphans, 2);
    let two = two.enter(&store, 4).await;
    assert_eq!((two.orphans, two.position.unwrap().seq), (0, Seq(5)));
}
