//! A message as everybody sees it, and how far it has come.

use super::{Body, ErasedWhy, EventId, MessageId, PersonId, RequestId, Role, Seq, Side, Timestamp};

const EXCERPT_CHARS: usize = 50; // `wire.md` §3

/// What is left of what a message said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// The words.
    Text(Body),
    /// The words were erased, on purpose and for ever.
    Erased(ErasedWhy),
    /// What the disk gave back is not what was written (its hash differs): never shown.
    Damaged,
}

impl Content {
    /// The words, or nothing where there are none to show.
    pub fn shown(&self) -> &str {
        match self {
            Self::Text(body) => body.as_str(),
            Self::Erased(_) | Self::Damaged => "",
        }
    }

    /// The first 50 characters, with `...` where more follow (`wire.md` §3).
    pub fn excerpt(&self) -> String {
        let text = self.shown();
        let mut excerpt: String = text.chars().take(EXCERPT_CHARS).collect();
        if text.chars().nth(EXCERPT_CHARS).is_some() {
            excerpt.push_str("...");
        }
        excerpt
    }
}

/// The message that another one answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quote {
    /// Which message.
    pub id: MessageId,
    /// Who wrote it.
    pub author_name: String,
    /// How it began; empty once erased.
    pub excerpt: String,
}

/// How far a message has come (`wire.md` §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// Committed where it was accepted.
    Sent,
    /// Committed on the other side of the counter.
    Delivered,
    /// Read by the other side.
    Read,
}

/// One message with everything a frame says about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Its place in the journal, and so in the conversation.
    pub id: MessageId,
    /// The id that its sender gave it.
    pub event: EventId,
    /// The request that it belongs to.
    pub request: RequestId,
    /// The owner whose request it is.
    pub owner: PersonId,
    /// The side that wrote it.
    pub side: Side,
    /// The person who typed it.
    pub author: PersonId,
    /// That person's name.
    pub author_name: String,
    /// The name that the other side sees: the owner's, or the workshop's.
    pub sender_name: String,
    /// What it says.
    pub content: Content,
    /// What it answers.
    pub reply_to: Option<Quote>,
    /// When the box accepted it.
    pub at: Timestamp,
    /// When it erases itself.
    pub expires: Option<Timestamp>,
    /// Whether the owner has read it (their own counts as read).
    pub read_by_user: bool,
    /// Whether anybody of the staff has read it (their own counts as read).
    pub read_by_workshop: bool,
    /// Whether the relay has it, for the owner's phone to fetch.
    pub is_at_relay: bool,
}

impl Message {
    /// How far it has come. An owner's message that the box holds is at the workshop already; the
    /// workshop's own is across the counter when the relay has it.
    pub const fn delivery(&self) -> Delivery {
        match (self.side, self.read_by_user, self.read_by_workshop) {
            (Side::User, _, true) | (Side::Workshop, true, _) => Delivery::Read,
            (Side::User, _, false) => Delivery::Delivered,
            (Side::Workshop, false, _) if self.is_at_relay => Delivery::Delivered,
            (Side::Workshop, false, _) => Delivery::Sent,
        }
    }

    /// Whether this person may take it back: their own within 15 minutes, an admin's power always.
    pub fn may_be_redacted_by(&self, person: PersonId, role: Role, now: Timestamp) -> bool {
        const REDACT_OWN_MS: i64 = 15 * 60 * 1_000;
        match role {
            Role::Admin => true,
            Role::Mechanic | Role::Owner => {
                self.author == person && now <= self.at.plus_ms(REDACT_OWN_MS)
            }
        }
    }
}

/// Who has read a conversation, and up to where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The side that read.
    pub side: Side,
    /// The person who did.
    pub name: String,
    /// The newest message that they have seen.
    pub up_to: MessageId,
    /// When the box learned of it.
    pub at: Timestamp,
    /// Where the receipt itself stands in the journal.
    pub rev: Seq,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> Content {
        Content::Text(Body::parse(words).unwrap())
    }

    #[test]
    fn an_excerpt_is_fifty_characters_and_says_when_it_was_cut() {
        assert_eq!(text("Is it ready?").excerpt(), "Is it ready?");
        assert_eq!(text(&"ñ".repeat(50)).excerpt(), "ñ".repeat(50));
        assert_eq!(
            text(&"ñ".repeat(51)).excerpt(),
            format!("{}...", "ñ".repeat(50))
        );
        assert_eq!(Content::Damaged.excerpt(), "");
    }
}
