//! Clocks that are wrong, numbers that do not follow, floods, and what the box knows better.

use super::post_desk_test::*;
use super::*;
use crate::domain::{Content, Timestamp};
use crate::store::link::post_gaps;
use crate::store::link::posts::POSTS_PER_LINK_MAX;
use crate::store::{self, invites, people};

#[test]
fn a_phone_s_clock_is_believed_within_thirty_days() {
    let desk = desk();
    let day = 24 * 3_600_000;
    for (typed, shown) in [
        (NOON.plus_ms(-29 * day), NOON.plus_ms(-29 * day)),
        (NOON.plus_ms(-31 * day), NOON),
        (NOON.plus_ms(1), NOON),
        (Timestamp(i64::MIN), NOON),
        (Timestamp(i64::MAX), NOON),
    ] {
        let post = desk.post("message", typed, r#"{"seq": 1, "content": "when?"}"#);
        desk.takes(&post);
        assert_eq!(desk.messages().last().unwrap().at, shown);
    }
}

#[test]
fn numbers_that_do_not_follow_are_counted_and_block_nothing() {
    let desk = desk();
    let gaps = || desk.store.read(post_gaps).unwrap();
    for (seq, expected) in [
        (1, 0),
        (2, 0),
        (4, 1),
        (5, 1),
        (5, 2),
        (6, 2),
        (i64::MAX, 3),
    ] {
        let post = desk.message(seq, "one");
        assert!(matches!(desk.takes(&post), Accepted::Journalled { .. }));
        assert_eq!(gaps(), expected, "number {seq}");
    }
    assert_eq!(desk.messages().len(), 7);
}

#[test]
fn floods_wait_and_their_time_passes() {
    let desk = desk();
    for seq in 0..POSTS_PER_LINK_MAX {
        desk.takes(&desk.message(seq + 1, "again"));
    }
    let head = desk.head();
    let one_more = desk.message(POSTS_PER_LINK_MAX + 1, "too many");
    assert_eq!(desk.takes(&one_more), Accepted::Later("too_many"));
    assert_eq!(desk.head(), head);
    desk.clock.advance_ms(3_600_001);
    assert!(matches!(desk.takes(&one_more), Accepted::Journalled { .. }));
    // A clock that went back does not shut anybody out.
    desk.clock.advance_ms(-30 * 3_600_000);
    let earlier = desk.message(POSTS_PER_LINK_MAX + 2, "back in time");
    assert!(matches!(desk.takes(&earlier), Accepted::Journalled { .. }));
}

#[test]
fn a_message_of_the_workshop_is_delivered_when_the_relay_has_it() {
    let desk = desk();
    let say = PostMessage {
        id: fresh_id(),
        request: desk.invite.request,
        body: crate::domain::Body::parse("It is ready.").unwrap(),
        reply_to: None,
        expires_in_s: None,
    };
    desk.store.write(|tx| say.run(tx, &desk.meera)).unwrap();
    let delivery = || desk.messages()[0].delivery();
    assert_eq!(delivery(), crate::domain::Delivery::Sent);
    desk.store
        .write(|tx| store::link::connect(tx, "https://r.example", ""))
        .unwrap();
    let head = desk.store.read(store::link::facts).unwrap().head;
    desk.store
        .write(|tx| store::link::applied(tx, head))
        .unwrap();
    assert_eq!(delivery(), crate::domain::Delivery::Delivered);
    desk.store.write(store::link::disconnect).unwrap();
    assert_eq!(delivery(), crate::domain::Delivery::Sent);
}

#[test]
fn erased_words_and_owners_who_left_are_respected() {
    let desk = desk();
    let post = desk.message(1, "a mistake");
    desk.takes(&post);
    let redact = RedactMessage {
        request: desk.invite.request,
        message: desk.messages()[0].id,
    };
    desk.store.write(|tx| redact.run(tx, &desk.meera)).unwrap();
    assert_eq!(desk.takes(&post), Accepted::Known, "it does not come back");
    assert!(matches!(desk.messages()[0].content, Content::Erased(_)));

    let owner = desk
        .store
        .read(|view| people::load(view, desk.invite.owner))
        .unwrap()
        .unwrap();
    let leave = ChangePerson {
        person: owner.id,
        edit: crate::domain::PersonEdit {
            active: Some(false),
            ..crate::domain::PersonEdit::default()
        },
        keep: None,
    };
    desk.store.write(|tx| leave.run(tx, &desk.meera)).unwrap();
    let late = desk.message(2, "still there?");
    assert_eq!(desk.takes(&late), Accepted::Unauthentic("unknown_link"));
    assert!(
        desk.store
            .read(|view| invites::load(view, desk.invite.id))
            .unwrap()
            .is_some()
    );
}
