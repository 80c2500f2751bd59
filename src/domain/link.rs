//! How the link to the relay stands, in plain words for everybody who shows it: staff pages, the
//! settings, `/metrics`, `doctor`. The driver of the link writes it; nothing is decided by it.

use super::{RequestId, Seq, Timestamp};

/// How the link stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkState {
    /// No relay is set up: the box serves its own network alone.
    Unpaired,
    /// A connection is being made.
    Connecting,
    /// The relay answers.
    Online,
    /// The last try failed or the line went; it is tried again by itself.
    Waiting {
        /// When it is tried next.
        retry_at: Timestamp,
        /// What stood in the way.
        why: LinkTrouble,
    },
    /// The relay said no: it is not tried again until somebody does something.
    Stopped(LinkRefusal),
}

/// What stood in the way; it may pass by itself. Its text is a sentence for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LinkTrouble {
    /// This machine has no way out: no route, or no name was found.
    #[error("This box has no way out to the internet.")]
    NoNetwork,
    /// Nobody answers at the address.
    #[error("Nobody answers at the relay's address.")]
    NoAnswer,
    /// Something answers that is no relay: a page to sign in to a Wi-Fi, another service.
    #[error("Something answers at that address that is no relay, perhaps a Wi-Fi's sign-in page.")]
    NotARelay,
    /// The certificate is not to be trusted.
    #[error("The relay's certificate is not to be trusted.")]
    Tls,
    /// The line was open and went silent.
    #[error("The line to the relay went silent.")]
    Silent,
    /// The relay restarts and said so.
    #[error("The relay restarts.")]
    RelayRestarting,
    /// What was sent did not fit the relay's copy, again and again.
    #[error("The relay and this box could not agree on where the journal ends.")]
    Rewound,
    /// Anything else.
    #[error("The line to the relay broke.")]
    Other,
}

/// Why the relay will not go on with this box. Its text is a sentence for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LinkRefusal {
    /// Two copies of this box are alive.
    #[error("Two copies of this box are alive; an admin must say which one is real.")]
    Quarantined,
    /// Another copy was declared the real one.
    #[error("Another copy of this box was declared the real one.")]
    Superseded,
    /// The relay does not know this workshop.
    #[error("The relay does not know this workshop; pair again with a new code.")]
    UnknownHere,
    /// The pairing code is wrong, used up or too old.
    #[error(
        "That pairing code is wrong, used up or too old; ask the relay's operator for a new one."
    )]
    BadCode,
    /// Another relay answers at the address than the one that was paired.
    #[error("Another relay answers at this address than the one that was paired.")]
    OtherRelay,
    /// The relay gave back what this box never signed.
    #[error("The relay gave back what this box never wrote; ask its operator what happened.")]
    NotOurs,
}

/// Reconnects, counted by what stood in the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reconnects([u64; LinkTrouble::ALL.len()]);

/// Everything that people and machines are told about the link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkReport {
    /// How it stands.
    pub state: LinkState,
    /// Since when it stands so; `hub::LinkBoard` keeps it over one try after the other.
    pub since: Timestamp,
    /// Which round of settings it speaks of (`hub::LinkBoard::settings`).
    pub settings: u64,
    /// The relay's address, as it was typed.
    pub url: Option<String>,
    /// What owners' links begin with, as the relay says.
    pub public_url: Option<String>,
    /// Entries of the journal that the relay does not have yet.
    pub waiting_entries: i64,
    /// Messages among them.
    pub waiting_messages: i64,
    /// When the oldest of them was accepted.
    pub oldest_waiting: Option<Timestamp>,
    /// How far the relay has the journal.
    pub delivered_up_to: Option<Seq>,
    /// Lines that went or never came, since this program started.
    pub reconnects: Reconnects,
    /// Sessions that the relay welcomed, since this program started.
    pub sessions: u64,
    /// Copies that were brought together, over the life of this database.
    pub forks: u64,
    /// How often the relay saw two copies, since this program started.
    pub quarantines: u64,
    /// Entries that came back when copies were brought together, over the life of this database.
    pub recovered: u64,
    /// Requests whose status was changed on both copies of the newest merge: somebody should look.
    pub flagged: Vec<RequestId>,
    /// When copies were last brought together.
    pub merged_at: Option<Timestamp>,
    /// Numbers that owners' devices skipped: posts that never came here.
    pub post_gaps: u64,
    /// Posts that were not what they claimed to be, since this program started.
    pub bad_posts: u64,
}

impl LinkTrouble {
    /// Every trouble, in the order of its number.
    pub const ALL: [Self; 8] = [
        Self::NoNetwork,
        Self::NoAnswer,
        Self::NotARelay,
        Self::Tls,
        Self::Silent,
        Self::RelayRestarting,
        Self::Rewound,
        Self::Other,
    ];

    /// The word that programs know it by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoNetwork => "no_network",
            Self::NoAnswer => "no_answer",
            Self::NotARelay => "not_a_relay",
            Self::Tls => "tls",
            Self::Silent => "silent",
            Self::RelayRestarting => "relay_restarting",
            Self::Rewound => "rewound",
            Self::Other => "other",
        }
    }
}

impl LinkRefusal {
    /// The word that programs know it by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::Superseded => "superseded",
            Self::UnknownHere => "unknown_here",
            Self::BadCode => "bad_code",
            Self::OtherRelay => "other_relay",
            Self::NotOurs => "not_ours",
        }
    }
}

impl LinkState {
    /// The word that programs know it by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unpaired => "unpaired",
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::Waiting { .. } => "waiting",
            Self::Stopped(_) => "stopped",
        }
    }

    /// The word for what stands in the way, if something does.
    pub const fn why(self) -> Option<&'static str> {
        match self {
            Self::Unpaired | Self::Connecting | Self::Online => None,
            Self::Waiting { why, .. } => Some(why.word()),
            Self::Stopped(why) => Some(why.word()),
        }
    }
}

impl Reconnects {
    /// One more.
    pub const fn add(&mut self, why: LinkTrouble) {
        self.0[why as usize] += 1;
    }

    /// How many there were.
    pub const fn of(&self, why: LinkTrouble) -> u64 {
        self.0[why as usize]
    }
}

impl LinkReport {
    /// Nothing is set up.
    pub const fn unpaired(since: Timestamp) -> Self {
        Self {
            state: LinkState::Unpaired,
            since,
            settings: 0,
            url: None,
            public_url: None,
            waiting_entries: 0,
            waiting_messages: 0,
            oldest_waiting: None,
            delivered_up_to: None,
            reconnects: Reconnects([0; LinkTrouble::ALL.len()]),
            sessions: 0,
            forks: 0,
            quarantines: 0,
            recovered: 0,
            flagged: Vec::new(),
            merged_at: None,
            post_gaps: 0,
            bad_posts: 0,
        }
    }

    /// Since when it stands as it does, coming from another report: a new try of the same absence is
    /// no news.
    pub fn stands_since(&self, before: &Self) -> Timestamp {
        let unreached = |state| matches!(state, LinkState::Connecting | LinkState::Waiting { .. });
        let same = self.state == before.state || unreached(self.state) && unreached(before.state);
        if same { before.since } else { self.since }
    }

    /// Whether the relay answers.
    pub const fn is_online(&self) -> bool {
        matches!(self.state, LinkState::Online)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_try_after_the_other_is_one_absence() {
        let at = |since, state| LinkReport {
            state,
            ..LinkReport::unpaired(Timestamp(since))
        };
        let waits = LinkState::Waiting {
            retry_at: Timestamp(9),
            why: LinkTrouble::Silent,
        };
        let refused = LinkState::Stopped(LinkRefusal::BadCode);
        for (before, now, since) in [
            (LinkState::Connecting, waits, 1),
            (waits, LinkState::Connecting, 1),
            (LinkState::Online, LinkState::Online, 1),
            (LinkState::Online, waits, 2),
            (waits, LinkState::Online, 2),
            (refused, refused, 1),
            (refused, LinkState::Connecting, 2),
        ] {
            assert_eq!(at(2, now).stands_since(&at(1, before)), Timestamp(since));
        }
    }

    #[test]
    fn every_trouble_is_counted_by_itself() {
        for (index, trouble) in LinkTrouble::ALL.into_iter().enumerate() {
            assert_eq!(trouble as usize, index);
            let mut reconnects = Reconnects::default();
            reconnects.add(trouble);
            for other in LinkTrouble::ALL {
                assert_eq!(reconnects.of(other), u64::from(other == trouble));
            }
        }
    }
}
