//! What is asked of a relay's store, handed on to the file whose concern it is.

use tokio::sync::broadcast;

use super::{
    SqliteRelay, append, fork, give_back, invites, journal, mailbox, sessions, status,
    subscriptions, trim, workshop,
};
use crate::domain::{EventId, InviteId, RequestKey, Seq, Timestamp, WorkshopKey};
use crate::relay::store::{
    Appended, Fate, Fence, Kept, PairingCode, Posted, RelayInvite, RelayStore, Session,
    SessionAsked, Stretch, Subscription, Wake, WorkshopLine, WorkshopState,
};
use crate::seal::{Chain, Position, SealedPost, Wrap};
use crate::wire::link::{Entries, GiveBack, Given};

impl RelayStore for SqliteRelay {
    async fn open_session(&self, asked: SessionAsked) -> Kept<Session> {
        let engine = &self.inner.engine;
        engine
            .write(move |tx| sessions::open(tx.conn, &asked))
            .await
    }

    async fn confirm(&self, fence: Fence) -> Kept<()> {
        let engine = &self.inner.engine;
        engine
            .write(move |tx| sessions::confirm(tx.conn, fence))
            .await
    }

    async fn seen(&self, workshop: WorkshopKey, now: Timestamp) -> Kept<()> {
        let engine = &self.inner.engine;
        engine
            .write(move |tx| workshop::seen(tx.conn, workshop, now))
            .await
    }

    async fn append(&self, fence: Fence, batch: Entries) -> Kept<Appended> {
        let engine = &self.inner.engine;
        engine
            .write(move |tx| append::append(tx, fence, &batch))
            .await
    }

    async fn chains(&self, workshop: WorkshopKey, seqs: Vec<Seq>) -> Kept<Vec<Option<Chain>>> {
        let engine = &self.inner.engine;
        let look = move |conn: &_| {
            let Some(workshop) = workshop::find(conn, workshop)? else {
                return Ok(vec![None; seqs.len()]);
            };
            seqs.iter()
                .map(|seq| journal::chain_at(conn, &workshop, *seq))
                .collect()
        };
        engine.read(look).await
    }

    async fn give_back(&self, workshop: WorkshopKey, asked: GiveBack) -> Kept<Given> {
        let engine = &self.inner.engine;
        engine
            .read(move |conn| give_back::give_back(conn, workshop, &asked))
            .await
    }

    async fn fork(&self, fence: Fence, common: Position) -> Kept<Option<Position>> {
        let engine = &self.inner.engine;
        engine.write(move |tx| fork::fork(tx, fence, common)).await
    }

    async fn retain(&self, fence: Fence, line: Seq, closed: Vec<RequestKey>) -> Kept<()> {
        let engine = &self.inner.engine;
        engine
            .write(move |tx| trim::retain(tx, fence, line, &closed))
            .await
    }

    async fn trim(&self, workshop: WorkshopKey, now: Timestamp) -> Kept<u64> {
        trim::trim(&self.inner.engine, workshop, now).await
    }

    async fn post(&self, workshop: WorkshopKey, post: SealedPost, now: Timestamp) -> Kept<Posted> {
        let engine = &self.inner.engine;
        engine
            .write(move |tx| mailbox::post(tx, workshop, &post, now))
            .await
    }

    async fn posts_after(
        &self,
        workshop: WorkshopKey,
        after: i64,
        limit: u32,
    ) -> Kept<Vec<(i64, SealedPost)>> {
        let engine = &self.inner.engine;
        engine
            .read(move |conn| mailbox::posts_after(conn, workshop, after, limit))
            .await
    }

    async fn refuse_post(&self, fence: Fence, id: EventId, why: String) -> Kept<()> {
        let engine = &self.inner.engine;
        engine
            .write(move |tx| mailbox::refuse(tx, fence, id, &why))
            .await
    }

    async fn fate(&self, workshop: WorkshopKey, ids: Vec<EventId>) -> Kept<Vec<(EventId, Fate)>> {
        let engine = &self.inner.engine;
        engine
            .read(move |conn| mailbox::fate(conn, workshop, &ids))
            .await
    }

    async fn invite(&self, invite: InviteId) -> Kept<Option<RelayInvite>> {
        let engine = &self.inner.engine;
        engine.read(move |conn| invites::find(conn, invite)).await
    }

    async fn wraps(&self, invite: InviteId) -> Kept<Vec<Wrap>> {
        let engine = &self.inner.engine;
        engine.read(move |conn| invites::wraps(conn, invite)).await
    }

    async fn thread(
        &self,
        workshop: WorkshopKey,
        thread: RequestKey,
        after: Seq,
        rows: u32,
        bytes: usize,
    ) -> Kept<Stretch> {
        let engine = &self.inner.engine;
        let look = move |conn: &_| {
            let Some(workshop) = workshop::find(conn, workshop)? else {
                return Ok(Stretch {
                    entries: Vec::new(),
                    more: false,
                });
            };
            let rows = usize::try_from(rows).unwrap_or(usize::MAX);
            let page = journal::Page { rows, bytes };
            journal::thread(conn, &workshop, thread, after, page)
        };
        engine.read(look).await
    }

    async fn state(&self, workshop: WorkshopKey) -> Kept<Option<WorkshopState>> {
        let engine = &self.inner.engine;
        let look = move |conn: &_| {
            let found = workshop::find(conn, workshop)?;
            Ok(found.map(workshop::Workshop::state))
        };
        engine.read(look).await
    }

    async fn subscribe(
        &self,
        workshop: WorkshopKey,
        thread: RequestKey,
        subscription: Subscription,
    ) -> Kept<()> {
        let engine = &self.inner.engine;
        engine
            .write(move |tx| subscriptions::subscribe(tx.conn, workshop, thread, &subscription))
            .await
    }

    async fn unsubscribe(&self, endpoint: String) -> Kept<()> {
        let engine = &self.inner.engine;
        engine
            .write(move |tx| subscriptions::unsubscribe(tx.conn, &endpoint))
            .await
    }

    async fn subscriptions(
        &self,
        workshop: WorkshopKey,
        thread: RequestKey,
        now: Timestamp,
    ) -> Kept<Vec<Subscription>> {
        let engine = &self.inner.engine;
        engine
            .read(move |conn| subscriptions::of_thread(conn, workshop, thread, now))
            .await
    }

    async fn shown(&self, endpoint: String, shown: bool) -> Kept<()> {
        let engine = &self.inner.engine;
        engine
            .write(move |tx| subscriptions::shown(tx.conn, &endpoint, shown))
            .await
    }

    async fn add_code(&self, key: [u8; 32], expires: Timestamp) -> Kept<()> {
        let engine = &self.inner.engine;
        engine
            .write(move |tx| sessions::add_code(tx.conn, &key, expires))
            .await
    }

    async fn codes(&self, now: Timestamp) -> Kept<Vec<PairingCode>> {
        let engine = &self.inner.engine;
        engine.read(move |conn| sessions::codes(conn, now)).await
    }

    async fn workshops(&self) -> Kept<Vec<WorkshopLine>> {
        self.inner.engine.read(status::workshops).await
    }

    async fn probe(&self) -> Kept<()> {
        let engine = &self.inner.engine;
        engine.write(|tx| status::probe(tx.conn)).await
    }

    fn wakes(&self) -> broadcast::Receiver<Wake> {
        self.inner.wakes.subscribe()
    }
}
