//! The keys of this box, all from its root secret, and the sealing of journal bodies with them.

use std::fmt;

use crate::domain::{EventId, InviteId, PersonKey, RequestKey, Timestamp, WorkshopKey};
use crate::seal::{
    self, InviteSecret, Key, LINK_KEY_PURPOSE, RootSecret, STAFF_ONLY, SealContext, SigningKey,
    ThreadKeys,
};

/// Everything that is derived from the root secret.
pub struct BoxKeys {
    root: RootSecret,
    workshop: WorkshopKey,
    staff: Key,
    /// Signs the journal's head with every batch for the relay: making a pair of it costs as much as
    /// signing.
    link: SigningKey,
}

/// What names an entry and its key, as far as its seal covers it.
#[derive(Clone, Copy)]
pub(super) struct SealHeader<'a> {
    pub(super) id: EventId,
    pub(super) kind: &'a str,
    /// The thread that it belongs to, if any.
    pub(super) thread: Option<RequestKey>,
    /// Who may open it.
    pub(super) under: Under,
}

/// The key that an event is sealed under.
#[derive(Clone, Copy)]
pub(super) enum Under {
    /// The staff's, which no owner ever gets.
    Staff,
    /// The thread's, of this epoch.
    Thread(u16),
}

impl Under {
    /// The key of an entry with these flags.
    pub(super) const fn of(flags: u32, epoch: u16) -> Self {
        if flags & STAFF_ONLY != 0 {
            Self::Staff
        } else {
            Self::Thread(epoch)
        }
    }
}

/// An entry's body, opened.
pub(super) struct OpenedBody {
    pub(super) at: Timestamp,
    pub(super) author: PersonKey,
    pub(super) body: String,
}

impl BoxKeys {
    /// Derives what is needed all the time.
    pub fn new(root: RootSecret) -> Self {
        let id = root.derive("workshop-id", &[]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&id.as_bytes()[..16]);
        Self {
            workshop: WorkshopKey::from_bytes(bytes),
            staff: seal::staff_key(&root),
            link: SigningKey::derive(&root, LINK_KEY_PURPOSE),
            root,
        }
    }

    /// Which workshop this is.
    pub const fn workshop(&self) -> WorkshopKey {
        self.workshop
    }

    /// The 24 words that write the root secret down.
    pub fn recovery_words(&self) -> Vec<String> {
        self.root
            .recovery_words()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// The secret of an owner's link: derived, so that the link can be shown again and is never
    /// stored.
    pub fn invite_secret(&self, invite: InviteId) -> InviteSecret {
        InviteSecret::derive(&self.root, *invite.as_bytes())
    }

    /// The root secret itself, for sealing backups.
    pub(super) const fn root(&self) -> &RootSecret {
        &self.root
    }

    /// A secret of this box for one purpose.
    pub fn secret(&self, purpose: &str) -> Key {
        self.root.derive(purpose, &[])
    }

    /// A key pair of this box for one purpose.
    pub fn signing_key(&self, purpose: &str) -> SigningKey {
        SigningKey::derive(&self.root, purpose)
    }

    /// The key pair that signs journal heads and the link's handshake.
    pub(super) const fn link_key(&self) -> &SigningKey {
        &self.link
    }

    /// The thread's keys of one epoch, as an owner's link carries them.
    pub(super) fn thread_key(&self, thread: RequestKey, epoch: u16) -> Key {
        seal::thread_key(&self.root, *thread.as_bytes(), epoch)
    }

    /// The key that seals what the holder of a link sends.
    pub(super) fn post_key(&self, thread: RequestKey, epoch: u16, invite: InviteId) -> Key {
        let thread = ThreadKeys::derive(&self.root, *thread.as_bytes(), epoch);
        self.invite_secret(invite)
            .post_key(&thread, *invite.as_bytes())
    }

    /// The sealed body of an entry. Sealing is deterministic, so sealed bytes need not be stored.
    pub(super) fn sealed(
        &self,
        header: &SealHeader<'_>,
        at: Timestamp,
        author: PersonKey,
        body: &str,
    ) -> Vec<u8> {
        let plain = seal::plain(at.0, *author.as_bytes(), body.as_bytes());
        seal::seal(&self.key_of(header), &self.context(header), &plain)
    }

    /// Opens an entry's body; `None` when it was not sealed with this box's keys for that place.
    pub(super) fn opened(&self, header: &SealHeader<'_>, sealed: &[u8]) -> Option<OpenedBody> {
        let plain = seal::open(&self.key_of(header), &self.context(header), sealed).ok()?;
        let opened = seal::Opened::parse(&plain).ok()?;
        Some(OpenedBody {
            at: Timestamp(opened.at_ms),
            author: PersonKey::from_bytes(opened.author),
            body: String::from_utf8(opened.body.to_vec()).ok()?,
        })
    }

    fn context<'h>(&self, header: &SealHeader<'h>) -> SealContext<'h> {
        SealContext {
            workshop: *self.workshop.as_bytes(),
            thread: header.thread.map(|thread| *thread.as_bytes()),
            event: *header.id.as_bytes(),
            kind: header.kind,
        }
    }

    fn key_of(&self, header: &SealHeader<'_>) -> Key {
        match (header.under, header.thread) {
            (Under::Staff, _) | (Under::Thread(_), None) => self.staff.clone(),
            (Under::Thread(epoch), Some(thread)) => {
                ThreadKeys::derive(&self.root, *thread.as_bytes(), epoch).journal
            }
        }
    }
}

impl fmt::Debug for BoxKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoxKeys({})", self.workshop)
    }
}
