//! Everything that is known of the box, and what to make of it.

use super::{
    Backups, Checkup, Finding, Found, Heat, JournalCheck, Power, Room, TimeKnown, Wear, Writing,
    backup, clock, heat, journal, name, power, program, recovery_words, relay, room, wear, writing,
};
use crate::domain::{LinkReport, Timestamp};

/// What is known. What only a running server knows is `None` without one; what a machine does not
/// tell is `None`, too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Figures {
    /// When it was looked.
    pub now: Timestamp,
    /// `now` as people write it, in UTC.
    pub shown: String,
    /// How sure that is.
    pub time: TimeKnown,
    /// This program's version.
    pub version: &'static str,
    /// SQLite's.
    pub sqlite: &'static str,
    /// Room on the disk that holds the data.
    pub room: Option<Room>,
    /// Wear of that disk.
    pub wear: Option<Wear>,
    /// The power supply.
    pub power: Option<Power>,
    /// The temperature.
    pub heat: Option<Heat>,
    /// How writing goes.
    pub writing: Option<Writing>,
    /// Backups.
    pub backups: Backups,
    /// The newest check of the journal.
    pub journal: Option<JournalCheck>,
    /// Whether the recovery words were written down; `None` before the first run.
    pub words_kept: Option<bool>,
    /// The link to the relay.
    pub link: Option<LinkReport>,
    /// Where it is found on the network.
    pub found: Option<Found>,
}

impl Figures {
    /// Says what to make of it.
    pub fn judged(&self) -> Checkup {
        let now = self.now;
        let known: [Option<Finding>; 12] = [
            self.backups
                .since
                .is_some()
                .then(|| backup(&self.backups, now)),
            self.room.map(room),
            self.writing.map(writing),
            Some(journal(self.journal.as_ref(), now)),
            self.words_kept.map(recovery_words),
            self.link.as_ref().map(|link| relay(link, now)),
            self.found.as_ref().map(name),
            Some(clock(self.time, &self.shown)),
            self.power.map(power),
            self.heat.map(heat),
            self.wear.as_ref().map(wear),
            Some(program(self.version, self.sqlite)),
        ];
        Checkup::new(now, known.into_iter().flatten().collect())
    }
}
