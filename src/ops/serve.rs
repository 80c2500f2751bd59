//! `motoreach serve`: the box, until somebody stops it.

use std::net::SocketAddr;

use anyhow::{Context, bail};

use super::failure::Exit;
use super::signals::{StopSignals, survive_file_size_limit};
use super::{many_threads, say};
use crate::appliance::{self, MessageLimits, Options, Running};
use crate::cli::ServeArgs;
use crate::config::Config;
use crate::store::DataDir;

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
    let runtime = many_threads()?;
    let done = runtime.block_on(serve(config));
    // After a second signal nothing is waited for.
    runtime.shutdown_background();
    done
}

async fn serve(config: Config) -> anyhow::Result<Exit> {
    let mut signals = minded_signals()?;
    let options = Options {
        data: DataDir::new(&config.data),
        listen: config.listen.clone(),
        message_limits: MessageLimits::On,
        config,
    };
    let running = tokio::select! {
        // Dropped half-way it leaves a database that the next start takes up.
        started = appliance::start(options) => started?,
        () = signals.next() => return Ok(Exit::Done),
    };
    announce(&running);
    until_stopped(running, &mut signals).await
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
    // Cancel-safe: both only wait.
    let asked = tokio::select! {
        () = signals.next() => true,
        () = running.failed() => false,
    };
    if asked {
        tracing::info!("stopping; once more to stop at once");
    } else {
        tracing::error!("a part of the box died; the box stops so that it can be started again");
    }
    // Stopping need not be cancel-safe: the process ends, and what was acknowledged is on disk.
    tokio::select! {
        () = running.stop() => {}
        () = signals.next() => bail!("Stopped at once; what was acknowledged is kept."),
    }
    if !asked {
        bail!("A part of the box died; the log says which. Start it again.");
    }
    Ok(Exit::Done)
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
