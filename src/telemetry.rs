//! Where the program says what it does: lines on stderr, or entries with fields in the system's journal.
//!
//! `main` calls this once, before anything else. Message bodies, tokens and telephone numbers never
//! come here: ids are logged, not what they stand for.

mod journal;
mod levels;

use std::io::IsTerminal;
use std::path::Path;

use tracing_subscriber::filter::ParseError;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, fmt, reload};

use journal::{JOURNAL, Journal};
pub use levels::{Levels, Present, USUAL};

/// The variable that names levels in full, such as `motoreach=debug,hyper=info`.
pub const LOG_VARIABLE: &str = "MOTOREACH_LOG";

/// From quiet to talkative.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
/// Where a server begins: what people did.
const LEVEL_OF_SERVER: usize = 3;
/// Where a command begins whose answer is on stdout: only trouble.
const LEVEL_OF_COMMAND: usize = 2;

/// What is said without being asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// Somebody reads the log of a server.
    Server,
    /// Somebody waits for the answer of a command.
    Command,
}

/// Starts it; `louder` is how often `-v` was given, less how often `-q` was.
///
/// # Errors
/// `MOTOREACH_LOG` is set and says nothing that can be understood.
pub fn start(audience: Audience, louder: i16) -> Result<(), TelemetryError> {
    let told = std::env::var(LOG_VARIABLE)
        .ok()
        .filter(|it| louder == 0 && !it.is_empty());
    let usual = told.unwrap_or_else(|| directives(audience, louder));
    let filter = EnvFilter::try_new(&usual).map_err(TelemetryError)?;
    let (filter, handle) = reload::Layer::new(filter);
    let journal = stderr_is_the_journal().then(|| Journal::open(Path::new(JOURNAL)));
    let journal = journal.and_then(Result::ok);
    let lines = journal.is_none().then(|| {
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(colours)
            // A log that nobody takes any more (a closed pipe) must not end the box.
            .log_internal_errors(false)
    });
    tracing_subscriber::registry()
        .with(filter)
        .with(journal)
        .with(lines)
        .init();
    Levels::begin(handle, usual);
    Ok(())
}

/// Whether what goes to stderr ends in the journal: the service manager names device and inode of the
/// stream that it made (systemd.exec(5), `JOURNAL_STREAM`).
fn stderr_is_the_journal() -> bool {
    let named = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    rustix::fs::fstat(std::io::stderr())
        .is_ok_and(|stat| named == format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// `MOTOREACH_LOG` cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("{LOG_VARIABLE} is not right: {0}. Write it like `debug` or `motoreach=debug,hyper=info`.")]
pub struct TelemetryError(#[source] ParseError);

/// Our own level, and one less for the libraries below us.
fn directives(audience: Audience, louder: i16) -> String {
    let begin = match audience {
        Audience::Server => LEVEL_OF_SERVER,
        Audience::Command => LEVEL_OF_COMMAND,
    };
    let ours = begin.saturating_add_signed(isize::from(louder));
    both(ours.min(LEVELS.len() - 1))
}

/// The same for a level by its place in `LEVELS`.
fn both(ours: usize) -> String {
    let theirs = ours.saturating_sub(1);
    format!("{},motoreach={}", LEVELS[theirs], LEVELS[ours])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v_is_louder_q_is_quieter_and_both_have_an_end() {
        assert_eq!(directives(Audience::Server, 0), "warn,motoreach=info");
        assert_eq!(directives(Audience::Command, 0), "error,motoreach=warn");
        assert_eq!(directives(Audience::Server, 9), "debug,motoreach=trace");
        assert_eq!(directives(Audience::Server, -9), "off,motoreach=off");
    }
}
