//! What many boxes and many owners cost a relay, and how fast they come.
//!
//! Memory is told by what the second half of a crowd adds: what the first few of anything take once is
//! no cost of theirs.

use std::time::Duration;

use serde::Serialize;

use super::crowd::{Client, Crowd};
use super::light_box::LightBox;
use super::page::OwnersLink;
use super::served::Relay;

/// A relay that was just busy gets so long until its memory is looked at.
const SETTLE: Duration = Duration::from_secs(1);

/// What many cost.
#[derive(Debug, Serialize)]
pub(super) struct Many {
    /// Boxes on the line.
    pub(super) boxes: usize,
    /// The relay's resident memory for each of them, in bytes.
    pub(super) box_bytes: u64,
    /// Boxes that came back, per second: hello, verdict, grant, all of it on disk.
    pub(super) boxes_per_second: f64,
    /// Owners' sockets.
    pub(super) owners: usize,
    /// The relay's resident memory for each of them, in bytes.
    pub(super) owner_bytes: u64,
    /// Owners who came, per second, up to the end of their thread.
    pub(super) owners_per_second: f64,
}

/// Brings so many to a relay.
pub(super) async fn measure(relay: &Relay, boxes: usize, owners: usize) -> anyhow::Result<Many> {
    let mut crowd = Vec::with_capacity(boxes);
    for number in 0..boxes {
        crowd.push(LightBox::new(relay, number)?);
    }
    let links: Vec<OwnersLink> = (0..owners)
        .map(|number| crowd[number % boxes].give_out(number))
        .collect();
    let (there, box_bytes, _) = fill(relay, crowd).await?;
    let (pages, owner_bytes, owners_per_second) = fill(relay, links).await?;
    pages.go().await?;
    let crowd = there.go().await?;
    let mut there = Crowd::new();
    let took = there.come(crowd).await?;
    there.go().await?;
    Ok(Many {
        boxes,
        box_bytes,
        boxes_per_second: boxes as f64 / took.as_secs_f64(),
        owners,
        owner_bytes,
        owners_per_second,
    })
}

/// Lets all of them in, in halves; those that are there, what each of the second half took, and how
/// many of it came in a second.
async fn fill<C: Client>(relay: &Relay, mut first: Vec<C>) -> anyhow::Result<(Crowd<C>, u64, f64)> {
    let second = first.split_off(first.len() / 2);
    let count = second.len();
    let mut crowd = Crowd::new();
    crowd.come(first).await?;
    tokio::time::sleep(SETTLE).await;
    let before_kib = relay.memory_kib()?;
    let took = crowd.come(second).await?;
    tokio::time::sleep(SETTLE).await;
    let grown_kib = relay.memory_kib()?.saturating_sub(before_kib);
    let each_bytes = grown_kib * 1_024 / u64::try_from(count)?.max(1);
    Ok((crowd, each_bytes, count as f64 / took.as_secs_f64()))
}
