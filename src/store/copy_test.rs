//! Copies of a real database, with a migration that only a newer program knows.

use super::*;
use crate::clock::Clock;
use crate::commands::SetUp;
use crate::domain::{FullName, Username};
use crate::store::{Store, inspect, verify};

async fn workshop(path: &Path) -> DataDir {
    let dir = DataDir::new(path);
    let store = Store::open(dir.clone(), Clock::system(), Box::new(|_| {})).unwrap();
    let set_up = SetUp {
        workshop_name: FullName::parse("Nair Motors").unwrap(),
        full_name: FullName::parse("Meera Nair").unwrap(),
        username: Username::parse("meera").unwrap(),
        password_hash: "none".to_owned(),
    };
    store.write(|tx| set_up.run(tx)).await.unwrap();
    store.close().await;
    dir
}

fn change(dir: &DataDir, sql: &str) {
    let conn = Connection::open(dir.database()).unwrap();
    conn.execute_batch(sql).unwrap();
}

const MIGRATED: &str = "insert into migration (number, sha256, applied_ms) values (9999, 'x', 0);
                        create table later (x integer) strict;";

#[tokio::test]
async fn a_copy_is_sound_and_stands_alone() {
    let temp = tempfile::tempdir().unwrap();
    let dir = workshop(&temp.path().join("box")).await;
    let to = DataDir::new(temp.path().join("copy"));
    fs::create_dir(to.path()).unwrap();
    copy(&dir, &to).unwrap();
    assert_eq!(verify::check(&to).unwrap().faults, Vec::<String>::new());
    assert_eq!(inspect::facts(&to).unwrap().entries, 2);
}

#[tokio::test]
async fn what_was_kept_is_put_back_while_nothing_was_written_since() {
    let temp = tempfile::tempdir().unwrap();
    let dir = workshop(&temp.path().join("box")).await;
    let kept = temp.path().join("kept");
    fs::create_dir(&kept).unwrap();
    assert_eq!(weigh(&dir, &kept).unwrap(), Weight::Readable);
    change(&dir, MIGRATED);
    assert_eq!(weigh(&dir, &kept).unwrap(), Weight::NothingKept);
    change(
        &dir,
        "delete from migration where number = 9999; drop table later",
    );
    keep(&dir, &kept).unwrap();
    change(&dir, MIGRATED);
    assert_eq!(weigh(&dir, &kept).unwrap(), Weight::KeptIsAsGood);
    put_back(&dir, &kept).unwrap();
    assert_eq!(weigh(&dir, &kept).unwrap(), Weight::Readable);
    let store = Store::open(dir.clone(), Clock::system(), Box::new(|_| {})).unwrap();
    store.close().await;
    assert_eq!(verify::check(&dir).unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn what_was_written_since_is_never_dropped() {
    let temp = tempfile::tempdir().unwrap();
    let dir = workshop(&temp.path().join("box")).await;
    let kept = temp.path().join("kept");
    fs::create_dir(&kept).unwrap();
    keep(&dir, &kept).unwrap();
    let written = "create temp table one as select * from event order by seq desc limit 1;
                   update one set seq = seq + 1, id = randomblob(16);
                   insert into event select * from one;";
    change(&dir, written);
    change(&dir, MIGRATED);
    assert_eq!(weigh(&dir, &kept).unwrap(), Weight::WouldLose(1));
    put_back(&dir, &kept).unwrap();
    assert_eq!(inspect::facts(&dir).unwrap().entries, 3);
}
