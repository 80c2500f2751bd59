//! Settings, batches and how far the relay has the journal.

use uuid::Uuid;

use super::*;
use crate::clock::Clock;
use crate::commands::SetUp;
use crate::domain::{FullName, LogId, Seq, Timestamp, Username};
use crate::seal::{LINK_KEY_PURPOSE, Lineage, RootSecret};
use crate::store::incarnations;
use crate::store::memory::MemoryStore;
use crate::wire::link::{BATCH_ENTRIES_MAX, Verdict};

const LINEAGE: Lineage = Lineage {
    generation: u64::MAX,
    nonce: [3; 16],
};

fn store() -> MemoryStore {
    let store = MemoryStore::new(
        RootSecret::from_bytes([7; 32]),
        LogId::from_bytes([1; 16]),
        Clock::manual(Timestamp(0)),
    );
    let set_up = SetUp {
        workshop_name: FullName::parse("Nair Motors").unwrap(),
        full_name: FullName::parse("Meera Nair").unwrap(),
        username: Username::parse("meera").unwrap(),
        password_hash: "none".to_owned(),
    };
    store.write(|tx| set_up.run(tx)).unwrap();
    store
}

fn grant(store: &MemoryStore, relay: u8) {
    store
        .write(|tx| {
            granted(
                tx,
                &LINEAGE,
                Some(b"member"),
                &[relay; 32],
                "https://r.example",
            )
        })
        .unwrap();
}

#[test]
fn a_relay_is_set_up_refused_granted_and_let_go_of() {
    let store = store();
    let now = || store.read(settings).unwrap();
    assert_eq!(now(), None);
    store
        .write(|tx| connect(tx, "https://r.example", " 7KX2M-9QD4T "))
        .unwrap();
    let typed = now().unwrap();
    assert_eq!(typed.pairing_code.as_deref(), Some("7KX2M-9QD4T"));
    assert!(!format!("{typed:?}").contains("7KX2M"));
    store.write(|tx| refused(tx, Verdict::BadCode)).unwrap();
    let no = now().unwrap();
    assert_eq!(
        (no.verdict, no.pairing_code),
        (Some(Verdict::BadCode), None)
    );

    grant(&store, 5);
    let paired = now().unwrap();
    assert_eq!((paired.relay_key, paired.verdict), (Some([5; 32]), None));
    assert_eq!(paired.public_url.as_deref(), Some("https://r.example"));
    let facts = || store.read(facts).unwrap();
    assert_eq!(facts().lineage, Some(LINEAGE));
    assert_eq!(facts().membership.as_deref(), Some(&b"member"[..]));

    store.write(|tx| refused(tx, Verdict::Quarantined)).unwrap();
    store.write(claim).unwrap();
    let claims = now().unwrap();
    assert_eq!((claims.claim, claims.verdict), (true, None));

    store.write(disconnect).unwrap();
    assert_eq!(now(), None);
    assert_eq!(facts().lineage, Some(LINEAGE), "known when it comes back");
}

#[test]
fn what_waits_is_what_the_relay_does_not_have() {
    let store = store();
    assert_eq!(store.read(waiting).unwrap(), Waiting::default());
    store
        .write(|tx| connect(tx, "https://r.example", ""))
        .unwrap();
    grant(&store, 5);
    assert_eq!(store.read(waiting).unwrap().entries, 2);
    assert_eq!(store.read(delivered_up_to).unwrap(), None);
    let head = store.read(facts).unwrap().head;
    store.write(|tx| applied(tx, head)).unwrap();
    assert_eq!(store.read(waiting).unwrap(), Waiting::default());
    assert_eq!(store.read(delivered_up_to).unwrap(), Some(head.seq));
    // Nobody's position, and another relay that has nothing yet.
    let elsewhere = crate::seal::Position {
        chain: crate::seal::Chain::from_bytes([9; 32]),
        seq: Seq(1),
        ..head
    };
    store.write(|tx| applied(tx, elsewhere)).unwrap();
    assert_eq!(store.read(delivered_up_to).unwrap(), Some(head.seq));
    grant(&store, 6);
    assert_eq!(store.read(delivered_up_to).unwrap(), None);
}

#[test]
fn batches_follow_each_other_and_never_cross_an_incarnation() {
    let store = store();
    let name = |name: &str| {
        let event = crate::domain::Event::WorkshopNamed { name: name.into() };
        let id = crate::domain::EventId::new(Uuid::new_v4());
        store
            .write(|tx| {
                tx.record(id, &crate::domain::Actor::the_box(), &event)?;
                Ok(())
            })
            .unwrap();
    };
    (0..BATCH_ENTRIES_MAX + 3).for_each(|_| name("Nair Motors"));
    let border = store.read(facts).unwrap().head.seq;
    store.write(|tx| Ok(incarnations::renew(tx.conn)?)).unwrap();
    name("Nair & Daughters");

    let public_key = store.keys().signing_key(LINK_KEY_PURPOSE).public_key();
    let mut sizes = Vec::new();
    let mut prev = store.read(|view| chains(view, &[Seq(0)])).unwrap()[0].unwrap();
    let mut at = Seq(0);
    while let Some(batch) = store.read(|view| batch_after(view, at)).unwrap() {
        sizes.push(batch.entries.len());
        assert_eq!((batch.prev.seq, batch.prev.chain), (at, prev));
        for entry in &batch.entries {
            assert!(entry.follows(prev, batch.log));
            prev = entry.chain;
        }
        assert!(batch.head.check(&public_key).is_ok());
        assert_eq!(batch.head.position.log, batch.log);
        assert!(batch.prev.seq >= border || batch.head.position.seq <= border);
        at = batch.head.position.seq;
    }
    assert_eq!(sizes, [BATCH_ENTRIES_MAX, 5, 1]);
    assert_eq!(store.read(facts).unwrap().head.seq, at);
    assert_eq!(
        store.read(|view| batch_after(view, Seq(999))).unwrap(),
        None
    );
    assert_eq!(store.faults().unwrap(), Vec::<String>::new());
}
