//! Which copy of a box may go on (`sync.md` §4). Pure: every store of a relay keeps a `Standing` and
//! asks it.
//!
//! The relay renews a grant in each session, and the box stores it before it goes on. The grant that
//! a box was last let in with and the one it was then given are current: a line cut between the two
//! harms nobody. A grant of a later generation than any that was given shows that the *relay* went
//! back in time, and is current too. Any other belongs to an older copy of the box: the first is taken
//! for a restore; a second within 30 days shows that two copies are alive, and nobody goes on until an
//! admin declares one of them the real one.

use crate::domain::Timestamp;
use crate::seal::Lineage;
use crate::sync::link::kept::SessionAsked;
use crate::wire::link::Verdict;

/// How long an older copy is remembered: 30 days.
pub const COPY_REMEMBERED_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// No relay comes this far; whoever shows a later generation made it up. Fits SQL's numbers.
pub const GENERATION_MAX: u64 = 1 << 60;

/// What a relay remembers of the copies of one box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The workshop's key; never changes.
    pub public_key: [u8; 32],
    /// The grant that the box was last known to hold; none before its first.
    pub held: Option<Lineage>,
    /// The newest grant; its generation is the fence of the newest session.
    pub offered: Lineage,
    /// When an older copy was last taken for a restore.
    pub restored: Option<Timestamp>,
    /// When a copy was last declared the real one.
    pub claimed: Option<Timestamp>,
    /// Whether two copies are alive and none was declared the real one.
    pub quarantined: bool,
}

impl Standing {
    /// A workshop that enters now, already granted its first session.
    pub fn entering(asked: &SessionAsked) -> Self {
        Self {
            public_key: asked.public_key,
            held: asked.lineage,
            offered: Lineage {
                generation: asked.lineage.map_or(1, successor),
                nonce: asked.grant_nonce,
            },
            restored: None,
            claimed: asked.claim.then_some(asked.now),
            quarantined: false,
        }
    }

    /// What a hello of a known workshop gets. Whatever has to be remembered of it is in `self` then;
    /// with `Superseded` and `Unknown` nothing.
    pub fn hello(&mut self, asked: &SessionAsked) -> Verdict {
        if asked.public_key != self.public_key {
            return Verdict::Unknown;
        }
        if asked.claim {
            self.quarantined = false;
            self.claimed = Some(asked.now);
            self.restored = None;
            self.grant(asked);
            return Verdict::Resume;
        }
        if self.quarantined {
            return Verdict::Quarantined;
        }
        if self.is_current(asked.lineage) {
            self.grant(asked);
            return Verdict::Resume;
        }
        if recent(self.claimed, asked.now) {
            return Verdict::Superseded;
        }
        if recent(self.restored, asked.now) {
            self.quarantined = true;
            return Verdict::Quarantined;
        }
        self.restored = Some(asked.now);
        self.grant(asked);
        Verdict::Restored
    }

    /// The box has stored the newest grant; false when the session is not the newest.
    pub fn confirm(&mut self, generation: u64) -> bool {
        let fits = self.admits(generation);
        if fits {
            self.held = Some(self.offered);
        }
        fits
    }

    /// Whether a session with this generation may still change something.
    pub const fn admits(&self, generation: u64) -> bool {
        !self.quarantined && generation == self.offered.generation
    }

    fn is_current(&self, shown: Option<Lineage>) -> bool {
        shown == self.held
            || shown == Some(self.offered)
            || shown.is_some_and(|shown| {
                shown.generation > self.offered.generation && shown.generation < GENERATION_MAX
            })
    }

    /// From here on what this copy showed and what it gets now are current, and nothing else is.
    fn grant(&mut self, asked: &SessionAsked) {
        let shown = asked.lineage.map_or(0, successor);
        self.held = asked.lineage;
        self.offered = Lineage {
            generation: shown.max(successor(self.offered)),
            nonce: asked.grant_nonce,
        };
    }
}

/// The generation after this one; a made-up one begins again.
const fn successor(grant: Lineage) -> u64 {
    if grant.generation < GENERATION_MAX {
        grant.generation + 1
    } else {
        1
    }
}

fn recent(then: Option<Timestamp>, now: Timestamp) -> bool {
    then.is_some_and(|then| now.0.saturating_sub(then.0) < COPY_REMEMBERED_MS)
}
