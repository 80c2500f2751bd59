//! What must hold after everybody has talked without faults.

use std::collections::BTreeSet;

use super::line::{Outcome, now};
use super::world::World;
use crate::domain::{EventId, Seq};
use crate::relay::store::RelayStore;
use crate::seal;
use crate::store::link;
use crate::store::memory::MemoryStore;
use crate::sync::link::End;
use crate::wire::link::GiveBack;

impl World {
    /// Everybody talks without faults; then what is compared is what anybody held before.
    pub(super) fn broken_rules(&mut self) -> Vec<&'static str> {
        let mut survivors: BTreeSet<_> = self.phones.iter().map(|post| post.id).collect();
        survivors.extend(self.mailbox());
        survivors.extend(self.relay_holds().into_iter().map(|(id, _)| id));
        for store in &self.boxes {
            survivors.extend(journal(store).into_iter().map(|(id, _)| id));
        }
        let mut broken = Vec::new();
        for _ in 0..3 {
            for which in 0..self.boxes.len() {
                self.heal(which);
            }
        }
        for which in 0..self.boxes.len() {
            self.heal(which);
            let at_box = journal(&self.boxes[which]);
            let ids: BTreeSet<_> = at_box.iter().map(|(id, _)| *id).collect();
            if !survivors.is_subset(&ids) {
                broken.push("lost at the box");
            }
            if ids.len() != at_box.len() {
                broken.push("twice in the journal");
            }
            if at_box != self.relay_journal() {
                broken.push("the two copies differ");
            }
            if self.relay_holds().len() != at_box.len() {
                broken.push("orphans are left");
            }
            let faults = self.boxes[which].faults().unwrap();
            assert!(faults.is_empty(), "the box's data is not sound: {faults:?}");
        }
        if !self.phones.is_empty() || !self.mailbox().is_empty() {
            broken.push("something is still waiting");
        }
        let faults = self.faults;
        if !(faults.cloned || faults.restored_box || faults.restored_relay) {
            let order: Vec<_> = journal(&self.boxes[0]).into_iter().map(|it| it.0).collect();
            for written in [&self.staff_order, &self.owner_order] {
                let kept: Vec<_> = order.iter().filter(|id| written.contains(id)).collect();
                if kept != written.iter().collect::<Vec<_>>() {
                    broken.push("out of order");
                }
            }
        }
        broken
    }

    /// Sessions without faults, with an admin who says each time that this box is the real one.
    fn heal(&mut self, which: usize) {
        for _ in 0..4 {
            if let Outcome::Ended(End::Refused(_)) = self.session(which, 0.0) {
                self.boxes[which].write(link::claim).unwrap();
            }
        }
    }

    fn mailbox(&self) -> Vec<EventId> {
        let workshop = self.boxes[0].keys().workshop();
        let posts = now(self.relay.posts_after(workshop, 0, 10_000)).unwrap();
        posts.into_iter().map(|(_, post)| post.id).collect()
    }

    /// The relay's copy of the journal, without what it moved aside.
    fn relay_journal(&self) -> Vec<(EventId, seal::Chain)> {
        let all = self.relay_holds();
        let last = all.iter().rposition(|(_, chain)| chain.is_none());
        let journal = &all[last.map_or(0, |at| at + 1)..];
        journal
            .iter()
            .map(|(id, chain)| (*id, chain.unwrap()))
            .collect()
    }

    /// Everything that the relay holds: orphans that nobody has seen again (without a chain), then
    /// its copy.
    fn relay_holds(&self) -> Vec<(EventId, Option<seal::Chain>)> {
        let workshop = self.boxes[0].keys().workshop();
        let mut held = Vec::new();
        let mut run = Vec::new();
        let mut cursor = None;
        loop {
            let asked = GiveBack {
                common: Seq(0),
                cursor,
            };
            let given = now(self.relay.give_back(workshop, asked)).unwrap();
            run.extend(given.entries);
            if given.ends.is_some() {
                held.push(std::mem::take(&mut run));
            }
            cursor = given.next;
            if cursor.is_none() {
                break;
            }
        }
        let state = now(self.relay.state(workshop)).unwrap();
        let copy_is_empty = state.is_none_or(|it| it.position.is_none_or(|at| at.seq == Seq(0)));
        let runs = held.len() - usize::from(!copy_is_empty && !held.is_empty());
        let mut all = Vec::new();
        for (index, run) in held.into_iter().enumerate() {
            let is_copy = index >= runs;
            all.extend(
                run.into_iter()
                    .filter(|each| is_copy || !each.settled)
                    .map(|each| (each.entry.id, is_copy.then_some(each.entry.chain))),
            );
        }
        all
    }
}

/// Every entry of a box's journal.
fn journal(store: &MemoryStore) -> Vec<(EventId, seal::Chain)> {
    let mut all = Vec::new();
    let mut after = Seq(0);
    loop {
        let batch = store.read(|view| link::batch_after(view, after)).unwrap();
        let Some(batch) = batch else { return all };
        after = batch.head.position.seq;
        all.extend(
            batch
                .entries
                .into_iter()
                .map(|entry| (entry.id, entry.chain)),
        );
    }
}
