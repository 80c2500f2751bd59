//! The box's own word for how its link stands.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::served::Relay;
use crate::clock::stopwatch;
use crate::ops::bench::child::Box as Served;

const PATH: &str = "/api/relay/";
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How the link stands.
#[derive(Deserialize)]
pub(super) struct Link {
    state: String,
    pub(super) waiting_entries: u64,
}

impl Link {
    pub(super) fn is_online(&self) -> bool {
        self.state == "online"
    }
}

/// Connects a box to a relay, found at this address, with a new code.
pub(super) async fn pair(served: &Served, relay: &Relay, at: SocketAddr) -> anyhow::Result<()> {
    let body = json!({ "url": format!("http://{at}"), "code": relay.pairing_code()? });
    served.ask(Method::PUT, PATH, &body).await?;
    Ok(())
}

pub(super) async fn link(served: &Served) -> anyhow::Result<Link> {
    let link = served.ask(Method::GET, PATH, &Value::Null).await?;
    serde_json::from_value(link).context("the box tells of its link in other words")
}

/// Waits until the link stands so; says how long it took.
pub(super) async fn until(
    served: &Served,
    stands: impl Fn(&Link) -> bool,
) -> anyhow::Result<Duration> {
    let begun = stopwatch();
    while !stands(&link(served).await?) {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(begun.elapsed())
}
