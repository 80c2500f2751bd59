//! The keys of this box, all from its root secret, and the sealing of journal bodies with them.

use std::fmt;

use crate::domain::{EventId, InviteId, PersonKey, RequestKey, Timestamp, WorkshopKey};
use crate::seal::{self, InviteSecret, Key, RootSecret, SealContext, SigningKey, ThreadKeys};

/// Everything that is derived from the root secret.
pub struct BoxKeys {
    root: RootSecret,
    workshop: WorkshopKey,
    staff: Key,
}

/// The header of an event, as far as its seal covers it.
#[derive(Clone, Copy)]
pub(super) struct SealHeader<'a> {
    pub(super) id: EventId,
    pub(super) kind: &'a str,
    /// The thread that it belongs to, if any.
    pub(super) thread: Option<RequestKey>,
    /// Who may open it.
    pub(super) under: Under,
    pub(super) at: Timestamp,
    pub(super) author: PersonKey,
}

/// The key that an event is sealed under.
#[derive(Clone, Copy)]
pub(super) enum Under {
    /// The staff's, which no owner ever gets.
    Staff,
    /// The thread's, of this epoch.
    Thread(u16),
}

impl BoxKeys {
    /// Derives what is needed all the time.
    pub fn new(root: RootSecret) -> Self {
        let id = root.derive("workshop-id", &[]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&id.as_bytes()[..16]);
        let staff = seal::staff_key(&root);
        Self {
            workshop: WorkshopKey::from_bytes(bytes),
            staff,
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

    /// A secret of this box for one purpose.
    pub fn secret(&self, purpose: &str) -> Key {
        self.root.derive(purpose, &[])
    }

    /// A key pair of this box for one purpose.
    pub fn signing_key(&self, purpose: &str) -> SigningKey {
        SigningKey::derive(&self.root, purpose)
    }

    /// SHA-256 of the sealed body: what the chain binds. Sealing is deterministic, so sealed bytes
    /// need not be stored.
    pub(super) fn body_sha(&self, header: SealHeader<'_>, body: &str) -> [u8; 32] {
        seal::body_sha(&self.sealed(header, body))
    }

    fn sealed(&self, header: SealHeader<'_>, body: &str) -> Vec<u8> {
        let context = SealContext {
            workshop: *self.workshop.as_bytes(),
            thread: header.thread.map(|thread| *thread.as_bytes()),
            event: *header.id.as_bytes(),
            kind: header.kind,
        };
        let plain = seal::plain(header.at.0, *header.author.as_bytes(), body.as_bytes());
        match (header.under, header.thread) {
            (Under::Staff, _) | (Under::Thread(_), None) => {
                seal::seal(&self.staff, &context, &plain)
            }
            (Under::Thread(epoch), Some(thread)) => {
                let keys = ThreadKeys::derive(&self.root, *thread.as_bytes(), epoch);
                seal::seal(&keys.journal, &context, &plain)
            }
        }
    }
}

impl fmt::Debug for BoxKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoxKeys({})", self.workshop)
    }
}
