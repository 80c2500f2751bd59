//! The relay's figures as people read them.

use super::Figures;
use super::broken_line::BrokenLine;
use super::catch_up::CatchUp;
use crate::ops::say;

/// Says them.
pub(in crate::ops::bench) fn print(figures: &Figures) {
    say("");
    say("relay and link, over loopback");
    say(format_args!(
        "relay's memory, nobody there {:>9.1} MB",
        mb(figures.relay_idle_kib)
    ));
    print_catch_up(&figures.catch_up);
    let trip = &figures.round_trip;
    say(format_args!(
        "owner's post, on disk at the relay        p50 {:>7.2} ms   p99 {:>7.2} ms",
        trip.stored.p50_ms, trip.stored.p99_ms
    ));
    say(format_args!(
        "owner's post, in the journal and back     p50 {:>7.2} ms   p99 {:>7.2} ms",
        trip.journalled.p50_ms, trip.journalled.p99_ms
    ));
    print_broken(&figures.broken_line);
    let many = &figures.many;
    say(format_args!(
        "relay's memory per box   {:>9.1} kB of {:>6}, {:>7.0} come back in a second",
        many.box_bytes as f64 / 1e3,
        many.boxes,
        many.boxes_per_second
    ));
    say(format_args!(
        "relay's memory per owner {:>9.1} kB of {:>6}, {:>7.0} come in a second",
        many.owner_bytes as f64 / 1e3,
        many.owners,
        many.owners_per_second
    ));
}

fn print_catch_up(figures: &CatchUp) {
    say(format_args!(
        "catching up, {} messages {:>9.1} s {:>8.0} /s",
        figures.backlog,
        figures.took_ms / 1e3,
        figures.per_second
    ));
    say(format_args!(
        "  box {:.1} MB before, {:.1} MB at most; relay {:.1} MB before, {:.1} MB at most",
        mb(figures.box_before_kib),
        mb(figures.box_most_kib),
        mb(figures.relay_before_kib),
        mb(figures.relay_most_kib)
    ));
    say(format_args!(
        "  said at the box meanwhile               p50 {:>7.2} ms   p99 {:>7.2} ms",
        figures.meanwhile.times.p50_ms, figures.meanwhile.times.p99_ms
    ));
    say(format_args!(
        "  said half-way, read at the relay after {:.1} s",
        figures.half_way_ms / 1e3
    ));
}

fn print_broken(figures: &BrokenLine) {
    say(format_args!(
        "a line that is cut: noticed after {:.0} ms, back {:.0} ms after the network is",
        figures.cut_noticed_ms, figures.cut_back_ms
    ));
    if let Some(silent) = &figures.silent {
        for (whose, noticed_ms, back_ms) in [
            (
                "with something to send",
                silent.busy_noticed_ms,
                silent.busy_back_ms,
            ),
            ("idle", silent.idle_noticed_ms, silent.idle_back_ms),
        ] {
            say(format_args!(
                "a line gone silent, {whose}: noticed after {:.1} s, back {:.0} ms later",
                noticed_ms / 1e3,
                back_ms
            ));
        }
    }
}

fn mb(kib: u64) -> f64 {
    kib as f64 / 1_024.0
}
