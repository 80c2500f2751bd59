//! What the relay must keep, whatever keeps it (`sync.md` §8).
//!
//! `relay::accept` and `relay::edge` call it. `Ok` means durable. Every write of a box is fenced by
//! the generation of its session: once a newer session was opened, an older one changes nothing.
//! One conformance suite (`conformance`) holds every implementation to what is said here.

use tokio::sync::broadcast;

use super::alarm::AlarmStore;
use crate::domain::{EventId, InviteId, LogId, RequestKey, Seq, Timestamp, WorkshopKey};
use crate::seal::{Chain, Position, SealedEntry, SealedPost, Wrap};
pub use crate::sync::link::kept::{Admit, Appended, Fence, PairingCode, Session, SessionAsked};
use crate::wire::link::{Entries, GiveBack, Given, Incarnation};

/// Why the store said no.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RelayStoreError {
    /// A newer session of the same workshop was opened, two copies of its box are alive and none was
    /// declared the real one, or the workshop is not known (any more).
    #[error("a newer session of this workshop is open")]
    Fenced,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// Anything else that the disk or the database says; it may pass.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// A relay store's answer.
pub type Kept<T> = Result<T, RelayStoreError>;

/// What came of an owner's post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It is kept (now, or since an earlier try).
    Kept,
    /// The journal has it already.
    InJournal,
    /// The mailbox of this link or workshop is full: come again later.
    TooMany,
}

/// A link as the relay knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayInvite {
    /// Its id.
    pub invite: InviteId,
    /// Whose.
    pub workshop: WorkshopKey,
    /// What it opens.
    pub thread: RequestKey,
    /// SHA-256 of its `auth`.
    pub auth_sha: [u8; 32],
    /// When it ends, in milliseconds since 1970.
    pub expires_ms: i64,
    /// Whether it was taken back.
    pub revoked: bool,
}

/// One stretch of a thread for an owner's page: no staff-only entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The entries, rising; bodies may be gone.
    pub entries: Vec<SealedEntry>,
    /// Whether more follow.
    pub more: bool,
}

/// Where a workshop stands, for owners' pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkshopState {
    /// Where the copy ends.
    pub position: Option<Position>,
    /// Where the box is found on its own network.
    pub doors: Vec<String>,
    /// When the last session of the box ended or was last heard of, in milliseconds since 1970.
    pub seen_ms: i64,
}

/// One browser's address for Web Push (RFC 8030, 8291).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Where to push to.
    pub endpoint: String,
    /// The browser's public key: 65 bytes.
    pub p256dh: Vec<u8>,
    /// The browser's secret: 16 bytes.
    pub auth: Vec<u8>,
    /// The link that opened the thread there.
    pub invite: InviteId,
    /// The device, as its page names itself.
    pub device: crate::domain::DeviceId,
    /// Whether something was shown there since its last clearing.
    pub shown: bool,
}

/// One workshop in an operator's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkshopLine {
    /// Which.
    pub workshop: WorkshopKey,
    /// Entries in the copy.
    pub entries: i64,
    /// Bytes of sealed bodies.
    pub bytes: i64,
    /// Posts that wait for the box.
    pub posts: i64,
    /// When the oldest of them was kept.
    pub oldest_post_ms: Option<i64>,
    /// Entries that wait to be seen again.
    pub orphans: i64,
    /// Links that open something.
    pub invites: i64,
    /// When the box was last heard of, in milliseconds since 1970.
    pub seen_ms: i64,
    /// Whether two copies of the box were seen.
    pub quarantined: bool,
    /// Copies that were brought together so far.
    pub forks: i64,
}

/// A hint that something is new; it may be lost, so whoever listens also looks by itself at times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The workshop's mailbox has a new post.
    Posts(WorkshopKey),
    /// Entries of a thread were applied, or its incarnation changed.
    Thread(WorkshopKey, RequestKey),
    /// Every thread of a workshop changed (a fork).
    Workshop(WorkshopKey),
    /// A link was taken back.
    Revoked(InviteId),
    /// A post was refused by the box.
    Refused(EventId, RequestKey),
}

/// Everything the relay keeps.
pub trait RelayStore: AlarmStore + Clone + Send + Sync + 'static {
    /// Opens a session of a box, or says why not, by the rules of `relay::lineage`.
    fn open_session(&self, asked: SessionAsked) -> impl Future<Output = Kept<Session>> + Send;

    /// The box has stored the session's grant: older grants are stale from here on.
    fn confirm(&self, fence: Fence) -> impl Future<Output = Kept<()>> + Send;

    /// The box was heard of.
    fn seen(&self, workshop: WorkshopKey, now: Timestamp) -> impl Future<Output = Kept<()>> + Send;

    /// Applies a batch in one transaction: rows, links, erasures, orphans that came back, posts that
    /// the journal now contains. What was erased stays erased, whatever is appended later.
    fn append(&self, fence: Fence, batch: Entries) -> impl Future<Output = Kept<Appended>> + Send;

    /// The chain's values at some positions.
    fn chains(
        &self,
        workshop: WorkshopKey,
        seqs: Vec<Seq>,
    ) -> impl Future<Output = Kept<Vec<Option<Chain>>>> + Send;

    /// One stretch of what the box asked to have back: the orphans' runs, oldest first, then the
    /// tail after `common` as the last run. Right after a fork nothing is signed at the end of the
    /// copy; the tail is then the beginning of the run that proves it.
    fn give_back(
        &self,
        workshop: WorkshopKey,
        asked: GiveBack,
    ) -> impl Future<Output = Kept<Given>> + Send;

    /// Moves everything after `common` to the orphans, in one transaction; `None` when the copy does
    /// not have that position. Links that were given out or taken back there stay so.
    fn fork(
        &self,
        fence: Fence,
        common: Position,
    ) -> impl Future<Output = Kept<Option<Position>>> + Send;

    /// Notes what may be trimmed.
    fn retain(
        &self,
        fence: Fence,
        line: Seq,
        closed: Vec<RequestKey>,
    ) -> impl Future<Output = Kept<()>> + Send;

    /// Forgets what may be forgotten: the words of closed threads, old posts; packs rows below the
    /// line into a snapshot, staged first and swapped in one transaction. Returns rows packed.
    fn trim(&self, workshop: WorkshopKey, now: Timestamp)
    -> impl Future<Output = Kept<u64>> + Send;

    /// Keeps an owner's post until the journal contains it. The caller checked the link.
    fn post(
        &self,
        workshop: WorkshopKey,
        post: SealedPost,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Posted>> + Send;

    /// Posts that wait for the box after a place in the mailbox, oldest first, with their places.
    fn posts_after(
        &self,
        workshop: WorkshopKey,
        after: i64,
        limit: u32,
    ) -> impl Future<Output = Kept<Vec<(i64, SealedPost)>>> + Send;

    /// The box will not take this post; its page is told so.
    fn refuse_post(
        &self,
        fence: Fence,
        id: EventId,
        why: String,
    ) -> impl Future<Output = Kept<()>> + Send;

    /// Of these posts, those that the journal contains, those that wait, and those that were refused
    /// with the reason.
    fn fate(
        &self,
        workshop: WorkshopKey,
        ids: Vec<EventId>,
    ) -> impl Future<Output = Kept<Vec<(EventId, Fate)>>> + Send;

    /// One link.
    fn invite(&self, invite: InviteId) -> impl Future<Output = Kept<Option<RelayInvite>>> + Send;

    /// The thread's keys for one link's holder.
    fn wraps(&self, invite: InviteId) -> impl Future<Output = Kept<Vec<Wrap>>> + Send;

    /// Entries of a thread after a position that an owner may read, at most `rows` and about `bytes`.
    fn thread(
        &self,
        workshop: WorkshopKey,
        thread: RequestKey,
        after: Seq,
        rows: u32,
        bytes: usize,
    ) -> impl Future<Output = Kept<Stretch>> + Send;

    /// Where a workshop stands.
    fn state(
        &self,
        workshop: WorkshopKey,
    ) -> impl Future<Output = Kept<Option<WorkshopState>>> + Send;

    /// Remembers where to push to.
    fn subscribe(
        &self,
        workshop: WorkshopKey,
        thread: RequestKey,
        subscription: Subscription,
    ) -> impl Future<Output = Kept<()>> + Send;

    /// Forgets it: the owner said so, or the push service says that it is gone. Alarms go there no more
    /// either.
    fn unsubscribe(&self, endpoint: String) -> impl Future<Output = Kept<()>> + Send;

    /// Everywhere to push to for a thread whose link still opens it.
    fn subscriptions(
        &self,
        workshop: WorkshopKey,
        thread: RequestKey,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Vec<Subscription>>> + Send;

    /// Notes whether something is shown at an address.
    fn shown(&self, endpoint: String, shown: bool) -> impl Future<Output = Kept<()>> + Send;

    /// Keeps a new pairing code.
    fn add_code(&self, key: [u8; 32], expires: Timestamp) -> impl Future<Output = Kept<()>> + Send;

    /// Codes that may still be used, or were used not long ago.
    fn codes(&self, now: Timestamp) -> impl Future<Output = Kept<Vec<PairingCode>>> + Send;

    /// Every workshop, for the operator.
    fn workshops(&self) -> impl Future<Output = Kept<Vec<WorkshopLine>>> + Send;

    /// A real write that changes nothing: whether the disk takes one.
    fn probe(&self) -> impl Future<Output = Kept<()>> + Send;

    /// Hints of what is new; lossy.
    fn wakes(&self) -> broadcast::Receiver<Wake>;
}

/// What became of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It waits for the box.
    Waiting,
    /// The journal contains it.
    InJournal,
    /// The box will not take it.
    Refused(String),
}

/// The incarnation of a position in a history, if it lies in one.
pub fn incarnation_at(history: &[Incarnation], seq: Seq) -> Option<LogId> {
    history
        .iter()
        .rev()
        .find(|each| each.first <= seq)
        .map(|each| each.log)
}
