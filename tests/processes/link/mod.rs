//! Box and relay as two processes on bad days: a line that is cut, stalled, doubled, lied to; either
//! side killed, restored, cloned, wiped. Afterwards everybody has one and the same, once, in order.

mod clock;
mod conversation;
mod copies;
mod crashes;
mod crowd;
mod half_open;
mod hostile;
mod lines;
mod links;
mod relays;
mod restored;
mod secrecy;
mod trimming;
mod volume;

use crate::harness::{Owner, Workshop, put_back};

/// Said by each side before and after something happens.
const ROUNDS: usize = 5;

/// What two sides said, each in its own order.
#[derive(Default)]
pub(crate) struct Said {
    owner: Vec<String>,
    staff: Vec<String>,
}

impl Said {
    /// The owner writes the next thing; it need not go anywhere yet.
    pub(crate) fn by_owner(&mut self, owner: &Owner) -> uuid::Uuid {
        let words = format!("owner {}", self.owner.len());
        let id = owner.writes(&words);
        self.owner.push(words);
        id
    }

    /// Staff write the next thing in request 0; the box has it on disk.
    pub(crate) async fn by_staff(&mut self, workshop: &Workshop) {
        let words = format!("staff {}", self.staff.len());
        workshop.staff_writes(0, &words).await;
        self.staff.push(words);
    }

    /// Both sides, one after the other, so often.
    pub(crate) async fn by_both(&mut self, workshop: &Workshop, owner: &Owner, rounds: usize) {
        for _ in 0..rounds {
            self.by_owner(owner);
            self.by_staff(workshop).await;
        }
    }

    /// Both sides talk; then the box is put back to an older copy of itself which, cut off, goes on by
    /// itself. Afterwards the box is down, the line is cut, and the two copies have to be brought
    /// together.
    pub(crate) async fn on_two_copies(&mut self, workshop: &mut Workshop, owner: &Owner) {
        self.by_both(workshop, owner, ROUNDS).await;
        workshop.agrees(&[owner]).await;
        workshop.stop_box().await;
        let old = workshop.keep_copy(&workshop.box_data(), "old");
        workshop.start_box().await;
        self.by_both(workshop, owner, ROUNDS).await;
        workshop.agrees(&[owner]).await;
        workshop.kill_box();
        put_back(&old, &workshop.box_data());
        workshop.cut();
        workshop.start_box().await;
        for _ in 0..ROUNDS {
            self.by_staff(workshop).await;
        }
        workshop.stop_box().await;
    }

    /// Everything that was said is shown to the owner and to staff, each once, each side in the
    /// order in which it said it; and everybody has the same.
    pub(crate) async fn is_everywhere(&self, workshop: &Workshop, owner: &Owner) {
        workshop.agrees(&[owner]).await;
        let shown = owner.conversation();
        let read = workshop.staff_reads(0).await;
        let read: Vec<_> = read
            .iter()
            .map(|message| message["content"].as_str().unwrap_or_default().to_owned())
            .collect();
        for (who, conversation) in [("owner", &shown), ("staff", &read)] {
            for (begin, said) in [("owner ", &self.owner), ("staff ", &self.staff)] {
                let of_this_side = conversation.iter().filter(|it| it.starts_with(begin));
                assert_eq!(
                    of_this_side.collect::<Vec<_>>(),
                    said.iter().collect::<Vec<_>>(),
                    "what {who} has of what {begin}said"
                );
            }
        }
        let same = |words: &&String| words.starts_with("owner ") || words.starts_with("staff ");
        assert_eq!(
            shown.iter().filter(same).collect::<Vec<_>>(),
            read.iter().filter(same).collect::<Vec<_>>(),
            "owner and staff see different orders"
        );
    }
}
