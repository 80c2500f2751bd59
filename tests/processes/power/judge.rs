//! What must be true of a box after a power cut: it starts, its journal and everything that follows
//! from it is sound, and what was promised is there once and in order.

use std::collections::BTreeSet;
use std::path::Path;

use motoreach::clock::Clock;
use motoreach::store::{DataDir, Store, verify};
use rusqlite::Connection;
use tokio::runtime::Runtime;

use super::record::{Kept, Recording, marked};
use crate::harness::Random;

/// Cuts of the power, spread over a recording.
pub struct Cuts<'a> {
    pub from: usize,
    pub count: u64,
    /// What else must be true of a box that was opened again.
    pub also: &'a (dyn Fn(&Path) -> Result<(), String> + Sync),
}

/// Nothing else.
pub fn nothing(_: &Path) -> Result<(), String> {
    Ok(())
}

/// What became of them.
#[derive(Debug, Default)]
pub struct Verdict {
    pub states: u64,
    /// What went wrong, a sentence each.
    pub faults: Vec<String>,
}

/// Cuts the power at random moments and judges what is left each time. Two judges work at once.
pub fn cuts(recording: &Recording, cuts: &Cuts<'_>, random: &mut Random) -> Verdict {
    let halves = [random.child(), random.child()];
    let verdicts = std::thread::scope(|scope| {
        let judges = halves.map(|random| {
            let count = cuts.count / 2;
            scope.spawn(move || judge_some(recording, cuts, count, random))
        });
        judges.map(|judge| judge.join().unwrap())
    });
    let mut verdict = Verdict::default();
    for half in verdicts {
        verdict.states += half.states;
        verdict.faults.extend(half.faults);
    }
    verdict
}

fn judge_some(recording: &Recording, cuts: &Cuts<'_>, count: u64, mut random: Random) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let span = u64::try_from(recording.deeds.len() + 1 - cuts.from).unwrap();
    let mut moments: Vec<usize> = (0..count)
        .map(|_| cuts.from + usize::try_from(random.below(span)).unwrap())
        .collect();
    moments.sort_unstable();
    let mut disk = recording.before.clone();
    let mut done = 0;
    let mut verdict = Verdict::default();
    for moment in moments {
        for deed in &recording.deeds[done..moment] {
            disk.does(deed);
        }
        done = moment;
        // Memory where there is some: a thousand small boxes wear a disk.
        let place = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let place = place.unwrap();
        disk.is_left(&mut random, place.path());
        let promised = recording.kept_after(moment);
        verdict.states += 1;
        let judged = is_whole(place.path(), &promised, &recording.secret, &runtime);
        if let Err(why) = judged.and_then(|()| (cuts.also)(place.path())) {
            let total = recording.deeds.len();
            let fault = format!("after {moment} of {total}: {why}");
            verdict.faults.push(fault);
        }
    }
    verdict
}

/// Opens it as a start does, and looks at everything.
pub fn is_whole(
    place: &Path,
    promised: &[Kept],
    secret: &[u8],
    runtime: &Runtime,
) -> Result<(), String> {
    let dir = DataDir::new(place);
    let store = Store::open(dir.clone(), Clock::system(), Box::new(|_| {}));
    let store = store.map_err(|error| format!("it does not start: {error}"))?;
    runtime.block_on(store.close());
    drop(store);
    let report = verify::check(&dir).map_err(|error| error.to_string())?;
    if !report.faults.is_empty() {
        return Err(report.faults.join("; "));
    }
    let stored = stored(&dir);
    let words: BTreeSet<_> = stored.iter().map(|(_, words)| words).collect();
    if words.len() != stored.len() {
        return Err("a message is there twice".into());
    }
    for kept in promised {
        let is_kept = match kept {
            Kept::SetUp => std::fs::read(place.join("root.secret")).ok().as_deref() == Some(secret),
            Kept::Message { id, words } => stored.contains(&(*id, words.clone())),
        };
        if !is_kept {
            return Err(format!("{kept:?} is lost, or in another place"));
        }
    }
    Ok(())
}

/// The messages with a mark, and their places.
pub fn stored(dir: &DataDir) -> BTreeSet<(i64, String)> {
    let conn = Connection::open(dir.database()).unwrap();
    let mut query = conn
        .prepare("select seq, body from event where kind = 'message_posted' and body is not null")
        .unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)));
    let rows = rows.unwrap().map(Result::unwrap);
    rows.filter_map(|(seq, body)| Some((seq, marked(&body)?)))
        .collect()
}
