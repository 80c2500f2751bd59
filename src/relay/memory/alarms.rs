//! The reference's alarms.

use super::MemoryRelay;
use crate::domain::{Timestamp, WorkshopKey};
use crate::relay::alarm::{AlarmStore, Asked, Phone, Watched};
use crate::relay::limits::ALARM_PHONES_MAX;
use crate::relay::store::{Fence, Kept};
use crate::wire::link::Alarm;

impl AlarmStore for MemoryRelay {
    async fn set_alarm(&self, fence: Fence, alarm: Option<Alarm>) -> Kept<()> {
        self.fenced(fence, |all, _| {
            let known = all.alarms.remove(&fence.workshop);
            if let Some(alarm) = alarm {
                let same = known.filter(|(asked, _)| asked.alarm.secret_sha == alarm.secret_sha);
                let (told_ms, phones) = same.map_or((None, Vec::new()), |(asked, phones)| {
                    (asked.told_ms, phones)
                });
                let asked = Asked { alarm, told_ms };
                all.alarms.insert(fence.workshop, (asked, phones));
            }
        })
    }

    async fn alarm(&self, workshop: WorkshopKey) -> Kept<Option<Watched>> {
        let watched = self.alarms().await?;
        Ok(watched.into_iter().find(|it| it.workshop == workshop))
    }

    async fn alarms(&self) -> Kept<Vec<Watched>> {
        Ok(self.with(|all| {
            let watched = |workshop: &WorkshopKey| {
                let (asked, _) = all.alarms.get(workshop)?;
                Some(Watched {
                    workshop: *workshop,
                    asked: *asked,
                    seen_ms: all.workshops[workshop].seen_ms,
                })
            };
            all.order.iter().filter_map(watched).collect()
        }))
    }

    async fn phones(&self, workshop: WorkshopKey) -> Kept<Vec<Phone>> {
        Ok(self.with(|all| {
            let known = all.alarms.get(&workshop);
            known.map_or_else(Vec::new, |(_, phones)| phones.clone())
        }))
    }

    async fn add_phone(&self, workshop: WorkshopKey, sha: [u8; 32], phone: Phone) -> Kept<bool> {
        Ok(self.with(|all| {
            let known = all.alarms.get_mut(&workshop);
            let Some((_, phones)) = known.filter(|(asked, _)| asked.alarm.secret_sha == sha) else {
                return false;
            };
            phones.retain(|known| known.endpoint != phone.endpoint);
            phones.push(phone);
            if i64::try_from(phones.len()).unwrap() > ALARM_PHONES_MAX {
                phones.remove(0);
            }
            true
        }))
    }

    async fn forget_phone(&self, workshop: WorkshopKey, endpoint: String) -> Kept<()> {
        self.with(|all| {
            if let Some((_, phones)) = all.alarms.get_mut(&workshop) {
                phones.retain(|phone| phone.endpoint != endpoint);
            }
        });
        Ok(())
    }

    async fn told(&self, workshop: WorkshopKey, at: Option<Timestamp>) -> Kept<()> {
        self.with(|all| {
            if let Some((asked, _)) = all.alarms.get_mut(&workshop) {
                asked.told_ms = at.map(|at| at.0);
            }
        });
        Ok(())
    }
}
