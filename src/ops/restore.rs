//! `motoreach restore`: a workshop comes back from its relay onto an empty card (`sync.md` §4), or from a
//! backup (`restore_file`).
//!
//! The data directory's lock is held all the while, so no server can begin in it. What comes back is
//! gathered beside (`store::restore`) and put in place at the end: whatever ends this process, the
//! directory is as empty as it was, or holds the whole workshop.

use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::desk::must_be_ours;
use super::failure::Exit;
use super::figures::{counted, grouped};
use super::restore_file::{self, as_of};
use super::serve::minded_signals;
use super::{many_threads, say, stdin};
use crate::appliance;
use crate::cli::RestoreArgs;
use crate::clock::{Clock, stopwatch};
use crate::config::Config;
use crate::domain::{RestoreFault, Restored};
use crate::http::relay_address;
use crate::net::tls::TlsClock;
use crate::seal::{RECOVERY_WORDS, RootSecret, WordsError};
use crate::store::restore::{self, Room};
use crate::store::{DataDir, DirLock};
use crate::sync::restore::{Asked, RestoreError};

/// How often it is told how much has come.
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// The data directory is not empty. Its text is a sentence.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoRoom {
    /// There is a workshop in it.
    #[error("Nothing was changed: there is a workshop in {0}. Name another directory with --data.")]
    SetUp(String),
    /// There is a secret without its database.
    #[error(
        "Nothing was changed: there is a root.secret in {0} that these words do not belong to. Keep it, \
         it may be the only copy, and name another directory with --data."
    )]
    Secret(String),
}

impl NoRoom {
    /// The word that programs know it by.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::SetUp(_) => "already_set_up",
            Self::Secret(_) => "other_secret",
        }
    }
}

/// `motoreach restore`.
///
/// # Errors
/// A sentence that says what to do; nothing was restored then.
pub fn run(args: &RestoreArgs) -> anyhow::Result<Exit> {
    let mut config = Config::load(args.at.config.as_deref())?;
    if let Some(data) = &args.at.data {
        config.data.clone_from(data);
    }
    let dir = DataDir::new(&config.data);
    if dir.path().exists() {
        must_be_ours(dir.path())?;
    }
    let runtime = many_threads()?;
    let done = runtime.block_on(async {
        let mut signals = minded_signals()?;
        let shutdown = CancellationToken::new();
        let restoring = restored(args, &config, dir, shutdown.clone());
        let mut restoring = std::pin::pin!(restoring);
        tokio::select! {
            done = restoring.as_mut() => done,
            () = signals.next() => {
                // What was begun is finished: it must be able to go on next time.
                shutdown.cancel();
                restoring.await
            }
        }
    });
    runtime.shutdown_background();
    let back = done?;
    if args.at.json {
        say(json!({
            "workshop": back.workshop,
            "messages": back.messages,
            "requests": back.requests,
            "people": back.people,
            "as_of": as_of(&back),
        }));
    } else {
        say(sentence(&back));
        if let Some(at) = as_of(&back) {
            say(format_args!(
                "It is as it was at {at}. What came after that comes back from the relay, if it had one."
            ));
        }
        say("Start the server; staff sign in with their old passwords, and owners' links work.");
    }
    Ok(Exit::Done)
}

async fn restored(
    args: &RestoreArgs,
    config: &Config,
    dir: DataDir,
    shutdown: CancellationToken,
) -> anyhow::Result<Restored> {
    match (&args.file, &args.from_relay) {
        (Some(file), _) => restore_file::restored(args, dir, file, shutdown).await,
        (None, Some(url)) => from_relay(args, config, dir, url, shutdown).await,
        (None, None) => Err(anyhow::anyhow!(
            "Name a backup, or a relay with --from-relay."
        )),
    }
}

async fn from_relay(
    args: &RestoreArgs,
    config: &Config,
    dir: DataDir,
    url: &str,
    shutdown: CancellationToken,
) -> anyhow::Result<Restored> {
    let url = relay_address::address(url)?;
    let root = root_of(&args.words, args.at.json)?;
    let held = dir.lock()?;
    must_be_free(&dir, &root)?;
    let dialer = appliance::dialer(config.relay_ca.as_deref(), &TlsClock::new(Clock::system()))?;
    let asked = Asked {
        gathering: restore::begin(&dir, &root)?,
        url,
        claim: args.claim,
        dialer,
        shutdown,
    };
    let mut told = Told::new(args.at.json);
    match crate::sync::restore::restore(asked, |entries| told.came(entries)).await {
        Ok(back) => {
            in_place(dir, held).await?;
            Ok(back)
        }
        Err(error) => {
            if error.spoils() {
                restore::discard(&dir)?;
            }
            Err(in_words(error))
        }
    }
}

/// Nothing that counts is overwritten.
pub(super) fn must_be_free(dir: &DataDir, root: &RootSecret) -> anyhow::Result<()> {
    let place = || dir.path().display().to_string();
    match restore::room(dir, root)? {
        Room::Free => Ok(()),
        Room::SetUp => Err(NoRoom::SetUp(place()).into()),
        Room::Secret => Err(NoRoom::Secret(place()).into()),
    }
}

/// Waits for the disk where that harms nobody.
pub(super) async fn in_place(dir: DataDir, held: DirLock) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || restore::take_over(&dir, &held))
        .await
        .context("What came back was not put in place; the next start does it.")?
        .map_err(Into::into)
}

fn in_words(error: RestoreError) -> anyhow::Error {
    match error {
        RestoreError::Fault(RestoreFault::TwoAlive) => anyhow::Error::from(RestoreFault::TwoAlive)
            .context(format!(
                "{} Run this again with --claim then.",
                RestoreFault::TwoAlive
            )),
        RestoreError::Fault(fault) => fault.into(),
        RestoreError::Data(error) => error.into(),
        error @ (RestoreError::Store(_) | RestoreError::Stopped) => error.into(),
    }
}

/// The root secret that the words write down.
pub(super) fn root_of(words: &Path, in_json: bool) -> anyhow::Result<RootSecret> {
    let typed = if words == Path::new("-") {
        if std::io::stdin().is_terminal() && !in_json {
            say(format_args!(
                "Type the {RECOVERY_WORDS} recovery words in their order, then Enter:"
            ));
        }
        stdin::words(RECOVERY_WORDS)
            .context("The recovery words cannot be read from standard input.")?
    } else {
        stdin::words_in(words, RECOVERY_WORDS)
            .with_context(|| format!("{} cannot be read.", words.display()))?
    };
    RootSecret::from_recovery_words(&typed)
        .map_err(|wrong: WordsError| anyhow::anyhow!("Nothing was changed: {wrong}."))
}

/// Says now and then how much has come.
struct Told {
    silent: bool,
    entries: i64,
    at: Option<Instant>,
}

impl Told {
    const fn new(silent: bool) -> Self {
        Self {
            silent,
            entries: 0,
            at: None,
        }
    }

    fn came(&mut self, entries: i64) {
        let now = stopwatch();
        let is_due = self
            .at
            .is_none_or(|at| now.duration_since(at) >= TOLD_EVERY);
        if self.silent || entries <= self.entries || !is_due {
            return;
        }
        self.entries = entries;
        self.at = Some(now);
        say(format_args!("{} entries so far …", grouped(entries)));
    }
}

fn sentence(back: &Restored) -> String {
    format!(
        "{} is back: {} in {}, {}.",
        back.workshop,
        counted(back.messages, "message", "messages"),
        counted(back.requests, "request", "requests"),
        counted(back.people, "person", "people"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_back_is_told_as_people_count() {
        let back = Restored {
            workshop: "Sharma Motors".to_owned(),
            messages: 1_204,
            requests: 31,
            people: 1,
            as_of: None,
        };
        assert_eq!(
            sentence(&back),
            "Sharma Motors is back: 1,204 messages in 31 requests, 1 person."
        );
    }
}
