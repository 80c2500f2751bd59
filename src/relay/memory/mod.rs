//! The rules of a relay's store as plainly as they can be written, to hold the real ones against.
//! Everything is in memory and copied freely.

mod alarms;
mod kept;
mod shop;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tokio::sync::broadcast;

use crate::domain::{EventId, InviteId, LogId, RequestKey, Seq, WorkshopKey};
use crate::relay::alarm::{Asked, Phone};
use crate::relay::limits::WAKES_MAX;
use crate::relay::lineage::Standing;
use crate::relay::store::{
    Admit, Fence, Kept, PairingCode, RelayInvite, RelayStoreError, Session, SessionAsked,
    Subscription, Wake,
};
use crate::seal::{Chain, Clear, SealedEntry, SealedPost, SignedHead};
use crate::wire::link::{GivenEntry, Incarnation, Verdict};

/// A relay's store in memory.
#[derive(Clone)]
pub(crate) struct MemoryRelay {
    all: Arc<Mutex<All>>,
    wakes: broadcast::Sender<Wake>,
}

#[derive(Clone, Default)]
struct All {
    workshops: BTreeMap<WorkshopKey, Shop>,
    /// In the order in which they entered.
    order: Vec<WorkshopKey>,
    invites: BTreeMap<InviteId, RelayInvite>,
    wraps: BTreeMap<(InviteId, u16), Vec<u8>>,
    subscriptions: Vec<(WorkshopKey, RequestKey, Subscription)>,
    codes: Vec<PairingCode>,
    alarms: BTreeMap<WorkshopKey, (Asked, Vec<Phone>)>,
    last_place: i64,
}

#[derive(Clone)]
struct Shop {
    standing: Standing,
    entries: Vec<(LogId, SealedEntry)>,
    head: Option<SignedHead>,
    history: Vec<Incarnation>,
    runs: Vec<Run>,
    erased: BTreeSet<EventId>,
    posts: BTreeMap<i64, Waiting>,
    line: Seq,
    closed: BTreeSet<RequestKey>,
    doors: Vec<String>,
    seen_ms: i64,
    forks: i64,
}

#[derive(Clone)]
struct Run {
    begins: Chain,
    entries: Vec<GivenEntry>,
    ends: SignedHead,
}

#[derive(Clone)]
struct Waiting {
    post: SealedPost,
    refused: Option<String>,
    kept_ms: i64,
}

impl MemoryRelay {
    pub(crate) fn new() -> Self {
        Self {
            all: Arc::default(),
            wakes: broadcast::channel(WAKES_MAX).0,
        }
    }

    /// What a backup of it would hold now, as another one.
    pub(crate) fn copy(&self) -> Self {
        Self {
            all: Arc::new(Mutex::new(self.with(|all| all.clone()))),
            wakes: broadcast::channel(WAKES_MAX).0,
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut All) -> T) -> T {
        act(&mut self.all.lock().unwrap())
    }

    fn fenced<T>(&self, fence: Fence, act: impl FnOnce(&mut All, &mut Shop) -> T) -> Kept<T> {
        self.with(|all| {
            let found = all.workshops.get(&fence.workshop).cloned();
            let mut shop = found
                .filter(|shop| shop.standing.admits(fence.generation))
                .ok_or(RelayStoreError::Fenced)?;
            let result = act(all, &mut shop);
            all.workshops.insert(fence.workshop, shop);
            Ok(result)
        })
    }

    fn look<T>(&self, workshop: WorkshopKey, otherwise: T, act: impl FnOnce(&Shop) -> T) -> T {
        self.with(|all| all.workshops.get(&workshop).map_or(otherwise, act))
    }

    fn wake(&self, wake: Wake) {
        let _ = self.wakes.send(wake);
    }
}

impl All {
    fn grant(&mut self, workshop: WorkshopKey, entry: &SealedEntry) -> Option<InviteId> {
        let (clear, thread) = (entry.clear.as_ref()?, entry.thread);
        let mut revoked = None;
        let wraps = match clear {
            Clear::Granted {
                invite,
                auth_sha,
                expires_ms,
                wraps,
            } => {
                self.invites.entry(*invite).or_insert(RelayInvite {
                    invite: *invite,
                    workshop,
                    thread: thread?,
                    auth_sha: *auth_sha,
                    expires_ms: *expires_ms,
                    revoked: false,
                });
                wraps
            }
            Clear::Revoked { invite, wraps } => {
                let known = self.invites.get_mut(invite);
                if let Some(known) =
                    known.filter(|known| known.workshop == workshop && !known.revoked)
                {
                    known.revoked = true;
                    revoked = Some(*invite);
                }
                wraps
            }
            Clear::Erased { .. } => return None,
        };
        for wrap in wraps {
            let known = self.invites.get(&wrap.invite);
            if known.is_some_and(|it| it.workshop == workshop && Some(it.thread) == thread) {
                let key = (wrap.invite, wrap.epoch);
                self.wraps.insert(key, wrap.wrapped.clone());
            }
        }
        revoked
    }

    fn use_up(&mut self, id: i64, asked: &SessionAsked) -> bool {
        let Some(code) = self.codes.iter_mut().find(|code| code.id == id) else {
            return false;
        };
        let fits = match code.used_by {
            Some(used_by) => used_by == asked.workshop,
            None => code.expires_ms > asked.now.0,
        };
        if fits {
            code.used_by = Some(asked.workshop);
        }
        fits
    }

    fn open(&mut self, asked: &SessionAsked) -> Session {
        let refused = |verdict| Session {
            verdict,
            lineage: None,
            position: None,
            orphans: 0,
        };
        let verdict = match self.workshops.get_mut(&asked.workshop) {
            Some(shop) => shop.standing.hello(asked),
            None => {
                match asked.admit {
                    Admit::Known => return refused(Verdict::Unknown),
                    Admit::Code(id) if !self.use_up(id, asked) => {
                        return refused(Verdict::BadCode);
                    }
                    Admit::Member | Admit::Code(_) => {}
                }
                let shop = Shop::new(Standing::entering(asked));
                self.workshops.insert(asked.workshop, shop);
                self.order.push(asked.workshop);
                Verdict::Resume
            }
        };
        if !matches!(verdict, Verdict::Resume | Verdict::Restored) {
            return refused(verdict);
        }
        if let Admit::Code(id) = asked.admit {
            self.use_up(id, asked);
        }
        let shop = self.workshops.get_mut(&asked.workshop).unwrap();
        shop.doors.clone_from(&asked.doors);
        shop.seen_ms = shop.seen_ms.max(asked.now.0);
        Session {
            verdict,
            lineage: Some(shop.standing.offered),
            position: shop.position(),
            orphans: u32::try_from(shop.unsettled()).unwrap(),
        }
    }
}
