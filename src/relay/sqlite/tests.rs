//! What goes for SQLite alone; what goes for every store is in `conformance`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{RelayOpenError, SqliteRelay, trim};
use crate::domain::{RequestKey, Seq, Timestamp};
use crate::relay::conformance::pen::{Draft, NOW, Pen, event, given_back, invite, post, thread};
use crate::relay::store::{Posted, RelayStore, RelayStoreError};
use crate::seal::Clear;
use crate::store::OpenError;

fn open(dir: &tempfile::TempDir) -> SqliteRelay {
    SqliteRelay::open(dir.path(), Timestamp(0)).unwrap()
}

/// A box with 200 entries, half of them of a closed thread, none trimmed yet.
async fn filled(store: &SqliteRelay) -> Pen {
    let mut pen = Pen::new(1);
    pen.enter(store, 1).await;
    for number in 1..=200 {
        pen.write(Draft::of(number, (number % 2 == 0).then_some(thread(1))));
    }
    pen.send(store, 0, 64).await;
    let closed: Vec<RequestKey> = vec![thread(1)];
    store.retain(pen.fence(), Seq(200), closed).await.unwrap();
    pen
}

async fn rows(store: &SqliteRelay, sql: &'static str) -> i64 {
    let look = move |conn: &rusqlite::Connection| Ok(conn.query_row(sql, [], |row| row.get(0))?);
    store.inner.engine.read(look).await.unwrap()
}

#[tokio::test]
async fn a_block_that_was_only_staged_is_dropped_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let pen = filled(&store).await;
    let key = pen.workshop;
    let engine = &store.inner.engine;
    let last = engine.write(move |tx| trim::stage(tx.conn, key, 0)).await;
    assert_eq!(last.unwrap(), Some(2));
    assert_eq!(rows(&store, "select count(*) from staged").await, 3);
    store.close().await;
    drop(store);

    let store = open(&dir);
    assert_eq!(rows(&store, "select count(*) from staged").await, 0);
    assert_eq!(given_back(&store, &pen, Seq(0)).await[0].entries.len(), 200);
    // Three whole blocks; the rows beyond them stay.
    assert_eq!(store.trim(key, NOW).await.unwrap(), 192);
    assert_eq!(rows(&store, "select count(*) from entry").await, 8);
    assert_eq!(store.trim(key, NOW).await.unwrap(), 0);
    assert_eq!(given_back(&store, &pen, Seq(0)).await[0].entries.len(), 200);
    store.close().await;
}

#[tokio::test]
async fn what_was_erased_or_forked_since_it_was_staged_is_not_swapped_in() {
    let store = SqliteRelay::in_memory();
    let mut pen = filled(&store).await;
    let key = pen.workshop;
    let engine = &store.inner.engine;
    engine
        .write(move |tx| trim::stage(tx.conn, key, 0))
        .await
        .unwrap();
    pen.write(Draft::of(201, None).saying(Clear::Erased { event: event(1) }));
    pen.send(&store, 200, 64).await;
    let swapped = engine.write(move |tx| trim::swap(tx.conn, key)).await;
    assert_eq!(swapped.unwrap(), 0);
    assert_eq!(store.trim(key, NOW).await.unwrap(), 192);
    let given = given_back(&store, &pen, Seq(0)).await;
    assert_eq!(given[0].entries[0].entry.body, None);
    assert!(given[0].entries[2].entry.body.is_some());
}

#[tokio::test]
async fn a_command_works_beside_a_running_relay_and_two_relays_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let second = SqliteRelay::open(dir.path(), Timestamp(0));
    assert!(matches!(
        second,
        Err(RelayOpenError::Disk(OpenError::InUse(_)))
    ));
    let beside = SqliteRelay::open_beside(dir.path(), Timestamp(0)).unwrap();
    beside.add_code([1; 32], NOW.plus_ms(1)).await.unwrap();
    beside.close().await;
    assert_eq!(store.codes(NOW).await.unwrap().len(), 1);
    let mode = fs::metadata(dir.path().join("relay.db")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    store.close().await;
    let closed = store.probe().await;
    assert!(matches!(closed, Err(RelayStoreError::Failed(_))));
}

#[tokio::test]
async fn a_damaged_database_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("relay.db"), [7; 8_192]).unwrap();
    let refused = SqliteRelay::open(dir.path(), Timestamp(0)).err().unwrap();
    assert!(refused.to_string().contains("relay.secret"), "{refused}");
}

#[tokio::test]
async fn a_copy_goes_its_own_way() {
    let store = SqliteRelay::in_memory();
    let mut pen = filled(&store).await;
    let copy = store.copy();
    pen.write_messages([300]);
    pen.send(&store, 200, 64).await;
    let state = copy.state(pen.workshop).await.unwrap().unwrap();
    assert_eq!(state.position, Some(pen.position_at(200)));
    pen.send(&copy, 200, 64).await;
}

#[tokio::test]
async fn many_at_once_share_commits_and_each_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let mut pen = Pen::new(1);
    pen.enter(&store, 1).await;
    let mut owners = tokio::task::JoinSet::new();
    for number in 0..200 {
        let (store, workshop) = (store.clone(), pen.workshop);
        let post = post(number, invite(number));
        owners.spawn(async move { store.post(workshop, post, NOW).await.unwrap() });
    }
    let posted = owners.join_all().await;
    assert_eq!(posted, [Posted::Kept; 200]);
    let waiting = store.posts_after(pen.workshop, 0, 1_000).await.unwrap();
    assert_eq!(waiting.len(), 200);
    store.close().await;
}
