//! A line that breaks: how soon a box notices, and how soon it is back.

use std::time::Duration;

use serde::Serialize;

use super::forwarder::Forwarder;
use super::paired::{self, Link};
use super::served::Relay;
use crate::ops::bench::child::Box as Served;
use crate::ops::bench::load;
use crate::ops::bench::times::ms;

/// Cuts that are measured; the worst is told.
const CUTS: usize = 5;
/// How long the network stays away.
const AWAY: Duration = Duration::from_secs(2);

/// How a box bears a network that breaks.
#[derive(Debug, Serialize)]
pub(super) struct BrokenLine {
    /// The line is closed: noticed after so many milliseconds, at worst.
    pub(super) cut_noticed_ms: f64,
    /// The network is there again after two seconds: back after so many milliseconds, at worst.
    pub(super) cut_back_ms: f64,
    /// The line swallows everything.
    pub(super) silent: Option<Silent>,
}

/// How a box bears a line that is there and dead.
#[derive(Debug, Serialize)]
pub(super) struct Silent {
    /// Somebody wrote: noticed after so many milliseconds.
    pub(super) busy_noticed_ms: f64,
    /// And back after so many more.
    pub(super) busy_back_ms: f64,
    /// Nobody wrote: noticed after so many milliseconds.
    pub(super) idle_noticed_ms: f64,
    /// And back after so many more.
    pub(super) idle_back_ms: f64,
}

/// Breaks the line in every way; `silent` ways take more than a minute.
pub(super) async fn measure(
    served: &Served,
    relay: &Relay,
    silent: bool,
) -> anyhow::Result<BrokenLine> {
    let network = Forwarder::start(relay.address).await?;
    paired::pair(served, relay, network.address).await?;
    paired::until(served, Link::is_online).await?;
    let (mut noticed, mut back) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..CUTS {
        network.close();
        noticed = noticed.max(paired::until(served, |link| !link.is_online()).await?);
        tokio::time::sleep(AWAY).await;
        network.open();
        back = back.max(paired::until(served, Link::is_online).await?);
        // A box whose lines keep breaking before they were of any use comes back ever more slowly;
        // these are cuts of lines that work.
        load::say_once(served, 0).await?;
        paired::until(served, |link| link.waiting_entries == 0).await?;
    }
    let silent = match silent {
        true => Some(swallow(served, &network).await?),
        false => None,
    };
    Ok(BrokenLine {
        cut_noticed_ms: ms(noticed),
        cut_back_ms: ms(back),
        silent,
    })
}

async fn swallow(served: &Served, network: &Forwarder) -> anyhow::Result<Silent> {
    network.mute();
    load::say_once(served, 0).await?;
    let busy_noticed = paired::until(served, |link| !link.is_online()).await?;
    let busy_back =
        paired::until(served, |link| link.is_online() && link.waiting_entries == 0).await?;
    network.mute();
    let idle_noticed = paired::until(served, |link| !link.is_online()).await?;
    let idle_back = paired::until(served, Link::is_online).await?;
    Ok(Silent {
        busy_noticed_ms: ms(busy_noticed),
        busy_back_ms: ms(busy_back),
        idle_noticed_ms: ms(idle_noticed),
        idle_back_ms: ms(idle_back),
    })
}
