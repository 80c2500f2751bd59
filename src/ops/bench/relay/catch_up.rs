//! A box that was just paired brings its whole journal to the relay, while people go on writing.

use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::page::OwnersLink;
use super::paired;
use super::served::Relay;
use crate::clock::stopwatch;
use crate::ops::bench::ROOMS;
use crate::ops::bench::child::Box as Served;
use crate::ops::bench::load::{self, Load, Run};
use crate::ops::bench::times::ms;

/// A backlog is written in stretches of so long.
const STRETCH: Duration = Duration::from_secs(1);
/// What each writer of it has under way; all of them together are fewer than a box lets wait.
const IN_FLIGHT: usize = 8;
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// The room in which something is said half-way.
const ROOM: usize = 1;

/// How a backlog was brought over.
#[derive(Debug, Serialize)]
pub(super) struct CatchUp {
    /// Messages that waited, at least; what else the sample's journal holds comes on top.
    pub(super) backlog: u64,
    /// From pairing until nothing waited any more, in milliseconds.
    pub(super) took_ms: f64,
    /// Entries per second.
    pub(super) per_second: f64,
    /// The box's resident memory before, in KiB.
    pub(super) box_before_kib: u64,
    /// The most that it was meanwhile.
    pub(super) box_most_kib: u64,
    /// The relay's before.
    pub(super) relay_before_kib: u64,
    /// The most that it was meanwhile.
    pub(super) relay_most_kib: u64,
    /// People on the workshop's own network meanwhile.
    pub(super) meanwhile: Run,
    /// What was said half-way was read by its owner at the relay after so many milliseconds.
    pub(super) half_way_ms: f64,
}

/// Writes a backlog, pairs, and watches.
pub(super) async fn measure(
    served: &Served,
    relay: &Relay,
    entries: u64,
) -> anyhow::Result<CatchUp> {
    let backlog = write(served, entries).await?;
    let (box_before_kib, relay_before_kib) = (served.memory_kib()?, relay.memory_kib()?);
    let stop = CancellationToken::new();
    let people = Load {
        rooms: 1,
        senders: 1,
        in_flight: 1,
    };
    let watching = async {
        let watched = watch(served, relay, &stop).await;
        stop.cancel();
        watched
    };
    let (watched, meanwhile) = tokio::join!(watching, people.run_until(served, &stop));
    let (watched, meanwhile) = (watched?, meanwhile?);
    let all = backlog + u64::try_from(meanwhile.messages)?;
    Ok(CatchUp {
        backlog,
        took_ms: ms(watched.took),
        per_second: all as f64 / watched.took.as_secs_f64(),
        box_before_kib,
        box_most_kib: watched.box_most_kib,
        relay_before_kib,
        relay_most_kib: watched.relay_most_kib,
        meanwhile,
        half_way_ms: ms(watched.half_way),
    })
}

/// Says so many things in many rooms, or a few more.
async fn write(served: &Served, entries: u64) -> anyhow::Result<u64> {
    let writers = Load {
        rooms: ROOMS,
        senders: ROOMS,
        in_flight: IN_FLIGHT,
    };
    let mut written = 0;
    while written < entries {
        written += u64::try_from(writers.run(served, STRETCH).await?.messages)?;
    }
    Ok(written)
}

struct Watched {
    took: Duration,
    half_way: Duration,
    box_most_kib: u64,
    relay_most_kib: u64,
}

/// Pairs, and looks on until nothing of the backlog waits.
async fn watch(
    served: &Served,
    relay: &Relay,
    stop: &CancellationToken,
) -> anyhow::Result<Watched> {
    let begun = stopwatch();
    let (mut box_most_kib, mut relay_most_kib) = (0, 0);
    paired::pair(served, relay, relay.address).await?;
    let backlog = paired::link(served).await?.waiting_entries;
    let mut half_way = Box::pin(half_way(served, relay, backlog));
    let mut read = None;
    loop {
        box_most_kib = served.memory_kib()?.max(box_most_kib);
        relay_most_kib = relay.memory_kib()?.max(relay_most_kib);
        if let Some((took, half_way)) = read {
            return Ok(Watched {
                took,
                half_way,
                box_most_kib,
                relay_most_kib,
            });
        }
        // Cancel-safe: what was said half-way goes on where it was.
        tokio::select! {
            was_read = &mut half_way, if read.is_none() => {
                let was_read = was_read?;
                // Nobody says anything more: the rest is what was said until now.
                stop.cancel();
                paired::until(served, |link| link.waiting_entries == 0).await?;
                read = Some((begun.elapsed(), was_read));
            }
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// Waits for the middle of the backlog, says something then, and waits until its owner has read it.
async fn half_way(served: &Served, relay: &Relay, backlog: u64) -> anyhow::Result<Duration> {
    let request = &served.sample.requests[ROOM];
    let url = request.invite_url.as_deref();
    let url = url.context("a request without a link")?;
    paired::until(served, |link| link.waiting_entries <= backlog / 2).await?;
    let mut page = OwnersLink::parse(relay.address, 0, url)?.open().await?;
    let id = load::say_once(served, ROOM).await?;
    let said = stopwatch();
    page.until(id).await?;
    Ok(said.elapsed())
}
