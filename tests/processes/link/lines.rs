//! Lines that cut in the middle of a frame, double, hold up, throttle, go silent or lie; nothing of
//! what both sides say is lost, doubled or out of order.

use std::time::Duration;

use motoreach::clock::stopwatch;

use crate::harness::{Certificate, Deed, Random, SOON, Way, Weather, Which, Workshop, kind};

use super::Said;

/// How long a line may be silent before it is given up (`sync.md` §3), and a little for this machine.
const NOTICED_MAX: Duration = Duration::from_secs(50 + 5);
/// By when the link is back after the box waited its longest.
const BACK_MAX: Duration = Duration::from_secs(90);

const fn up(kind: u8) -> Which {
    Which {
        way: Way::Up,
        kind: Some(kind),
    }
}

const fn down(kind: u8) -> Which {
    Which {
        way: Way::Down,
        kind: Some(kind),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_cut_in_any_frame_loses_nothing() {
    let workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    let places = [
        up(kind::ENTRIES),
        down(kind::APPLIED),
        down(kind::POST),
        up(kind::HELLO),
        down(kind::WELCOME),
    ];
    let mut done = 0;
    for which in places {
        for deed in [Deed::CutBefore, Deed::CutMid, Deed::CutAfter] {
            workshop.line.deed(which, 0, 1, deed);
            if matches!(which.kind, Some(kind::HELLO | kind::WELCOME)) {
                workshop.line.break_off();
            }
            said.by_both(&workshop, &owner, 2).await;
            done += 1;
            workshop.line.has_done(done).await;
            // An applied batch makes the box's patience new; without it each try waits longer.
            workshop.relay_catches_up(SOON).await;
        }
    }
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_cut_while_two_copies_are_brought_together_loses_nothing() {
    for which in [down(kind::GIVEN), up(kind::FORK), down(kind::APPLIED)] {
        let mut workshop = Workshop::open().await;
        let owner = workshop.owner(0).await;
        let mut said = Said::default();
        said.on_two_copies(&mut workshop, &owner).await;
        workshop.line.heals();
        let done = workshop.line.deeds_done();
        workshop.line.deed(which, 0, 1, Deed::CutMid);
        workshop.line.deed(which, 0, 1, Deed::Twice);
        workshop.start_box().await;
        workshop.line.has_done(done + 1).await;
        workshop.link_is("online", SOON).await;
        said.is_everywhere(&workshop, &owner).await;
        said.by_both(&workshop, &owner, 2).await;
        said.is_everywhere(&workshop, &owner).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_come_twice_late_or_never_change_nothing() {
    let mut random = Random::announced("frames");
    let workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    let places = [up(kind::ENTRIES), down(kind::APPLIED), down(kind::POST)];
    for round in 0..24 {
        let which = places[usize::try_from(random.below(3)).unwrap()];
        let deed = match random.below(3) {
            0 => Deed::Twice,
            1 => Deed::Delay(random.shorter(Duration::from_millis(150))),
            // A relay that withholds a post could put posts out of their order, as no network can.
            _ if which.way == Way::Down => Deed::CutBefore,
            _ => Deed::Drop,
        };
        workshop.line.deed(which, random.below(2), 1, deed);
        said.by_both(&workshop, &owner, 1).await;
        if round % 6 == 5 {
            // A network that loses a frame of a stream has lost the stream, sooner or later.
            workshop.line.break_off();
        }
    }
    workshop.line.heals();
    workshop.line.break_off();
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttled_line_carries_everything_in_its_own_time() {
    let workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    workshop.line.throttle(8_000);
    workshop.door.throttle(8_000);
    said.by_both(&workshop, &owner, 20).await;
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_goes_silent_is_given_up_in_time_by_both_ends() {
    let workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    let quiet = stopwatch();
    for way in [Way::Up, Way::Down] {
        let all = Which { way, kind: None };
        workshop.line.deed(all, 0, u64::MAX, Deed::Stall);
    }
    said.by_both(&workshop, &owner, 3).await;
    let before = workshop.line.dialled();
    workshop.link_is("waiting", NOTICED_MAX).await;
    let noticed = quiet.elapsed();
    let told = async || (owner.workshop_online() == Some(false)).then_some(());
    crate::harness::until("the relay noticed too", NOTICED_MAX, told).await;
    println!(
        "silence: noticed by the box after {noticed:.1?}, by the relay after {:.1?}",
        quiet.elapsed()
    );
    let healed = stopwatch();
    workshop.line.heals();
    workshop.link_is("online", BACK_MAX).await;
    println!("silence: back {:.1?} after it ended", healed.elapsed());
    assert!(workshop.line.dialled() > before);
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_captive_portal_a_reset_and_a_silent_host_are_no_internet() {
    let workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    for (weather, why) in [
        (Weather::Portal, "not_a_relay"),
        (Weather::Refused, "no_answer"),
    ] {
        workshop.line.becomes(weather);
        workshop.line.break_off();
        said.by_both(&workshop, &owner, 2).await;
        let waits = async || {
            let link = workshop.link().await;
            (link["state"] == "waiting" && link["why"] == why).then_some(())
        };
        crate::harness::until(why, SOON, waits).await;
    }
    workshop.line.heals();
    said.is_everywhere(&workshop, &owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_certificate_is_not_believed() {
    let workshop = Workshop::apart().await;
    // The relay itself is fine; who stands in between shows a certificate of their own.
    workshop.line.becomes(Weather::Behind(Certificate::of(&[
        "localhost",
        "127.0.0.1",
    ])));
    let code = workshop.relay().code().await;
    let url = format!("https://{}", workshop.line.address());
    let answer = workshop.asks_to_pair(&url, &code).await;
    let link = answer.body;
    assert_eq!(link["state"], "waiting", "{link}");
    assert_eq!(link["why"], "tls", "{link}");
    assert_eq!(
        workshop.relay().status().await["workshops"],
        serde_json::json!([])
    );
}
