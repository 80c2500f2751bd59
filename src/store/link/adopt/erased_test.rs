//! Erasing wins over whatever a relay or an old backup still has.

use super::test_world::*;
use crate::domain::{Content, ErasedWhy, Extent, RequestId, Role, Seq};
use crate::store::memory::MemoryStore;
use crate::store::{messages, people, requests};

/// What must not be anywhere after Asha was forgotten.
const GONE: [&str; 3] = ["Asha", "secret of hers", "KL 07 4"];

/// A workshop with two owners who both wrote.
fn two_owners() -> (MemoryStore, RequestId, RequestId) {
    let store = workshop();
    let (asha, bilal) = (open(&store, "Asha"), open(&store, "Bilal"));
    for request in [asha, bilal] {
        let who = owner(&store, request);
        let words = if request == asha {
            "a secret of hers"
        } else {
            "words of his"
        };
        say(&store, &who, request, words);
        say(&store, &staff(&store), request, "from the workshop");
        read(&store, &who, request);
    }
    (store, asha, bilal)
}

fn is_forgotten(store: &MemoryStore, request: RequestId) {
    assert_eq!(store.faults().unwrap(), Vec::<String>::new());
    let texts = texts(store);
    for gone in GONE {
        assert!(!texts.contains(gone), "{gone}");
    }
    assert!(texts.contains("words of his") && texts.contains("Bilal"));
    let found = store
        .read(|view| requests::load(view, request))
        .unwrap()
        .unwrap();
    assert_eq!(found.owner.name, "Erased owner");
    assert_eq!(found.vehicle.plate, "ERASED 1");
    let page = store
        .read(|view| messages::page(view, request, None, 50))
        .unwrap();
    assert_eq!(
        page.messages[0].content,
        Content::Erased(ErasedWhy::Forgotten)
    );
}

#[test]
fn an_empty_card_gets_a_forgotten_owner_back_as_a_forgotten_owner() {
    let (old, asha, bilal) = two_owners();
    forget(&old, asha, Extent::Words);
    is_forgotten(&old, asha);
    let run = run_after(&old, Seq(0)).unwrap();
    let card = empty();
    merge(&card, &[run], Seq(0), head(&old), 3);
    is_forgotten(&card, asha);
    assert_eq!(
        common(&card, &old),
        head(&old),
        "entries stand as they stood"
    );
    let owners = card
        .read(|view| people::list(view, &[Role::Owner]))
        .unwrap();
    assert_eq!(owners.len(), 2);
    assert_eq!(owner(&card, bilal).name, "Bilal");
}

/// A relay that never erased anything gives every word back, and the decree with them.
#[test]
fn words_that_come_back_beside_the_decree_do_not_stay() {
    let (old, asha, _) = two_owners();
    let mut run = run_after(&old, Seq(0)).unwrap();
    forget(&old, asha, Extent::Everything);
    let rest = run_after(&old, Seq(run.entries.len().try_into().unwrap())).unwrap();
    run.entries.extend(rest.entries);
    run.ends = rest.ends;
    let card = empty();
    merge(&card, &[run], Seq(0), head(&old), 3);
    is_forgotten(&card, asha);
    assert!(
        texts(&card).contains("from the workshop"),
        "of the other one"
    );
    let page = card
        .read(|view| messages::page(view, asha, None, 50))
        .unwrap();
    assert!(page.messages.iter().all(|it| it.content.shown().is_empty()));
}

/// A backup from before is put back, people work on with it, and then the relay is met.
#[test]
fn an_old_backup_that_went_on_does_not_bring_an_owner_back() {
    let (now, asha, _) = two_owners();
    let backup = now.copy();
    let at = head(&now);
    forget(&now, asha, Extent::Words);
    say(
        &backup,
        &owner(&backup, asha),
        asha,
        "another secret of hers",
    );
    say(&backup, &staff(&backup), asha, "we are on it");
    let runs: Vec<_> = run_after(&now, at).into_iter().collect();
    merge(&backup, &runs, at, head(&now), 3);
    sweep(&backup);
    is_forgotten(&backup, asha);
    assert!(texts(&backup).contains("we are on it"));
}

/// The box forgot somebody; the relay's copy went on with what a clone of the box wrote.
#[test]
fn what_a_clone_wrote_does_not_bring_an_owner_back() {
    let (here, asha, _) = two_owners();
    let clone = here.copy();
    let at = head(&here);
    forget(&here, asha, Extent::Words);
    say(&clone, &owner(&clone, asha), asha, "a secret of hers again");
    let runs: Vec<_> = run_after(&clone, at).into_iter().collect();
    merge(&here, &runs, at, head(&clone), 3);
    sweep(&here);
    is_forgotten(&here, asha);
}

/// Both copies forgot the same person, one of them more than the other: more counts.
#[test]
fn the_greater_of_two_decrees_counts() {
    let (here, asha, _) = two_owners();
    let there = here.copy();
    let at = head(&here);
    forget(&here, asha, Extent::Words);
    forget(&there, asha, Extent::Everything);
    let runs: Vec<_> = run_after(&there, at).into_iter().collect();
    merge(&here, &runs, at, head(&there), 3);
    sweep(&here);
    is_forgotten(&here, asha);
    let found = here.read(|view| requests::load(view, asha)).unwrap();
    assert_eq!(found.unwrap().description, "");
    let card = empty();
    let run = run_after(&here, Seq(0)).unwrap();
    merge(&card, &[run], Seq(0), head(&here), 3);
    is_forgotten(&card, asha);
}
