//! The relay that is measured, in a process of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Context;
use http::HeaderValue;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::ops::bench::process::{Process, Scratch, free_address, printed, until_it_answers};
use crate::relay::secrets::Secrets;

/// A relay; it and its data end with this value.
pub(super) struct Relay {
    pub(super) address: SocketAddr,
    process: Process,
    scratch: Scratch,
}

#[derive(Deserialize)]
struct Pairing {
    code: String,
}

impl Relay {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let scratch = Scratch::new("relay")?;
        let address = free_address()?;
        let process = Process::start(|command| {
            command
                .args(["relay", "--quiet", "--listen", &address.to_string()])
                .arg("--data")
                .arg(scratch.path());
        })?;
        until_it_answers(address).await?;
        Ok(Self {
            address,
            process,
            scratch,
        })
    }

    /// A code by which one box enters.
    pub(super) fn pairing_code(&self) -> anyhow::Result<String> {
        let said = printed(|command| {
            command.args(["relay", "pair", "--json", "--data"]);
            command.arg(self.scratch.path());
        })?;
        Ok(serde_json::from_slice::<Pairing>(&said)?.code)
    }

    /// What a box that was let in before shows: we hold the relay's secret, so nobody need type a
    /// thousand codes.
    pub(super) fn secrets(&self) -> anyhow::Result<Secrets> {
        Secrets::open(self.scratch.path()).context("the relay has no secret")
    }

    /// Resident memory, in KiB.
    pub(super) fn memory_kib(&self) -> anyhow::Result<u64> {
        self.process.memory_kib()
    }
}

/// Opens a socket at a relay as the proxy before it would for whoever is numbered so: limits count
/// by address, and nobody has a thousand boxes behind one.
pub(super) async fn socket(
    relay: SocketAddr,
    number: usize,
    path: &str,
    protocol: &'static str,
    config: WebSocketConfig,
) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let number = u32::try_from(number)?;
    let from = IpAddr::from(Ipv4Addr::from_bits(
        Ipv4Addr::new(10, 0, 0, 1).to_bits() + number,
    ));
    let mut request = format!("ws://{relay}{path}").into_client_request()?;
    let headers = request.headers_mut();
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    headers.insert("x-forwarded-for", from.to_string().try_into()?);
    let stream = TcpStream::connect(relay).await?;
    stream.set_nodelay(true)?;
    Ok(client_async_with_config(request, stream, Some(config))
        .await?
        .0)
}
