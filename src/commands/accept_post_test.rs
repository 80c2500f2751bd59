//! What becomes of owners' posts.

use uuid::Uuid;

use super::post_desk_test::*;
use super::*;
use crate::domain::{DeviceId, Status};
use crate::seal::{self, RootSecret, SealContext, SealedPost, ThreadKeys};
use crate::store::link::{devices, post_gaps};
use crate::store::{receipts, requests};

#[test]
fn a_post_becomes_an_event_under_its_own_id_once() {
    let desk = desk();
    let typed = NOON.plus_ms(-60_000);
    let body = r#"{"seq": 1, "content": " Is it ready? ", "expires_in": 3600}"#;
    let post = desk.post("message", typed, body);
    assert!(matches!(desk.takes(&post), Accepted::Journalled { .. }));
    let head = desk.head();
    assert_eq!(desk.takes(&post), Accepted::Known);
    assert_eq!(desk.head(), head);
    let messages = desk.messages();
    let [message] = messages.as_slice() else {
        panic!("{messages:?}");
    };
    assert_eq!(message.event, post.id);
    assert_eq!(
        (message.at, message.author_name.as_str()),
        (typed, "Asha Nair")
    );
    assert_eq!(message.content.shown(), "Is it ready?");
    assert_eq!(message.expires, Some(typed.plus_ms(3_600_000)));
    let request = desk
        .store
        .read(|view| requests::load(view, desk.invite.request))
        .unwrap()
        .unwrap();
    assert_eq!(
        (request.status, request.unread_by_workshop),
        (Status::Connected, 1)
    );
    assert_eq!(desk.store.faults().unwrap(), Vec::<String>::new());
}

#[test]
fn an_answer_a_receipt_and_a_device_come_in_too() {
    let desk = desk();
    let say = PostMessage {
        id: fresh_id(),
        request: desk.invite.request,
        body: crate::domain::Body::parse("Tomorrow at ten.").unwrap(),
        reply_to: None,
        expires_in_s: None,
    };
    let said = desk
        .store
        .write(|tx| say.run(tx, &desk.meera))
        .unwrap()
        .message;
    let uuid = said.event.uuid();
    let device = desk.post("device", NOON, r#"{"seq": 1, "name": "Chrome on Android"}"#);
    let read = desk.post("read", NOON, &format!(r#"{{"seq": 2, "up_to": "{uuid}"}}"#));
    let again = desk.post("read", NOON, &format!(r#"{{"seq": 3, "up_to": "{uuid}"}}"#));
    let answer = desk.post(
        "message",
        NOON,
        &format!(r#"{{"seq": 4, "content": "Good.", "reply_to": "{uuid}"}}"#),
    );
    for post in [&device, &read, &again, &answer] {
        assert!(matches!(desk.takes(post), Accepted::Journalled { .. }));
    }
    let kinds = [&device, &read, &again, &answer].map(|post| desk.kind_of(post));
    assert_eq!(
        kinds,
        [
            "device_linked",
            "messages_read",
            "messages_read",
            "message_posted"
        ]
    );
    let seen = desk
        .store
        .read(|view| receipts::newest(view, desk.invite.request))
        .unwrap();
    assert_eq!(seen[0].up_to, said.id);
    let quoted = desk.messages()[1].reply_to.clone().unwrap();
    assert_eq!(
        (quoted.id, quoted.author_name.as_str()),
        (said.id, "Meera Nair")
    );
    let devices = desk
        .store
        .read(|view| devices(view, desk.invite.id))
        .unwrap();
    assert_eq!(devices[0].name, "Chrome on Android");
    assert_eq!(desk.store.read(post_gaps).unwrap(), 0);
    assert_eq!(desk.store.faults().unwrap(), Vec::<String>::new());
}

#[test]
fn what_no_owner_wrote_leaves_nothing() {
    let desk = desk();
    let spoilt = |spoil: &dyn Fn(&mut SealedPost)| {
        let mut post = desk.message(1, "forged");
        spoil(&mut post);
        post
    };
    let bare = {
        // Sealed by somebody who holds the thread's keys and not this link.
        let mut post = desk.message(1, "forged");
        let root = RootSecret::from_bytes(ROOT);
        let keys = ThreadKeys::derive(&root, *post.thread.as_bytes(), 0);
        let context = SealContext {
            workshop: *desk.store.keys().workshop().as_bytes(),
            thread: Some(*post.thread.as_bytes()),
            event: *post.id.as_bytes(),
            kind: "message",
        };
        post.sealed = seal::seal(&keys.post, &context, b"forged");
        post
    };
    let cases = [
        (bare, "unreadable"),
        (spoilt(&|post| post.sealed[9] ^= 1), "unreadable"),
        (spoilt(&|post| post.sealed.clear()), "unreadable"),
        (spoilt(&|post| post.id = fresh_id()), "unreadable"),
        (spoilt(&|post| post.kind = "read".into()), "unreadable"),
        (
            spoilt(&|post| post.kind = "person_added".into()),
            "unreadable",
        ),
        (spoilt(&|post| post.epoch = 9), "unreadable"),
        (
            spoilt(&|post| post.device = DeviceId::from_bytes([6; 16])),
            "unreadable",
        ),
        (
            spoilt(&|post| post.invite = crate::domain::InviteId::from_bytes([1; 16])),
            "unknown_link",
        ),
        (
            spoilt(&|post| post.thread = crate::domain::RequestKey::from_bytes([1; 16])),
            "unknown_link",
        ),
    ];
    let head = desk.head();
    for (number, (post, why)) in cases.iter().enumerate() {
        assert_eq!(
            desk.takes(post),
            Accepted::Unauthentic(why),
            "case {number}"
        );
    }
    assert_eq!(desk.head(), head);
}

#[test]
fn a_link_that_opens_nothing_any_more_posts_nothing() {
    let desk = desk();
    let early = desk.message(1, "typed in time");
    desk.clock.advance_ms(INVITE_LIFETIME_MS - 1_000);
    let now = NOON.plus_ms(INVITE_LIFETIME_MS - 1_000);
    let in_time = desk.post("message", now, r#"{"seq": 2, "content": "in time"}"#);
    desk.clock.advance_ms(2_000);
    let late = desk.post(
        "message",
        now.plus_ms(2_000),
        r#"{"seq": 3, "content": "late"}"#,
    );
    assert!(matches!(desk.takes(&in_time), Accepted::Journalled { .. }));
    assert_eq!(desk.takes(&late), Accepted::Unauthentic("expired"));
    // A clock that is twenty years ahead throws nothing away that was typed in time.
    desk.clock.advance_ms(20 * 365 * 24 * 3_600_000);
    assert!(matches!(desk.takes(&early), Accepted::Journalled { .. }));

    let desk = self::desk();
    let post = desk.message(1, "typed in time");
    let revoke = RevokeInvite {
        request: desk.invite.request,
        invite: desk.invite.id,
    };
    desk.store.write(|tx| revoke.run(tx, &desk.meera)).unwrap();
    let head = desk.head();
    assert_eq!(desk.takes(&post), Accepted::Unauthentic("revoked"));
    assert_eq!(desk.head(), head);
}

#[test]
fn a_key_that_was_renewed_meanwhile_still_opens_what_was_sealed_before() {
    let desk = desk();
    let before = desk.message(1, "under the old key");
    let another = InviteOwner {
        request: desk.invite.request,
    };
    let another = desk.store.write(|tx| another.run(tx, &desk.meera)).unwrap();
    let revoke = RevokeInvite {
        request: desk.invite.request,
        invite: another.id,
    };
    desk.store.write(|tx| revoke.run(tx, &desk.meera)).unwrap();
    let after = desk.post_at_epoch(1, "message", NOON, r#"{"seq": 2, "content": "new"}"#);
    for post in [before, after] {
        assert!(matches!(desk.takes(&post), Accepted::Journalled { .. }));
    }
}

#[test]
fn what_cannot_be_done_is_refused_under_its_id() {
    let desk = desk();
    let refused = |post: &SealedPost| {
        assert!(matches!(desk.takes(post), Accepted::Journalled { .. }));
        assert_eq!(desk.kind_of(post), "post_refused");
        assert_eq!(desk.takes(post), Accepted::Known);
    };
    refused(&desk.post("message", NOON, r#"{"seq": 1, "content": "  "}"#));
    refused(&desk.post("message", NOON, r#"{"seq": 2, "text": "?"}"#));
    refused(&desk.post("message", NOON, "\u{0}"));
    let nobody = Uuid::from_bytes([1; 16]);
    refused(&desk.post(
        "read",
        NOON,
        &format!(r#"{{"seq": 3, "up_to": "{nobody}"}}"#),
    ));
    let cancel = ChangeRequest {
        status: Some(Status::Cancelled),
        ..ChangeRequest::default()
    };
    desk.store
        .write(|tx| cancel.run(tx, &desk.meera, desk.invite.request))
        .unwrap();
    refused(&desk.message(4, "too late"));
    assert!(desk.messages().is_empty());
    assert_eq!(desk.store.faults().unwrap(), Vec::<String>::new());
}
