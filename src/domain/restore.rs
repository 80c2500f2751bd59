//! Bringing a workshop back from its relay or from a backup onto an empty box, in plain words for whoever shows it: the
//! command line and the first-run page (`sync.md` §4, "a dead box"). Nothing is decided by it.

use super::{BackupUnreadable, LinkRefusal, LinkTrouble, Timestamp};

/// How a restore stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RestoreState {
    /// Nobody asked for one.
    Idle,
    /// It is under way.
    Running {
        /// What it is busy with.
        step: RestoreStep,
        /// How much of it is done: entries, bytes or messages, as `step` says.
        done: u64,
        /// How much there is; 0 while nobody can tell.
        of: u64,
    },
    /// Nothing was restored.
    Failed(RestoreFault),
    /// Everything is back, and the box starts with it.
    Done(Restored),
}

/// What a restore is busy with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestoreStep {
    /// Entries of the journal come from the relay.
    Gathering,
    /// The bytes of a backup are unpacked.
    Unpacking,
    /// Everything in it is looked at, and its messages are counted.
    Checking,
}

impl RestoreStep {
    /// The word that programs know it by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gathering => "gathering",
            Self::Unpacking => "unpacking",
            Self::Checking => "checking",
        }
    }
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    /// What the workshop is called.
    pub workshop: String,
    /// Messages.
    pub messages: i64,
    /// The requests that they belong to.
    pub requests: i64,
    /// People who may sign in, with the passwords that they had.
    pub people: i64,
    /// When the backup was made that it came from; none: it came from the relay.
    pub as_of: Option<Timestamp>,
}

/// Why nothing was restored. Its text is a sentence for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RestoreFault {
    /// The relay was not reached, or the line broke again and again.
    #[error(
        "{0} Check the relay's address and this machine's way to the internet, then try again."
    )]
    NotReached(LinkTrouble),
    /// The relay never heard of the workshop that the words belong to.
    #[error(
        "The relay does not know the workshop of these recovery words. Check that it is the right relay, and the right paper."
    )]
    Unknown,
    /// Another box of the workshop is alive, or was a short while ago.
    #[error(
        "The relay knows of another box of this workshop that may still be alive. Switch it off for good; then this one has to be declared the real one."
    )]
    TwoAlive,
    /// Another relay than the one that a restore was begun with.
    #[error(
        "Another relay answers than the one that this restore was begun with. What had come from that one was dropped: try again to begin anew with this one."
    )]
    OtherRelay,
    /// What came back was not written by the workshop's box.
    #[error(
        "The relay gave back what this workshop's box never wrote, or what only a newer MotoReach can read. Nothing was restored; ask whoever runs the relay."
    )]
    NotOurs,
    /// The relay knows the workshop and has nothing of it.
    #[error("The relay knows this workshop, but has nothing of it to give back.")]
    Empty,
    /// This machine's disk does not take it.
    #[error("What came back could not be kept: this machine's storage is full or failing.")]
    Storage,
    /// The backup cannot be restored.
    #[error(transparent)]
    Backup(BackupUnreadable),
    /// Somebody set this box up meanwhile.
    #[error("This box was set up as a workshop meanwhile, so nothing was restored onto it.")]
    SetUp,
}

impl RestoreFault {
    /// The word that programs know it by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotReached(why) => why.word(),
            Self::Unknown => "unknown_workshop",
            Self::TwoAlive => "two_alive",
            Self::OtherRelay => "other_relay",
            Self::NotOurs => "not_ours",
            Self::Empty => "nothing_there",
            Self::Storage => "storage_failing",
            Self::Backup(why) => why.word(),
            Self::SetUp => "already_set_up",
        }
    }

    /// What a relay's no means to a restore.
    pub const fn of_refusal(why: LinkRefusal) -> Self {
        match why {
            LinkRefusal::Quarantined | LinkRefusal::Superseded => Self::TwoAlive,
            // No code is shown, so none can be wrong.
            LinkRefusal::UnknownHere | LinkRefusal::BadCode => Self::Unknown,
            LinkRefusal::OtherRelay => Self::OtherRelay,
            LinkRefusal::NotOurs => Self::NotOurs,
        }
    }
}
