//! What an owner writes: kept for the box, or refused with a reason that the page can act on.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use uuid::Uuid;

use super::talk::Talk;
use crate::crash;
use crate::domain::EventId;
use crate::http::pump::End;
use crate::relay::store::{Fate, Posted, RelayStore, RelayStoreError};
use crate::seal::{POST_BYTES_MAX, POST_KINDS, SealedPost};
use crate::wire::owner::RelayFrame;

/// A full mailbox empties when the box comes.
const FULL_MAILBOX_WAIT: Duration = Duration::from_secs(60);
/// A disk that fails may be well again soon.
const STORAGE_WAIT: Duration = Duration::from_secs(15);

impl<S: RelayStore> Talk<'_, S> {
    pub(super) async fn post(
        &mut self,
        id: Uuid,
        kind: String,
        epoch: u16,
        sealed: &str,
    ) -> Result<(), End> {
        let belongs = *self.place.belongs();
        let sealed = BASE64.decode(sealed).ok();
        let sealed = sealed.filter(|it| !it.is_empty() && it.len() <= POST_BYTES_MAX);
        let (Some(sealed), true) = (sealed, POST_KINDS.contains(&kind.as_str())) else {
            let detail = "The workshop does not take that.".to_owned();
            return self.refuse("not_allowed", detail, Some(id), None).await;
        };
        let post = SealedPost {
            id: EventId::new(id),
            thread: belongs.thread,
            invite: belongs.invite,
            device: belongs.device,
            kind,
            epoch,
            sealed,
        };
        let kept = match self.is_kept(post.id).await {
            Ok(true) => Ok(Posted::Kept),
            Ok(false) => {
                // Only what is new counts: after a long way without a network all of it is offered
                // again.
                if let Err(wait) = self.relay.rates.post(belongs.invite) {
                    let detail = "That was a little too often. Please wait a moment.".to_owned();
                    return self
                        .refuse("rate_limited", detail, Some(id), Some(wait))
                        .await;
                }
                let now = self.relay.clock.now();
                self.relay.store.post(belongs.workshop, post, now).await
            }
            Err(error) => Err(error),
        };
        crash::point("relay-post-kept");
        match kept {
            Ok(Posted::Kept | Posted::InJournal) => self.tell(RelayFrame::Stored { id }).await,
            Ok(Posted::TooMany) => {
                let detail = "Too much waits for the workshop already.".to_owned();
                let wait = Some(FULL_MAILBOX_WAIT);
                self.refuse("mailbox_full", detail, Some(id), wait).await
            }
            Err(error) => self.not_kept(id, &error).await,
        }
    }

    /// Whether the relay or the journal has a post already.
    async fn is_kept(&mut self, id: EventId) -> Result<bool, RelayStoreError> {
        let workshop = self.place.belongs().workshop;
        let fates = self.relay.store.fate(workshop, vec![id]).await?;
        Ok(fates
            .iter()
            .any(|(_, fate)| matches!(fate, Fate::Waiting | Fate::InJournal)))
    }

    async fn not_kept(&mut self, id: Uuid, error: &RelayStoreError) -> Result<(), End> {
        let (code, detail) = match error {
            RelayStoreError::Full => ("disk_full", "The relay's storage is full."),
            RelayStoreError::Fenced | RelayStoreError::Failed(_) => {
                tracing::error!(%error, "an owner's post could not be kept");
                ("storage_failing", "The relay cannot write to its storage.")
            }
        };
        self.refuse(code, detail.to_owned(), Some(id), Some(STORAGE_WAIT))
            .await
    }
}
