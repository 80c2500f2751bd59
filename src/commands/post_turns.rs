//! The order of owners' posts on their way in: none is taken before one that the same phone offered
//! earlier and that is not in the journal yet.
//!
//! Posts are queued together and share commits, and any of them may have to wait: a quota, a disk that
//! is full, a writer that is busy. What its phone offered after it waits with it, until it comes again;
//! other phones go on. Kept for one session: whoever offers begins the next from the oldest again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{AcceptPost, Accepted};
use crate::domain::{DeviceId, EventId};
use crate::seal::SealedPost;
use crate::store::{self, CommandResult, StoreError, View, WriteTx};

/// Phones remembered in one session. With more of them waiting, everything waits for the next one.
const PHONES_MAX: usize = 4_096;

/// Whose turn it is; clones share it.
#[derive(Clone, Default)]
pub struct PostTurns {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    offered: u64,
    phones: HashMap<DeviceId, Phone>,
    /// More phones wait than are remembered.
    crowded: bool,
}

/// What one phone waits for.
#[derive(Clone, Copy, Default)]
struct Phone {
    /// The earliest that was put off.
    put_off: Option<Turn>,
    /// The newest that was taken; its commit may still fail.
    taken: Option<Turn>,
}

/// The turn of one post: when it was offered, among all of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    number: u64,
    device: DeviceId,
    id: EventId,
}

impl Turn {
    /// Whose turn it is.
    pub const fn id(&self) -> EventId {
        self.id
    }
}

impl PostTurns {
    /// A post was offered. To be called in the order in which they come.
    pub fn offered(&self, post: &SealedPost) -> Turn {
        let mut state = self.state();
        state.offered += 1;
        Turn {
            number: state.offered,
            device: post.device,
            id: post.id,
        }
    }

    /// Takes a post in if it is its turn.
    ///
    /// # Errors
    /// Only what the disk says.
    pub fn take(
        &self,
        tx: &mut WriteTx<'_>,
        turn: Turn,
        post: SealedPost,
    ) -> CommandResult<Accepted> {
        if self.waits_for_another(tx, turn)? && store::known(tx, turn.id)?.is_none() {
            return Ok(Accepted::Later("not_its_turn"));
        }
        let accepted = AcceptPost { post }.run(tx)?;
        match accepted {
            Accepted::Journalled { .. } | Accepted::Known => self.taken(turn),
            Accepted::Unauthentic(_) => self.passed(turn),
            Accepted::Later(_) => self.put_off(turn),
        }
        Ok(accepted)
    }

    /// It was not taken, and comes again: whatever its phone offered after it waits for it.
    pub fn put_off(&self, turn: Turn) {
        let mut state = self.state();
        let Some(phone) = state.phone(turn.device) else {
            return;
        };
        let is_first = phone.put_off.is_none_or(|it| turn.number < it.number);
        if is_first {
            phone.put_off = Some(turn);
        }
    }

    fn waits_for_another(&self, view: &View<'_>, turn: Turn) -> Result<bool, StoreError> {
        let (phone, crowded) = {
            let state = self.state();
            let phone = state.phones.get(&turn.device).copied();
            (phone.unwrap_or_default(), state.crowded)
        };
        if crowded {
            return Ok(true);
        }
        let before = |other: &Turn| other.number < turn.number && other.id != turn.id;
        if phone.put_off.as_ref().is_some_and(before) {
            return Ok(true);
        }
        if let Some(taken) = phone.taken.filter(before)
            && store::known(view, taken.id)?.is_none()
        {
            // What it was taken with was never committed.
            self.put_off(taken);
            return Ok(true);
        }
        Ok(false)
    }

    fn taken(&self, turn: Turn) {
        self.passed(turn);
        if let Some(phone) = self.state().phone(turn.device) {
            phone.taken = Some(turn);
        }
    }

    /// Nothing waits for it any more.
    fn passed(&self, turn: Turn) {
        let mut state = self.state();
        if let Some(phone) = state.phones.get_mut(&turn.device)
            && phone.put_off.is_some_and(|it| it.id == turn.id)
        {
            phone.put_off = None;
        }
    }

    /// Nothing in here panics while it holds the lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn phone(&mut self, device: DeviceId) -> Option<&mut Phone> {
        if self.phones.len() >= PHONES_MAX && !self.phones.contains_key(&device) {
            self.phones.retain(|_, phone| phone.put_off.is_some());
            if self.phones.len() >= PHONES_MAX {
                self.crowded = true;
                return None;
            }
        }
        Some(self.phones.entry(device).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::post_desk_test::{Desk, desk};
    use crate::store::link::posts::POSTS_PER_LINK_MAX;

    fn takes(desk: &Desk, turns: &PostTurns, turn: Turn, post: &SealedPost) -> Accepted {
        let (turns, post) = (turns.clone(), post.clone());
        desk.store
            .write(move |tx| turns.take(tx, turn, post))
            .unwrap()
    }

    fn is_in(accepted: Accepted) -> bool {
        matches!(accepted, Accepted::Journalled { .. })
    }

    #[test]
    fn what_was_put_off_is_not_overtaken_by_its_own_phone() {
        let desk = desk();
        for seq in 1..=POSTS_PER_LINK_MAX {
            desk.takes(&desk.message(seq, "again"));
        }
        let turns = PostTurns::default();
        let posts = [1, 2, 3].map(|more| desk.message(POSTS_PER_LINK_MAX + more, "in order"));
        let offered = posts.each_ref().map(|post| turns.offered(post));
        assert_eq!(
            takes(&desk, &turns, offered[0], &posts[0]),
            Accepted::Later("too_many")
        );
        // There is room again while the others are on their way.
        desk.clock.advance_ms(3_600_001);
        for at in [1, 2] {
            let accepted = takes(&desk, &turns, offered[at], &posts[at]);
            assert_eq!(accepted, Accepted::Later("not_its_turn"));
        }
        // They are offered again from the oldest on.
        for post in &posts {
            let turn = turns.offered(post);
            assert!(is_in(takes(&desk, &turns, turn, post)));
        }
    }

    #[test]
    fn what_was_taken_and_not_committed_is_not_overtaken_either() {
        let desk = desk();
        let turns = PostTurns::default();
        let posts = [1, 2].map(|seq| desk.message(seq, "in order"));
        let offered = posts.each_ref().map(|post| turns.offered(post));
        let lost = desk.store.write(|tx| {
            turns.take(tx, offered[0], posts[0].clone())?;
            Err::<(), _>(StoreError::Full.into())
        });
        assert!(lost.is_err());
        let accepted = takes(&desk, &turns, offered[1], &posts[1]);
        assert_eq!(accepted, Accepted::Later("not_its_turn"));
        for post in &posts {
            let turn = turns.offered(post);
            assert!(is_in(takes(&desk, &turns, turn, post)));
        }
    }

    #[test]
    fn what_came_before_and_is_still_under_way_goes_first() {
        let desk = desk();
        let turns = PostTurns::default();
        let posts = [1, 2, 3].map(|seq| desk.message(seq, "in order"));
        let offered = posts.each_ref().map(|post| turns.offered(post));
        // The writer had no room for the second while the first was waiting for its turn.
        turns.put_off(offered[1]);
        assert!(is_in(takes(&desk, &turns, offered[0], &posts[0])));
        let accepted = takes(&desk, &turns, offered[2], &posts[2]);
        assert_eq!(accepted, Accepted::Later("not_its_turn"));
        let again = turns.offered(&posts[0]);
        assert_eq!(takes(&desk, &turns, again, &posts[0]), Accepted::Known);
        for post in &posts[1..] {
            let turn = turns.offered(post);
            assert!(is_in(takes(&desk, &turns, turn, post)));
        }
    }

    #[test]
    fn nobody_waits_for_another_phone_or_for_what_no_owner_wrote() {
        let desk = desk();
        let turns = PostTurns::default();
        let mut other = desk.message(1, "another phone");
        other.device = DeviceId::from_bytes([9; 16]);
        turns.put_off(turns.offered(&other));
        let post = desk.message(1, "mine");
        let mut forged = desk.message(2, "forged");
        forged.sealed[20] ^= 1;
        let turn = turns.offered(&forged);
        assert_eq!(
            takes(&desk, &turns, turn, &forged),
            Accepted::Unauthentic("unreadable")
        );
        let turn = turns.offered(&post);
        assert!(is_in(takes(&desk, &turns, turn, &post)));
    }
}
