//! Any deeds on any branches, brought together in any order: the union of all, each entry once, sound.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::test_world::*;
use crate::domain::{Extent, RequestId, Seq, Status};
use crate::store::link::adopt::Adopted;
use crate::store::memory::MemoryStore;
use crate::store::requests;

#[derive(Clone, Copy, Debug)]
enum Deed {
    Open,
    StaffSays,
    OwnerSays,
    StaffRead,
    OwnerReads,
    Redact,
    RenewLink,
    AddPerson,
    Rename,
    Start,
    Cancel,
    Forget,
    ForgetAll,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        2 => Just(Deed::Open),
        4 => Just(Deed::StaffSays),
        4 => Just(Deed::OwnerSays),
        2 => Just(Deed::StaffRead),
        2 => Just(Deed::OwnerReads),
        2 => Just(Deed::Redact),
        1 => Just(Deed::RenewLink),
        1 => Just(Deed::AddPerson),
        1 => Just(Deed::Rename),
        1 => Just(Deed::Start),
        1 => Just(Deed::Cancel),
        1 => Just(Deed::Forget),
        1 => Just(Deed::ForgetAll),
    ]
}

fn branch() -> impl Strategy<Value = Vec<(Deed, u8)>> {
    proptest::collection::vec((deed(), any::<u8>()), 0..14)
}

fn does(store: &MemoryStore, deeds: &[(Deed, u8)]) {
    for (deed, pick) in deeds {
        one(store, *deed, *pick);
    }
}

fn one(store: &MemoryStore, deed: Deed, pick: u8) {
    let count = store.read(requests::next_number).unwrap() - 1;
    let names = ["ravi", "meera2", "sunil"];
    let name = names[usize::from(pick) % names.len()];
    if matches!(deed, Deed::AddPerson | Deed::Rename) {
        let taken = store
            .read(|view| crate::store::people::username_taken(view, name, None))
            .unwrap();
        if matches!(deed, Deed::Rename) {
            rename(store, crate::domain::PersonId(1), name);
        } else if !taken {
            add(store, name);
        }
        return;
    }
    if matches!(deed, Deed::Open) || count == 0 {
        open(store, &format!("Owner {pick}"));
        return;
    }
    let request = RequestId(1 + i64::from(pick) % count);
    let found = store.read(|view| requests::load(view, request)).unwrap();
    let Some(found) = found.filter(|found| found.status.takes_messages()) else {
        return;
    };
    let (meera, theirs) = (staff(store), owner(store, request));
    match deed {
        Deed::StaffSays => {
            say(store, &meera, request, "from the workshop");
        }
        Deed::OwnerSays => {
            say(store, &theirs, request, "from the owner");
        }
        Deed::StaffRead => read(store, &meera, request),
        Deed::OwnerReads => read(store, &theirs, request),
        Deed::Redact => {
            if let Some(last) = found.last_message {
                redact(store, request, last.id);
            }
        }
        Deed::RenewLink => renew_link(store, request),
        Deed::Start => status(store, request, Status::InProgress),
        Deed::Cancel => status(store, request, Status::Cancelled),
        Deed::Forget => forget(store, request, Extent::Words),
        Deed::ForgetAll => forget(store, request, Extent::Everything),
        Deed::Open | Deed::AddPerson | Deed::Rename => {}
    }
}

fn all(stores: &[&MemoryStore]) -> BTreeSet<crate::domain::EventId> {
    stores.iter().flat_map(|store| ids(store)).collect()
}

fn is_sound(store: &MemoryStore, union: &BTreeSet<crate::domain::EventId>) {
    let found = ids(store);
    assert_eq!(found.len(), found.iter().collect::<BTreeSet<_>>().len());
    assert_eq!(&found.into_iter().collect::<BTreeSet<_>>(), union);
    assert_eq!(store.faults().unwrap(), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// The relay has one branch, the box went on with another.
    #[test]
    fn two_branches(
        trunk in branch(), there in branch(), here in branch(), after in branch(), page in 1_usize..9,
    ) {
        let relayed = workshop();
        does(&relayed, &trunk);
        let store = relayed.copy();
        let at = head(&store);
        does(&relayed, &there);
        does(&store, &here);
        let union = all(&[&relayed, &store]);
        let runs: Vec<_> = run_after(&relayed, at).into_iter().collect();
        let adopted = merge(&store, &runs, at, head(&relayed), page);
        is_sound(&store, &union);
        if let Adopted::FastForward { .. } = adopted {
            prop_assert_eq!(common(&store, &relayed), head(&relayed));
        }
        sweep(&store);
        prop_assert_eq!(store.faults().unwrap(), Vec::<String>::new());
        // Life goes on, and the whole of it can be given back to an empty card.
        does(&store, &after);
        prop_assert_eq!(store.faults().unwrap(), Vec::<String>::new());
        let run = run_after(&store, Seq(0)).unwrap();
        let card = empty();
        merge(&card, &[run], Seq(0), head(&store), page);
        is_sound(&card, &all(&[&store]));
    }

    /// The relay has a stretch that was cut off once, and a branch that went on without it.
    #[test]
    fn a_stretch_that_was_cut_off_and_two_branches(
        trunk in branch(), cut in branch(), more in branch(), there in branch(), here in branch(),
        page in 1_usize..9, in_order: bool,
    ) {
        let oldest = workshop();
        let store = oldest.copy();
        does(&store, &trunk);
        let relayed = store.copy();
        let orphaned = store.copy();
        let at = head(&store);
        does(&orphaned, &cut);
        does(&relayed, &more);
        does(&relayed, &there);
        does(&store, &here);
        // And the box may be older than where the stretch was cut off.
        let store = if here.len() % 3 == 0 { oldest } else { store };
        let from = common(&store, &relayed);
        let union = all(&[&relayed, &store, &orphaned]);
        let mut runs: Vec<_> = run_after(&orphaned, at).into_iter().collect();
        runs.extend(run_after(&relayed, from));
        if !in_order {
            runs.reverse();
        }
        let head = if runs.is_empty() { from } else { head(&relayed) };
        merge(&store, &runs, from, head, page);
        is_sound(&store, &union);
        // Again: everything is known now.
        let again = merge(&store, &runs, from, head, page);
        let began_anew = matches!(again, Adopted::FastForward { .. });
        prop_assert!(!began_anew);
        is_sound(&store, &union);
    }
}
