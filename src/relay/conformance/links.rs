//! Owners' links, where to push to, hints, and what an operator sees.

use super::pen::{Draft, NOW, Pen, device, event, granted, invite, post, thread, wrap};
use crate::domain::InviteId;
use crate::relay::limits::SUBSCRIPTIONS_PER_INVITE_MAX;
use crate::relay::store::{RelayInvite, RelayStore, Subscription, Wake, WorkshopLine};
use crate::seal::Clear;

/// A box that gave out links 1 and 2 for the first thread.
async fn with_links<S: RelayStore>(store: &S) -> Pen {
    let mut pen = Pen::new(1);
    pen.enter(store, 1).await;
    for number in 1..=2 {
        let wraps = vec![wrap(invite(number), 0, 1), wrap(invite(number), 1, 2)];
        pen.write(Draft::message(number).saying(granted(number, wraps)));
    }
    pen.send(store, 0, 64).await;
    pen
}

fn browser(endpoint: &str, of: InviteId) -> Subscription {
    Subscription {
        endpoint: endpoint.into(),
        p256dh: vec![4; 65],
        auth: vec![5; 16],
        invite: of,
        device: device(1),
        shown: false,
    }
}

pub(super) async fn a_link_opens_its_thread_with_its_keys<S: RelayStore>(store: S) {
    let pen = with_links(&store).await;
    let known = store.invite(invite(1)).await.unwrap();
    let expected = RelayInvite {
        invite: invite(1),
        workshop: pen.workshop,
        thread: thread(1),
        auth_sha: [1; 32],
        expires_ms: NOW.0 + 1_000_000,
        revoked: false,
    };
    assert_eq!(known, Some(expected));
    assert_eq!(store.invite(invite(9)).await.unwrap(), None);
    let wraps = store.wraps(invite(1)).await.unwrap();
    assert_eq!(wraps, [wrap(invite(1), 0, 1), wrap(invite(1), 1, 2)]);
    assert!(store.wraps(invite(9)).await.unwrap().is_empty());
}

pub(super) async fn a_revoked_link_gets_no_new_key<S: RelayStore>(store: S) {
    let mut pen = with_links(&store).await;
    pen.write(Draft::message(3).saying(Clear::Revoked {
        invite: invite(1),
        wraps: vec![wrap(invite(2), 2, 7), wrap(invite(9), 2, 7)],
    }));
    // Of another thread: not its to change.
    pen.write(Draft::of(4, Some(thread(2))).saying(Clear::Revoked {
        invite: invite(9),
        wraps: vec![wrap(invite(2), 3, 7)],
    }));
    pen.send(&store, 2, 64).await;
    assert!(store.invite(invite(1)).await.unwrap().unwrap().revoked);
    assert!(!store.invite(invite(2)).await.unwrap().unwrap().revoked);
    assert_eq!(store.wraps(invite(1)).await.unwrap().len(), 2);
    let wraps = store.wraps(invite(2)).await.unwrap();
    assert_eq!(wraps.len(), 3);
    assert_eq!(wraps[2], wrap(invite(2), 2, 7));
    assert_eq!(store.workshops().await.unwrap()[0].invites, 1);
}

pub(super) async fn whoever_had_a_link_first_keeps_it<S: RelayStore>(store: S) {
    let one = with_links(&store).await;
    let mut two = Pen::new(2);
    two.enter(&store, 2).await;
    two.write(Draft::message(1).saying(granted(1, vec![wrap(invite(1), 0, 66)])));
    two.write(Draft::message(2).saying(Clear::Revoked {
        invite: invite(2),
        wraps: vec![wrap(invite(1), 5, 66)],
    }));
    two.send(&store, 0, 64).await;
    let known = store.invite(invite(1)).await.unwrap().unwrap();
    assert_eq!(known.workshop, one.workshop);
    assert!(!store.invite(invite(2)).await.unwrap().unwrap().revoked);
    let wraps = store.wraps(invite(1)).await.unwrap();
    assert_eq!(wraps, [wrap(invite(1), 0, 1), wrap(invite(1), 1, 2)]);
}

pub(super) async fn pushes_go_where_a_link_still_opens_the_thread<S: RelayStore>(store: S) {
    let mut pen = with_links(&store).await;
    let subscribe = async |of, subscription| {
        store
            .subscribe(pen.workshop, of, subscription)
            .await
            .unwrap();
    };
    let endpoints = async |workshop, now| {
        let found = store.subscriptions(workshop, thread(1), now).await.unwrap();
        let found = found.into_iter().map(|it| (it.endpoint, it.shown));
        found.collect::<Vec<_>>()
    };
    subscribe(thread(1), browser("https://push/a", invite(1))).await;
    subscribe(thread(1), browser("https://push/b", invite(2))).await;
    subscribe(thread(1), browser("https://push/a", invite(2))).await;
    // A link of another thread, and one that nobody gave out.
    subscribe(thread(2), browser("https://push/c", invite(1))).await;
    subscribe(thread(1), browser("https://push/d", invite(9))).await;
    let at = |endpoint: &str, shown| (format!("https://push/{endpoint}"), shown);
    let both = [at("b", false), at("a", false)];
    assert_eq!(endpoints(pen.workshop, NOW).await, both);
    assert!(endpoints(Pen::new(9).workshop, NOW).await.is_empty());
    store.shown("https://push/a".into(), true).await.unwrap();
    let both = [at("b", false), at("a", true)];
    assert_eq!(endpoints(pen.workshop, NOW).await, both);
    assert!(
        endpoints(pen.workshop, NOW.plus_ms(1_000_000))
            .await
            .is_empty()
    );
    store.unsubscribe("https://push/b".into()).await.unwrap();
    assert_eq!(endpoints(pen.workshop, NOW).await, [at("a", true)]);
    pen.write(Draft::message(3).saying(Clear::Revoked {
        invite: invite(2),
        wraps: vec![],
    }));
    pen.send(&store, 2, 64).await;
    assert!(endpoints(pen.workshop, NOW).await.is_empty());
}

pub(super) async fn a_link_has_so_many_browsers<S: RelayStore>(store: S) {
    let pen = with_links(&store).await;
    for number in 0..SUBSCRIPTIONS_PER_INVITE_MAX + 3 {
        let browser = browser(&format!("https://push/{number}"), invite(1));
        store
            .subscribe(pen.workshop, thread(1), browser)
            .await
            .unwrap();
    }
    let found = store
        .subscriptions(pen.workshop, thread(1), NOW)
        .await
        .unwrap();
    let most = usize::try_from(SUBSCRIPTIONS_PER_INVITE_MAX).unwrap();
    assert_eq!((found.len(), &*found[0].endpoint), (most, "https://push/3"));
}

pub(super) async fn hints_come_after_the_fact<S: RelayStore>(store: S) {
    let mut pen = Pen::new(1);
    pen.enter(&store, 1).await;
    let mut wakes = store.wakes();
    let mut heard = || {
        let mut heard = Vec::new();
        while let Ok(wake) = wakes.try_recv() {
            if !heard.contains(&wake) {
                heard.push(wake);
            }
        }
        heard
    };
    let shop = pen.workshop;
    store.post(shop, post(7, invite(1)), NOW).await.unwrap();
    assert_eq!(heard(), [Wake::Posts(shop)]);
    // Nothing new, nothing to say.
    store.post(shop, post(7, invite(1)), NOW).await.unwrap();
    assert_eq!(heard(), []);
    store
        .refuse_post(pen.fence(), event(7), "expired".into())
        .await
        .unwrap();
    assert_eq!(heard(), [Wake::Refused(event(7), thread(1))]);
    pen.write(Draft::message(1).saying(granted(1, vec![])));
    pen.write(Draft::of(2, None));
    pen.send(&store, 0, 64).await;
    assert_eq!(
        heard(),
        [Wake::Workshop(shop), Wake::Thread(shop, thread(1))]
    );
    let late = store.append(pen.fence(), pen.batch(0, 2)).await;
    assert!(late.is_ok());
    assert_eq!(heard(), []);
    pen.write(Draft::message(3).saying(Clear::Revoked {
        invite: invite(1),
        wraps: vec![],
    }));
    pen.send(&store, 2, 64).await;
    assert_eq!(
        heard(),
        [Wake::Revoked(invite(1)), Wake::Thread(shop, thread(1))]
    );
    store.fork(pen.fence(), pen.position_at(1)).await.unwrap();
    assert_eq!(heard(), [Wake::Workshop(shop)]);
}

pub(super) async fn an_operator_sees_how_each_workshop_fares<S: RelayStore>(store: S) {
    let mut pen = with_links(&store).await;
    store
        .post(pen.workshop, post(7, invite(1)), NOW.plus_ms(5))
        .await
        .unwrap();
    store
        .post(pen.workshop, post(8, invite(1)), NOW.plus_ms(3))
        .await
        .unwrap();
    store.fork(pen.fence(), pen.position_at(1)).await.unwrap();
    Pen::new(2).enter(&store, 2).await;
    pen.enter(&store, 3).await;
    let lines = store.workshops().await.unwrap();
    assert_eq!(lines.len(), 2);
    let expected = WorkshopLine {
        workshop: pen.workshop,
        entries: 1,
        bytes: lines[0].bytes,
        posts: 2,
        oldest_post_ms: Some(NOW.0 + 3),
        orphans: 1,
        invites: 2,
        seen_ms: NOW.0,
        quarantined: false,
        forks: 1,
    };
    assert_eq!(lines[0], expected);
    assert_eq!((lines[1].entries, lines[1].posts), (0, 0));
}
