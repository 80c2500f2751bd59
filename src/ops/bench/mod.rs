//! `motoreach bench`: what this program does on this machine, measured through its own front door.
//!
//! It starts a box of its own as a separate process in a temporary directory and speaks to it as
//! browsers do. Nothing is simulated: every message that counts was acknowledged from disk. `relay`
//! gives it a relay and does the same with the link.

mod child;
mod load;
mod process;
mod relay;
mod times;

use std::time::{Duration, Instant};

use serde::Serialize;

use self::child::Box as Served;
use self::load::{Load, Run};
use super::say;
use crate::cli::{BenchArgs, BenchPart};
use crate::clock::stopwatch;

/// Rooms in the widest run.
const ROOMS: usize = 100;
/// Requests in the sample workshop; some of them are closed and take no messages.
const SAMPLE_REQUESTS: usize = 150;
/// Sockets that are opened to learn what an idle one costs.
const IDLE_SOCKETS: usize = 2_000;
/// Starts that are timed; the middle one is told.
const STARTS: usize = 5;

/// What was measured.
#[derive(Debug, Serialize)]
struct Figures {
    /// The program, in bytes.
    binary_bytes: u64,
    /// A box by itself.
    #[serde(flatten)]
    alone: Option<Alone>,
    /// A relay, and the link to it.
    relay: Option<relay::Figures>,
}

/// What was measured of a box by itself.
#[derive(Debug, Serialize)]
struct Alone {
    /// From starting the process on existing data to its first answer, in milliseconds.
    start_ms: f64,
    /// Resident memory with nobody there, in KiB.
    idle_kib: u64,
    /// Resident memory for each idle notification socket, in bytes.
    idle_socket_bytes: u64,
    /// Messages from sending to acknowledgement.
    runs: Vec<Run>,
}

/// Measures and prints.
///
/// # Errors
/// The box or the relay could not be started or did not answer.
pub fn run(args: BenchArgs) -> anyhow::Result<()> {
    process::take_files();
    let runtime = super::many_threads()?;
    let figures = runtime.block_on(measure(args))?;
    if args.json {
        say(serde_json::to_string(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

async fn measure(args: BenchArgs) -> anyhow::Result<Figures> {
    let binary_bytes = std::fs::metadata(std::env::current_exe()?)?.len();
    let (mut alone, mut with_relay) = (None, None);
    if args.part != Some(BenchPart::Relay) {
        let each = Duration::from_secs(args.seconds);
        alone = Some(measure_alone(each).await?);
    }
    if args.part != Some(BenchPart::Box) {
        let served = Served::start(SAMPLE_REQUESTS).await?;
        with_relay = Some(relay::measure(&served, args).await?);
    }
    Ok(Figures {
        binary_bytes,
        alone,
        relay: with_relay,
    })
}

async fn measure_alone(each: Duration) -> anyhow::Result<Alone> {
    let mut served = Served::start(SAMPLE_REQUESTS).await?;
    let idle_kib = served.memory_kib()?;
    let idle_socket_bytes = idle_sockets(&served, idle_kib).await?;
    let mut runs = Vec::new();
    for load in [
        Load {
            rooms: 1,
            senders: 1,
            in_flight: 1,
        },
        Load {
            rooms: 1,
            senders: 1,
            in_flight: 32,
        },
        Load {
            rooms: ROOMS,
            senders: ROOMS,
            in_flight: 1,
        },
    ] {
        runs.push(load.run(&served, each).await?);
    }
    let start_ms = start(&mut served).await?;
    Ok(Alone {
        start_ms,
        idle_kib,
        idle_socket_bytes,
        runs,
    })
}

async fn idle_sockets(served: &Served, idle_kib: u64) -> anyhow::Result<u64> {
    let mut sockets = Vec::with_capacity(IDLE_SOCKETS);
    for _ in 0..IDLE_SOCKETS {
        sockets.push(load::watch(served).await?);
    }
    let grown_kib = served.memory_kib()?.saturating_sub(idle_kib);
    Ok(grown_kib * 1_024 / IDLE_SOCKETS as u64)
}

/// The middle of several starts, each after a `kill -9`.
async fn start(served: &mut Served) -> anyhow::Result<f64> {
    let mut starts = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        served.kill()?;
        let begun: Instant = stopwatch();
        served.start_again().await?;
        starts.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    starts.sort_by(f64::total_cmp);
    Ok(starts[STARTS / 2])
}

fn print(figures: &Figures) {
    say(format_args!(
        "program                {:>9.1} MB",
        figures.binary_bytes as f64 / 1e6
    ));
    if let Some(alone) = &figures.alone {
        print_alone(alone);
    }
    if let Some(figures) = &figures.relay {
        relay::print(figures);
    }
}

fn print_alone(figures: &Alone) {
    say(format_args!(
        "start to first answer  {:>9.0} ms",
        figures.start_ms
    ));
    say(format_args!(
        "memory, nobody there   {:>9.1} MB",
        figures.idle_kib as f64 / 1_024.0
    ));
    say(format_args!(
        "memory per idle socket {:>9.1} kB",
        figures.idle_socket_bytes as f64 / 1e3
    ));
    say("");
    say("messages, on disk before acknowledged");
    for run in &figures.runs {
        say(format_args!(
            "{:>4} rooms, {:>2} in flight each {:>8.0} /s   p50 {:>7.2} ms   p99 {:>7.2} ms",
            run.rooms, run.in_flight, run.per_second, run.times.p50_ms, run.times.p99_ms
        ));
    }
}
