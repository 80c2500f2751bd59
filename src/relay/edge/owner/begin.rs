//! What a page is sent: hello, what it missed, and what is new, read from the store as it is taken.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;

use super::talk::{Talk, failed};
use crate::domain::{LogId, Seq, Timestamp};
use crate::http::pump::End;
use crate::http::upgrade::CloseReason;
use crate::relay::presence::{Cut, Look};
use crate::relay::store::{RelayStore, WorkshopState};
use crate::seal::{FROM_OWNER, Position, SealedEntry, Wrap};
use crate::wire::owner::{
    ENTRIES_PER_FRAME_MAX, ENTRY_BYTES_PER_FRAME_MAX, OwnerEntry, OwnerWrap, RelayFrame,
};
use crate::wire::rfc3339;

/// The copy is not the one that the page follows: it comes back and begins anew.
const BEGIN_ANEW: CloseReason = CloseReason {
    code: 1012,
    text: "begin anew",
};

impl<S: RelayStore> Talk<'_, S> {
    /// Says hello, then everything after what the page has.
    pub(super) async fn begin(&mut self, log: Option<LogId>, after: Seq) -> Result<(), End> {
        // Asked again from its place: a link that was taken back on the way here cut nobody.
        self.still_opens().await?;
        let state = self.state().await?;
        let (position, doors) = state
            .as_ref()
            .map_or((None, Vec::new()), |it| (it.position, it.doors.clone()));
        let (known, head) = end_of(position);
        self.log = known;
        self.sent = if known.is_some() && known == log && after <= head {
            after.max(Seq(0))
        } else {
            Seq(0)
        };
        self.head = head;
        let wraps = self.read_wraps().await?;
        let (workshop_online, offline_since) = self.presence_of(state.as_ref());
        let belongs = *self.place.belongs();
        self.tell(RelayFrame::Hello {
            workshop: belongs.workshop.uuid(),
            thread: belongs.thread.uuid(),
            invite: belongs.invite.uuid(),
            log: known.map(LogId::uuid),
            head: head.0,
            from: self.sent.0,
            workshop_online,
            offline_since,
            expires_at: rfc3339(belongs.expires),
            wraps: wraps.iter().map(owner_wrap).collect(),
            vapid: self.relay.secrets.vapid.public_key(),
            doors,
            now: rfc3339(self.relay.clock.now()),
        })
        .await?;
        self.send_stretches(true).await
    }

    /// Sends what is new, if anything is.
    pub(super) async fn look(&mut self, how: Look) -> Result<(), End> {
        if how == Look::All {
            self.still_opens().await?;
        }
        self.send_stretches(false).await
    }

    /// Entries after the last one sent, frame by frame; in the beginning at least one frame, so that
    /// the page knows that it has everything.
    async fn send_stretches(&mut self, mut owes_a_frame: bool) -> Result<(), End> {
        let belongs = *self.place.belongs();
        loop {
            let stretch = self.relay.store.thread(
                belongs.workshop,
                belongs.thread,
                self.sent,
                ENTRIES_PER_FRAME_MAX,
                ENTRY_BYTES_PER_FRAME_MAX,
            );
            let stretch = stretch.await.map_err(|error| failed(&error))?;
            // Read after the entries: incarnations never come back, so these entries are of this one.
            let position = self.state().await?.and_then(|state| state.position);
            let (log, head) = end_of(position);
            if log != self.log {
                return Err(End::Close(BEGIN_ANEW));
            }
            let newest = stretch.entries.iter().map(|entry| entry.epoch).max();
            // New keys come with an entry that owners do not see, or before one that needs them.
            if stretch.entries.is_empty() || newest > Some(self.epoch) {
                self.send_new_wraps().await?;
            }
            if stretch.entries.is_empty() && !owes_a_frame {
                self.head = head;
                return Ok(());
            }
            owes_a_frame = false;
            if let Some(last) = stretch.entries.last() {
                self.sent = last.seq;
            }
            // The head of the look before was read before these entries: nothing up to it is missing.
            let up_to = self.head.max(self.sent);
            let more = stretch.more;
            let entries = stretch.entries.into_iter().map(owner_entry).collect();
            self.tell(RelayFrame::Entries {
                log: log.map(LogId::uuid),
                head: up_to.0,
                entries,
                more,
            })
            .await?;
            if !more {
                self.head = up_to;
                return Ok(());
            }
        }
    }

    async fn still_opens(&mut self) -> Result<(), End> {
        let invite = self.relay.store.invite(self.place.belongs().invite).await;
        let invite = invite.map_err(|error| failed(&error))?;
        let now = self.relay.clock.now().0;
        let cut = match invite {
            Some(invite) if !invite.revoked && invite.expires_ms > now => return Ok(()),
            Some(invite) if !invite.revoked => Cut::Expired,
            Some(_) | None => Cut::Revoked,
        };
        Err(self.say_gone(cut).await)
    }

    async fn send_new_wraps(&mut self) -> Result<(), End> {
        let had = self.wraps;
        let wraps = self.read_wraps().await?;
        if wraps.len() == had {
            return Ok(());
        }
        let wraps = wraps.iter().map(owner_wrap).collect();
        self.tell(RelayFrame::Wraps { wraps }).await
    }

    async fn read_wraps(&mut self) -> Result<Vec<Wrap>, End> {
        let wraps = self.relay.store.wraps(self.place.belongs().invite).await;
        let wraps = wraps.map_err(|error| failed(&error))?;
        self.wraps = wraps.len();
        self.epoch = wraps.iter().map(|wrap| wrap.epoch).max().unwrap_or(0);
        Ok(wraps)
    }

    async fn state(&mut self) -> Result<Option<WorkshopState>, End> {
        let state = self.relay.store.state(self.place.belongs().workshop).await;
        state.map_err(|error| failed(&error))
    }

    /// Whether the workshop is there, and since when it is not.
    pub(super) async fn presence(&mut self) -> Result<(bool, Option<String>), End> {
        let state = self.state().await?;
        Ok(self.presence_of(state.as_ref()))
    }

    fn presence_of(&self, state: Option<&WorkshopState>) -> (bool, Option<String>) {
        let there = self.relay.presence.online(self.place.belongs().workshop);
        if there.online {
            return (true, None);
        }
        // After a restart of ours only the store knows when the box was last heard of.
        let heard = state.map(|state| state.seen_ms).filter(|ms| *ms > 0);
        let since = there.since.or(heard.map(Timestamp));
        (false, since.map(rfc3339))
    }
}

fn end_of(position: Option<Position>) -> (Option<LogId>, Seq) {
    position.map_or((None, Seq(0)), |it| (Some(it.log), it.seq))
}

fn owner_wrap(wrap: &Wrap) -> OwnerWrap {
    OwnerWrap {
        epoch: wrap.epoch,
        wrapped: BASE64.encode(&wrap.wrapped),
    }
}

fn owner_entry(entry: SealedEntry) -> OwnerEntry {
    OwnerEntry {
        seq: entry.seq.0,
        id: entry.id.uuid(),
        kind: entry.kind,
        from_owner: entry.flags & FROM_OWNER != 0,
        epoch: entry.epoch,
        body: entry.body.map(|body| BASE64.encode(body)),
    }
}
