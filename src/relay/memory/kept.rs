//! The reference as a relay's store.

use tokio::sync::broadcast;

use super::MemoryRelay;
use super::shop::page_of;
use crate::domain::{EventId, InviteId, RequestKey, Seq, Timestamp, WorkshopKey};
use crate::relay::limits::{CODE_REMEMBERED_MS, SUBSCRIPTIONS_PER_INVITE_MAX};
use crate::relay::memory::All;
use crate::relay::store::{
    Appended, Fate, Fence, Kept, PairingCode, Posted, RelayInvite, RelayStore, RelayStoreError,
    Session, SessionAsked, Stretch, Subscription, Wake, WorkshopLine, WorkshopState,
};
use crate::seal::{Chain, Position, SealedPost, Wrap};
use crate::wire::link::{Entries, GiveBack, Given};

impl RelayStore for MemoryRelay {
    async fn open_session(&self, asked: SessionAsked) -> Kept<Session> {
        Ok(self.with(|all| all.open(&asked)))
    }

    async fn confirm(&self, fence: Fence) -> Kept<()> {
        self.fenced(fence, |_, shop| {
            shop.standing.confirm(fence.generation);
        })
    }

    async fn seen(&self, workshop: WorkshopKey, now: Timestamp) -> Kept<()> {
        self.with(|all| {
            if let Some(shop) = all.workshops.get_mut(&workshop) {
                shop.seen_ms = shop.seen_ms.max(now.0);
            }
        });
        Ok(())
    }

    async fn append(&self, fence: Fence, batch: Entries) -> Kept<Appended> {
        self.fenced(fence, |all, shop| {
            let mut wakes = Vec::new();
            let appended = shop.append(all, fence.workshop, batch, &mut wakes);
            wakes.into_iter().for_each(|wake| self.wake(wake));
            appended
        })
    }

    async fn chains(&self, workshop: WorkshopKey, seqs: Vec<Seq>) -> Kept<Vec<Option<Chain>>> {
        Ok(self.look(workshop, vec![None; seqs.len()], |shop| {
            seqs.iter().map(|seq| shop.chain_at(*seq)).collect()
        }))
    }

    async fn give_back(&self, workshop: WorkshopKey, asked: GiveBack) -> Kept<Given> {
        let runs = self.look(workshop, Vec::new(), |shop| {
            shop.runs_with_tail(asked.common)
        });
        Ok(page_of(&runs, asked.cursor.as_deref()))
    }

    async fn fork(&self, fence: Fence, common: Position) -> Kept<Option<Position>> {
        self.fenced(fence, |_, shop| {
            let forks = shop.forks;
            let forked = shop.fork(common);
            if shop.forks > forks {
                self.wake(Wake::Workshop(fence.workshop));
            }
            forked
        })
    }

    async fn retain(&self, fence: Fence, line: Seq, closed: Vec<RequestKey>) -> Kept<()> {
        self.fenced(fence, |_, shop| {
            shop.line = line;
            shop.closed = closed.into_iter().collect();
        })
    }

    async fn trim(&self, workshop: WorkshopKey, now: Timestamp) -> Kept<u64> {
        self.with(|all| {
            if let Some(shop) = all.workshops.get_mut(&workshop) {
                shop.trim(now);
            }
        });
        Ok(0)
    }

    async fn post(&self, workshop: WorkshopKey, post: SealedPost, now: Timestamp) -> Kept<Posted> {
        self.with(|all| {
            let place = all.last_place + 1;
            let shop = all.workshops.get_mut(&workshop);
            let shop = shop.ok_or(RelayStoreError::Fenced)?;
            let posted = shop.post(place, post, now);
            if shop.posts.contains_key(&place) {
                all.last_place = place;
                self.wake(Wake::Posts(workshop));
            }
            Ok(posted)
        })
    }

    async fn posts_after(
        &self,
        workshop: WorkshopKey,
        after: i64,
        limit: u32,
    ) -> Kept<Vec<(i64, SealedPost)>> {
        Ok(self.look(workshop, Vec::new(), |shop| {
            let posts = shop.posts.iter();
            posts
                .filter(|(place, waiting)| **place > after && waiting.refused.is_none())
                .take(usize::try_from(limit).unwrap())
                .map(|(place, waiting)| (*place, waiting.post.clone()))
                .collect()
        }))
    }

    async fn refuse_post(&self, fence: Fence, id: EventId, why: String) -> Kept<()> {
        self.fenced(fence, |_, shop| {
            if let Some(thread) = shop.refuse(id, why) {
                self.wake(Wake::Refused(id, thread));
            }
        })
    }

    async fn fate(&self, workshop: WorkshopKey, ids: Vec<EventId>) -> Kept<Vec<(EventId, Fate)>> {
        Ok(self.look(workshop, Vec::new(), |shop| {
            let fate = |id: EventId| {
                if shop.contains(id) {
                    return Some(Fate::InJournal);
                }
                let refused = shop.posts[&shop.place(id)?].refused.clone();
                Some(refused.map_or(Fate::Waiting, Fate::Refused))
            };
            ids.iter()
                .filter_map(|id| fate(*id).map(|fate| (*id, fate)))
                .collect()
        }))
    }

    async fn invite(&self, invite: InviteId) -> Kept<Option<RelayInvite>> {
        Ok(self.with(|all| all.invites.get(&invite).cloned()))
    }

    async fn wraps(&self, invite: InviteId) -> Kept<Vec<Wrap>> {
        Ok(self.with(|all| {
            let wraps = all.wraps.range((invite, 0)..=(invite, u16::MAX));
            wraps
                .map(|((invite, epoch), wrapped)| Wrap {
                    invite: *invite,
                    epoch: *epoch,
                    wrapped: wrapped.clone(),
                })
                .collect()
        }))
    }

    async fn thread(
        &self,
        workshop: WorkshopKey,
        thread: RequestKey,
        after: Seq,
        rows: u32,
        bytes: usize,
    ) -> Kept<Stretch> {
        let mut entries = self.look(workshop, Vec::new(), |shop| {
            let entries = shop.entries.iter().map(|(_, entry)| entry);
            entries
                .filter(|it| it.thread == Some(thread) && it.seq > after && !it.is_staff_only())
                .cloned()
                .collect()
        });
        let mut size = 0;
        let fitting = entries
            .iter()
            .take(usize::try_from(rows).unwrap())
            .take_while(|entry| {
                let first = size == 0;
                size += entry.size();
                first || size <= bytes
            })
            .count();
        let more = fitting < entries.len();
        entries.truncate(fitting);
        Ok(Stretch { entries, more })
    }

    async fn state(&self, workshop: WorkshopKey) -> Kept<Option<WorkshopState>> {
        Ok(self.look(workshop, None, |shop| {
            Some(WorkshopState {
                position: shop.position(),
                doors: shop.doors.clone(),
                seen_ms: shop.seen_ms,
            })
        }))
    }

    async fn subscribe(
        &self,
        workshop: WorkshopKey,
        thread: RequestKey,
        subscription: Subscription,
    ) -> Kept<()> {
        self.with(|all| {
            if !all.workshops.contains_key(&workshop) {
                return Err(RelayStoreError::Fenced);
            }
            let invite = subscription.invite;
            all.subscriptions.retain(|(shop, of, known)| {
                (*shop, *of) != (workshop, thread) || known.endpoint != subscription.endpoint
            });
            let known = all.invites.get(&invite);
            if known.is_none_or(|known| (known.workshop, known.thread) != (workshop, thread)) {
                return Ok(());
            }
            all.subscriptions.push((workshop, thread, subscription));
            let of_invite = |all: &All| {
                let mut all = all.subscriptions.iter();
                all.position(|(_, _, known)| known.invite == invite)
            };
            let count = all.subscriptions.iter();
            let count = count.filter(|(_, _, known)| known.invite == invite).count();
            if i64::try_from(count).unwrap() > SUBSCRIPTIONS_PER_INVITE_MAX
                && let Some(oldest) = of_invite(all)
            {
                all.subscriptions.remove(oldest);
            }
            Ok(())
        })
    }

    async fn unsubscribe(&self, endpoint: String) -> Kept<()> {
        self.with(|all| {
            all.subscriptions
                .retain(|(_, _, known)| known.endpoint != endpoint);
            for (_, phones) in all.alarms.values_mut() {
                phones.retain(|phone| phone.endpoint != endpoint);
            }
        });
        Ok(())
    }

    async fn subscriptions(
        &self,
        workshop: WorkshopKey,
        thread: RequestKey,
        now: Timestamp,
    ) -> Kept<Vec<Subscription>> {
        Ok(self.with(|all| {
            let opens = |invite: &InviteId| {
                let known = &all.invites[invite];
                !known.revoked && known.expires_ms > now.0
            };
            let subscriptions = all.subscriptions.iter();
            subscriptions
                .filter(|(shop, of, it)| (*shop, *of) == (workshop, thread) && opens(&it.invite))
                .map(|(_, _, subscription)| subscription.clone())
                .collect()
        }))
    }

    async fn shown(&self, endpoint: String, shown: bool) -> Kept<()> {
        self.with(|all| {
            for (_, _, known) in &mut all.subscriptions {
                if known.endpoint == endpoint {
                    known.shown = shown;
                }
            }
        });
        Ok(())
    }

    async fn add_code(&self, key: [u8; 32], expires: Timestamp) -> Kept<()> {
        self.with(|all| {
            let id = i64::try_from(all.codes.len()).unwrap() + 1;
            all.codes.push(PairingCode {
                id,
                key,
                expires_ms: expires.0,
                used_by: None,
            });
        });
        Ok(())
    }

    async fn codes(&self, now: Timestamp) -> Kept<Vec<PairingCode>> {
        Ok(self.with(|all| {
            let alive = |code: &&PairingCode| {
                let remembered = code.used_by.map_or(0, |_| CODE_REMEMBERED_MS);
                code.expires_ms > now.0 - remembered
            };
            all.codes.iter().filter(alive).cloned().collect()
        }))
    }

    async fn workshops(&self) -> Kept<Vec<WorkshopLine>> {
        Ok(self.with(|all| {
            let line = |key: &WorkshopKey| {
                let shop = &all.workshops[key];
                let count = |number: usize| i64::try_from(number).unwrap();
                let invites = all.invites.values();
                WorkshopLine {
                    workshop: *key,
                    entries: shop.seq().0,
                    bytes: 0,
                    posts: count(shop.waiting().count()),
                    oldest_post_ms: shop.waiting().map(|waiting| waiting.kept_ms).min(),
                    orphans: count(shop.unsettled()),
                    invites: count(
                        invites
                            .filter(|invite| invite.workshop == *key && !invite.revoked)
                            .count(),
                    ),
                    seen_ms: shop.seen_ms,
                    quarantined: shop.standing.quarantined,
                    forks: shop.forks,
                }
            };
            all.order.iter().map(line).collect()
        }))
    }

    async fn probe(&self) -> Kept<()> {
        Ok(())
    }

    fn wakes(&self) -> broadcast::Receiver<Wake> {
        self.wakes.subscribe()
    }
}
