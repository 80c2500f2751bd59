//! A service request: one vehicle, one owner, one job, one conversation.

use super::{Content, MessageId, PersonId, RequestId, RequestKey, Seq, Side, Timestamp};

/// How far the job is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Status {
    /// Taken in; the owner has not opened their link yet.
    Created,
    /// The owner is on the line.
    Connected,
    /// An estimate lies with the owner.
    EstimateShared,
    /// The vehicle is being worked on.
    InProgress,
    /// The work is done.
    Completed,
    /// The owner has it back and is content.
    Verified,
    /// Called off.
    Cancelled,
    /// Nothing came of it.
    Expired,
}

impl Status {
    /// Every status, in the order of the ladder.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Connected,
        Self::EstimateShared,
        Self::InProgress,
        Self::Completed,
        Self::Verified,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The word for it, the same in SQL, JSON and on screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Connected => "CONNECTED",
            Self::EstimateShared => "ESTIMATE_SHARED",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Verified => "VERIFIED",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
        }
    }

    /// The status that a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Where a request may go from here. A new `Status` does not compile until its moves are
    /// written down. What was called off by mistake may be taken up again.
    pub const fn may_become(self) -> &'static [Self] {
        match self {
            Self::Created => &[
                Self::Connected,
                Self::EstimateShared,
                Self::InProgress,
                Self::Cancelled,
                Self::Expired,
            ],
            Self::Connected => &[
                Self::EstimateShared,
                Self::InProgress,
                Self::Cancelled,
                Self::Expired,
            ],
            Self::EstimateShared => &[
                Self::Connected,
                Self::InProgress,
                Self::Cancelled,
                Self::Expired,
            ],
            Self::InProgress => &[Self::EstimateShared, Self::Completed, Self::Cancelled],
            Self::Completed => &[Self::InProgress, Self::Verified],
            Self::Verified => &[Self::InProgress],
            Self::Cancelled | Self::Expired => &[Self::Connected],
        }
    }

    /// Whether the job still needs somebody.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Created
            | Self::Connected
            | Self::EstimateShared
            | Self::InProgress
            | Self::Completed => true,
            Self::Verified | Self::Cancelled | Self::Expired => false,
        }
    }

    /// Whether people may still write in its conversation.
    pub const fn takes_messages(self) -> bool {
        match self {
            Self::Created
            | Self::Connected
            | Self::EstimateShared
            | Self::InProgress
            | Self::Completed
            | Self::Verified => true,
            Self::Cancelled | Self::Expired => false,
        }
    }
}

/// The vehicle of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vehicle {
    /// The number plate, as people read it.
    pub plate: String,
    /// Who built it.
    pub make: Option<String>,
    /// What they called it.
    pub model: Option<String>,
    /// When they built it.
    pub year: Option<i64>,
}

/// Somebody, by number and name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// The person's number.
    pub id: PersonId,
    /// The person's name.
    pub name: String,
}

/// How a conversation ends at the moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastMessage {
    /// Which message.
    pub id: MessageId,
    /// What it says.
    pub content: Content,
    /// When the box accepted it.
    pub at: Timestamp,
    /// The side that wrote it.
    pub side: Side,
    /// The name that the other side sees.
    pub sender_name: String,
}

/// A request with everything that a list shows of it, to either side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Its number.
    pub id: RequestId,
    /// Its permanent key.
    pub key: RequestKey,
    /// How far the job is.
    pub status: Status,
    /// What is wrong with the vehicle.
    pub description: String,
    /// The vehicle.
    pub vehicle: Vehicle,
    /// Whose it is.
    pub owner: Named,
    /// The owner's telephone number.
    pub owner_phone: Option<String>,
    /// The mechanic whose job it is.
    pub assigned: Option<Named>,
    /// Messages that the owner has not read.
    pub unread_by_user: i64,
    /// Messages that nobody of the staff has read.
    pub unread_by_workshop: i64,
    /// The newest message.
    pub last_message: Option<LastMessage>,
    /// When it was taken in.
    pub created: Timestamp,
    /// When something last happened in it.
    pub active: Timestamp,
    /// Where in the journal something last happened in it: the order of lists.
    pub activity: Seq,
}

impl Request {
    /// Messages that this side has not read.
    pub const fn unread(&self, side: Side) -> i64 {
        match side {
            Side::User => self.unread_by_user,
            Side::Workshop => self.unread_by_workshop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_word_of_its_own_and_reads_back() {
        for status in Status::ALL {
            assert_eq!(Status::from_word(status.word()), Some(status));
        }
        assert_eq!(Status::from_word("DONE"), None);
    }

    #[test]
    fn no_status_may_become_itself_and_nobody_is_stuck() {
        for status in Status::ALL {
            assert!(!status.may_become().contains(&status), "{status:?}");
            assert!(!status.may_become().is_empty(), "{status:?}");
        }
    }

    #[test]
    fn every_status_can_be_reached_from_the_first() {
        let mut reached = vec![Status::Created];
        let mut at = 0;
        while let Some(status) = reached.get(at).copied() {
            for next in status.may_become() {
                if !reached.contains(next) {
                    reached.push(*next);
                }
            }
            at += 1;
        }
        assert_eq!(reached.len(), Status::ALL.len());
    }
}
