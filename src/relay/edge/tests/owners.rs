//! Who is let in, what they are sent, and how it ends.

use serde_json::{Value, json};

use super::{LATER, Page, Running, auth, event, granted};
use crate::domain::Seq;
use crate::relay::conformance::pen::{Draft, NOW, invite, log, thread, workshop, wrap};
use crate::relay::store::RelayStore;
use crate::seal::{Clear, auth_sha};
use crate::wire::link::{Moment, MomentKind};

fn seqs(frame: &Value) -> Vec<i64> {
    let entries = frame["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|it| it["seq"].as_i64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_link_opens_its_thread_and_a_page_that_comes_back_goes_on() {
    let running = Running::start();
    let mut pen = running.workshop(1, &[1]).await;
    pen.write_messages([11, 12]);
    pen.write(Draft::of(13, Some(thread(2))));
    running.sync(&pen, 1).await;
    let mut page = Page::enter(&running, 1).await;
    let hello = page.next("hello").await;
    assert_eq!(hello["workshop"], json!(workshop(1).uuid()));
    assert_eq!(hello["thread"], json!(thread(1).uuid()));
    assert_eq!((&hello["head"], &hello["from"]), (&json!(4), &json!(0)));
    assert_eq!(hello["wraps"].as_array().unwrap().len(), 1);
    assert_eq!(hello["workshop_online"], false);
    let entries = page.next("entries").await;
    assert_eq!(
        (seqs(&entries), &entries["more"]),
        (vec![2, 3], &json!(false))
    );
    assert_eq!(entries["head"], 4);
    assert_eq!(entries["entries"][0]["kind"], "message_posted");

    // What is new comes by itself.
    pen.write_messages([14]);
    running.sync(&pen, 4).await;
    assert_eq!(seqs(&page.next("entries").await), [5]);

    let mut back = Page::open(&running, 1).await;
    back.show(1, 1, hello["log"].clone(), 3).await;
    assert_eq!(back.next("hello").await["from"], 3);
    assert_eq!(seqs(&back.next("entries").await), [5]);
    // Of another journal, or from a future: from the beginning.
    for (log, after) in [(json!(log(77).uuid()), 3), (hello["log"].clone(), 99)] {
        let mut lost = Page::open(&running, 1).await;
        lost.show(1, 1, log, after).await;
        assert_eq!(lost.next("hello").await["from"], 0);
        assert_eq!(seqs(&lost.next("entries").await), [2, 3, 5]);
    }
}

#[tokio::test]
async fn a_page_that_has_everything_is_told_so() {
    let running = Running::start();
    running.workshop(1, &[1]).await;
    let mut page = Page::enter(&running, 1).await;
    page.next("hello").await;
    let entries = page.next("entries").await;
    assert!(seqs(&entries).is_empty());
    assert_eq!(entries["more"], false);
}

#[tokio::test]
async fn a_long_thread_comes_in_frames() {
    let running = Running::start();
    let mut pen = running.workshop(1, &[1]).await;
    for number in 0..250 {
        pen.write(Draft {
            body: vec![b'x'; 5_000],
            ..Draft::message(5_000 + number)
        });
    }
    // A batch of these is no longer than a frame of the link.
    pen.send(&running.relay.store, 1, 8).await;
    let mut page = Page::enter(&running, 1).await;
    page.next("hello").await;
    let (mut all, mut frames) = (Vec::new(), 0);
    loop {
        let frame = page.next("entries").await;
        frames += 1;
        all.extend(seqs(&frame));
        if frame["more"] == false {
            break;
        }
    }
    assert_eq!(all, (2..252).collect::<Vec<_>>());
    assert!(frames >= 12, "{frames} frames");
}

#[tokio::test]
async fn whatever_opens_nothing_is_answered_alike() {
    let running = Running::start();
    running.workshop(1, &[1]).await;
    for path in ["/ws/owner/AQ/", "/ws/owner/zzzzzzzzzzzzzzzzzzzzzz/"] {
        let mut page = Page::open_at(&running, path).await;
        page.show(1, 1, Value::Null, 0).await;
        assert_eq!(page.next("gone").await["why"], "invalid");
        assert_eq!(page.closed().await, 4401);
    }
    // Somebody else's secret, and no secret at all.
    let mut page = Page::open(&running, 1).await;
    page.show(2, 1, Value::Null, 0).await;
    assert_eq!(page.next("gone").await["why"], "invalid");
    assert_eq!(page.closed().await, 4401);
    let mut page = Page::open(&running, 1).await;
    page.say(&json!({ "type": "typing" })).await;
    assert_eq!(page.next("gone").await["why"], "invalid");
    assert_eq!(page.closed().await, 4401);
}

#[tokio::test]
async fn whoever_guesses_keeps_no_owner_out() {
    let running = Running::start();
    running.workshop(1, &[1]).await;
    let guess = async || {
        let mut page = Page::open(&running, 1).await;
        page.show(2, 1, Value::Null, 0).await;
        page.closed().await
    };
    for _ in 0..40 {
        assert_eq!(guess().await, 4401);
    }
    let mut owner = Page::open(&running, 1).await;
    owner.show(1, 1, Value::Null, 0).await;
    owner.next("hello").await;
}

#[tokio::test]
async fn a_link_taken_back_closes_its_sockets_and_gives_the_others_a_new_key() {
    let running = Running::start();
    let mut pen = running.workshop(1, &[1, 2]).await;
    let (mut one, _) = Page::ready(&running, 1).await;
    let (mut two, hello) = Page::ready(&running, 2).await;
    assert_eq!(hello["wraps"].as_array().unwrap().len(), 1);
    let revoked = Clear::Revoked {
        invite: invite(1),
        wraps: vec![wrap(invite(2), 1, 9)],
    };
    pen.write(Draft::message(30).staff_only().saying(revoked));
    running.sync(&pen, 2).await;
    assert_eq!(one.next("gone").await["why"], "revoked");
    assert_eq!(one.closed().await, 4401);
    assert_eq!(
        two.next("wraps").await["wraps"].as_array().unwrap().len(),
        2
    );
    let mut again = Page::enter(&running, 1).await;
    assert_eq!(again.next("gone").await["why"], "revoked");
    assert_eq!(again.closed().await, 4401);
}

#[tokio::test]
async fn a_link_whose_time_is_up_closes() {
    let running = Running::start();
    running.workshop(1, &[1]).await;
    let (mut page, _) = Page::ready(&running, 1).await;
    running.clock.advance_ms(LATER.0 - NOW.0);
    assert_eq!(page.next("gone").await["why"], "expired");
    assert_eq!(page.closed().await, 4401);
    let mut again = Page::enter(&running, 1).await;
    assert_eq!(again.next("gone").await["why"], "expired");
}

#[tokio::test]
async fn after_a_fork_a_page_begins_anew() {
    let running = Running::start();
    let mut pen = running.workshop(1, &[1]).await;
    pen.write_messages([11, 12]);
    running.sync(&pen, 1).await;
    let (mut page, hello) = Page::ready(&running, 1).await;
    let common = pen.position_at(2);
    pen.fork(2, log(1_001));
    let moved = running.relay.store.fork(pen.fence(), common).await.unwrap();
    assert_eq!(moved.map(|it| it.seq), Some(Seq(2)));
    pen.write_messages([21]);
    running.sync(&pen, 2).await;
    assert_eq!(page.closed().await, 1012);
    let mut back = Page::open(&running, 1).await;
    back.show(1, 1, hello["log"].clone(), 3).await;
    let again = back.next("hello").await;
    assert_ne!(again["log"], hello["log"]);
    assert_eq!(again["from"], 0);
    let entries = back.next("entries").await;
    assert_eq!(seqs(&entries), [2, 3]);
    assert_eq!(entries["entries"][1]["id"], json!(event(21).uuid()));
}

#[tokio::test]
async fn two_workshops_on_one_relay_never_meet() {
    let running = Running::start();
    running.workshop(1, &[1]).await;
    let mut other = running.workshop(2, &[2]).await;
    let (mut page, _) = Page::ready(&running, 1).await;
    let (mut theirs, _) = Page::ready(&running, 2).await;
    // The same thread's id, by another workshop's box.
    other.write_messages([40]);
    running.sync(&other, 1).await;
    assert_eq!(seqs(&theirs.next("entries").await), [2]);
    let _link = running.relay.presence.link_up(workshop(2));
    assert_eq!(theirs.next("presence").await["workshop_online"], true);
    theirs.say(&json!({ "type": "seen", "up_to": 2 })).await;
    theirs.post(event(50), "message").await;
    theirs.next("stored").await;
    page.post(event(51), "message").await;
    assert_eq!(page.next("stored").await["id"], json!(event(51).uuid()));
    for (number, id) in [(1, event(51)), (2, event(50))] {
        let posts = running
            .relay
            .store
            .posts_after(workshop(number), 0, 9)
            .await;
        let ids: Vec<_> = posts.unwrap().iter().map(|(_, post)| post.id).collect();
        assert_eq!(ids, [id]);
    }
}

#[tokio::test]
async fn what_is_of_the_moment_goes_both_ways() {
    let running = Running::start();
    running.workshop(1, &[1]).await;
    let (mut page, hello) = Page::ready(&running, 1).await;
    assert_eq!(hello["workshop_online"], false);
    let moment = |what| Moment {
        thread: thread(1),
        what,
    };
    let link = running.relay.presence.link_up(workshop(1));
    assert_eq!(page.next("presence").await["workshop_online"], true);
    assert_eq!(link.moment().await, Some(moment(MomentKind::Online)));
    page.say(&json!({ "type": "typing" })).await;
    assert_eq!(link.moment().await, Some(moment(MomentKind::Typing)));
    running
        .relay
        .presence
        .from_box(workshop(1), &moment(MomentKind::Typing));
    assert_eq!(page.next("moment").await["what"], "typing");
    drop(link);
    running.clock.advance_ms(60_000);
    let presence = page.next("presence").await;
    assert_eq!(presence["workshop_online"], false);
    assert!(presence["offline_since"].is_string(), "{presence}");
    page.say(&json!({ "type": "ping" })).await;
    page.next("pong").await;
}

#[tokio::test]
async fn what_is_read_on_one_device_is_told_to_the_others() {
    let running = Running::start();
    running.workshop(1, &[1]).await;
    let (mut one, _) = Page::ready(&running, 1).await;
    let (mut two, _) = Page::ready(&running, 1).await;
    one.say(&json!({ "type": "seen", "up_to": 7 })).await;
    assert_eq!(two.next("seen").await["up_to"], 7);
}

#[tokio::test]
async fn a_link_granted_late_opens_too() {
    let running = Running::start();
    let mut pen = running.workshop(1, &[1]).await;
    let mut early = Page::enter(&running, 5).await;
    assert_eq!(early.closed().await, 4401);
    pen.write(granted(60, 5));
    running.sync(&pen, 1).await;
    let known = running
        .relay
        .store
        .invite(invite(5))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(known.auth_sha, auth_sha(&auth(5)));
    Page::ready(&running, 5).await;
}
