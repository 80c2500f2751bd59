//! Single cases, each with its name.

use super::test_world::*;
use crate::commands::{InviteOwner, RevokeInvite};
use crate::domain::{Content, EventId, Seq, Status, Timestamp};
use crate::seal::{Clear, RootSecret, SignedHead, SigningKey};
use crate::store::link::adopt::{self, Adopted, Staged};
use crate::store::link::{batch_after, merges, retention};
use crate::store::{WriteTx, invites, local, messages, people, requests};
use crate::wire::link::{Given, GivenEntry};

#[test]
fn an_empty_card_gets_everything_back_and_goes_on_in_a_new_incarnation() {
    let old = workshop();
    let request = open(&old, "Asha");
    let (meera, asha) = (staff(&old), owner(&old, request));
    say(&old, &asha, request, "Is it ready?");
    let gone = say(&old, &meera, request, "Tommorow");
    redact(&old, request, gone);
    read(&old, &meera, request);
    let run = run_after(&old, Seq(0)).unwrap();
    let last = head(&old);

    let card = empty();
    let adopted = merge(&card, &[run], Seq(0), last, 4);
    let Adopted::FastForward { head, recovered } = adopted else {
        panic!("{adopted:?}");
    };
    assert_eq!((head.seq, recovered.entries), (last, last.0));
    assert_eq!(ids(&card), ids(&old));
    assert_eq!(common(&card, &old), last, "entries stand as they stood");
    assert_eq!(card.faults().unwrap(), Vec::<String>::new());
    assert_ne!(
        card.read(crate::store::head).unwrap().log,
        old.read(crate::store::head).unwrap().log
    );
    let page = card
        .read(|view| messages::page(view, request, None, 50))
        .unwrap();
    assert_eq!(page.messages[0].content.shown(), "Is it ready?");
    // Its words are gone, and who wrote it went with them.
    assert_eq!(page.messages[1].author_name, "Nair Motors");
    assert!(matches!(page.messages[1].content, Content::Erased(_)));
    assert_eq!(card.read(merges).unwrap()[0].entries, last.0);
}

#[test]
fn words_that_no_copy_has_any_more_are_gone_in_the_journal_too() {
    let old = workshop();
    let request = open(&old, "Asha");
    say(&old, &owner(&old, request), request, "Is it ready?");
    let mut run = run_after(&old, Seq(0)).unwrap();
    let last = head(&old);
    // The relay kept them for as long as it may, or the copy that knew who took them back is lost.
    let message = run
        .entries
        .iter_mut()
        .find(|given| given.entry.kind == "message_posted");
    message.unwrap().entry.body = None;

    let card = empty();
    merge(&card, &[run], Seq(0), last, 4);
    assert_eq!(card.faults().unwrap(), Vec::<String>::new());
    let page = card
        .read(|view| messages::page(view, request, None, 50))
        .unwrap();
    assert!(matches!(page.messages[0].content, Content::Erased(_)));
    assert!(head(&card) > last, "the journal says so itself");
}

#[test]
fn what_is_known_already_changes_nothing() {
    let store = workshop();
    let run = run_after(&store, Seq(0)).unwrap();
    open(&store, "Asha");
    let before = store.read(crate::store::head).unwrap();
    let last = Seq(run.entries.len().try_into().unwrap());
    assert_eq!(
        merge(&store, std::slice::from_ref(&run), last, last, 2),
        Adopted::Kept
    );
    // An earlier session adopted the relay's tail and lost its line before it could say so.
    let again = merge(&store, &[run], Seq(0), last, 2);
    assert!(matches!(again, Adopted::Forked { recovered, .. } if recovered.entries == 0));
    assert_eq!(store.read(crate::store::head).unwrap(), before);
    assert_eq!(store.read(merges).unwrap(), Vec::new());
}

#[test]
fn both_branches_are_kept_and_what_collides_is_varied() {
    let store = workshop();
    let asha = open(&store, "Asha");
    let restored = store.copy();
    let at = head(&store);
    // What the relay has and the restored copy lacks.
    let bilal = open(&store, "Bilal");
    add(&store, "ravi");
    status(&store, asha, Status::InProgress);
    say(&store, &staff(&store), asha, "We begin.");
    let proven = |tx: &mut WriteTx<'_>| {
        local::note(tx, "backup_proven_up_to", "1000")?;
        Ok(())
    };
    restored.write(proven).unwrap();
    // What happened on the restored copy before it had a line.
    let chitra = open(&restored, "Chitra K");
    add(&restored, "ravi");
    status(&restored, asha, Status::Cancelled);
    assert_eq!(bilal, chitra, "one number for two requests");

    let run = run_after(&store, at).unwrap();
    let adopted = merge(&restored, &[run], at, head(&store), 3);
    let Adopted::Forked {
        common, recovered, ..
    } = adopted
    else {
        panic!("{adopted:?}");
    };
    assert_eq!(common.seq, at);
    assert_eq!((recovered.messages, recovered.flagged), (1, vec![asha]));
    // What comes after it in a backup is something else.
    let retained = restored.read(|view| retention(view, Timestamp(0), 1));
    assert_eq!(retained.unwrap().map(|(line, _)| line), Some(at));
    assert_eq!(restored.faults().unwrap(), Vec::<String>::new());
    let name = |number| {
        restored
            .read(|view| requests::load(view, number))
            .unwrap()
            .unwrap()
            .owner
            .name
    };
    assert_eq!(name(bilal), "Bilal", "what comes back keeps its number");
    assert_eq!(name(crate::domain::RequestId(bilal.0 + 1)), "Chitra K");
    let names: Vec<_> = restored
        .read(|view| people::list(view, &[crate::domain::Role::Mechanic]))
        .unwrap()
        .into_iter()
        .filter_map(|person| person.username)
        .collect();
    assert_eq!(names, ["ravi", "ravi-2"]);
    let asha = restored
        .read(|view| requests::load(view, asha))
        .unwrap()
        .unwrap();
    assert_eq!(asha.status, Status::Cancelled, "the later entry counts");
}

#[test]
fn erasing_and_revoking_win_on_either_branch() {
    let store = workshop();
    let request = open(&store, "Asha");
    let by = staff(&store);
    let here = say(&store, &by, request, "erased here");
    let there = say(&store, &by, request, "erased there");
    let restored = store.copy();
    let at = head(&store);
    redact(&store, request, there);
    renew_link(&store, request);
    redact(&restored, request, here);
    let links = store
        .read(|view| invites::of_request(view, request))
        .unwrap();
    let taken_back = links.iter().find(|link| link.revoked.is_some()).unwrap();

    merge(
        &restored,
        &[run_after(&store, at).unwrap()],
        at,
        head(&store),
        2,
    );
    assert_eq!(restored.faults().unwrap(), Vec::<String>::new());
    let page = restored
        .read(|view| messages::page(view, request, None, 50))
        .unwrap();
    assert!(
        page.messages
            .iter()
            .all(|message| matches!(message.content, Content::Erased(_)))
    );
    let revoked = restored
        .read(|view| invites::load(view, taken_back.id))
        .unwrap()
        .unwrap();
    assert!(revoked.revoked.is_some());
}

#[test]
fn a_link_taken_back_on_each_branch_renews_the_key_twice_and_nobody_else_is_locked_out() {
    let store = workshop();
    let request = open(&store, "Asha");
    let by = staff(&store);
    let first = store
        .read(|view| invites::of_request(view, request))
        .unwrap()
        .remove(0);
    let stays = store
        .write(|tx| InviteOwner { request }.run(tx, &by))
        .unwrap();
    let leaves = store
        .write(|tx| InviteOwner { request }.run(tx, &by))
        .unwrap();
    let restored = store.copy();
    let at = head(&store);
    for (copy, link) in [(&store, &first), (&restored, &leaves)] {
        let revoke = RevokeInvite {
            request,
            invite: link.id,
        };
        copy.write(|tx| revoke.run(tx, &by)).unwrap();
    }
    merge(
        &restored,
        &[run_after(&store, at).unwrap()],
        at,
        head(&store),
        8,
    );
    say(
        &restored,
        &staff(&restored),
        request,
        "under the newest key",
    );

    let mut epochs = Vec::new();
    let mut newest = None;
    let mut after = at;
    while let Some(batch) = restored.read(|view| batch_after(view, after)).unwrap() {
        after = batch.head.position.seq;
        for entry in batch.entries {
            if let Some(Clear::Revoked { wraps, .. }) = &entry.clear {
                assert!(wraps.iter().all(|wrap| wrap.invite != leaves.id));
                let mine = wraps.iter().find(|wrap| wrap.invite == stays.id).unwrap();
                epochs.push(mine.epoch);
            }
            newest = Some(entry.epoch);
        }
    }
    assert_eq!(epochs, [1, 2]);
    assert_eq!(newest, Some(2));
}

#[test]
fn what_this_box_did_not_write_is_refused_and_leaves_nothing() {
    let store = workshop();
    open(&store, "Asha");
    let run = run_after(&store, Seq(0)).unwrap();
    let card = empty();
    let key = SigningKey::derive(&RootSecret::from_bytes([8; 32]), "journal-head");
    let foreign = SignedHead::sign(&key, run.ends.position);
    let spoilt = |spoil: &dyn Fn(&mut super::test_world::Run)| {
        let mut run = run.clone();
        spoil(&mut run);
        run
    };
    let cases = [
        spoilt(&|run| run.ends = foreign),
        spoilt(&|run| {
            run.entries.pop();
        }),
        spoilt(&|run| {
            run.entries.remove(1);
        }),
        spoilt(&|run| run.entries.swap(0, 1)),
        spoilt(&|run| {
            if let Some(body) = &mut run.entries[1].entry.body {
                body[3] ^= 1;
            }
        }),
        spoilt(&|run| run.entries[1].entry.kind = "status_changed".into()),
        spoilt(&|run| run.entries[1].entry.flags ^= 2),
        spoilt(&|run| run.entries[2].log = crate::domain::LogId::from_bytes([1; 16])),
        spoilt(&|run| run.begins = crate::seal::Chain::from_bytes([9; 32])),
    ];
    for (number, run) in cases.into_iter().enumerate() {
        let refused = pages(&[run], 2)
            .iter()
            .any(|given| card.write(|tx| adopt::stage(tx, given)).unwrap() != Staged::Taken);
        assert!(refused, "case {number}");
        let adopted = card.write(|tx| adopt::finish(tx, Seq(0), Seq(0))).unwrap();
        assert_eq!(adopted, Adopted::Kept, "case {number}");
        assert_eq!(head(&card), Seq(0), "case {number}");
    }
}

#[test]
fn a_relay_cannot_make_the_box_store_more_than_it_once_wrote() {
    let store = workshop();
    open(&store, "Asha");
    let run = run_after(&store, Seq(0)).unwrap();
    let card = empty();
    let page = |ends, entries: &[GivenEntry]| Given {
        begins: Some(run.begins),
        entries: entries.to_vec(),
        ends,
        next: Some(vec![1]),
    };
    let refused = |given: &Given| card.write(|tx| adopt::stage(tx, given)).unwrap();
    // Nobody answers for it, or for what comes after the end that was signed.
    assert_ne!(refused(&page(None, &run.entries)), Staged::Taken);
    let mut longer = run.entries.clone();
    let mut next = longer[0].clone();
    next.entry.seq = Seq(run.ends.position.seq.0 + 1);
    next.entry.chain = run.ends.position.chain.next(&next.entry.link(next.log));
    longer.push(next);
    assert_ne!(refused(&page(Some(run.ends), &longer)), Staged::Taken);
    // A chain of its own, without bodies that would have to open, up to the end and no further.
    let mut forged = run.entries.clone();
    let mut chain = run.begins;
    for given in &mut forged {
        given.entry.body = None;
        given.entry.id = EventId::from_bytes([7; 16]);
        given.entry.chain = chain.next(&given.entry.link(given.log));
        chain = given.entry.chain;
    }
    assert_ne!(refused(&page(Some(run.ends), &forged)), Staged::Taken);
    // Stretches of nothing.
    assert_ne!(refused(&page(Some(run.ends), &[])), Staged::Taken);
    let on_and_on = Given {
        begins: None,
        ..page(None, &[])
    };
    assert_ne!(refused(&on_and_on), Staged::Taken);
    assert_eq!(refused(&page(Some(run.ends), &run.entries)), Staged::Taken);
}

#[test]
fn an_older_stretch_whose_thread_was_opened_in_a_later_one_finds_it() {
    // The relay cut off a message, then, for a still older copy, the request that it belongs to.
    let oldest = workshop();
    let older = oldest.copy();
    let request = open(&older, "Asha");
    let at_request = head(&older);
    let store = older.copy();
    say(&store, &owner(&store, request), request, "cut off first");
    let first = run_after(&store, at_request).unwrap();
    let second = run_after(&older, head(&oldest)).unwrap();
    open(&oldest, "Bilal");
    let at = common(&oldest, &older);
    merge(&oldest, &[first, second], at, at, 2);
    assert_eq!(oldest.faults().unwrap(), Vec::<String>::new());
    let page = oldest
        .read(|view| messages::page(view, request, None, 50))
        .unwrap();
    assert_eq!(page.messages[0].content.shown(), "cut off first");
}

#[test]
fn a_stretch_whose_thread_is_withheld_is_kept_and_breaks_nothing() {
    let oldest = workshop();
    let older = oldest.copy();
    let request = open(&older, "Asha");
    let at_request = head(&older);
    let message = say(&older, &owner(&older, request), request, "alone");
    redact(&older, request, message);
    renew_link(&older, request);
    let alone = run_after(&older, at_request).unwrap();
    add(&oldest, "ravi");
    let at = common(&oldest, &older);
    merge(&oldest, std::slice::from_ref(&alone), at, at, 2);
    assert_eq!(oldest.faults().unwrap(), Vec::<String>::new());
    assert!(ids(&oldest).contains(&alone.entries[0].entry.id));
    let bilal = open(&oldest, "Bilal");
    assert_eq!(bilal, request, "the number was not used up");
    assert_eq!(oldest.faults().unwrap(), Vec::<String>::new());
}
