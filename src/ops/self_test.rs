//! `motoreach self-test`: a new program shows on a copy of a box's data that it can take it over.
//!
//! It opens and migrates the copy, serves it on this machine alone, asks itself, and proves the journal.
//! It speaks to no relay and to no network: the box that the data belongs to is alive beside it. What it
//! prints is read by the program that it is to replace, so words are only ever added to it.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::json;

use super::failure::Exit;
use super::signals::survive_file_size_limit;
use super::{many_threads, say};
use crate::appliance::{self, MessageLimits, Options, Outside};
use crate::cli::SelfTestArgs;
use crate::clock::Clock;
use crate::config::Config;
use crate::crash;
use crate::http::handed::Handed;
use crate::net::tls::TlsClock;
use crate::net::{self, Target};
use crate::store::{DataDir, inspect, verify};
use crate::update::{TARGET, Version};

/// What it asks itself.
const ASKED: [&str; 2] = ["/healthz", "/api/setup/"];

/// `motoreach self-test`.
///
/// # Errors
/// It cannot take this data over; the sentence says why.
pub fn run(args: &SelfTestArgs) -> anyhow::Result<Exit> {
    crash::point("self-test");
    let dir = DataDir::new(&args.data);
    let before = match dir.database().exists() {
        true => inspect::facts(&dir)?.version,
        false => 0,
    };
    let runtime = many_threads()?;
    let served = runtime.block_on(serves(&dir));
    runtime.shutdown_background();
    served?;
    let report = verify::check(&dir)?;
    if let Some(fault) = report.faults.first() {
        bail!("The data is not sound in its hands: {fault}");
    }
    let after = inspect::facts(&dir)?;
    say(json!({
        "version": Version::of_this_program(),
        "target": TARGET,
        "migration_before": before,
        "migration_after": after.version,
        "entries": after.entries,
        "messages": after.messages,
    }));
    Ok(Exit::Done)
}

async fn serves(dir: &DataDir) -> anyhow::Result<()> {
    survive_file_size_limit()?;
    let listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    let options = Options {
        data: dir.clone(),
        listen: listen.clone(),
        config: Config {
            data: dir.path().to_owned(),
            listen,
            mdns: false,
            ..Config::default()
        },
        handed: Handed::default(),
        message_limits: MessageLimits::On,
        outside: Outside::Nobody,
    };
    let running = appliance::start(options).await?;
    let asked = ask_itself(&running).await;
    running.stop().await;
    asked
}

async fn ask_itself(running: &appliance::Running) -> anyhow::Result<()> {
    let address = running.addresses().first().context("It listens nowhere.")?;
    let dialer = appliance::dialer(None, &TlsClock::new(Clock::system()))?;
    for path in ASKED {
        let target = Target::parse(&format!("http://{address}{path}"))?;
        let request = Request::get("/").body(Full::new(Bytes::new()))?;
        let answer = net::post(&dialer, &target, request).await?;
        if answer.status != StatusCode::OK {
            bail!("It answers {path} with {}.", answer.status);
        }
    }
    Ok(())
}
