//! How the box fares, in words with what to do: the page, `motoreach doctor` and the banner say the
//! same sentences, because all of them are made here.
//!
//! Each function judges one thing from figures that are handed in; `health` gathers the figures. What
//! nobody can tell is said too: silence must mean that all is well.

mod figures;
mod kept;
mod machine;
mod storage;
mod surroundings;
mod trend;
pub mod words;

pub use figures::Figures;
pub use kept::{Backups, JournalCheck, backup, journal, recovery_words};
pub use machine::{Heat, Power, Reserve, TimeKnown, Wear, clock, heat, power, wear};
pub use storage::{Room, Writing, room, writing};
pub use surroundings::{Announced, Found, name, program, relay};
pub use trend::{Sample, full_in_ms};

use super::Timestamp;

/// How much somebody has to care; the last one is the worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Nothing is to be done.
    Well,
    /// Somebody should look when there is time.
    Look,
    /// Somebody should act today.
    Act,
}

impl Level {
    /// Every level, the best first.
    pub const ALL: [Self; 3] = [Self::Well, Self::Look, Self::Act];

    /// Its word in answers and for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Look => "look",
            Self::Act => "act",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Area {
    /// Room on the disk that holds the data, and when it will be full.
    Disk,
    /// Whether the disk takes what is written, and how fast.
    Writing,
    /// Wear of the card or disk.
    Wear,
    /// The power supply.
    Power,
    /// The temperature.
    Heat,
    /// What time it is.
    Clock,
    /// Backups.
    Backup,
    /// The recovery words.
    Words,
    /// Whether the journal is what was written.
    Journal,
    /// The relay.
    Relay,
    /// Where the box is found on the network.
    Name,
    /// This program's version, and a newer one.
    Program,
}

impl Area {
    /// Every area, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::Backup,
        Self::Disk,
        Self::Writing,
        Self::Journal,
        Self::Words,
        Self::Relay,
        Self::Name,
        Self::Clock,
        Self::Power,
        Self::Heat,
        Self::Wear,
        Self::Program,
    ];

    /// Its word in answers and for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Writing => "writing",
            Self::Wear => "wear",
            Self::Power => "power",
            Self::Heat => "heat",
            Self::Clock => "clock",
            Self::Backup => "backup",
            Self::Words => "words",
            Self::Journal => "journal",
            Self::Relay => "relay",
            Self::Name => "name",
            Self::Program => "program",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What it is about.
    pub area: Area,
    /// How much somebody has to care.
    pub level: Level,
    /// How it stands, in sentences.
    pub what: String,
    /// What to do, in a sentence; nothing where nothing is to be done.
    pub advice: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn well(area: Area, what: impl Into<String>) -> Self {
        Self {
            area,
            level: Level::Well,
            what: what.into(),
            advice: None,
        }
    }

    /// Somebody should look.
    pub fn look(area: Area, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            area,
            level: Level::Look,
            what: what.into(),
            advice: Some(advice.into()),
        }
    }

    /// Somebody should act.
    pub fn act(area: Area, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            area,
            level: Level::Act,
            what: what.into(),
            advice: Some(advice.into()),
        }
    }
}

/// Everything that was looked at, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkup {
    /// When.
    pub at: Timestamp,
    /// What was found, in the order of [`Area::ALL`]; an area may be missing where there is nothing to
    /// say of it.
    pub findings: Vec<Finding>,
}

impl Checkup {
    /// In the order in which findings are shown.
    pub fn new(at: Timestamp, mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| Area::ALL.iter().position(|area| *area == finding.area));
        Self { at, findings }
    }

    /// The worst of them.
    pub fn level(&self) -> Level {
        let levels = self.findings.iter().map(|finding| finding.level);
        levels.max().unwrap_or(Level::Well)
    }
}
