//! What an owner writes, from their page over the relay into the box's journal and back.

use serde::Serialize;

use super::page::OwnersLink;
use super::served::Relay;
use crate::clock::stopwatch;
use crate::ops::bench::child::Box as Served;
use crate::ops::bench::times::Times;

/// Pages that write, one after the other.
const PAGES: usize = 50;
/// What each of them says: fewer than a link's holder may say at once.
const POSTS: usize = 20;

/// How long a post is under way.
#[derive(Debug, Serialize)]
pub(super) struct RoundTrip {
    /// Posts that were timed.
    pub(super) posts: usize,
    /// Until it was on disk at the relay.
    pub(super) stored: Times,
    /// Until the page saw it in the journal.
    pub(super) journalled: Times,
}

/// Writes posts one at a time; the box must be on the line.
pub(super) async fn measure(served: &Served, relay: &Relay) -> anyhow::Result<RoundTrip> {
    let requests = served.sample.requests.iter();
    let urls = requests.filter_map(|request| request.invite_url.as_deref());
    let (mut stored, mut journalled) = (Vec::new(), Vec::new());
    for (number, url) in urls.take(PAGES).enumerate() {
        let mut page = OwnersLink::parse(relay.address, number, url)?
            .open()
            .await?;
        for _ in 0..POSTS {
            let begun = stopwatch();
            let id = page.post().await?;
            stored.push(begun.elapsed());
            page.until(id.uuid()).await?;
            journalled.push(begun.elapsed());
        }
    }
    Ok(RoundTrip {
        posts: stored.len(),
        stored: Times::of(stored),
        journalled: Times::of(journalled),
    })
}
