//! `motoreach relay`: the relay, until somebody stops it; `pair` and `status` beside it.

use std::path::Path;

use anyhow::bail;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::ear::{Ear, mind_log};
use super::failure::{Exit, NoData};
use super::log::show_or_set;
use super::serve::minded_signals;
use super::service::{Depth, Manager, Pulse, feed};
use super::signals::{StopSignals, survive_file_size_limit};
use super::stdin::{StdinEnd, stdin_end};
use super::{control, many_threads, one_thread, say};
use crate::cli::{PairArgs, RelayArgs, RelayAt, RelayCommand, StatusArgs};
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::http::handed::Handed;
use crate::net::Reach;
use crate::relay::config::RelayConfig;
use crate::relay::pairing::new_code;
use crate::relay::run::{self, Options, Running, remembered_address};
use crate::relay::secrets::Secrets;
use crate::relay::sqlite::SqliteRelay;
use crate::relay::store::{RelayStore, RelayStoreError, WorkshopLine};
use crate::store::DataDir;
use crate::wire::rfc3339;

/// `motoreach relay`.
///
/// # Errors
/// It cannot start, something without which it is no relay died, or the data cannot be used.
pub fn run(args: RelayArgs) -> anyhow::Result<Exit> {
    match args.command {
        Some(RelayCommand::Pair(pair)) => one_thread()?.block_on(print_code(&args.at, pair)),
        Some(RelayCommand::Status(status)) => {
            one_thread()?.block_on(print_status(&args.at, status))
        }
        Some(RelayCommand::Log(log)) => {
            let data = configured(&args.at)?.data;
            show_or_set(&data, log.what, log.json)
        }
        None => serve(args),
    }
}

fn serve(args: RelayArgs) -> anyhow::Result<Exit> {
    let mut config = configured(&args.at)?;
    if !args.listen.is_empty() {
        config.listen = args.listen;
    }
    config.public_url = args.public_url.or(config.public_url);
    if args.tls_cert.is_some() {
        (config.tls_cert, config.tls_key) = (args.tls_cert, args.tls_key);
    }
    config.extra_roots = args.extra_roots.or(config.extra_roots);
    let reach = if args.push_allow_private {
        Reach::Anywhere
    } else {
        Reach::PublicOnly
    };
    // Before the first thread: it clears variables of the environment.
    let handed = Handed::take()?;
    let leash = args.stop_with_stdin.then(stdin_end);
    let runtime = many_threads()?;
    let done = runtime.block_on(serve_until_stopped(config, handed, reach, leash));
    // After a second signal nothing is waited for.
    runtime.shutdown_background();
    done
}

async fn serve_until_stopped(
    config: RelayConfig,
    handed: Handed,
    reach: Reach,
    leash: Option<StdinEnd>,
) -> anyhow::Result<Exit> {
    let manager = Manager::of_this_process();
    let mut signals = minded_signals()?;
    let (data, clock) = (config.data.clone(), Clock::system());
    let opening = {
        let (data, now) = (data.clone(), clock.now());
        // Opening may wait for the disk.
        tokio::task::spawn_blocking(move || open(&data, now))
    };
    let (secrets, store) = tokio::select! {
        // Dropped half-way it leaves a database that the next start takes up.
        opened = manager.patient(opening) => opened??,
        () = signals.next() => return Ok(Exit::Done),
    };
    let options = Options {
        secrets,
        store: store.clone(),
        config,
        handed,
        reach,
        clock,
    };
    let running = match run::start(options) {
        Ok(running) => running,
        Err(error) => {
            store.close().await;
            return Err(error.into());
        }
    };
    announce(&running, &data);
    let listening = listen_to_operators(&data, &running);
    let usual = format!("Serving {}", running.public_url());
    manager.ready(&usual);
    let look = |_: Depth| pulse(store.clone());
    // Cancel-safe: both only wait and look.
    let failed = tokio::select! {
        failed = until_asked(&running, &mut signals, leash) => failed,
        never = feed(manager, &usual, look, || false) => match never {},
    };
    manager.stopping();
    // Stopping need not be cancel-safe: the process ends, and what was acknowledged is on disk.
    tokio::select! {
        () = manager.patient(async {
            listening.stop().await;
            running.stop().await;
            store.close().await;
        }) => {}
        () = signals.next() => bail!("Stopped at once; what was acknowledged is kept."),
    }
    if failed {
        bail!("A part of the relay died; the log says which. Start it again.");
    }
    Ok(Exit::Done)
}

/// Lets operators change the log, beside the relay itself.
fn listen_to_operators(data: &Path, running: &Running) -> Listening {
    let (shutdown, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let ear = Ear::of_relay(running.public_url().to_owned());
    let socket = DataDir::new(data).control_socket();
    tasks.spawn(control::listen(socket, ear, shutdown.clone()));
    tasks.spawn(mind_log(shutdown.clone()));
    Listening { shutdown, tasks }
}

/// What listens to operators.
struct Listening {
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
}

impl Listening {
    async fn stop(mut self) {
        self.shutdown.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// A relay's disk is a server's: each look may write.
async fn pulse(store: SqliteRelay) -> Pulse {
    match store.probe().await {
        Ok(()) => Pulse::Sound,
        Err(RelayStoreError::Full) => Pulse::Full,
        Err(error @ (RelayStoreError::Fenced | RelayStoreError::Failed(_))) => {
            tracing::warn!(%error, "the relay is not well");
            Pulse::Sick
        }
    }
}

fn open(data: &Path, now: Timestamp) -> anyhow::Result<(Secrets, SqliteRelay)> {
    // First: a database without its secret is another relay's.
    let secrets = Secrets::open(data)?;
    Ok((secrets, SqliteRelay::open(data, now)?))
}

/// Waits for a signal or the leash's end; true when the relay died instead.
async fn until_asked(
    running: &Running,
    signals: &mut StopSignals,
    leash: Option<StdinEnd>,
) -> bool {
    let let_go = async {
        match leash {
            Some(leash) => leash.await,
            None => std::future::pending().await,
        }
    };
    // Cancel-safe: all of them only wait.
    tokio::select! {
        // An error is the end of the thread that reads: the same.
        _ = let_go => {
            tracing::info!("stopping; whoever started the relay is gone");
            false
        }
        () = signals.next() => {
            tracing::info!("stopping; once more to stop at once");
            false
        }
        () = running.failed() => {
            tracing::error!("a part of the relay died; it stops so that it can be started again");
            true
        }
    }
}

fn announce(running: &Running, data: &Path) {
    let version = env!("CARGO_PKG_VERSION");
    say(format_args!(
        "MotoReach relay {version}, data in {}",
        data.display()
    ));
    for address in running.addresses() {
        say(format_args!("Listening on {address}"));
    }
    say(format_args!(
        "Owners' links begin with {}",
        running.public_url()
    ));
    say("To let a box use it: motoreach relay pair");
}

async fn print_code(at: &RelayAt, args: PairArgs) -> anyhow::Result<Exit> {
    let config = configured(at)?;
    let now = Clock::system().now();
    let store = open_beside(&config.data, now)?;
    let made = new_code(&store, now).await;
    store.close().await;
    let code = made?;
    let url = config
        .public_url
        .or_else(|| remembered_address(&config.data));
    let expires = rfc3339(code.expires);
    if args.json {
        say(json!({ "code": code.text, "expires_at": expires, "url": url }));
        return Ok(Exit::Done);
    }
    say(format_args!("Pairing code: {}", code.text));
    say(format_args!("Good for one box, until {expires}."));
    if let Some(url) = url {
        say(format_args!(
            "On the box: Settings, Connect to a relay; address {url}"
        ));
    }
    Ok(Exit::Done)
}

async fn print_status(at: &RelayAt, args: StatusArgs) -> anyhow::Result<Exit> {
    let config = configured(at)?;
    let now = Clock::system().now();
    let store = open_beside(&config.data, now)?;
    let read = store.workshops().await;
    store.close().await;
    let lines = read?;
    if args.json {
        let workshops: Vec<_> = lines.iter().map(as_json).collect();
        say(json!({ "workshops": workshops }));
        return Ok(Exit::Done);
    }
    if lines.is_empty() {
        say("No workshop uses this relay yet; let one in with `motoreach relay pair`.");
    }
    for line in &lines {
        tell(line, now);
    }
    Ok(Exit::Done)
}

fn tell(line: &WorkshopLine, now: Timestamp) {
    say(format_args!("Workshop {}", line.workshop));
    if line.quarantined {
        say("  Two copies of its box are alive: an admin has to say which is the real one.");
    }
    let heard = match line.seen_ms {
        0 => "never".to_owned(),
        ms => format!("{} ({} ago)", rfc3339(Timestamp(ms)), span(now.0 - ms)),
    };
    say(format_args!("  last heard of    {heard}"));
    say(format_args!(
        "  journal          {} entries, {}",
        line.entries,
        bytes(line.bytes)
    ));
    let oldest = line.oldest_post_ms.map_or(String::new(), |ms| {
        format!(", the oldest for {}", span(now.0 - ms))
    });
    say(format_args!("  waiting posts    {}{oldest}", line.posts));
    say(format_args!("  open links       {}", line.invites));
    say(format_args!(
        "  forks            {}, {} entries to be seen again",
        line.forks, line.orphans
    ));
}

fn as_json(line: &WorkshopLine) -> Value {
    let time = |ms: i64| (ms > 0).then(|| rfc3339(Timestamp(ms)));
    json!({
        "workshop": line.workshop.to_string(),
        "entries": line.entries,
        "bytes": line.bytes,
        "posts_waiting": line.posts,
        "oldest_post_at": line.oldest_post_ms.and_then(time),
        "orphans": line.orphans,
        "invites": line.invites,
        "last_heard_at": time(line.seen_ms),
        "quarantined": line.quarantined,
        "forks": line.forks,
    })
}

fn configured(at: &RelayAt) -> anyhow::Result<RelayConfig> {
    let mut config = RelayConfig::load(at.config.as_deref())?;
    if let Some(data) = &at.data {
        config.data.clone_from(data);
    }
    Ok(config)
}

fn open_beside(data: &Path, now: Timestamp) -> anyhow::Result<SqliteRelay> {
    survive_file_size_limit()?;
    if !data.join("relay.db").exists() {
        return Err(NoData::NoRelay(data.display().to_string()).into());
    }
    Ok(SqliteRelay::open_beside(data, now)?)
}

/// A stretch of time as people say it.
fn span(ms: i64) -> String {
    match ms.max(0) / 1_000 {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7_200 => format!("{} min", s / 60),
        s @ 7_200..172_800 => format!("{} h", s / 3_600),
        s => format!("{} days", s / 86_400),
    }
}

fn bytes(bytes: i64) -> String {
    match bytes {
        ..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_are_said_as_people_say_them() {
        let spans = [-5, 5_000, 600_000, 9_000_000, 400_000_000].map(span);
        assert_eq!(spans, ["0 s", "5 s", "10 min", "2 h", "4 days"]);
        assert_eq!(
            [9_999, 20_000, 30_000_000].map(bytes),
            ["9999 bytes", "20 kB", "30 MB"]
        );
    }
}
