//! What a data directory looks like wherever a restore ended.

use super::*;
use crate::clock::Clock;
use crate::commands::SetUp;
use crate::domain::{FullName, Username};
use crate::store::{CommandResult, Store, inspect};

const WORDS: [u8; 32] = [7; 32];

fn root() -> RootSecret {
    RootSecret::from_bytes(WORDS)
}

fn open(dir: &DataDir) -> Store {
    Store::open(dir.clone(), Clock::system(), Box::new(|_| {})).unwrap()
}

async fn named(dir: &DataDir, name: &str) -> CommandResult<()> {
    let store = open(dir);
    let set_up = SetUp {
        workshop_name: FullName::parse(name).unwrap(),
        full_name: FullName::parse("Meera Nair").unwrap(),
        username: Username::parse("meera").unwrap(),
        password_hash: "none".to_owned(),
    };
    store.write(|tx| set_up.run(tx)).await?;
    store.close().await;
    Ok(())
}

/// A box that was started and never set up.
async fn empty_box(temp: &tempfile::TempDir) -> DataDir {
    let dir = DataDir::new(temp.path().join("box"));
    open(&dir).close().await;
    dir
}

fn is_restored(dir: &DataDir) {
    open(dir);
    assert_eq!(dir.root().unwrap().as_bytes(), &WORDS);
    let facts = inspect::facts(dir).unwrap();
    assert_eq!(facts.workshop.as_deref(), Some("Nair Motors"));
    let left = ["restoring", "restored"].map(|name| dir.path().join(name).exists());
    assert_eq!(left, [false, false]);
}

#[tokio::test]
async fn what_was_gathered_takes_the_empty_boxs_place() -> CommandResult<()> {
    let temp = tempfile::tempdir().unwrap();
    let dir = empty_box(&temp).await;
    let held = dir.lock().unwrap();
    assert_eq!(room(&dir, &root()).unwrap(), Room::Free);
    let side = begin(&dir, &root()).unwrap();
    named(&side, "Nair Motors").await?;
    // The same words go on with it.
    begin(&dir, &root()).unwrap();
    take_over(&dir, &held).unwrap();
    drop(held);
    is_restored(&dir);
    assert_eq!(room(&dir, &root()).unwrap(), Room::SetUp);
    Ok(())
}

#[tokio::test]
async fn other_words_begin_anew() -> CommandResult<()> {
    let temp = tempfile::tempdir().unwrap();
    let dir = empty_box(&temp).await;
    let side = begin(&dir, &RootSecret::from_bytes([8; 32])).unwrap();
    named(&side, "Another").await?;
    let side = begin(&dir, &root()).unwrap();
    assert!(!side.database().exists());
    assert_eq!(side.root().unwrap().as_bytes(), &WORDS);
    discard(&dir).unwrap();
    discard(&dir).unwrap();
    assert!(!side.path().exists());
    Ok(())
}

#[tokio::test]
async fn nothing_that_counts_is_overwritten() -> CommandResult<()> {
    let temp = tempfile::tempdir().unwrap();
    let dir = DataDir::new(temp.path().join("box"));
    named(&dir, "Set up").await?;
    assert_eq!(room(&dir, &root()).unwrap(), Room::SetUp);
    // A secret alone may be the last that is left of a workshop; our own harms nobody.
    std::fs::remove_file(dir.database()).unwrap();
    assert_eq!(room(&dir, &root()).unwrap(), Room::Secret);
    std::fs::write(dir.path().join("root.secret"), WORDS).unwrap();
    assert_eq!(room(&dir, &root()).unwrap(), Room::Free);
    Ok(())
}

#[tokio::test]
async fn a_restore_that_was_decided_is_finished_by_whoever_comes_next() -> CommandResult<()> {
    // So many files were moved when the power went.
    for moved in 0..3 {
        let temp = tempfile::tempdir().unwrap();
        let dir = empty_box(&temp).await;
        let side = begin(&dir, &root()).unwrap();
        named(&side, "Nair Motors").await?;
        bring_to_rest(&side).unwrap();
        std::fs::rename(side.path(), decided(&dir)).unwrap();
        let decided = DataDir::new(decided(&dir));
        if moved > 0 {
            std::fs::rename(decided.database(), dir.database()).unwrap();
        }
        if moved > 1 {
            std::fs::rename(decided.root_secret(), dir.root_secret()).unwrap();
        }
        is_restored(&dir);
    }
    Ok(())
}
