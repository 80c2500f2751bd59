//! Two copies of the journal are brought together while pages are open: everybody starts over and sees
//! the whole conversation, and whoever was signed in stays so.

use motoreach::domain::Seq;
use motoreach::store::head;
use motoreach::store::link::adopt::{self, Adopted, Staged};
use motoreach::store::link::batch_after;
use motoreach::wire::link::{Given, GivenEntry};

use crate::harness::{Workshop, text};

/// Everything after a position, as a relay that has it gives it back.
async fn given_back(workshop: &Workshop, after: Seq) -> Given {
    let store = workshop.running().store();
    let first = store.read(move |view| batch_after(view, after)).await;
    let first = first.unwrap().unwrap();
    let mut given = Given {
        begins: Some(first.prev.chain),
        entries: Vec::new(),
        ends: None,
        next: None,
    };
    let mut next = Some(first);
    while let Some(batch) = next {
        given.ends = Some(batch.head);
        let at = batch.head.position.seq;
        given
            .entries
            .extend(batch.entries.into_iter().map(|entry| GivenEntry {
                log: batch.log,
                entry,
                settled: false,
            }));
        let read = store.read(move |view| batch_after(view, at)).await;
        next = read.unwrap();
    }
    given
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_merge_every_page_starts_over_and_everybody_stays_signed_in() {
    let mut workshop = Workshop::open().await;
    let copy = workshop.path().join("copy.db");
    let at = workshop.running().store().read(head).await.unwrap().seq;
    workshop.halt().await;
    std::fs::copy(workshop.path().join("box/motoreach.db"), &copy).unwrap();
    workshop.restart().await;
    let (request, owner) = (workshop.asha.request, workshop.asha.token.clone());
    workshop.write(request, &owner, "only at the relay").await;
    let chitra = workshop.open_request("Chitra", "KL 01 C 1", None).await;
    let given = given_back(&workshop, at).await;
    let relay_head = workshop.running().store().read(head).await.unwrap().seq;

    // The card is swapped for an older one; life goes on before there is a line.
    workshop.halt().await;
    std::fs::copy(&copy, workshop.path().join("box/motoreach.db")).unwrap();
    workshop.restart().await;
    let ravi = workshop.sign_in("ravi").await;
    workshop.write(request, &owner, "only here").await;
    let david = workshop.open_request("David", "KL 01 D 1", None).await;
    assert_eq!(chitra["id"], david["id"], "one number twice");
    let (mut page, hello, _) = workshop.greeted(request, &ravi.token).await;
    let mut dots = workshop.dots(&ravi.token).await;
    // Once it has its first numbers it is there to be told.
    dots.hear().await;

    let store = workshop.running().store();
    let adopted = store
        .write(move |tx| {
            adopt::clear(tx)?;
            assert_eq!(adopt::stage(tx, &given)?, Staged::Taken);
            adopt::finish(tx, at, relay_head)
        })
        .await
        .unwrap();
    assert!(matches!(adopted, Adopted::Forked { recovered, .. } if recovered.messages == 1));
    assert_eq!((page.closed().await, dots.closed().await), (1012, 1012));

    let (_page, again, history) = workshop.greeted(request, &ravi.token).await;
    assert_ne!(again["log"], hello["log"]);
    let words: Vec<_> = history["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| text(&message["content"]))
        .collect();
    assert_eq!(words, ["only at the relay", "only here"]);
    let list = workshop.get("/api/service-requests/", &ravi.token).await;
    let list = list.expect(200).json();
    let of = |name: &str| {
        let mut list = list.as_array().unwrap().iter();
        let found = list.find(|it| it["customer"]["full_name"] == name);
        found.unwrap()["id"].clone()
    };
    assert_eq!(
        of("Chitra"),
        chitra["id"],
        "what came back keeps its number"
    );
    assert_ne!(of("David"), of("Chitra"));
    // Signed in before the swap, and after it.
    workshop.messages(request, &owner).await;
    assert_eq!(workshop.check().faults, Vec::<String>::new());
}
