//! Random numbers that can be had again: SplitMix64, seeded from `MOTOREACH_SEED` or the system.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

pub struct Random(u64);

impl Random {
    /// Prints the seed, so that a failing run can be had again.
    pub fn announced(test: &str) -> Self {
        let given = std::env::var("MOTOREACH_SEED").ok();
        let seed = given.map_or_else(
            || RandomState::new().build_hasher().finish() % 1_000_000,
            |seed| seed.parse().expect("MOTOREACH_SEED is a number"),
        );
        println!("{test}: MOTOREACH_SEED={seed}");
        Self(seed)
    }

    /// Another source that follows from this one.
    pub fn child(&mut self) -> Self {
        Self(self.next())
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A time shorter than `end`.
    pub fn shorter(&mut self, end: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(end.as_micros()).unwrap()))
    }
}

/// Random bytes that need not come again: keys and nonces.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).unwrap();
    bytes
}
