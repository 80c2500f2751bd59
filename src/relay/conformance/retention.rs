//! Forgetting: the words of closed threads go, the chain stays, and nothing is read differently.

use super::pen::{Draft, NOW, Pen, event, given_back, invite, log, post, thread};
use crate::domain::Seq;
use crate::relay::limits::{MESSAGE, POST_KEPT_MS};
use crate::relay::store::{Appended, Fate, Posted, RelayStore};
use crate::seal::{Clear, SealedEntry};

/// 300 entries: threads 1 to 3 in turn, the workshop's own every tenth.
async fn long<S: RelayStore>(store: &S) -> Pen {
    let mut pen = Pen::new(1);
    pen.enter(store, 1).await;
    for number in 1..=300 {
        if number == 150 {
            pen.log = log(2);
        }
        let of = (number % 10 != 0).then_some(thread(number % 3 + 1));
        let draft = Draft::of(number, of);
        // A request's own story stays: a box restored from here must know that there was one.
        let is_story = number % 7 == 0;
        pen.write(if is_story {
            draft.kind("status_changed")
        } else {
            draft
        });
    }
    pen.send(store, 0, 64).await;
    pen
}

async fn read<S: RelayStore>(store: &S, pen: &Pen, number: u64) -> Vec<SealedEntry> {
    let (mut entries, mut after) = (Vec::new(), Seq(0));
    loop {
        let stretch = store
            .thread(pen.workshop, thread(number), after, 7, 5_000)
            .await
            .unwrap();
        entries.extend(stretch.entries);
        after = entries.last().map_or(after, |entry| entry.seq);
        if !stretch.more {
            return entries;
        }
    }
}

/// What the box wrote of a thread, with or without its words.
fn written(pen: &Pen, number: u64, words: bool) -> Vec<SealedEntry> {
    let entries = pen.entries.iter().map(|(_, entry)| entry);
    entries
        .filter(|entry| entry.thread == Some(thread(number)))
        .map(|entry| SealedEntry {
            body: entry
                .body
                .clone()
                .filter(|_| words || entry.kind != MESSAGE),
            ..entry.clone()
        })
        .collect()
}

async fn trim<S: RelayStore>(store: &S, pen: &Pen, line: i64, closed: &[u64]) -> u64 {
    let closed = closed.iter().map(|number| thread(*number)).collect();
    store.retain(pen.fence(), Seq(line), closed).await.unwrap();
    store.trim(pen.workshop, NOW).await.unwrap()
}

pub(super) async fn the_words_of_closed_threads_go_and_their_chain_stays<S: RelayStore>(store: S) {
    let pen = long(&store).await;
    assert_eq!(store.trim(pen.workshop, NOW).await.unwrap(), 0);
    assert_eq!(read(&store, &pen, 2).await, written(&pen, 2, true));
    trim(&store, &pen, 300, &[2]).await;
    assert_eq!(read(&store, &pen, 2).await, written(&pen, 2, false));
    for open in [1, 3] {
        assert_eq!(read(&store, &pen, open).await, written(&pen, open, true));
    }
    // What the workshop itself needs to be restored stays whole.
    let runs = given_back(&store, &pen, Seq(0)).await;
    let own = runs[0]
        .entries
        .iter()
        .filter(|it| it.entry.thread.is_none());
    assert!(own.clone().all(|given| given.entry.body.is_some()));
    assert_eq!(own.count(), 30);
}

pub(super) async fn a_thread_that_goes_on_keeps_its_words<S: RelayStore>(store: S) {
    let mut pen = long(&store).await;
    // Its newest entries are not in the proven backup.
    trim(&store, &pen, 290, &[2]).await;
    assert_eq!(read(&store, &pen, 2).await, written(&pen, 2, true));
    trim(&store, &pen, 300, &[]).await;
    assert_eq!(read(&store, &pen, 2).await, written(&pen, 2, true));
    // One that was closed, trimmed and opened again goes on.
    trim(&store, &pen, 300, &[2]).await;
    pen.write(Draft::of(400, Some(thread(2))));
    pen.send(&store, 300, 64).await;
    let mut expected = written(&pen, 2, false);
    let last = expected.len() - 1;
    expected[last] = pen.entries[300].1.clone();
    assert_eq!(read(&store, &pen, 2).await, expected);
}

pub(super) async fn everything_is_read_as_before_below_the_line<S: RelayStore>(store: S) {
    let mut pen = long(&store).await;
    store
        .post(pen.workshop, post(500, invite(1)), NOW)
        .await
        .unwrap();
    for (line, closed) in [
        (100, &[][..]),
        (300, &[1]),
        (300, &[1, 3]),
        (300, &[1, 2, 3]),
    ] {
        trim(&store, &pen, line, closed).await;
        let seqs: Vec<_> = (0..=301).map(Seq).collect();
        let chains = store.chains(pen.workshop, seqs).await.unwrap();
        for (seq, chain) in chains.into_iter().enumerate() {
            let expected = (seq <= 300).then(|| pen.position_at(seq).chain);
            assert_eq!(chain, expected, "at {seq}");
        }
        for number in 1..=3 {
            let open = !closed.contains(&number);
            assert_eq!(
                read(&store, &pen, number).await,
                written(&pen, number, open)
            );
        }
        for common in [0, 63, 64, 65, 149, 250] {
            let runs = given_back(&store, &pen, Seq(common)).await;
            assert_eq!(i64::try_from(runs[0].entries.len()).unwrap(), 300 - common);
        }
    }
    let known = store.fate(pen.workshop, vec![event(5), event(300)]).await;
    assert_eq!(
        known.unwrap(),
        [(event(5), Fate::InJournal), (event(300), Fate::InJournal)]
    );
    let late = store
        .post(pen.workshop, post(5, invite(1)), NOW)
        .await
        .unwrap();
    assert_eq!(late, Posted::InJournal);
    pen.write_messages([7]);
    let twice = store
        .append(pen.fence(), pen.batch(300, 301))
        .await
        .unwrap();
    assert_eq!(twice, Appended::Forged);
}

pub(super) async fn a_fork_below_the_line_gives_everything_back<S: RelayStore>(store: S) {
    let mut pen = long(&store).await;
    trim(&store, &pen, 300, &[1, 2]).await;
    let old = pen.clone();
    let common = pen.position_at(100);
    assert_eq!(store.fork(pen.fence(), common).await.unwrap(), Some(common));
    let session = pen.enter(&store, 2).await;
    assert_eq!((session.position, session.orphans), (Some(common), 200));
    let runs = given_back(&store, &pen, Seq(100)).await;
    let given: Vec<_> = runs[0]
        .entries
        .iter()
        .map(|it| (it.log, it.entry.id))
        .collect();
    let expected: Vec<_> = old.entries[100..]
        .iter()
        .map(|(log, it)| (*log, it.id))
        .collect();
    assert_eq!(given, expected);
    for number in 1..=3 {
        let read = read(&store, &pen, number).await;
        let written = written(&old, number, number == 3);
        assert_eq!(read, written[..read.len()]);
        assert!(read.last().unwrap().seq <= Seq(100));
    }
    // All of it comes back, and is trimmed again.
    pen.fork(100, log(3));
    for (_, entry) in &old.entries[100..] {
        let number = u64::try_from(entry.seq.0).unwrap();
        pen.write(Draft::of(number, entry.thread));
    }
    pen.send(&store, 100, 50).await;
    let session = pen.enter(&store, 3).await;
    assert_eq!((session.position, session.orphans), (Some(pen.head()), 0));
    trim(&store, &pen, 300, &[1, 2, 3]).await;
    for number in 1..=3 {
        let read = read(&store, &pen, number).await;
        assert_eq!(read, written(&pen, number, false));
    }
}

pub(super) async fn after_a_fork_nothing_is_forgotten_that_no_backup_has<S: RelayStore>(store: S) {
    let mut pen = long(&store).await;
    store
        .retain(pen.fence(), Seq(300), vec![thread(2)])
        .await
        .unwrap();
    // What stood at 101 to 300 is in the backup; what will stand there is not.
    let common = pen.position_at(100);
    store.fork(pen.fence(), common).await.unwrap();
    pen.fork(100, log(3));
    for number in 301..=500 {
        pen.write(Draft::of(number, Some(thread(2))));
    }
    pen.send(&store, 100, 50).await;
    store.trim(pen.workshop, NOW).await.unwrap();
    assert_eq!(read(&store, &pen, 2).await, written(&pen, 2, true));
}

pub(super) async fn an_erased_body_is_gone_from_a_packed_block_too<S: RelayStore>(store: S) {
    let mut pen = long(&store).await;
    trim(&store, &pen, 300, &[1]).await;
    pen.write(Draft::of(301, None).saying(Clear::Erased { event: event(20) }));
    pen.send(&store, 300, 64).await;
    let runs = given_back(&store, &pen, Seq(0)).await;
    let body = |number: usize| &runs[0].entries[number - 1].entry.body;
    assert_eq!(*body(20), None);
    assert!(body(10).is_some() && body(30).is_some());
}

pub(super) async fn old_posts_are_given_up<S: RelayStore>(store: S) {
    let mut pen = Pen::new(1);
    pen.enter(&store, 1).await;
    for (number, ms) in [(1, 0), (2, 0), (3, 10)] {
        let post = post(number, invite(1));
        store
            .post(pen.workshop, post, NOW.plus_ms(ms))
            .await
            .unwrap();
    }
    store
        .refuse_post(pen.fence(), event(2), "expired".into())
        .await
        .unwrap();
    let ids = || (1..=3).map(event).collect();
    store
        .trim(pen.workshop, NOW.plus_ms(POST_KEPT_MS - 1))
        .await
        .unwrap();
    assert_eq!(store.fate(pen.workshop, ids()).await.unwrap().len(), 3);
    store
        .trim(pen.workshop, NOW.plus_ms(POST_KEPT_MS))
        .await
        .unwrap();
    let fates = store.fate(pen.workshop, ids()).await.unwrap();
    assert_eq!(fates, [(event(3), Fate::Waiting)]);
    assert_eq!(store.workshops().await.unwrap()[0].posts, 1);
}
