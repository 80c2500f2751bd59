//! `motoreach serve`: the box, until somebody stops it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};

use super::failure::Exit;
use super::found;
use super::service::{Depth, Manager, Pulse, feed};
use super::signals::{StopSignals, survive_file_size_limit};
use super::{many_threads, say};
use crate::appliance::{self, MessageLimits, Options, Outside, Running};
use crate::cli::ServeArgs;
use crate::config::Config;
use crate::crash;
use crate::http::handed::Handed;
use crate::store::restore::{self, Room};
use crate::store::{DataDir, DirLock, OpenError, Store, StoreError};

const DIED: &str = "A part of the box died; the log says which. Start it again.";
/// The directory of a box that was just stopped is waited for this often, this long.
const LOCK_ATTEMPTS_MAX: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// `motoreach serve`.
///
/// # Errors
/// It cannot start, or something without which it is no box died.
pub fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    let mut config = Config::load(args.config.as_deref())?;
    if let Some(data) = args.data {
        config.data = data;
    }
    if !args.listen.is_empty() {
        config.listen = args.listen;
    }
    args.tls.apply(&mut config);
    // Before the first thread: it clears variables of the environment.
    let handed = Handed::take()?;
    let runtime = many_threads()?;
    let done = runtime.block_on(serve(config, handed));
    // After a second signal nothing is waited for.
    runtime.shutdown_background();
    done
}

async fn serve(config: Config, handed: Handed) -> anyhow::Result<Exit> {
    crash::point("serve-begun");
    let manager = Manager::of_this_process();
    let mut signals = minded_signals()?;
    let mut options = Options {
        data: DataDir::new(&config.data),
        listen: config.listen.clone(),
        handed,
        message_limits: MessageLimits::On,
        outside: Outside::Everybody,
        config,
    };
    loop {
        let running = tokio::select! {
            // Dropped half-way it leaves a database that the next start takes up.
            started = manager.patient(appliance::start(options.clone())) => started?,
            () = signals.next() => return Ok(Exit::Done),
        };
        announce(&running);
        crash::point("serve-ready");
        // A page that waits for the restored box finds it where the empty one was.
        options.listen = running.addresses().to_vec();
        let ended = serve_watched(&running, &mut signals, manager).await;
        match ended {
            Ended::Asked | Ended::Died => manager.stopping(),
            Ended::Restored => manager.starting_again("Putting what was brought back in place"),
        }
        manager.patient(stop(running, &mut signals)).await?;
        match ended {
            Ended::Asked => return Ok(Exit::Done),
            Ended::Died => bail!(DIED),
            Ended::Restored => {
                let in_place = put_in_place(options.data.clone());
                manager.patient(in_place).await?;
            }
        }
    }
}

/// Serves until it ends, and lets the service manager know that it lives.
async fn serve_watched(running: &Running, signals: &mut StopSignals, manager: Manager) -> Ended {
    let store = running.store();
    let usual = status(running);
    manager.ready(&usual);
    let look = |depth| {
        let store = store.clone();
        async move { pulse(&store, depth).await }
    };
    // Cancel-safe: both only wait and look.
    tokio::select! {
        ended = until_ended(running, signals) => ended,
        never = feed(manager, &usual, look, || store.is_at_long_work()) => match never {},
        never = found::tell_changes(running.board()) => match never {},
    }
}

async fn pulse(store: &Store, depth: Depth) -> Pulse {
    let found = match depth {
        Depth::Quick => store.pulse().await,
        Depth::Thorough => store.probe().await,
    };
    match found {
        Ok(()) => Pulse::Sound,
        Err(StoreError::Full) => Pulse::Full,
        Err(error) => {
            tracing::warn!(%error, "the box is not well");
            Pulse::Sick
        }
    }
}

/// What `systemctl status` shows of a box that is well.
fn status(running: &Running) -> String {
    let addresses: Vec<_> = running
        .addresses()
        .iter()
        .map(ToString::to_string)
        .collect();
    let addresses = addresses.join(", ");
    match running.set_up_code() {
        None => format!("Serving on {addresses}"),
        Some(_) => format!("Waiting on {addresses} to be set up in a browser"),
    }
}

/// The workshop that was brought back takes the empty box's place.
async fn put_in_place(dir: DataDir) -> anyhow::Result<()> {
    let held = lock_again(&dir).await?;
    tokio::task::spawn_blocking(move || {
        let root = restore::gathering(&dir).root()?;
        match restore::room(&dir, &root)? {
            Room::Free | Room::Secret => restore::take_over(&dir, &held),
            // Somebody was faster, by a moment: that one counts.
            Room::SetUp => {
                tracing::warn!("the box was set up meanwhile; nothing is restored onto it");
                restore::discard(&dir)
            }
        }
    })
    .await
    .context("What was brought back could not be put in place; start again.")?
    .map_err(Into::into)
}

/// What the last page still holds of the empty box is given up in a moment.
async fn lock_again(dir: &DataDir) -> anyhow::Result<DirLock> {
    let mut attempt = 1;
    loop {
        match dir.lock() {
            Err(OpenError::InUse(_)) if attempt < LOCK_ATTEMPTS_MAX => {
                attempt += 1;
                tokio::time::sleep(LOCK_PAUSE).await;
            }
            done => return Ok(done?),
        }
    }
}

/// The signals of a long-running command, minded from here on.
pub(super) fn minded_signals() -> anyhow::Result<StopSignals> {
    survive_file_size_limit()
        .and_then(|()| StopSignals::listen())
        .context("The signals that stop the box cannot be received.")
}

/// Serves until a signal, then stops gracefully; a second signal ends it at once.
pub(super) async fn until_stopped(
    running: Running,
    signals: &mut StopSignals,
) -> anyhow::Result<Exit> {
    let ended = until_ended(&running, signals).await;
    stop(running, signals).await?;
    match ended {
        // Nothing is restored onto a workshop.
        Ended::Asked | Ended::Restored => Ok(Exit::Done),
        Ended::Died => bail!(DIED),
    }
}

/// Why a box serves no more.
#[derive(Clone, Copy)]
enum Ended {
    /// It was told to stop.
    Asked,
    /// Something without which it is no box died.
    Died,
    /// A workshop was brought back, and is to be started instead.
    Restored,
}

async fn until_ended(running: &Running, signals: &mut StopSignals) -> Ended {
    // Cancel-safe: all of them only wait.
    tokio::select! {
        () = signals.next() => {
            tracing::info!("stopping; once more to stop at once");
            Ended::Asked
        }
        () = running.failed() => {
            tracing::error!("a part of the box died; the box stops so that it can be started again");
            Ended::Died
        }
        () = running.restored() => {
            tracing::info!("a workshop was brought back from its relay; the box starts again with it");
            Ended::Restored
        }
    }
}

async fn stop(running: Running, signals: &mut StopSignals) -> anyhow::Result<()> {
    // Stopping need not be cancel-safe: the process ends, and what was acknowledged is on disk.
    tokio::select! {
        () = running.stop() => Ok(()),
        () = signals.next() => bail!("Stopped at once; what was acknowledged is kept."),
    }
}

fn announce(running: &Running) {
    let (version, data) = (
        env!("CARGO_PKG_VERSION"),
        running.store().dir().path().display(),
    );
    say(format_args!("MotoReach {version}, data in {data}"));
    for address in running.addresses() {
        say(format_args!("Listening on {address}: {}", url(*address)));
    }
    found::announce(&running.board().now(), running.store().dir());
    if let (Some(code), Some(address)) = (running.set_up_code(), running.addresses().first()) {
        say("This box is not set up yet: open it in a browser.");
        say(format_args!("From this machine: {}", url(*address)));
        say(format_args!(
            "From another one it asks for the set-up code: {code}"
        ));
    }
}

/// What to type into a browser on this machine.
pub(super) fn url(address: SocketAddr) -> String {
    let host = match address {
        _ if address.ip().is_unspecified() => "localhost".to_owned(),
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    };
    match address.port() {
        80 => format!("http://{host}"),
        port => format!("http://{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_as_a_browser_takes_it() {
        let shown = |text: &str| url(text.parse().unwrap());
        assert_eq!(shown("127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(shown("[::]:80"), "http://localhost");
        assert_eq!(shown("0.0.0.0:8080"), "http://localhost:8080");
        assert_eq!(shown("[fd00::1]:8080"), "http://[fd00::1]:8080");
    }
}
