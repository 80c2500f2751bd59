//! A moment as the box saw it. It is for people to read; it never orders anything (invariant 9).

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This moment, `ms` milliseconds later.
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Whole seconds since 1970, as tokens count them.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }
}
