//! What a page wishes about notifications: on, off, a test, and away with those that were read.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;

use super::talk::{Talk, failed};
use crate::http::pump::End;
use crate::relay::push::{SUBSCRIPTIONS_PER_THREAD_MAX, check_address};
use crate::relay::store::{RelayStore, Subscription};

impl<S: RelayStore> Talk<'_, S> {
    pub(super) async fn subscribe(
        &mut self,
        endpoint: String,
        p256dh: &str,
        auth: &str,
    ) -> Result<(), End> {
        if !self.may_ask().await? {
            return Ok(());
        }
        let belongs = *self.place.belongs();
        let p256dh = BASE64
            .decode(p256dh.trim_end_matches('='))
            .unwrap_or_default();
        let auth = BASE64
            .decode(auth.trim_end_matches('='))
            .unwrap_or_default();
        if check_address(&endpoint, &p256dh, &auth).is_err() {
            let detail = "This browser's address for notifications cannot be used.".to_owned();
            return self.refuse("invalid", detail, None, None).await;
        }
        let known = self.subscriptions().await?;
        let is_new = known.iter().all(|known| known.endpoint != endpoint);
        if is_new && known.len() >= SUBSCRIPTIONS_PER_THREAD_MAX {
            let detail = "Too many devices get notifications of this conversation.".to_owned();
            return self.refuse("too_many", detail, None, None).await;
        }
        let subscription = Subscription {
            endpoint,
            p256dh,
            auth,
            invite: belongs.invite,
            device: belongs.device,
            shown: false,
        };
        let kept = self
            .relay
            .store
            .subscribe(belongs.workshop, belongs.thread, subscription)
            .await;
        kept.map_err(|error| failed(&error))
    }

    pub(super) async fn unsubscribe(&mut self, endpoint: String) -> Result<(), End> {
        // Only what belongs to this thread: an address is no secret between its push service and us.
        let known = self.subscriptions().await?;
        if known.iter().all(|known| known.endpoint != endpoint) {
            return Ok(());
        }
        let forgotten = self.relay.store.unsubscribe(endpoint).await;
        forgotten.map_err(|error| failed(&error))
    }

    pub(super) async fn test_push(&mut self, endpoint: &str) -> Result<(), End> {
        if !self.may_ask().await? {
            return Ok(());
        }
        let known = self.subscriptions().await?;
        match known.into_iter().find(|known| known.endpoint == endpoint) {
            Some(to) => {
                self.relay.pusher.test(self.place.belongs().thread, to);
                Ok(())
            }
            None => {
                let detail = "Notifications are not on for this browser.".to_owned();
                self.refuse("not_found", detail, None, None).await
            }
        }
    }

    pub(super) fn seen(&self, up_to: i64) -> Result<(), End> {
        let belongs = self.place.belongs();
        // Over the limit the notifications stay until the page is opened there.
        if self.relay.rates.push_asked(belongs.invite).is_ok() {
            self.relay.pusher.seen(belongs, up_to);
        }
        self.place.seen(up_to);
        Ok(())
    }

    async fn subscriptions(&mut self) -> Result<Vec<Subscription>, End> {
        let belongs = self.place.belongs();
        let now = self.relay.clock.now();
        let known = self
            .relay
            .store
            .subscriptions(belongs.workshop, belongs.thread, now)
            .await;
        known.map_err(|error| failed(&error))
    }

    async fn may_ask(&mut self) -> Result<bool, End> {
        let Err(wait) = self.relay.rates.push_asked(self.place.belongs().invite) else {
            return Ok(true);
        };
        let detail = "That was a little too often. Please wait a moment.".to_owned();
        self.refuse("rate_limited", detail, None, Some(wait))
            .await?;
        Ok(false)
    }
}
