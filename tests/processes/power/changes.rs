//! The power is cut while a box changes as a whole: while a database of the first version is brought to
//! this one, while a workshop comes back from its relay, while a backup is made.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use motoreach::seal::RootSecret;
use motoreach::store::DataDir;

use super::judge::{self, Cuts, cuts};
use super::record::{Kept, Promise, Recorder, Recording, Work, at_work};
use super::{nothing_is_lost, of_all};
use crate::harness::{Random, SOON, Served, Workshop, run};
use crate::old::becomes_of_the_first_version;

/// Power cuts of each change.
const CUTS: u64 = 150;
/// Messages that are there before.
const MESSAGES: usize = 12;
/// A box with some messages, at rest.
async fn in_use(home: &Path) -> Recording {
    let work = Work {
        messages: MESSAGES,
        ..Work::default()
    };
    at_work(home, work).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_while_an_old_database_is_migrated_loses_nothing() {
    let mut random = Random::announced("power, migration");
    let home = tempfile::tempdir().unwrap();
    let already = in_use(home.path()).await.kept();
    let data = home.path().join("data/box");
    becomes_of_the_first_version(&data.join("motoreach.db"));
    let recorder = Recorder::of(&data);
    let served = Served::start_behind(&recorder.words(&[]), &data, &[]).await;
    served.stop().await;
    let recording = Recording {
        already,
        ..recorder.finish()
    };
    nothing_is_lost(&cuts(&recording, &of_all(CUTS), &mut random));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_while_a_workshop_comes_back_leaves_nothing_or_everything() {
    let mut random = Random::announced("power, restore");
    let mut workshop = Workshop::open().await;
    for number in 0..MESSAGES {
        workshop
            .staff_writes(0, &format!("power-{number:06}"))
            .await;
    }
    workshop.relay_catches_up(SOON).await;
    workshop.stop_box().await;
    let all = judge::stored(&DataDir::new(workshop.box_data()));
    assert_eq!(all.len(), MESSAGES);
    let secret = fs::read(workshop.box_data().join("root.secret")).unwrap();
    let words = RootSecret::from_bytes(secret.try_into().unwrap()).recovery_words();

    let (data, url) = (workshop.beside("new"), workshop.line.url());
    let recorder = Recorder::of(&data);
    let place = data.to_str().unwrap();
    let arguments = ["restore", "--from-relay", &url, "--data", place];
    let back = run(&recorder.words(&[]), &arguments, &words.join(" ")).await;
    assert_eq!(back.code, Some(0), "{back:?}");
    let mut recording = recorder.finish();
    let after = recording.deeds.len() - 1;
    let promises = all.iter().map(|(id, words)| Promise {
        after,
        what: Kept::Message {
            id: *id,
            words: words.clone(),
        },
    });
    recording.promises = promises.collect();
    // Before it is decided the box is empty, and the restore can be begun again.
    let whole = |place: &Path| {
        let stored = judge::stored(&DataDir::new(place));
        if stored.is_empty() || stored == all {
            Ok(())
        } else {
            Err(format!("{} messages came back", stored.len()))
        }
    };
    let all_or_nothing = Cuts {
        also: &whole,
        ..of_all(CUTS)
    };
    nothing_is_lost(&cuts(&recording, &all_or_nothing, &mut random));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_while_a_backup_is_made_leaves_the_box_and_whole_backups() {
    let mut random = Random::announced("power, backup");
    let home = tempfile::tempdir().unwrap();
    let already = in_use(home.path()).await.kept();
    let data = home.path().join("data/box");
    let recorder = Recorder::of(&data);
    let arguments = ["backup", "--data", data.to_str().unwrap()];
    let made = run(&recorder.words(&[]), &arguments, "").await;
    assert_eq!(made.code, Some(0), "{made:?}");
    let recording = Recording {
        already,
        ..recorder.finish()
    };
    let whole = backups(&data);
    assert_eq!(whole.len(), 1, "{:?}", whole.keys());
    let are_whole = |place: &Path| {
        let found = backups(place);
        let torn = found
            .iter()
            .find(|(name, bytes)| whole.get(*name) != Some(bytes));
        torn.map_or(Ok(()), |(name, _)| Err(format!("{name} is not whole")))
    };
    let also = Cuts {
        also: &are_whole,
        ..of_all(CUTS)
    };
    nothing_is_lost(&cuts(&recording, &also, &mut random));
    // Once it was said to be made, it is there.
    let is_there = |place: &Path| match backups(place) == whole {
        true => Ok(()),
        false => Err("the backup is gone".to_owned()),
    };
    let afterwards = Cuts {
        from: recording.deeds.len(),
        count: CUTS / 5,
        also: &is_there,
    };
    nothing_is_lost(&cuts(&recording, &afterwards, &mut random));
}

/// The backups that somebody would take for one, by name.
fn backups(data: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = fs::read_dir(data.join("backups")) else {
        return BTreeMap::new();
    };
    let files = entries.map(|entry| entry.unwrap()).map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap_or_default())
    });
    files
        .filter(|(name, _)| name.ends_with(".backup"))
        .collect()
}
