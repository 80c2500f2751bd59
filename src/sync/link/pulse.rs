//! Whether the other end is still there: a ping after some silence, an end after more of it.

/// Silence, in milliseconds, after which an end asks for a sign of life; ± 20 % so that ten thousand
/// boxes do not ask at once.
pub const PING_AFTER_MS: u64 = 20_000;
/// Silence, in milliseconds, after which the line is dead.
pub const DEAD_AFTER_MS: u64 = 50_000;

/// One end's view of the line's silence. Times are milliseconds of a clock that only runs forward.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    heard: u64,
    asked: u64,
    ping_after: u64,
}

/// What to do about the silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Nothing yet.
    Quiet,
    /// Ask for a sign of life.
    Ping,
    /// Give the line up.
    Dead,
}

impl Pulse {
    /// A line that was just opened. `spread` is random.
    pub fn new(now_ms: u64, spread: u8) -> Self {
        let fifth = PING_AFTER_MS / 5;
        Self {
            heard: now_ms,
            asked: now_ms,
            ping_after: PING_AFTER_MS - fifth + u64::from(spread) * 2 * fifth / 255,
        }
    }

    /// Something came in.
    pub fn heard(&mut self, now_ms: u64) {
        self.heard = now_ms;
    }

    /// What is due now; a ping is due once for each stretch of silence.
    pub fn beat(&mut self, now_ms: u64) -> Beat {
        if now_ms.saturating_sub(self.heard) >= DEAD_AFTER_MS {
            return Beat::Dead;
        }
        if now_ms >= self.ping_at() {
            self.asked = now_ms;
            return Beat::Ping;
        }
        Beat::Quiet
    }

    /// When to look again.
    pub fn next_ms(&self) -> u64 {
        self.ping_at().min(self.heard + DEAD_AFTER_MS)
    }

    fn ping_at(&self) -> u64 {
        self.heard.max(self.asked) + self.ping_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_asked_about_and_then_given_up() {
        let mut pulse = Pulse::new(1_000, 128);
        assert_eq!(pulse.beat(15_000), Beat::Quiet);
        assert_eq!(pulse.beat(22_000), Beat::Ping);
        assert_eq!(pulse.beat(22_001), Beat::Quiet);
        pulse.heard(23_000);
        assert_eq!(pulse.beat(60_000), Beat::Ping);
        assert_eq!(pulse.beat(72_999), Beat::Quiet);
        assert_eq!(pulse.beat(73_000), Beat::Dead);
    }

    #[test]
    fn pings_are_spread_by_a_fifth_either_way() {
        assert_eq!(Pulse::new(0, 0).next_ms(), 16_000);
        assert_eq!(Pulse::new(0, 255).next_ms(), 24_000);
    }
}
