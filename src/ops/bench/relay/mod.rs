//! The relay and the link to it, each end a process of its own, over this machine's loopback.
//!
//! In reading order: `served` (the relay), `paired` (a box that uses it), `page` (an owner's page),
//! `light_box` (a box without a disk), `crowd` (many of either), `forwarder` (a network that breaks);
//! then what is measured: `catch_up`, `round_trip`, `broken_line`, `many`; and `print`.

mod broken_line;
mod catch_up;
mod crowd;
mod forwarder;
mod light_box;
mod many;
mod page;
mod paired;
mod print;
mod round_trip;
mod served;

use serde::Serialize;

use self::broken_line::BrokenLine;
use self::catch_up::CatchUp;
use self::many::Many;
pub(super) use self::print::print;
use self::round_trip::RoundTrip;
use self::served::Relay;
use super::child::Box as Served;
use crate::cli::BenchArgs;

/// What was measured of a relay and the link to it.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    /// The relay's resident memory with nobody there, in KiB.
    relay_idle_kib: u64,
    /// A journal that was written without a relay.
    catch_up: CatchUp,
    /// An owner's post.
    round_trip: RoundTrip,
    /// A network that breaks.
    broken_line: BrokenLine,
    /// Many boxes and owners.
    many: Many,
}

/// Measures.
pub(super) async fn measure(served: &Served, args: BenchArgs) -> anyhow::Result<Figures> {
    let relay = Relay::start().await?;
    let relay_idle_kib = relay.memory_kib()?;
    let catch_up = catch_up::measure(served, &relay, args.entries).await?;
    let round_trip = round_trip::measure(served, &relay).await?;
    let broken_line = broken_line::measure(served, &relay, args.silent_line).await?;
    let many = many::measure(&relay, args.boxes, args.owners).await?;
    Ok(Figures {
        relay_idle_kib,
        catch_up,
        round_trip,
        broken_line,
        many,
    })
}
