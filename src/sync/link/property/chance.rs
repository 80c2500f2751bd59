//! What may happen, how likely, and how often it did.

use crate::domain::EventId;

/// What may befall boxes and relays, besides the network.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    pub(super) restored_box: bool,
    pub(super) restored_relay: bool,
    pub(super) cloned: bool,
}

/// How often things happened, so that a test that meets nothing fails.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) sessions: u64,
    pub(super) cuts: u64,
    pub(super) doubled: u64,
    pub(super) ghosts: u64,
    pub(super) merges: u64,
    pub(super) boxes_restored: u64,
    pub(super) relays_restored: u64,
    pub(super) relays_wiped: u64,
    pub(super) clones: u64,
    pub(super) quarantines: u64,
    pub(super) posts: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.cuts += other.cuts;
        self.doubled += other.doubled;
        self.ghosts += other.ghosts;
        self.merges += other.merges;
        self.boxes_restored += other.boxes_restored;
        self.relays_restored += other.relays_restored;
        self.relays_wiped += other.relays_wiped;
        self.clones += other.clones;
        self.quarantines += other.quarantines;
        self.posts += other.posts;
    }

    /// A run that met none of what it is about proves nothing.
    pub(super) fn must_have_met(&self, faults: Faults, runs: u64) {
        if runs < 100 {
            return;
        }
        assert!(self.cuts > runs && self.doubled > runs && self.posts > runs);
        assert!(self.ghosts > 0);
        assert!(!faults.restored_box || (self.boxes_restored > 0 && self.merges > 0));
        assert!(!faults.restored_relay || (self.relays_restored > 0 && self.relays_wiped > 0));
        assert!(!faults.cloned || (self.clones > 0 && self.quarantines > 0 && self.merges > 0));
    }
}

/// SplitMix64: the same seed, the same run.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    #[expect(clippy::cast_precision_loss, reason = "a chance need not be exact")]
    pub(super) fn chance(&mut self, of: f64) -> bool {
        (self.next() >> 11) as f64 / ((1_u64 << 53) as f64) < of
    }

    pub(super) fn bytes(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes());
        bytes
    }

    pub(super) fn event(&mut self) -> EventId {
        EventId::from_bytes(self.bytes())
    }
}
