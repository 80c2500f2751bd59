//! The silence alarm, from the look at the store to the phone.

use super::service::{Browser, Service, field};
use super::{NOW, Pushing, Reach};
use crate::domain::Timestamp;
use crate::relay::alarm::{AlarmStore, Phone, look};
use crate::relay::store::RelayStore;
use crate::wire::link::Alarm;

const HOUR_MS: i64 = 3_600 * 1_000;
const SHA: [u8; 32] = [6; 32];

fn phone(browser: &Browser) -> Phone {
    let known = browser.subscription.clone();
    Phone {
        endpoint: known.endpoint,
        p256dh: known.p256dh,
        auth: known.auth,
    }
}

async fn with_alarm(service: &Service, browser: &Browser) -> Pushing {
    let pushing = Pushing::start(service, &[], Reach::Anywhere).await;
    let alarm = Alarm {
        secret_sha: SHA,
        after_ms: 3_600_000,
    };
    let (store, workshop) = (&pushing.store, pushing.pen.workshop);
    store
        .set_alarm(pushing.pen.fence(), Some(alarm))
        .await
        .unwrap();
    let added = store.add_phone(workshop, SHA, phone(browser)).await;
    assert!(added.unwrap());
    pushing
}

#[tokio::test]
async fn a_silent_box_is_told_once_and_so_is_its_return() {
    let mut service = Service::start(&[]).await;
    let browser = Browser::new(1, &service);
    let pushing = with_alarm(&service, &browser).await;
    let (store, workshop) = (&pushing.store, pushing.pen.workshop);
    let at = async |ms: i64| look(store, &pushing.pusher, Timestamp(NOW.0 + ms)).await;

    at(HOUR_MS - 1).await;
    at(HOUR_MS).await;
    let sent = service.next().await;
    assert_eq!(field(&sent.head, "urgency"), Some("high"));
    let payload = browser.open(&sent);
    assert_eq!(payload["alarm"], workshop.uuid().to_string());
    let since = crate::wire::rfc3339(NOW);
    assert_eq!(payload["silent_since"], since);

    at(2 * HOUR_MS).await;
    let back = Timestamp(NOW.0 + 3 * HOUR_MS);
    store.seen(workshop, back).await.unwrap();
    at(3 * HOUR_MS).await;
    let payload = browser.open(&service.next().await);
    assert_eq!(payload["alarm"], workshop.uuid().to_string());
    assert!(payload.get("silent_since").is_none(), "{payload}");

    at(3 * HOUR_MS + 1).await;
    assert!(service.sent.try_recv().is_err(), "told twice");
}

#[tokio::test]
async fn a_phone_whose_push_service_knows_it_no_more_is_forgotten() {
    let mut service = Service::start(&[410]).await;
    let browser = Browser::new(1, &service);
    let pushing = with_alarm(&service, &browser).await;
    let (store, workshop) = (&pushing.store, pushing.pen.workshop);
    look(store, &pushing.pusher, Timestamp(NOW.0 + HOUR_MS)).await;
    service.next().await;
    let forgotten = async {
        while !store.phones(workshop).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::PATIENCE, forgotten)
        .await
        .expect("in time");
}
