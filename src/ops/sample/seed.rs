//! Making the sample workshop, or what is missing of it, many steps to a commit.
//!
//! The store's clock is a manual one here: each step moves it to the moment of the next, so that
//! conversations look as if they had taken days. Only the sample may do that.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use futures_util::future::join_all;

use super::deeds::{add_staff, id_of, take};
use super::plan::{Step, plan};
use super::{PASSWORD, Staff, Thing, sample_id};
use crate::clock::Clock;
use crate::domain::{Actor, Password, PersonKey, Rejection, Timestamp};
use crate::password;
use crate::store::{
    self, CommandError, CommandResult, DataDir, Store, StoreError, View, local, people, requests,
};

/// Steps that are handed to the writer at once: one commit of it.
const STEPS_AT_ONCE: usize = 256;

/// The directory holds somebody's real workshop. Its text is a sentence.
#[derive(Debug, thiserror::Error)]
#[error(
    "{directory} holds the workshop {workshop:?} and not the sample. Name another directory with --data, or run this one with `motoreach serve`."
)]
struct NotTheSample {
    directory: String,
    workshop: String,
}

/// Makes requests 1 to `wanted` of the sample, as far as they are missing.
///
/// # Errors
/// The directory cannot be used, it holds something else, or the disk says no.
pub(in crate::ops) async fn seed(dir: DataDir, wanted: u32) -> anyhow::Result<()> {
    let now = Clock::system().now();
    let clock = Clock::manual(now);
    let store = Store::open(dir, clock.clone(), Box::new(|_| {}))?;
    let seeded = seed_in(&store, &clock, now, wanted).await;
    store.close().await;
    seeded
}

async fn seed_in(store: &Store, clock: &Clock, now: Timestamp, wanted: u32) -> anyhow::Result<()> {
    let (found, missing) = store.read(move |view| look(view, wanted)).await?;
    let from = match found {
        Found::Nothing => Timestamp(0),
        Found::Sample { active } => active,
        Found::Another { workshop } => {
            let directory = store.dir().path().display().to_string();
            return Err(NotTheSample {
                directory,
                workshop,
            }
            .into());
        }
    };
    let is_new = matches!(found, Found::Nothing);
    if missing.is_empty() && !is_new {
        return Ok(());
    }
    // One hash for everybody: it is slow on purpose.
    let hash: Arc<str> = password::hash(&Password::parse(PASSWORD)?)?.into();
    let steps = plan(&missing, from, now)?;
    let begins = steps.first().map_or(now, |step| step.at);
    clock.advance_ms(begins.0 - now.0);
    if is_new {
        let hash = Arc::clone(&hash);
        store
            .write(move |tx| add_staff(tx, &hash))
            .await
            .context("The sample cannot be made.")?;
    }
    tell(store, clock, steps, &hash).await
}

/// What a database holds before anything is added.
#[derive(PartialEq, Eq, Debug)]
enum Found {
    Nothing,
    Sample { active: Timestamp },
    Another { workshop: String },
}

/// What is there, and which of the requests are not there in full.
fn look(view: &View<'_>, wanted: u32) -> CommandResult<(Found, Vec<u32>)> {
    let all = 1..=wanted;
    let Some(workshop) = local::workshop_name(view)? else {
        return Ok((Found::Nothing, all.collect()));
    };
    let joseph = PersonKey::new(sample_id(Thing::Staff(Staff::Joseph)));
    if people::by_key(view, joseph)?.is_none() {
        return Ok((Found::Another { workshop }, Vec::new()));
    }
    let newest = requests::Filter {
        open: None,
        assigned_to: None,
        search: None,
        before: None,
        limit: 1,
    };
    let newest = requests::list(view, &Actor::the_box(), &newest)?;
    let active = newest
        .first()
        .map_or(Timestamp(0), |request| request.active);
    let steps = plan(&all.collect::<Vec<_>>(), Timestamp(0), Timestamp(0));
    let mut missing = BTreeSet::new();
    for step in steps.map_err(|_| StoreError::Fault(None))? {
        if store::known(view, id_of(&step))?.is_none() {
            missing.insert(step.request);
        }
    }
    Ok((Found::Sample { active }, missing.into_iter().collect()))
}

/// Takes the steps one after the other.
async fn tell(
    store: &Store,
    clock: &Clock,
    steps: Vec<Step>,
    hash: &Arc<str>,
) -> anyhow::Result<()> {
    let count = steps.len();
    // Whichever command runs first takes the first step: it need not be the queue's first.
    let steps = Arc::new(Mutex::new(VecDeque::from(steps)));
    for handed in (0..count).step_by(STEPS_AT_ONCE) {
        let commands = (handed..count.min(handed + STEPS_AT_ONCE)).map(|_| {
            let (steps, hash, clock) = (Arc::clone(&steps), Arc::clone(hash), clock.clone());
            store.write(move |tx| {
                let mut steps = steps.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(step) = steps.pop_front() else {
                    return Ok(());
                };
                if let Some(next) = steps.front() {
                    clock.advance_ms(next.at.0 - step.at.0);
                }
                drop(steps);
                take(tx, &step, &hash)
            })
        });
        for taken in join_all(commands).await {
            match taken {
                Ok(()) => {}
                // Going on with a sample in which somebody closed the request meanwhile.
                Err(CommandError::Rejected(
                    Rejection::RequestClosed | Rejection::StatusMove { .. },
                )) => {}
                Err(error) => return Err(error).context("The sample cannot be made."),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Role;

    async fn counts(dir: &DataDir) -> (usize, usize, i64) {
        let store = Store::open(dir.clone(), Clock::system(), Box::new(|_| {})).unwrap();
        let counted = store
            .read(|view| {
                let filter = requests::Filter {
                    open: None,
                    assigned_to: None,
                    search: None,
                    before: None,
                    limit: 1_000,
                };
                let requests = requests::list(view, &Actor::the_box(), &filter)?.len();
                let everybody = people::list(view, &[Role::Admin, Role::Mechanic, Role::Owner])?;
                Ok::<_, StoreError>((requests, everybody.len(), store::head(view)?.seq.0))
            })
            .await
            .unwrap();
        store.close().await;
        counted
    }

    #[tokio::test]
    async fn seeding_again_adds_what_is_missing_and_nothing_twice() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path().join("box"));
        seed(dir.clone(), 2).await.unwrap();
        let (requests, everybody, entries) = counts(&dir).await;
        assert_eq!((requests, everybody), (2, 6));
        seed(dir.clone(), 2).await.unwrap();
        assert_eq!(counts(&dir).await, (2, 6, entries));
        seed(dir.clone(), 14).await.unwrap();
        let (requests, everybody, more) = counts(&dir).await;
        assert!(requests == 14 && everybody == 18 && more > entries);
        seed(dir.clone(), 3).await.unwrap();
        assert_eq!(counts(&dir).await, (14, 18, more));
        assert_eq!(
            store::verify::check(&dir).unwrap().faults,
            Vec::<String>::new()
        );
    }

    #[tokio::test]
    async fn a_real_workshop_is_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path());
        let store = Store::open(dir.clone(), Clock::system(), Box::new(|_| {})).unwrap();
        let set_up = crate::commands::SetUp {
            workshop_name: crate::domain::FullName::parse("Kurian & Sons").unwrap(),
            full_name: crate::domain::FullName::parse("Anna Kurian").unwrap(),
            username: crate::domain::Username::parse("anna").unwrap(),
            password_hash: "none".to_owned(),
        };
        store.write(|tx| set_up.run(tx)).await.unwrap();
        store.close().await;
        drop(store);
        let refused = seed(dir.clone(), 6).await.unwrap_err();
        assert!(refused.to_string().contains("Kurian & Sons"), "{refused}");
        assert_eq!(counts(&dir).await.0, 0);
    }
}
