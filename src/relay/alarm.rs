//! The silence alarm: when a box that asked for it is not heard of for an hour, the phones on which its
//! admin opened the alarm's link are told, once, and once more when it is back.
//!
//! The relay knows no names: the phone's page has the workshop's from its link's fragment.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::push::Pusher;
use super::store::{Fence, Kept, RelayStore};
use super::upkeep::asked_for;
use crate::clock::Clock;
use crate::domain::{Timestamp, WorkshopKey};
use crate::wire::link::Alarm;
use crate::wire::owner::AlarmPayload;

/// How often it is looked who is silent.
const EVERY: Duration = Duration::from_secs(60);
/// A relay that just started has heard of nobody yet: boxes get so long to come back first.
const GRACE: Duration = Duration::from_secs(10 * 60);

/// What a box asked for, and whether its phones were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What it asked for.
    pub alarm: Alarm,
    /// When its phones were told that it is silent, in milliseconds since 1970; none: it is heard.
    pub told_ms: Option<i64>,
}

/// A box that asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Whose.
    pub workshop: WorkshopKey,
    /// What it asked for.
    pub asked: Asked,
    /// When it was last heard of, in milliseconds since 1970.
    pub seen_ms: i64,
}

/// Where one phone is reached (RFC 8030, 8291).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    /// Where to push to.
    pub endpoint: String,
    /// The browser's public key: 65 bytes.
    pub p256dh: Vec<u8>,
    /// The browser's secret: 16 bytes.
    pub auth: Vec<u8>,
}

/// What a relay's store keeps of it. `Ok` means durable.
pub trait AlarmStore {
    /// The box wants its admin's phones told, or nobody (any more). With another secret the phones of
    /// the old link are forgotten.
    fn set_alarm(
        &self,
        fence: Fence,
        alarm: Option<Alarm>,
    ) -> impl Future<Output = Kept<()>> + Send;

    /// One workshop's.
    fn alarm(&self, workshop: WorkshopKey) -> impl Future<Output = Kept<Option<Watched>>> + Send;

    /// Every box that asked for it, in the order in which the workshops entered.
    fn alarms(&self) -> impl Future<Output = Kept<Vec<Watched>>> + Send;

    /// The phones of one workshop, oldest first.
    fn phones(&self, workshop: WorkshopKey) -> impl Future<Output = Kept<Vec<Phone>>> + Send;

    /// Remembers a phone that shows the secret with this SHA-256; false: it opens nothing. The oldest
    /// of too many goes.
    fn add_phone(
        &self,
        workshop: WorkshopKey,
        secret_sha: [u8; 32],
        phone: Phone,
    ) -> impl Future<Output = Kept<bool>> + Send;

    /// Forgets a phone of one workshop.
    fn forget_phone(
        &self,
        workshop: WorkshopKey,
        endpoint: String,
    ) -> impl Future<Output = Kept<()>> + Send;

    /// Notes when the phones were told that the box is silent; none: that it is back.
    fn told(
        &self,
        workshop: WorkshopKey,
        at: Option<Timestamp>,
    ) -> impl Future<Output = Kept<()>> + Send;
}

/// What the phones are to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Silent since then, in milliseconds since 1970.
    Silent(i64),
    /// Heard of again.
    Back,
}

impl Watched {
    /// What is new at this moment, if anything is.
    pub(super) fn news(&self, now: Timestamp) -> Option<News> {
        let silent_ms = now.0 - self.seen_ms;
        match self.asked.told_ms {
            None if silent_ms >= i64::from(self.asked.alarm.after_ms) => {
                Some(News::Silent(self.seen_ms))
            }
            Some(told_ms) if self.seen_ms > told_ms => Some(News::Back),
            None | Some(_) => None,
        }
    }
}

/// Looks who is silent, until the relay stops.
pub(super) async fn mind<S: RelayStore>(
    store: S,
    pusher: Pusher<S>,
    clock: Clock,
    shutdown: CancellationToken,
) {
    let asked = asked_for("MOTOREACH_ALARM_EVERY_MS");
    let mut pause = asked.unwrap_or(GRACE);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = asked.unwrap_or(EVERY);
        look(&store, &pusher, clock.now()).await;
    }
}

/// One look at everybody.
pub(super) async fn look<S: RelayStore>(store: &S, pusher: &Pusher<S>, now: Timestamp) {
    let watched = match store.alarms().await {
        Ok(watched) => watched,
        Err(error) => return tracing::warn!(%error, "who is silent cannot be read"),
    };
    for one in watched {
        let Some(news) = one.news(now) else { continue };
        if let Err(error) = tell(store, pusher, &one, news, now).await {
            tracing::warn!(workshop = %one.workshop, %error, "an alarm could not be given");
        }
    }
}

/// The phones are on their way to be told before it is noted: rather twice than never. Of two of a kind
/// the later replaces the earlier one on the phone.
async fn tell<S: RelayStore>(
    store: &S,
    pusher: &Pusher<S>,
    one: &Watched,
    news: News,
    now: Timestamp,
) -> Kept<()> {
    let phones = store.phones(one.workshop).await?;
    tracing::info!(workshop = %one.workshop, ?news, phones = phones.len(), "a box's silence");
    let payload = match news {
        News::Silent(since_ms) => AlarmPayload::silent(one.workshop, Timestamp(since_ms)),
        News::Back => AlarmPayload::back(one.workshop),
    };
    for phone in phones {
        pusher.alarm(payload.clone(), phone);
    }
    let told = match news {
        News::Silent(_) => Some(now),
        News::Back => None,
    };
    store.told(one.workshop, told).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600 * 1_000;

    fn watched(seen_ms: i64, told_ms: Option<i64>) -> Watched {
        Watched {
            workshop: WorkshopKey::from_bytes([1; 16]),
            asked: Asked {
                alarm: Alarm {
                    secret_sha: [2; 32],
                    after_ms: 3_600_000,
                },
                told_ms,
            },
            seen_ms,
        }
    }

    #[test]
    fn silence_is_told_once_after_an_hour_and_so_is_its_end() {
        let now = |hours: i64| Timestamp(hours * HOUR_MS);
        assert_eq!(watched(0, None).news(Timestamp(HOUR_MS - 1)), None);
        assert_eq!(watched(0, None).news(now(1)), Some(News::Silent(0)));
        assert_eq!(watched(0, Some(HOUR_MS)).news(now(30)), None);
        let back = watched(2 * HOUR_MS, Some(HOUR_MS));
        assert_eq!(back.news(now(2)), Some(News::Back));
    }

    #[test]
    fn a_relay_whose_clock_was_put_back_tells_nothing() {
        assert_eq!(watched(9 * HOUR_MS, None).news(Timestamp(0)), None);
    }
}
