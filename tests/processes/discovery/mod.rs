//! Found by name, on a network of its own: what Avahi, which every Linux desktop asks, makes of a box;
//! and what a box makes of others that want its name, and of networks that come and go.

mod lan;
mod machines;
mod secure;

use lan::on_a_lan;
use machines::{Avahi, a_box};

use crate::harness::{SOON, until};

#[test]
fn avahi_finds_the_box_what_it_says_of_itself_and_that_it_left() {
    on_a_lan(
        "avahi_finds_the_box_what_it_says_of_itself_and_that_it_left",
        async |lan| {
            let (box_host, desk) = (lan.host("b", "10.9.0.1/24"), lan.host("d", "10.9.0.2/24"));
            let avahi = Avahi::start(lan, &desk, "desk").await;
            let (ours, web) = (avahi.browse("_motoreach._tcp"), avahi.browse("_http._tcp"));
            let running = a_box(lan, &box_host, "box");
            running.is_known_as("motoreach.local").await;
            avahi.finds("motoreach.local", "10.9.0.1").await;
            for seen in [&ours, &web] {
                let line = seen.says("the box is listed", resolved("MotoReach")).await;
                for part in [
                    ";motoreach.local;10.9.0.1;80;",
                    "\"setup=needed\"",
                    "\"path=/\"",
                    concat!("\"version=", env!("CARGO_PKG_VERSION"), "\""),
                ] {
                    assert!(line.contains(part), "{line}");
                }
            }

            // The first run gives it the workshop's name, dots and all.
            let set_up = r#"{"workshop_name":"Müller & Söhne. Kfz","full_name":"Eva Müller",
                "username":"eva","password":"spanner and socket"}"#;
            let done = box_host.run(&[
                "curl",
                "-sS",
                "--fail",
                "-H",
                "content-type: application/json",
                "-d",
                set_up,
                "http://127.0.0.1/api/setup/",
            ]);
            assert!(done.status.success(), "{done:?}");
            let line = ours
                .says(
                    "its workshop is listed",
                    resolved(r"M\195\188ller\032\038\032S\195\182hne\.\032Kfz"),
                )
                .await;
            assert!(line.contains("\"setup=done\""), "{line}");
            let told = r#""workshop=M\195\188ller & S\195\182hne. Kfz""#;
            assert!(line.contains(told), "{line}");
            ours.says_words("-;eth0;IPv4;MotoReach;").await;
            avahi.finds("motoreach.local", "10.9.0.1").await;

            let before = ours.said().len();
            running.stop().await;
            ours.says("its farewell is heard", |said| {
                said[before..].contains("-;eth0;IPv4;M").then_some(())
            })
            .await;
            web.says_words(r"-;eth0;IPv4;M\195\188ller").await;
        },
    );
}

#[test]
fn a_name_that_another_machine_has_becomes_the_next_and_is_kept() {
    on_a_lan(
        "a_name_that_another_machine_has_becomes_the_next_and_is_kept",
        async |lan| {
            let (box_host, desk) = (lan.host("b", "10.9.0.1/24"), lan.host("d", "10.9.0.2/24"));
            let avahi = Avahi::start(lan, &desk, "motoreach").await;
            let running = a_box(lan, &box_host, "box");
            running.is_known_as("motoreach-2.local").await;
            avahi.finds("motoreach-2.local", "10.9.0.1").await;
            avahi.finds("motoreach.local", "10.9.0.2").await;
            let asked = box_host.run(&[
                "curl",
                "-sS",
                "--fail",
                "--resolve",
                "motoreach-2.local:80:10.9.0.1",
                "http://motoreach-2.local/api/setup/",
            ]);
            assert!(
                asked.status.success(),
                "it answers to its new name: {asked:?}"
            );
            running.stop().await;

            // The other one is gone; what is written on the wall stays right.
            drop(avahi);
            let again = a_box(lan, &box_host, "box");
            again.is_known_as("motoreach-2.local").await;
        },
    );
}

#[test]
fn two_boxes_that_start_at_once_have_two_names() {
    on_a_lan("two_boxes_that_start_at_once_have_two_names", async |lan| {
        let (one, two) = (
            lan.host("one", "10.9.0.1/24"),
            lan.host("two", "10.9.0.2/24"),
        );
        let desk = lan.host("d", "10.9.0.9/24");
        let avahi = Avahi::start(lan, &desk, "desk").await;
        let (first, second) = (a_box(lan, &one, "box-1"), a_box(lan, &two, "box-2"));
        let names = until("both have a name of their own", SOON, async || {
            let names = [first.known_name().await, second.known_name().await];
            (names[0] != names[1]).then_some(names)
        })
        .await;
        avahi.finds(&names[0], "10.9.0.1").await;
        avahi.finds(&names[1], "10.9.0.2").await;
        assert!(names.contains(&"motoreach.local".to_owned()), "{names:?}");
        assert!(names.contains(&"motoreach-2.local".to_owned()), "{names:?}");
    });
}

#[test]
fn two_networks_that_become_one_leave_one_box_its_name() {
    on_a_lan(
        "two_networks_that_become_one_leave_one_box_its_name",
        async |lan| {
            lan.switch("switch1");
            let (one, two) = (
                lan.host("one", "10.9.0.1/24"),
                lan.host_on("switch1", "two"),
            );
            two.has_address("10.9.0.2/24");
            let (first, second) = (a_box(lan, &one, "box-1"), a_box(lan, &two, "box-2"));
            first.is_known_as("motoreach.local").await;
            second.is_known_as("motoreach.local").await;
            lan.join("switch0", "switch1");
            let desk = lan.host("d", "10.9.0.9/24");
            let avahi = Avahi::start(lan, &desk, "desk").await;
            // Somebody asks for the name, and both hear two answers.
            let _ = avahi.resolve("motoreach.local");
            first.is_known_as("motoreach-2.local").await;
            avahi.finds("motoreach-2.local", "10.9.0.1").await;
            avahi.finds("motoreach.local", "10.9.0.2").await;
            assert_eq!(second.known_name().await, "motoreach.local");
        },
    );
}

#[test]
fn a_box_is_found_at_the_address_that_it_has_now() {
    on_a_lan(
        "a_box_is_found_at_the_address_that_it_has_now",
        async |lan| {
            // No network at all: no cable, no address.
            let box_host = lan.host_on("switch0", "b");
            box_host.unplug();
            let desk = lan.host("d", "10.9.0.2/24");
            let avahi = Avahi::start(lan, &desk, "desk").await;
            let running = a_box(lan, &box_host, "box");
            running.says_words("Listening on").await;
            box_host.plug_in();
            box_host.has_address("10.9.0.1/24");
            running.is_known_as("motoreach.local").await;
            avahi.finds("motoreach.local", "10.9.0.1").await;

            // The cable is pulled, the router gives another address.
            box_host.unplug();
            running
                .says_words("the box's addresses changed addresses=[]")
                .await;
            box_host.has_address("10.9.0.77/24");
            box_host.plug_in();
            avahi.finds("motoreach.local", "10.9.0.77").await;

            // The router gives another one, and the cable stays.
            box_host.has_address("10.9.0.78/24");
            avahi.finds("motoreach.local", "10.9.0.78").await;
        },
    );
}

#[test]
fn a_box_lives_beside_avahi_on_its_own_machine() {
    on_a_lan("a_box_lives_beside_avahi_on_its_own_machine", async |lan| {
        let (one, desk) = (lan.host("one", "10.9.0.1/24"), lan.host("d", "10.9.0.2/24"));
        let beside = Avahi::start(lan, &one, "pi").await;
        let asks = Avahi::start(lan, &desk, "desk").await;
        let running = a_box(lan, &one, "box-1");
        running.is_known_as("motoreach.local").await;
        for avahi in [&asks, &beside] {
            avahi.finds("motoreach.local", "10.9.0.1").await;
            avahi.finds("pi.local", "10.9.0.1").await;
        }

        // A machine that is called motoreach itself: one name, told twice, and no quarrel.
        let two = lan.host("two", "10.9.0.3/24");
        running.stop().await;
        let beside = Avahi::start(lan, &two, "motoreach").await;
        let running = a_box(lan, &two, "box-2");
        running.is_known_as("motoreach.local").await;
        asks.finds("motoreach.local", "10.9.0.3").await;
        let said = running.stop().await;
        assert!(!said.contains("another machine has our name"), "{said}");
        let avahi = beside.daemon().said();
        assert!(!avahi.contains("conflict"), "{avahi}");
        asks.finds("motoreach.local", "10.9.0.3").await;
    });
}

/// The line of `avahi-browse -rp` that says where a service of this name is.
fn resolved(name: &str) -> impl Fn(&str) -> Option<String> + '_ {
    move |said| {
        // A line that is still being written says nothing yet.
        let whole = said.rfind('\n').map_or("", |end| &said[..end]);
        let mut lines = whole.lines().rev();
        let found = lines
            .find(|line| line.starts_with("=;eth0;IPv4;") && line.split(';').nth(3) == Some(name));
        found.map(str::to_owned)
    }
}
