//! A new program on trial: swapped in, started, watched, and taken back when it is no good.
//!
//! Every phase is noted before it begins, and may be begun again: the process that minds the trial may be
//! ended, and the machine may lose its power, anywhere.

use std::time::Duration;

use anyhow::Context;

use super::owner::Owner;
use super::prepare::Prepared;
use super::service::Service;
use super::watch::{Wish, watch};
use super::{Update, note, told};
use crate::cli::UpdateArgs;
use crate::clock::{Clock, stopwatch};
use crate::crash;
use crate::ops::failure::Exit;
use crate::update::place::Folder;
use crate::update::{Held, Outcome, Phase, Place, Progress, Step, Trial, Verdict, swap};
use crate::wire::rfc3339;

/// A new program that saw the power go so often before it had proven itself is taken back: it may be
/// the cause.
const RESUMES_MAX: u32 = 3;
/// The old program proves itself within this time when it comes back.
const OLD_STAYS_UP: Duration = Duration::from_secs(2);
const OLD_LIMIT: Duration = Duration::from_secs(120);
/// How often whoever waits at a terminal looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A trial that nobody minds for so long is not waited for any longer.
const UNMINDED_MAX: Duration = Duration::from_secs(60);

/// The prepared program takes the old one's place: from here on the trial's notes decide.
pub(super) async fn begin(
    update: &Update,
    prepared: Prepared,
    args: &UpdateArgs,
    held: Held,
) -> anyhow::Result<Exit> {
    let trial = Trial {
        program: update.program.clone(),
        data: update.data.clone(),
        config: update.config.clone(),
        from: update.running,
        to: prepared.version,
        migrates: prepared.migrates,
        stays_up_ms: args.stays_up * 1_000,
        limit_ms: args.limit * 1_000 + ms(prepared.took) * 4,
        service_manager: update.service.named(),
        phase: Phase::Decided,
    };
    if matches!(update.service, Service::ByHand) {
        swap::put_new(&trial.program).context("The new program cannot be put in place.")?;
        let outcome = outcome(&trial, Verdict::InPlace, None);
        update.place.conclude(&outcome)?;
        return Ok(told::ended(&outcome, &trial.program, args.at.json));
    }
    note(
        args.at.json,
        format_args!("{} passed its test. Putting it in place …", trial.to),
    );
    update.place.note_trial(&trial)?;
    crash::point("update-decided");
    drop(held);
    let outcome = if update.service.mind_trial().await {
        follow(&update.place).await?
    } else {
        mind(&update.place).await?
    };
    let Some(outcome) = outcome else {
        anyhow::bail!(
            "Nobody minds the update any more; it goes on at the next start of this machine, or with \
             `motoreach update --trial`."
        );
    };
    Ok(told::ended(&outcome, &trial.program, args.at.json))
}

/// Goes on with a trial that was noted; for the service manager.
pub(super) async fn go_on(place: &Place) -> anyhow::Result<Exit> {
    if let Some(outcome) = mind(place).await? {
        tracing::info!(from = %outcome.from, to = %outcome.to, verdict = outcome.verdict.word(),
            why = outcome.why, "an update ended");
    }
    Ok(Exit::Done)
}

/// Waits until the trial is over; `None` when nobody minds it.
async fn follow(place: &Place) -> anyhow::Result<Option<Outcome>> {
    let mut minded = stopwatch();
    while place.trial()?.is_some() {
        let now = stopwatch();
        if place.is_held() {
            minded = now;
        } else if now.duration_since(minded) > UNMINDED_MAX {
            return Ok(None);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(place.outcome())
}

/// Brings a trial to its end.
async fn mind(place: &Place) -> anyhow::Result<Option<Outcome>> {
    let _held = place.hold()?;
    let Some(mut trial) = place.trial()? else {
        return Ok(None);
    };
    let minder = Minder {
        place,
        service: Service::found(trial.service_manager.as_deref()).await,
        owner: Owner::of(&trial.data),
    };
    loop {
        let ended = match trial.phase.clone() {
            Phase::Decided => minder.put_in_place(&mut trial).await?,
            Phase::Trying { resumed } => minder.try_out(&mut trial, resumed).await?,
            Phase::GoingBack { why } => Some(minder.go_back(&trial, why).await?),
        };
        if let Some(outcome) = ended {
            minder.tidy(&trial, &outcome);
            place.conclude(&outcome)?;
            return Ok(Some(outcome));
        }
        place.note_trial(&trial)?;
    }
}

struct Minder<'a> {
    place: &'a Place,
    service: Service,
    owner: Owner,
}

impl Minder<'_> {
    /// Stops the box, keeps its database, swaps the programs.
    async fn put_in_place(&self, trial: &mut Trial) -> anyhow::Result<Option<Outcome>> {
        self.tell(trial, Step::Stopping);
        self.service.stop().await?;
        crash::point("update-stopped");
        if trial.migrates
            && let Err(error) = self.keep().await
        {
            let why = format!("The database could not be kept: {error:#} Nothing was changed.");
            return Ok(Some(self.leave(trial, why).await?));
        }
        crash::point("update-kept");
        trial.phase = Phase::Trying { resumed: 0 };
        self.place.note_trial(trial)?;
        crash::point("update-noted");
        if let Err(error) = swap::put_new(&trial.program) {
            let why = format!("The new program could not be put in place: {error}.");
            trial.phase = Phase::GoingBack { why };
            return Ok(None);
        }
        crash::point("update-swapped");
        self.try_it(trial).await
    }

    /// After whoever minded it was ended: the new program may have been started meanwhile, or the old
    /// one, which has then gone on writing to the database that was kept.
    async fn try_out(&self, trial: &mut Trial, resumed: u32) -> anyhow::Result<Option<Outcome>> {
        if swap::new_of(&trial.program).exists() {
            trial.phase = Phase::Decided;
            return Ok(None);
        }
        let resumed = resumed + 1;
        if resumed > RESUMES_MAX {
            let why = format!(
                "This machine went down {resumed} times before {} had proven itself.",
                trial.to
            );
            trial.phase = Phase::GoingBack { why };
            return Ok(None);
        }
        trial.phase = Phase::Trying { resumed };
        self.place.note_trial(trial)?;
        self.try_it(trial).await
    }

    async fn try_it(&self, trial: &mut Trial) -> anyhow::Result<Option<Outcome>> {
        self.tell(trial, Step::Starting);
        let started = self.service.start().await;
        crash::point("update-started");
        self.tell(trial, Step::Watching);
        let wish = Wish {
            version: trial.to,
            stays_up: Duration::from_millis(trial.stays_up_ms),
            limit: Duration::from_millis(trial.limit_ms),
        };
        let served = match started {
            Ok(()) => watch(&self.service, &trial.data, &wish).await,
            Err(error) => Err(format!("It could not be started: {error:#}")),
        };
        match served {
            Ok(()) => Ok(Some(outcome(trial, Verdict::Updated, None))),
            Err(why) => {
                tracing::warn!(version = %trial.to, why, "the new program is no good");
                trial.phase = Phase::GoingBack { why };
                Ok(None)
            }
        }
    }

    /// First the program, then the database: an old program on a database that it cannot read does
    /// nothing, a new one on an old database would change it again.
    async fn go_back(&self, trial: &Trial, why: String) -> anyhow::Result<Outcome> {
        self.tell(trial, Step::GoingBack);
        self.service.stop().await?;
        crash::point("update-going-back");
        let kept = self.place.folder_path(Folder::Kept);
        if trial.migrates
            && let Some(because) = self.must_stay(trial).await
        {
            self.service.start().await?;
            let why = format!("{why} {because}");
            return Ok(outcome(trial, Verdict::Stayed, Some(why)));
        }
        swap::put_old(&trial.program).context("The old program cannot be put back.")?;
        crash::point("update-program-back");
        if trial.migrates {
            self.owner.copy("put-back", &kept).await?;
            crash::point("update-data-back");
        }
        self.service.start().await?;
        let wish = Wish {
            version: trial.from,
            stays_up: OLD_STAYS_UP,
            limit: OLD_LIMIT,
        };
        let why = match watch(&self.service, &trial.data, &wish).await {
            Ok(()) => why,
            Err(neither) => format!("{why} {neither} Look at its log."),
        };
        Ok(outcome(trial, Verdict::WentBack, Some(why)))
    }

    /// Why the new program must stay although it is no good: going back would lose something.
    async fn must_stay(&self, trial: &Trial) -> Option<String> {
        let kept = self.place.folder_path(Folder::Kept);
        let weighed = self.owner.copy("weigh", &kept).await;
        let how_to_go = format!(
            "{} stays, and is started again and again. Restore a backup with {} to go back for good.",
            trial.to, trial.from
        );
        match weighed {
            Ok(json) => match json["going_back"].as_str() {
                Some("free" | "put_back") => None,
                Some("would_lose") => Some(format!(
                    "Going back would lose {} entries that were written with it, so {how_to_go}",
                    json["entries"]
                )),
                Some(_) | None => Some(format!(
                    "It changed the database, and no copy from before is there, so {how_to_go}"
                )),
            },
            Err(error) => Some(format!(
                "It is not known what going back would lose ({error:#}), so {how_to_go}"
            )),
        }
    }

    async fn keep(&self) -> anyhow::Result<()> {
        let _ = self.place.drop_folder(Folder::Kept);
        let kept = self.place.folder(Folder::Kept)?;
        self.owner.give(&kept)?;
        self.owner.copy("keep", &kept).await?;
        Ok(())
    }

    /// Nothing was changed yet, and nothing will be.
    async fn leave(&self, trial: &Trial, why: String) -> anyhow::Result<Outcome> {
        swap::put_old(&trial.program).context("The old program cannot be put back.")?;
        self.service.start().await?;
        Ok(outcome(trial, Verdict::Refused, Some(why)))
    }

    /// What is of no use any more. The kept database is, while the new program stays in trouble.
    fn tidy(&self, trial: &Trial, outcome: &Outcome) {
        let mut folders = vec![Folder::Fetched, Folder::Scratch];
        if outcome.verdict != Verdict::Stayed {
            folders.push(Folder::Kept);
        }
        for folder in folders {
            if let Err(error) = self.place.drop_folder(folder) {
                tracing::warn!(%error, "what an update left could not be removed");
            }
        }
        let _ = swap::unstage(&trial.program);
    }

    fn tell(&self, trial: &Trial, step: Step) {
        self.place.tell(&Progress {
            step,
            to: Some(trial.to),
        });
    }
}

impl Update {
    /// How it ended for whoever pressed the button on the page: before anything changed.
    pub(super) fn tell_page(&self, error: &anyhow::Error) {
        let outcome = Outcome {
            at: rfc3339(Clock::system().now()),
            from: self.running,
            to: self.running,
            verdict: Verdict::Refused,
            why: Some(format!("{error:#}")),
        };
        if let Err(error) = self.place.conclude(&outcome) {
            tracing::warn!(%error, "how the update ended cannot be noted");
        }
    }
}

fn outcome(trial: &Trial, verdict: Verdict, why: Option<String>) -> Outcome {
    Outcome {
        at: rfc3339(Clock::system().now()),
        from: trial.from,
        to: trial.to,
        verdict,
        why,
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
