//! Who is told what, and when.

use super::*;

fn key(n: u8) -> [u8; 16] {
    [n; 16]
}

const WORKSHOP: WorkshopKey = WorkshopKey::from_bytes([1; 16]);
const THREAD: RequestKey = RequestKey::from_bytes([2; 16]);

fn belongs(device: u8) -> Belongs {
    Belongs {
        workshop: WORKSHOP,
        thread: THREAD,
        invite: InviteId::from_bytes(key(3)),
        device: DeviceId::from_bytes(key(device)),
        expires: Timestamp(i64::MAX),
    }
}

fn moment(what: MomentKind) -> Moment {
    Moment {
        thread: THREAD,
        what,
    }
}

fn presence() -> (Presence, Clock) {
    let clock = Clock::manual(Timestamp(2_000_000_000_000));
    (Presence::new(clock.clone()), clock)
}

#[tokio::test]
async fn a_box_is_told_which_threads_are_open() {
    let (presence, _) = presence();
    let first = presence.enter(belongs(1)).unwrap();
    let link = presence.link_up(WORKSHOP);
    assert_eq!(link.moment().await, Some(moment(MomentKind::Online)));
    let second = presence.enter(belongs(2)).unwrap();
    second.typing();
    assert_eq!(link.moment().await, Some(moment(MomentKind::Typing)));
    drop(first);
    drop(second);
    assert_eq!(link.moment().await, Some(moment(MomentKind::Offline)));
    // Come and gone before the box looked: nothing to tell.
    drop(presence.enter(belongs(1)));
    let place = presence.enter(belongs(1)).unwrap();
    drop(place);
    let place = presence.enter(belongs(3)).unwrap();
    place.typing();
    assert_eq!(link.moment().await, Some(moment(MomentKind::Online)));
    assert_eq!(link.moment().await, Some(moment(MomentKind::Typing)));
}

#[tokio::test]
async fn a_line_that_blinks_is_no_news() {
    let (presence, clock) = presence();
    let place = presence.enter(belongs(1)).unwrap();
    assert_eq!(presence.online(WORKSHOP), Online::UNKNOWN);
    let link = presence.link_up(WORKSHOP);
    assert!(place.next().await.presence);
    drop(link);
    presence.tick();
    assert!(presence.online(WORKSHOP).online);
    let link = presence.link_up(WORKSHOP);
    let left = clock.now();
    drop(link);
    clock.advance_ms(OFFLINE_GRACE_MS);
    presence.tick();
    assert!(place.next().await.presence);
    let online = presence.online(WORKSHOP);
    assert_eq!((online.online, online.since), (false, Some(left)));
}

#[tokio::test]
async fn a_newer_line_of_the_same_box_keeps_it_there() {
    let (presence, clock) = presence();
    let old = presence.link_up(WORKSHOP);
    let _new = presence.link_up(WORKSHOP);
    drop(old);
    clock.advance_ms(OFFLINE_GRACE_MS);
    presence.tick();
    assert!(presence.online(WORKSHOP).online);
}

#[tokio::test]
async fn a_line_that_is_dead_without_knowing_it_keeps_nobody_online() {
    let (presence, clock) = presence();
    let half_open = presence.link_up(WORKSHOP);
    drop(presence.link_up(WORKSHOP));
    let left = clock.now();
    clock.advance_ms(OFFLINE_GRACE_MS);
    presence.tick();
    assert_eq!(presence.online(WORKSHOP).since, Some(left));
    // It is told, and need not wait for its own time to run out.
    assert_eq!(half_open.moment().await, None);
    drop(half_open);
    assert_eq!(presence.online(WORKSHOP).since, Some(left));
}

#[tokio::test]
async fn a_clock_that_went_back_keeps_nobody_online() {
    let (presence, clock) = presence();
    drop(presence.link_up(WORKSHOP));
    clock.advance_ms(-3_600_000);
    presence.tick();
    assert!(!presence.online(WORKSHOP).online);
}

#[tokio::test]
async fn what_is_seen_on_one_device_is_told_to_the_others() {
    let (presence, _) = presence();
    let [one, two] = [1, 2].map(|device| presence.enter(belongs(device)).unwrap());
    one.seen(7);
    assert_eq!(two.next().await.notes, [Note::Seen(7)]);
    one.look(Look::New);
    assert!(one.next().await.notes.is_empty());
}

#[tokio::test]
async fn whoever_opens_a_thread_learns_that_the_staff_have_it_open() {
    let (presence, _) = presence();
    let first = presence.enter(belongs(1)).unwrap();
    let _link = presence.link_up(WORKSHOP);
    presence.from_box(WORKSHOP, &moment(MomentKind::Online));
    let second = presence.enter(belongs(2)).unwrap();
    for place in [&first, &second] {
        let notes = place.next().await.notes;
        assert_eq!(notes, [Note::Moment(MomentKind::Online)]);
    }
}

#[tokio::test]
async fn a_link_taken_back_or_over_cuts_its_sockets() {
    let (presence, clock) = presence();
    let ends = clock.now().plus_ms(1_000);
    let short = presence
        .enter(Belongs {
            expires: ends,
            ..belongs(1)
        })
        .unwrap();
    let other = presence
        .enter(Belongs {
            invite: InviteId::from_bytes(key(9)),
            ..belongs(2)
        })
        .unwrap();
    presence.tick();
    clock.advance_ms(1_000);
    presence.tick();
    assert_eq!(short.next().await.cut, Some(Cut::Expired));
    presence.revoked(InviteId::from_bytes(key(9)));
    assert_eq!(other.next().await.cut, Some(Cut::Revoked));
    assert_eq!(other.next().await.cut, Some(Cut::Revoked), "for ever");
}

#[test]
fn a_link_has_so_many_sockets_and_no_more() {
    let (presence, _) = presence();
    let mut places: Vec<_> = (0..SOCKETS_PER_INVITE_MAX)
        .map(|_| presence.enter(belongs(1)).unwrap())
        .collect();
    assert!(presence.enter(belongs(1)).is_none());
    places.pop();
    assert!(presence.enter(belongs(1)).is_some());
    drop(places);
    assert_eq!(presence.counts(), (0, 0));
    assert!(presence.watched().is_empty());
}
