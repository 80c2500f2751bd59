//! The silence alarm.

use super::pen::{NOW, Pen};
use crate::domain::Timestamp;
use crate::relay::alarm::Phone;
use crate::relay::limits::ALARM_PHONES_MAX;
use crate::relay::store::{RelayStore, RelayStoreError};
use crate::wire::link::Alarm;

const AFTER_MS: u32 = 3_600_000;

fn alarm(link: u8) -> Alarm {
    Alarm {
        secret_sha: [link; 32],
        after_ms: AFTER_MS,
    }
}

fn phone(number: i64) -> Phone {
    Phone {
        endpoint: format!("https://push.example/{number}"),
        p256dh: vec![4; 65],
        auth: vec![5; 16],
    }
}

/// A box that asked for an alarm.
async fn asking<S: RelayStore>(store: &S, number: u64) -> Pen {
    let mut pen = Pen::new(number);
    pen.enter(store, 1).await;
    store.set_alarm(pen.fence(), Some(alarm(1))).await.unwrap();
    pen
}

pub(super) async fn an_alarm_is_the_newest_that_the_box_asked_for<S: RelayStore>(store: S) {
    let mut silent = Pen::new(9);
    silent.enter(&store, 1).await;
    let pen = asking(&store, 1).await;
    assert_eq!(store.alarm(silent.workshop).await.unwrap(), None);
    let known = store.alarm(pen.workshop).await.unwrap().unwrap();
    assert_eq!(known.asked.alarm, alarm(1));
    assert_eq!((known.asked.told_ms, known.seen_ms), (None, NOW.0));
    assert_eq!(store.alarms().await.unwrap(), [known]);

    let shorter = Alarm {
        after_ms: 5,
        ..alarm(1)
    };
    store.set_alarm(pen.fence(), Some(shorter)).await.unwrap();
    let known = store.alarm(pen.workshop).await.unwrap().unwrap();
    assert_eq!(known.asked.alarm, shorter);
    store.set_alarm(pen.fence(), None).await.unwrap();
    assert_eq!(store.alarm(pen.workshop).await.unwrap(), None);
    assert_eq!(store.alarms().await.unwrap(), []);
}

pub(super) async fn a_phone_is_told_as_long_as_its_link_opens_something<S: RelayStore>(store: S) {
    let pen = asking(&store, 1).await;
    let other = asking(&store, 2).await;
    let add = |sha: u8, number| store.add_phone(pen.workshop, [sha; 32], phone(number));
    assert!(add(1, 1).await.unwrap());
    // Another secret opens nothing, and takes nobody's place.
    assert!(!add(2, 1).await.unwrap() && !add(2, 2).await.unwrap());
    assert_eq!(store.phones(pen.workshop).await.unwrap(), [phone(1)]);
    assert_eq!(store.phones(other.workshop).await.unwrap(), []);

    // The box says it again at every session.
    store.set_alarm(pen.fence(), Some(alarm(1))).await.unwrap();
    assert_eq!(store.phones(pen.workshop).await.unwrap(), [phone(1)]);
    // A new link: whoever had the old one hears nothing more.
    store.set_alarm(pen.fence(), Some(alarm(2))).await.unwrap();
    assert_eq!(store.phones(pen.workshop).await.unwrap(), []);
    assert!(!add(1, 1).await.unwrap());
    assert!(add(2, 1).await.unwrap());
    store.set_alarm(pen.fence(), None).await.unwrap();
    store.set_alarm(pen.fence(), Some(alarm(2))).await.unwrap();
    assert_eq!(store.phones(pen.workshop).await.unwrap(), []);
}

pub(super) async fn a_workshop_has_so_many_phones<S: RelayStore>(store: S) {
    let pen = asking(&store, 1).await;
    for number in (0..=ALARM_PHONES_MAX).chain([5]) {
        let added = store.add_phone(pen.workshop, [1; 32], phone(number));
        assert!(added.await.unwrap());
    }
    let kept: Vec<_> = (1..=ALARM_PHONES_MAX).filter(|it| *it != 5).collect();
    let kept: Vec<_> = kept.into_iter().chain([5]).map(phone).collect();
    assert_eq!(store.phones(pen.workshop).await.unwrap(), kept);
}

pub(super) async fn a_phone_that_is_gone_is_told_nothing<S: RelayStore>(store: S) {
    let (one, two) = (asking(&store, 1).await, asking(&store, 2).await);
    for pen in [&one, &two] {
        let added = store.add_phone(pen.workshop, [1; 32], phone(1));
        assert!(added.await.unwrap());
    }
    store
        .forget_phone(one.workshop, phone(1).endpoint)
        .await
        .unwrap();
    assert_eq!(store.phones(one.workshop).await.unwrap(), []);
    assert_eq!(store.phones(two.workshop).await.unwrap(), [phone(1)]);
    // Its push service says that it is gone.
    store.unsubscribe(phone(1).endpoint).await.unwrap();
    assert_eq!(store.phones(two.workshop).await.unwrap(), []);
}

pub(super) async fn what_the_phones_were_told_is_remembered<S: RelayStore>(store: S) {
    let pen = asking(&store, 1).await;
    let told = async || {
        let known = store.alarm(pen.workshop).await.unwrap().unwrap();
        known.asked.told_ms
    };
    let at = Timestamp(NOW.0 + 1);
    store.told(pen.workshop, Some(at)).await.unwrap();
    assert_eq!(told().await, Some(at.0));
    store.set_alarm(pen.fence(), Some(alarm(1))).await.unwrap();
    assert_eq!(told().await, Some(at.0), "its end is still to be told");
    store.told(pen.workshop, None).await.unwrap();
    assert_eq!(told().await, None);
}

pub(super) async fn an_older_session_sets_no_alarm<S: RelayStore>(store: S) {
    let mut pen = asking(&store, 1).await;
    let old = pen.fence();
    pen.enter(&store, 2).await;
    let set = store.set_alarm(old, None).await;
    assert!(matches!(set, Err(RelayStoreError::Fenced)));
    assert!(store.alarm(pen.workshop).await.unwrap().is_some());
}
