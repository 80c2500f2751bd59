//! The keys of one service request's conversation, and the staff key.
//!
//! The box derives them from the root; an owner's page from the thread key its invite carries.
//! Both must come to the same two keys, one per direction, so that a post sent back as a journal
//! entry opens for nobody.

use super::key::Key;
use super::root::RootSecret;

/// One key per direction of a conversation, for one epoch of its thread key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadKeys {
    /// Box → owners: seals journal entries. HKDF(thread key, empty salt, "journal").
    pub journal: Key,
    /// Owners → box: seals posts. HKDF(thread key, empty salt, "post").
    pub post: Key,
}

impl ThreadKeys {
    /// The box's way: from the root, the thread's id and the epoch of its key.
    pub fn derive(root: &RootSecret, thread: [u8; 16], epoch: u16) -> Self {
        Self::from_thread_key(thread_key(root, thread, epoch))
    }

    /// The owner's way: from the thread key that `InviteSecret::unwrap` gave.
    ///
    /// By value: whoever has the two keys has no more use for the one they come from.
    pub fn from_thread_key(thread_key: Key) -> Self {
        Self {
            journal: Key::hkdf(thread_key.as_bytes(), &[], &[b"journal"]),
            post: Key::hkdf(thread_key.as_bytes(), &[], &[b"post"]),
        }
    }
}

/// The key an invite carries: `root.derive("thread", [thread, epoch as u16 BE])`.
///
/// A new epoch begins when an invite is revoked: who was let out keeps what it could already
/// read and can read nothing later.
pub fn thread_key(root: &RootSecret, thread: [u8; 16], epoch: u16) -> Key {
    root.derive("thread", &[&thread, &epoch.to_be_bytes()])
}

/// The key of events that no owner may read: `root.derive("staff", [])`.
pub fn staff_key(root: &RootSecret) -> Key {
    root.derive("staff", &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn box_and_owner_come_to_the_same_keys() {
        let root = RootSecret::from_bytes([7; 32]);
        let by_owner = ThreadKeys::from_thread_key(thread_key(&root, [1; 16], 3));
        assert_eq!(ThreadKeys::derive(&root, [1; 16], 3), by_owner);
    }

    #[test]
    fn every_thread_epoch_and_direction_has_its_own_key() {
        let root = RootSecret::from_bytes([7; 32]);
        let mut keys = vec![
            staff_key(&root),
            staff_key(&RootSecret::from_bytes([8; 32])),
        ];
        for (thread, epoch) in [([1; 16], 0), ([1; 16], 1), ([2; 16], 0), ([1; 16], 256)] {
            let ThreadKeys { journal, post } = ThreadKeys::derive(&root, thread, epoch);
            keys.extend([journal, post, thread_key(&root, thread, epoch)]);
        }
        for (i, a) in keys.iter().enumerate() {
            for b in &keys[i + 1..] {
                assert_ne!(a, b);
            }
        }
    }
}
