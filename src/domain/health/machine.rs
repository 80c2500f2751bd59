//! The machine itself: its card, its power supply, its temperature and its clock.

use super::words::bytes;
use super::{Area, Finding};

/// From here on a Pi slows itself down, in degrees Celsius.
const HOT_C: i64 = 80;
/// From here on a machine harms itself, in degrees Celsius.
const TOO_HOT_C: i64 = 90;
/// A card that has used up so much of its life, in tenths, is worth a look.
const WORN_TENTHS: u8 = 8;
/// A card at the end of the life that its maker promised, in tenths.
const WORN_OUT_TENTHS: u8 = 10;

/// What the card or disk tells of its wear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wear {
    /// What it calls itself, where it does.
    pub name: Option<String>,
    /// Life that is used up, in tenths, of the part that is worn most; 11 is past its end.
    pub used_tenths: Option<u8>,
    /// Whether its own reserve runs out: it said so.
    pub reserve: Reserve,
    /// Written to it since the machine started, in bytes.
    pub written: Option<u64>,
}

/// The blocks that a card keeps for those that wear out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reserve {
    /// It does not tell.
    NotTold,
    /// Enough.
    Normal,
    /// Most are used up.
    Warning,
    /// Nearly all are used up.
    Urgent,
}

/// How worn the card or disk is.
pub fn wear(wear: &Wear) -> Finding {
    let name = wear.name.as_deref().unwrap_or("The card or disk");
    let mut what = match wear.used_tenths {
        None => format!("{name} does not tell how worn it is."),
        Some(0 | 1) => format!("{name} has used up less than a tenth of its life."),
        Some(tenths @ 2..=10) => {
            format!(
                "{name} has used up {} % of its life.",
                u32::from(tenths) * 10
            )
        }
        Some(_) => format!("{name} is past the life that its maker promised."),
    };
    if let Some(written) = wear.written {
        what.push_str(&format!(
            " {} were written to it since the machine started.",
            bytes(written)
        ));
    }
    let worn_out = wear.used_tenths.is_some_and(|it| it >= WORN_OUT_TENTHS);
    let worn = wear.used_tenths.is_some_and(|it| it >= WORN_TENTHS);
    match wear.reserve {
        Reserve::Urgent => Finding::act(Area::Wear, what, REPLACE_NOW),
        Reserve::Normal | Reserve::NotTold | Reserve::Warning if worn_out => {
            Finding::act(Area::Wear, what, REPLACE_NOW)
        }
        Reserve::Warning => Finding::look(Area::Wear, what, REPLACE_SOON),
        Reserve::Normal | Reserve::NotTold if worn => Finding::look(Area::Wear, what, REPLACE_SOON),
        Reserve::Normal | Reserve::NotTold => Finding::well(Area::Wear, what),
    }
}

const REPLACE_NOW: &str =
    "Make a backup now, put a new card or disk in, and restore the backup onto it.";
const REPLACE_SOON: &str = "Have a new card or disk at hand, and check that backups are proven.";

/// What a Pi tells of its power supply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Power {
    /// The voltage is too low at this moment.
    pub low_now: bool,
    /// It was too low since the machine started.
    pub was_low: bool,
}

/// Whether the power supply is strong enough; only machines that tell are asked.
pub fn power(power: Power) -> Finding {
    const ADVICE: &str = "Use the power supply that was made for this machine and a short, thick \
                          cable. Low voltage damages cards and what is written to them.";
    match power {
        Power { low_now: true, .. } => {
            Finding::act(Area::Power, "The voltage is too low right now.", ADVICE)
        }
        Power { was_low: true, .. } => Finding::look(
            Area::Power,
            "The voltage was too low at some time since the machine started.",
            ADVICE,
        ),
        Power { .. } => Finding::well(Area::Power, "The power supply is strong enough."),
    }
}

/// How warm the processor is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heat {
    /// In thousandths of a degree Celsius.
    pub millidegrees: i64,
}

/// Whether the machine is too warm; only machines that tell are asked.
pub fn heat(heat: Heat) -> Finding {
    const ADVICE: &str =
        "Give the box air: out of the sun, off the heater, its slots free of dust.";
    let celsius = heat.millidegrees / 1_000;
    let what = format!("The processor is at {celsius} °C.");
    if celsius >= TOO_HOT_C {
        Finding::act(Area::Heat, what, ADVICE)
    } else if celsius >= HOT_C {
        Finding::look(Area::Heat, what, ADVICE)
    } else {
        Finding::well(Area::Heat, what)
    }
}

/// How sure the box is of the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeKnown {
    /// Somebody told.
    Told,
    /// Nobody told yet, since the machine started.
    NotTold,
    /// Nobody told yet, but the machine has a clock of its own with a battery.
    OwnClock,
    /// The machine's clock is behind what is known to have passed, or years ahead of it.
    Behind,
}

/// What time the box believes it is. `shown` is that time, for whoever compares it with their watch.
pub fn clock(known: TimeKnown, shown: &str) -> Finding {
    const ADVICE: &str = "Connect the box to the internet once, or give it a clock with a battery. \
                          The order of messages does not depend on it.";
    match known {
        TimeKnown::Told => Finding::well(Area::Clock, format!("The time is {shown} (UTC).")),
        TimeKnown::OwnClock => Finding::well(
            Area::Clock,
            format!("The time is {shown} (UTC), by the machine's own clock."),
        ),
        TimeKnown::NotTold => Finding::look(
            Area::Clock,
            format!(
                "The time is not sure: nobody told it since the machine started. It shows {shown} (UTC)."
            ),
            ADVICE,
        ),
        TimeKnown::Behind => Finding::look(
            Area::Clock,
            format!(
                "The time is not sure: the machine's clock is behind what has passed already, or \
                 years ahead. The box holds on to {shown} (UTC)."
            ),
            ADVICE,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::Level;

    fn worn(used_tenths: Option<u8>, reserve: Reserve) -> Finding {
        wear(&Wear {
            name: None,
            used_tenths,
            reserve,
            written: None,
        })
    }

    #[test]
    fn a_card_that_tells_is_judged_and_one_that_does_not_is_not() {
        let silent = worn(None, Reserve::NotTold);
        assert_eq!(silent.level, Level::Well);
        assert!(silent.what.contains("does not tell"), "{}", silent.what);
        assert_eq!(worn(Some(1), Reserve::Normal).level, Level::Well);
        assert_eq!(worn(Some(8), Reserve::Normal).level, Level::Look);
        assert_eq!(worn(Some(11), Reserve::Normal).level, Level::Act);
        assert_eq!(worn(Some(2), Reserve::Warning).level, Level::Look);
        assert_eq!(worn(Some(2), Reserve::Urgent).level, Level::Act);
    }

    #[test]
    fn what_has_used_up_its_life_is_said_in_percent() {
        let wear = wear(&Wear {
            name: Some("SA04G".to_owned()),
            used_tenths: Some(3),
            reserve: Reserve::Normal,
            written: Some(1_200_000_000),
        });
        assert_eq!(
            wear.what,
            "SA04G has used up 30 % of its life. 1.2 GB were written to it since the machine started."
        );
    }

    #[test]
    fn low_voltage_now_is_worse_than_once() {
        let level = |low_now, was_low| power(Power { low_now, was_low }).level;
        assert_eq!(level(false, false), Level::Well);
        assert_eq!(level(false, true), Level::Look);
        assert_eq!(level(true, true), Level::Act);
    }

    #[test]
    fn heat_is_told_in_degrees() {
        let at = |millidegrees| heat(Heat { millidegrees });
        assert_eq!(at(48_312).what, "The processor is at 48 °C.");
        assert_eq!(at(48_312).level, Level::Well);
        assert_eq!(at(82_000).level, Level::Look);
        assert_eq!(at(95_000).level, Level::Act);
    }

    #[test]
    fn a_time_that_nobody_told_is_not_sure() {
        assert_eq!(clock(TimeKnown::Told, "12:00").level, Level::Well);
        for known in [TimeKnown::NotTold, TimeKnown::Behind] {
            let finding = clock(known, "12:00");
            assert_eq!(finding.level, Level::Look);
            assert!(finding.what.starts_with("The time is not sure"));
        }
    }
}
