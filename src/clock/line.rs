//! The rules by which the machine's time becomes ours. Plain values in and out: the machine is looked
//! at elsewhere.
//!
//! While nobody told the machine the time, ours runs on by the monotonic clock from the latest that is
//! known and follows the machine only forward: a jump back changes nothing. A leap of years is not
//! followed either, once the time was known at all: nobody is signed out and nothing expires because
//! a clock was in 2040 for a minute.
//!
//! Once the machine was told (NTP), it is believed, both ways. A small step back is waited out, so that
//! a conversation's times do not run backwards; a large one is followed at once, because waiting for
//! it could take years. This is the one case in which time goes back, and what heals a floor that lies
//! in the future. Where no network ever tells, removing the file `clock-floor` and a restart do.

use super::Quality;

/// A step back up to here is waited out, in milliseconds: 5 minutes.
pub(super) const HELD_MS: i64 = 5 * 60 * 1_000;
/// A box may have been switched off for so long, in milliseconds: three years. More is believed of a
/// machine that was told, or of one that we know nothing better about.
pub(super) const PLAUSIBLE_MS: i64 = 3 * 365 * 24 * 3_600 * 1_000;
/// Whether the machine was told meanwhile is asked again after so long, in milliseconds.
const ASKED_AGAIN_MS: i64 = 10_000;

/// One look at the machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// What it says, in milliseconds since 1970.
    pub(super) machine_ms: i64,
    /// Milliseconds since this run began, by a clock that only runs forward.
    pub(super) run_ms: i64,
    /// Whether it was told the time since it was switched on.
    pub(super) sure: bool,
}

/// A time and when in the run it was so.
#[derive(Clone, Copy, Debug)]
struct Mark {
    ms: i64,
    run_ms: i64,
}

impl Mark {
    /// What it is by now, had the time just run on.
    const fn at(self, run_ms: i64) -> i64 {
        self.ms.saturating_add(run_ms.saturating_sub(self.run_ms))
    }
}

/// Where the line begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Known {
    /// An earlier run said how late it was.
    Before(i64),
    /// Only that this program was built.
    Nothing,
}

#[derive(Debug)]
pub(super) struct Line {
    told: Mark,
    /// Whether there is any reason to doubt a leap: the time was known once.
    known: bool,
    sure: bool,
    asked_run_ms: Option<i64>,
}

impl Line {
    /// A run begins.
    pub(super) fn beginning(known: Known) -> Self {
        let (ms, known) = match known {
            Known::Before(ms) => (ms.max(super::FLOOR_MS), true),
            Known::Nothing => (super::FLOOR_MS, false),
        };
        Self {
            told: Mark { ms, run_ms: 0 },
            known,
            sure: false,
            asked_run_ms: None,
        }
    }

    /// Whether the machine was told; asks again now and then until it was, and never after.
    pub(super) fn is_sure_at(&mut self, run_ms: i64, ask: impl FnOnce() -> bool) -> bool {
        let due = self
            .asked_run_ms
            .is_none_or(|asked| run_ms.saturating_sub(asked) >= ASKED_AGAIN_MS);
        if !self.sure && due {
            self.asked_run_ms = Some(run_ms);
            self.sure = ask();
        }
        self.sure
    }

    /// Now.
    pub(super) fn now(&mut self, moment: Moment) -> i64 {
        let Moment {
            machine_ms: ms,
            run_ms,
            sure,
        } = moment;
        let on_ms = self.told.at(run_ms);
        if ms < on_ms && sure && ms >= super::FLOOR_MS {
            if on_ms - ms <= HELD_MS {
                // It stands still until the machine is as late.
                let ms = self.told.ms.max(ms);
                self.told = Mark { ms, run_ms };
            } else {
                let back_s = (on_ms - ms) / 1_000;
                tracing::warn!(back_s, "the clock was ahead, and was put right");
                self.told = Mark { ms, run_ms };
            }
        } else if ms > on_ms && (sure || !self.known || ms - on_ms <= PLAUSIBLE_MS) {
            self.told = Mark { ms, run_ms };
            self.known = true;
        }
        self.told.at(run_ms)
    }

    /// How far `now` can be relied on.
    pub(super) fn quality(&mut self, moment: Moment) -> Quality {
        let now_ms = self.now(moment);
        if moment.sure && moment.machine_ms >= super::FLOOR_MS {
            Quality::Sure
        } else if (moment.machine_ms - now_ms).abs() > HELD_MS {
            Quality::Floor
        } else {
            Quality::NotSure
        }
    }

    /// It was so late already, by what this box wrote itself.
    pub(super) fn was_already(&mut self, ms: i64, moment: Moment) {
        let now_ms = self.now(moment);
        if !moment.sure && ms > now_ms && ms - now_ms <= PLAUSIBLE_MS {
            let run_ms = moment.run_ms;
            self.told = Mark { ms, run_ms };
            self.known = true;
        }
    }

    /// How late it is, where that is more than the day this program was built.
    pub(super) fn worth_keeping(&mut self, moment: Moment) -> Option<i64> {
        let now_ms = self.now(moment);
        self.known.then_some(now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = super::super::FLOOR_MS + 1_000_000_000;
    const HOUR: i64 = 3_600 * 1_000;
    const DAY: i64 = 24 * HOUR;
    const FOURTEEN_YEARS: i64 = 14 * 365 * DAY;

    fn unsure(run_ms: i64, machine_ms: i64) -> Moment {
        Moment {
            machine_ms,
            run_ms,
            sure: false,
        }
    }

    fn sure(run_ms: i64, machine_ms: i64) -> Moment {
        Moment {
            sure: true,
            ..unsure(run_ms, machine_ms)
        }
    }

    #[test]
    fn in_1970_time_runs_on_from_the_floor() {
        let mut line = Line::beginning(Known::Before(START));
        assert_eq!(line.now(unsure(0, 0)), START);
        assert_eq!(line.now(unsure(HOUR, HOUR)), START + HOUR);
        assert_eq!(line.quality(unsure(HOUR, HOUR)), Quality::Floor);
        assert_eq!(line.worth_keeping(unsure(HOUR, HOUR)), Some(START + HOUR));
    }

    #[test]
    fn the_network_tells_late_and_is_believed() {
        let mut line = Line::beginning(Known::Before(START));
        line.now(unsure(HOUR, HOUR));
        let truth = START + 9 * DAY;
        assert_eq!(line.now(sure(2 * HOUR, truth)), truth);
        assert_eq!(line.quality(sure(2 * HOUR, truth)), Quality::Sure);
        assert_eq!(line.worth_keeping(sure(2 * HOUR, truth)), Some(truth));
    }

    #[test]
    fn a_machine_that_was_not_told_never_takes_time_back() {
        let mut line = Line::beginning(Known::Before(START));
        let ahead = START + 3 * DAY;
        assert_eq!(line.now(unsure(10, ahead)), ahead);
        for machine in [START, 0, ahead - 1] {
            assert_eq!(line.now(unsure(20, machine)), ahead + 10);
        }
        assert_eq!(line.now(unsure(HOUR, 0)), ahead + HOUR - 10);
    }

    #[test]
    fn many_looks_do_not_slow_it_down() {
        let mut line = Line::beginning(Known::Before(START));
        for run_ms in 0..5_000 {
            assert_eq!(line.now(unsure(run_ms, 0)), START + run_ms);
        }
    }

    #[test]
    fn a_small_step_back_is_waited_out_and_a_large_one_followed() {
        let mut line = Line::beginning(Known::Before(START));
        let now = START + DAY;
        assert_eq!(line.now(sure(0, now)), now);
        assert_eq!(line.now(sure(1_000, now - HELD_MS / 2)), now);
        assert_eq!(line.now(sure(2_000, now - HELD_MS / 2 + 1_000)), now);
        assert_eq!(
            line.now(sure(HELD_MS, now + HELD_MS / 2)),
            now + HELD_MS / 2
        );
        let back = now - 3 * DAY;
        assert_eq!(line.now(sure(HELD_MS + 1, back)), back);
        assert_eq!(line.worth_keeping(sure(HELD_MS + 1, back)), Some(back));
    }

    #[test]
    fn a_minute_in_2040_changes_nothing() {
        let mut line = Line::beginning(Known::Before(START));
        let wrong = START + FOURTEEN_YEARS;
        assert_eq!(line.now(unsure(0, wrong)), START);
        assert_eq!(line.quality(unsure(0, wrong)), Quality::Floor);
        assert_eq!(line.now(unsure(10, START + DAY)), START + DAY);
        assert_eq!(line.now(unsure(20, wrong)), START + DAY + 10);
        line.was_already(wrong, unsure(20, wrong));
        let kept = line.worth_keeping(unsure(30, START + DAY + 20));
        assert_eq!(kept, Some(START + DAY + 20));
    }

    #[test]
    fn a_box_that_knows_nothing_believes_a_leap_once() {
        let mut line = Line::beginning(Known::Nothing);
        assert_eq!(line.worth_keeping(unsure(0, 0)), None);
        let by_hand = START + FOURTEEN_YEARS;
        assert_eq!(line.now(unsure(10, by_hand)), by_hand);
        assert_eq!(line.now(unsure(20, by_hand + FOURTEEN_YEARS)), by_hand + 10);
        // It was wrong; the network says so, and a floor that was kept from it comes down again.
        assert_eq!(line.now(sure(30, START)), START);
        let mut next = Line::beginning(Known::Before(by_hand));
        assert_eq!(next.now(unsure(0, START)), by_hand);
        assert_eq!(next.worth_keeping(sure(1, START)), Some(START));
    }

    #[test]
    fn the_journal_says_how_late_it_was_to_a_machine_that_does_not_know() {
        let mut line = Line::beginning(Known::Before(START));
        line.was_already(START + DAY, unsure(0, 0));
        assert_eq!(line.now(unsure(1, 0)), START + DAY + 1);
        let mut told = Line::beginning(Known::Before(START));
        told.was_already(START + DAY, sure(0, START + HOUR));
        assert_eq!(told.now(sure(0, START + HOUR)), START + HOUR);
    }

    #[test]
    fn even_a_told_machine_is_not_believed_before_the_program_was_built() {
        let mut line = Line::beginning(Known::Before(START));
        assert_eq!(line.now(sure(0, 5)), START);
        assert_eq!(line.quality(sure(0, 5)), Quality::Floor);
    }

    #[test]
    fn the_machine_is_asked_rarely_and_not_again_once_it_was_told() {
        let mut line = Line::beginning(Known::Before(START));
        assert!(!line.is_sure_at(0, || false));
        assert!(!line.is_sure_at(ASKED_AGAIN_MS - 1, || true));
        assert!(line.is_sure_at(ASKED_AGAIN_MS, || true));
        assert!(line.is_sure_at(9 * ASKED_AGAIN_MS, || false));
    }
}
