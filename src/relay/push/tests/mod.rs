//! Pushes from the entry that is news to the browser that opens it, over TLS.

mod alarm;
mod service;

use http::StatusCode;
use serde_json::Value;
use tokio::time::timeout;
use web_push_native::p256;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;

use super::*;
use crate::domain::Timestamp;
use crate::net::tls::{TlsClock, client};
use crate::net::{Plain, Reach};
use crate::relay::conformance::pen::{Draft, NOW, Pen, device, granted, invite, thread, wrap};
use crate::relay::sqlite::SqliteRelay;
use service::{Browser, Service, field};

const PATIENCE: Duration = Duration::from_secs(10);

/// A relay with one thread, of which some browsers want to hear.
struct Pushing {
    pusher: Pusher<SqliteRelay>,
    store: SqliteRelay,
    presence: Presence,
    pen: Pen,
    shutdown: CancellationToken,
}

impl Drop for Pushing {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Pushing {
    async fn start(service: &Service, browsers: &[&Browser], reach: Reach) -> Self {
        let (clock, store) = (Clock::manual(NOW), SqliteRelay::in_memory());
        let mut pen = Pen::new(1);
        pen.enter(&store, 1).await;
        pen.write(Draft::message(1).saying(granted(1, vec![wrap(invite(1), 0, 1)])));
        pen.send(&store, 0, 64).await;
        for browser in browsers {
            let subscription = browser.subscription.clone();
            let subscribed = store.subscribe(pen.workshop, thread(1), subscription);
            subscribed.await.unwrap();
        }
        let trusted = client(&TlsClock::new(Clock::system()), Some(&service.root)).unwrap();
        let (presence, shutdown) = (Presence::new(clock.clone()), CancellationToken::new());
        let secret = p256::SecretKey::from_slice(&[99; 32]).unwrap();
        let pusher = Pusher::new(Parts {
            store: store.clone(),
            presence: presence.clone(),
            vapid: Arc::new(Vapid::new(&secret)),
            dialer: Dialer::new(trusted, Plain::NearOnly, reach),
            contact: "mailto:nobody@relay.example".into(),
            pauses: [Duration::from_millis(1); 3],
            clock,
            shutdown: shutdown.clone(),
            tracker: TaskTracker::new(),
        });
        Self {
            pusher,
            store,
            presence,
            pen,
            shutdown,
        }
    }

    fn write(&mut self, draft: Draft) -> SealedEntry {
        self.pen.write(draft);
        self.pen.entries.last().unwrap().1.clone()
    }

    async fn subscribed(&self) -> Vec<Subscription> {
        let known = self.store.subscriptions(self.pen.workshop, thread(1), NOW);
        known.await.unwrap()
    }

    /// Until what is kept of the subscriptions is as it should be.
    async fn until(&self, holds: impl Fn(&[Subscription]) -> bool) {
        let looking = async {
            while !holds(&self.subscribed().await) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, looking).await.expect("in time");
    }
}

#[tokio::test]
async fn a_message_reaches_a_browser_that_alone_can_open_it() {
    let mut service = Service::start(&[]).await;
    let browser = Browser::new(1, &service);
    let mut pushing = Pushing::start(&service, &[&browser], Reach::Anywhere).await;
    let entry = pushing.write(Draft::message(7));
    pushing
        .pusher
        .applied(pushing.pen.workshop, vec![entry.clone()]);
    let sent = service.next().await;
    assert!(
        sent.head.starts_with("POST /push/1 HTTP/1.1"),
        "{}",
        sent.head
    );
    assert_eq!(field(&sent.head, "content-encoding"), Some("aes128gcm"));
    assert_eq!(field(&sent.head, "urgency"), Some("high"));
    assert_eq!(field(&sent.head, "ttl"), Some("259200"));
    assert_eq!(field(&sent.head, "topic").unwrap().len(), 22);
    let who = field(&sent.head, "authorization").unwrap();
    assert!(who.starts_with("vapid t="), "{who}");
    let payload = browser.open(&sent);
    assert_eq!(payload["seq"], entry.seq.0);
    assert_eq!(payload["id"], entry.id.uuid().to_string());
    assert_eq!(payload["thread"], thread(1).uuid().to_string());
    assert_eq!(payload["invite"], invite(1).uuid().to_string());
    assert_eq!(payload["kind"], "message_posted");
    let body = BASE64.decode(payload["body"].as_str().unwrap()).unwrap();
    assert_eq!(Some(body), entry.body);
    assert!(payload.get("clear").is_none());
    pushing.until(|known| known[0].shown).await;
}

#[tokio::test]
async fn a_body_too_long_for_a_push_is_left_out() {
    let mut service = Service::start(&[]).await;
    let browser = Browser::new(1, &service);
    let mut pushing = Pushing::start(&service, &[&browser], Reach::Anywhere).await;
    let entry = pushing.write(Draft {
        body: vec![b'x'; 9_000],
        ..Draft::message(7)
    });
    pushing.pusher.applied(pushing.pen.workshop, vec![entry]);
    let payload = browser.open(&service.next().await);
    assert!(payload.get("body").is_none());
    assert_eq!(payload["kind"], "message_posted");
}

#[tokio::test]
async fn nobody_is_told_of_their_own_message_or_of_one_that_they_look_at() {
    let mut service = Service::start(&[]).await;
    let (here, away) = (Browser::new(1, &service), Browser::new(2, &service));
    let mut pushing = Pushing::start(&service, &[&here, &away], Reach::Anywhere).await;
    let own = pushing.write(Draft::message(7).by_owner());
    let staffs = pushing.write(Draft::message(8).staff_only());
    let place = pushing.presence.enter(Belongs {
        workshop: pushing.pen.workshop,
        thread: thread(1),
        invite: invite(1),
        device: device(1),
        expires: Timestamp(i64::MAX),
    });
    pushing
        .pusher
        .applied(pushing.pen.workshop, vec![own, staffs]);
    let news = pushing.write(Draft::message(9));
    pushing
        .pusher
        .applied(pushing.pen.workshop, vec![news.clone()]);
    let first = service.next().await;
    assert!(first.head.starts_with("POST /push/2 "), "{}", first.head);
    assert_eq!(away.open(&first)["seq"], news.seq.0);
    drop(place);
    pushing.until(|known| known.iter().any(|it| it.shown)).await;
    assert!(service.sent.try_recv().is_err(), "one push and no other");
}

#[tokio::test]
async fn of_a_burst_the_newest_is_told() {
    let mut service = Service::start(&[]).await;
    let browser = Browser::new(1, &service);
    let mut pushing = Pushing::start(&service, &[&browser], Reach::Anywhere).await;
    let burst: Vec<_> = (10..60).map(|n| pushing.write(Draft::message(n))).collect();
    let newest = burst.last().unwrap().seq.0;
    pushing.pusher.applied(pushing.pen.workshop, burst);
    assert_eq!(browser.open(&service.next().await)["seq"], newest);
}

#[tokio::test]
async fn a_browser_that_is_gone_is_forgotten() {
    for status in [404, 410] {
        let mut service = Service::start(&[status]).await;
        let browser = Browser::new(1, &service);
        let mut pushing = Pushing::start(&service, &[&browser], Reach::Anywhere).await;
        let entry = pushing.write(Draft::message(7));
        pushing.pusher.applied(pushing.pen.workshop, vec![entry]);
        service.next().await;
        pushing.until(<[Subscription]>::is_empty).await;
    }
}

#[tokio::test]
async fn what_a_push_service_cannot_take_now_is_tried_again_and_then_given_up() {
    let mut service = Service::start(&[503, 429]).await;
    let browser = Browser::new(1, &service);
    let mut pushing = Pushing::start(&service, &[&browser], Reach::Anywhere).await;
    let entry = pushing.write(Draft::message(7));
    pushing.pusher.applied(pushing.pen.workshop, vec![entry]);
    for _ in 0..3 {
        service.next().await;
    }
    pushing.until(|known| known[0].shown).await;

    let mut service = Service::start(&[500; 9]).await;
    let browser = Browser::new(2, &service);
    let pushing = Pushing::start(&service, &[&browser], Reach::Anywhere).await;
    pushing.pusher.test(thread(1), browser.subscription.clone());
    for _ in 0..4 {
        service.next().await;
    }
    pushing.pusher.inner.parts.tracker.close();
    let given_up = pushing.pusher.inner.parts.tracker.wait();
    timeout(PATIENCE, given_up).await.expect("in time");
    assert!(service.sent.try_recv().is_err());
    assert!(!pushing.subscribed().await[0].shown);
}

#[tokio::test]
async fn what_was_read_on_one_device_goes_from_the_others() {
    let mut service = Service::start(&[]).await;
    let (one, two) = (Browser::new(1, &service), Browser::new(2, &service));
    let pushing = Pushing::start(&service, &[&one, &two], Reach::Anywhere).await;
    for browser in [&one, &two] {
        let endpoint = browser.subscription.endpoint.clone();
        pushing.store.shown(endpoint, true).await.unwrap();
    }
    let read_on_one = Belongs {
        workshop: pushing.pen.workshop,
        thread: thread(1),
        invite: invite(1),
        device: device(1),
        expires: Timestamp(i64::MAX),
    };
    pushing.pusher.seen(&read_on_one, 42);
    let sent = service.next().await;
    assert!(sent.head.starts_with("POST /push/2 "), "{}", sent.head);
    let payload = two.open(&sent);
    assert_eq!(
        (&payload["clear"], &payload["seq"]),
        (&Value::Bool(true), &Value::from(42))
    );
    pushing
        .until(|known| known.iter().any(|it| it.device == device(2) && !it.shown))
        .await;
    // Nothing is shown there any more: nothing to clear.
    pushing.pusher.seen(&read_on_one, 43);
    pushing.pusher.test(thread(1), two.subscription.clone());
    assert_eq!(two.open(&service.next().await)["test"], true);
}

#[tokio::test]
async fn a_stranger_cannot_make_the_relay_speak_to_its_own_network() {
    let mut service = Service::start(&[]).await;
    let browser = Browser::new(1, &service);
    let mut pushing = Pushing::start(&service, &[&browser], Reach::PublicOnly).await;
    let entry = pushing.write(Draft::message(7));
    pushing.pusher.applied(pushing.pen.workshop, vec![entry]);
    pushing.until(<[Subscription]>::is_empty).await;
    assert!(service.sent.try_recv().is_err());
}

#[test]
fn only_an_address_with_tls_and_two_keys_is_taken() {
    let public = p256::SecretKey::from_slice(&[5; 32]).unwrap().public_key();
    let public = public.to_encoded_point(false);
    let check = |endpoint: &str, auth: &[u8]| check_address(endpoint, public.as_bytes(), auth);
    assert_eq!(check("https://push.example/x", &[0; 16]), Ok(()));
    for endpoint in [
        "http://push.example/x",
        "push.example",
        &"https://a/".repeat(200),
    ] {
        assert_eq!(check(endpoint, &[0; 16]), Err(NotAnAddress), "{endpoint}");
    }
    assert_eq!(check("https://push.example/x", &[0; 15]), Err(NotAnAddress));
    let nonsense = check_address("https://push.example/x", &[4; 65], &[0; 16]);
    assert_eq!(nonsense, Err(NotAnAddress));
}

#[test]
fn a_status_says_what_becomes_of_a_push() {
    use deliver::verdict;
    let said = |status: u16| verdict(StatusCode::from_u16(status).unwrap());
    assert_eq!([200, 201, 202, 204].map(said), ["taken"; 4]);
    assert_eq!([404, 410].map(said), ["forget"; 2]);
    assert_eq!([408, 429, 500, 502, 503].map(said), ["later"; 5]);
    assert_eq!([301, 400, 401, 403, 413].map(said), ["refused"; 5]);
}
