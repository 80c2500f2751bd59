//! `motoreach update`: a new program takes the old one's place, and goes again if it is no good.
//!
//! In reading order: `source` (where the program comes from), `owner` (what is done to the data, as its
//! owner), `prepare` (checked, backed up, tested, staged: until then nothing has changed), `service` (the
//! service manager), `trial` (swapped, started, watched, taken back), `watch`, `told` (how it ended).
//!
//! # Why nothing is lost
//!
//! * One rename changes the program; the old one keeps a second name and is what minds the trial, so a
//!   new program that cannot even start takes nothing with it.
//! * Each step is noted on the disk before it is taken (`update::note`), and each may be taken twice.
//!   `motoreach-trial.service` goes on with a noted trial at every start of the machine.
//! * When the new program changes the database, it is kept as it was at the moment when the old server
//!   had stopped. It is put back only if the journal did not grow since: what people wrote with the new
//!   program counts for more than the old program does. Then the new one stays, and says so.

mod owner;
mod prepare;
mod service;
mod source;
mod told;
mod trial;
mod watch;

use std::path::{Path, PathBuf};

use anyhow::Context;
use tokio::process::Command;

use self::prepare::{Backup, Prepared};
use self::service::Service;
use self::source::Source;
use super::failure::Exit;
use super::{one_thread, say};
use crate::cli::UpdateArgs;
use crate::config::Config;
use crate::update::{Place, Refusal, Step, Version, swap};

/// Where an installed box is configured.
const CONFIGURATION: &str = "/etc/motoreach/motoreach.toml";

/// One update: what it works with.
pub(super) struct Update {
    program: PathBuf,
    data: PathBuf,
    place: Place,
    service: Service,
    /// The program that is to be replaced.
    running: Version,
    config: Option<PathBuf>,
}

/// `motoreach update`.
///
/// # Errors
/// A sentence. The box is as it was then, or the old program is back, or the sentence says otherwise.
pub fn run(args: &UpdateArgs) -> anyhow::Result<Exit> {
    let file = args.at.config.clone().or_else(of_the_system);
    let mut config = Config::load(file.as_deref())?;
    if let Some(data) = &args.at.data {
        config.data.clone_from(data);
    }
    one_thread()?.block_on(async {
        if args.trial {
            let place = Place::of(args.state.as_deref(), &config.data);
            return trial::go_on(&place).await;
        }
        let update = Update {
            program: program(args)?,
            place: Place::of(args.state.as_deref(), &config.data),
            service: Service::found(args.service_manager.as_deref()).await,
            running: replaced(args).await?,
            data: config.data.clone(),
            config: file,
        };
        update.run(args, &config).await
    })
}

impl Update {
    async fn run(&self, args: &UpdateArgs, config: &Config) -> anyhow::Result<Exit> {
        let source = Source::of(args, self)?;
        let held = self.place.hold()?;
        if self.place.trial()?.is_some() {
            return Err(Refusal::UnderWay.into());
        }
        let prepared = self.prepared(&source, args, config).await;
        if prepared.is_err() || args.check {
            self.leave_no_trace(&source);
        }
        self.place.tell_nothing();
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                if args.apply {
                    self.tell_page(&error);
                }
                return Err(error);
            }
        };
        if args.check {
            told::checked(&prepared, args.at.json);
            return Ok(Exit::Done);
        }
        trial::begin(self, prepared, args, held).await
    }

    async fn prepared(
        &self,
        source: &Source,
        args: &UpdateArgs,
        config: &Config,
    ) -> anyhow::Result<Prepared> {
        self.say_step(Step::Checking, None);
        let found = source.find(self, args, config).await?;
        let backup = match args.without_backup || args.check {
            true => Backup::None,
            false => Backup::First,
        };
        self.prepare(found, backup, args.at.json).await
    }

    /// What lies about of an update that does not take place.
    fn leave_no_trace(&self, source: &Source) {
        let undone = match source {
            Source::Package => swap::put_old(&self.program),
            Source::Files(..) | Source::Addresses(..) | Source::Page | Source::Old => {
                swap::unstage(&self.program)
            }
        };
        if let Err(error) = undone {
            tracing::warn!(%error, "what an update left could not be removed");
        }
        for folder in [
            crate::update::place::Folder::Fetched,
            crate::update::place::Folder::Scratch,
        ] {
            let _ = self.place.drop_folder(folder);
        }
    }

    fn say_step(&self, step: Step, to: Option<Version>) {
        self.place.tell(&crate::update::Progress { step, to });
    }
}

/// The program to replace: the path under which this one was started.
fn program(args: &UpdateArgs) -> anyhow::Result<PathBuf> {
    if let Some(program) = &args.program {
        return Ok(program.clone());
    }
    let this = std::env::current_exe().context("This program cannot find its own file.")?;
    Ok(without_old(&this))
}

/// What an installed box is configured by, when nobody names a file.
fn of_the_system() -> Option<PathBuf> {
    let file = Path::new(CONFIGURATION);
    (rustix::process::geteuid().is_root() && file.exists()).then(|| file.to_owned())
}

/// The version that is to be replaced: this program's own, unless a package manager has put this one in
/// its place already.
async fn replaced(args: &UpdateArgs) -> anyhow::Result<Version> {
    if !args.from_package {
        return Ok(Version::of_this_program());
    }
    let old = swap::old_of(&program(args)?);
    let asked = Command::new(&old).arg("--version").output().await;
    let asked = asked.with_context(|| format!("{} does not run.", old.display()))?;
    let said = String::from_utf8_lossy(&asked.stdout);
    let version = said
        .split_whitespace()
        .last()
        .and_then(|it| it.parse().ok());
    version.with_context(|| format!("{} does not say its version.", old.display()))
}

/// Started by its second name, a program still speaks of the first.
fn without_old(path: &Path) -> PathBuf {
    let text = path.to_str().unwrap_or_default();
    match text.strip_suffix(".old") {
        Some(first) => first.into(),
        None => path.to_owned(),
    }
}

/// A line for whoever waits at a terminal.
fn note(in_json: bool, line: impl std::fmt::Display) {
    if !in_json {
        say(line);
    }
}
