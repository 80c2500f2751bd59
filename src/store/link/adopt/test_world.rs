//! A workshop in memory, the deeds that happen in it, and a relay's copy reduced to what it gives back.

use uuid::Uuid;

use crate::clock::Clock;
use crate::commands::{
    AddPerson, ChangePerson, ChangeRequest, Customer, EraseLeftovers, ErasePerson, InviteOwner,
    MarkRead, OpenRequest, PostMessage, RedactMessage, RevokeInvite, SetUp,
};
use crate::domain::{
    Actor, Body, Description, EventId, Extent, FullName, LogId, MessageId, PersonEdit, PersonId,
    RequestId, Role, Scope, Seq, Status, Timestamp, Username, Vehicle,
};
use crate::seal::{Chain, RootSecret, SealedEntry, SignedHead};
use crate::store::link::adopt::{self, Adopted, Staged};
use crate::store::link::{batch_after, chains};
use crate::store::memory::MemoryStore;
use crate::store::{erasure, invites, journal, people};
use crate::wire::link::{Given, GivenEntry};

pub(super) fn workshop() -> MemoryStore {
    let store = empty();
    let set_up = SetUp {
        workshop_name: FullName::parse("Nair Motors").unwrap(),
        full_name: FullName::parse("Meera Nair").unwrap(),
        username: Username::parse("meera").unwrap(),
        password_hash: "none".to_owned(),
    };
    store.write(|tx| set_up.run(tx)).unwrap();
    store
}

pub(super) fn empty() -> MemoryStore {
    let log = LogId::new(Uuid::new_v4());
    MemoryStore::new(
        RootSecret::from_bytes([7; 32]),
        log,
        Clock::manual(Timestamp(0)),
    )
}

pub(super) fn id() -> EventId {
    EventId::new(Uuid::now_v7())
}

/// The admin, whoever that is on this copy.
pub(super) fn staff(store: &MemoryStore) -> Actor {
    let person = store
        .read(|view| people::list(view, &[Role::Admin]))
        .unwrap()
        .remove(0);
    Actor {
        id: person.id,
        key: person.key,
        name: person.full_name,
        role: Role::Admin,
        scope: Scope::Everything,
    }
}

pub(super) fn owner(store: &MemoryStore, request: RequestId) -> Actor {
    let owner = store
        .read(|view| crate::store::requests::load(view, request))
        .unwrap()
        .unwrap()
        .owner;
    let person = store
        .read(|view| people::load(view, owner.id))
        .unwrap()
        .unwrap();
    Actor {
        id: person.id,
        key: person.key,
        name: person.full_name,
        role: Role::Owner,
        scope: Scope::Only(request),
    }
}

pub(super) fn open(store: &MemoryStore, who: &str) -> RequestId {
    let open = OpenRequest {
        id: id(),
        customer: Customer::Named {
            full_name: FullName::parse(who).unwrap(),
            phone: None,
            email: None,
        },
        vehicle: Vehicle {
            plate: format!("KL 07 {}", who.len()),
            make: None,
            model: None,
            year: None,
        },
        description: Description::parse("Brakes").unwrap(),
        assign_to: None,
    };
    let by = staff(store);
    store.write(|tx| open.run(tx, &by)).unwrap().request.id
}

pub(super) fn say(store: &MemoryStore, by: &Actor, request: RequestId, text: &str) -> MessageId {
    let post = PostMessage {
        id: id(),
        request,
        body: Body::parse(text).unwrap(),
        reply_to: None,
        expires_in_s: None,
    };
    store.write(|tx| post.run(tx, by)).unwrap().message.id
}

pub(super) fn read(store: &MemoryStore, by: &Actor, request: RequestId) {
    let read = MarkRead {
        request,
        up_to: None,
    };
    store.write(|tx| read.run(tx, by)).unwrap();
}

pub(super) fn redact(store: &MemoryStore, request: RequestId, message: MessageId) {
    let redact = RedactMessage { request, message };
    let by = staff(store);
    store.write(|tx| redact.run(tx, &by)).unwrap();
}

pub(super) fn add(store: &MemoryStore, username: &str) -> PersonId {
    let add = AddPerson {
        id: id(),
        role: Role::Mechanic,
        full_name: FullName::parse(username).unwrap(),
        username: Some(Username::parse(username).unwrap()),
        phone: None,
        email: None,
        password_hash: Some("none".to_owned()),
    };
    let by = staff(store);
    store.write(|tx| add.run(tx, &by)).unwrap().id
}

pub(super) fn rename(store: &MemoryStore, person: PersonId, username: &str) {
    let change = ChangePerson {
        person,
        edit: PersonEdit {
            username: Some(username.to_owned()),
            ..PersonEdit::default()
        },
        keep: None,
    };
    let by = staff(store);
    // Refused where somebody has the name; that is fine.
    let _ = store.write(|tx| change.run(tx, &by));
}

pub(super) fn status(store: &MemoryStore, request: RequestId, status: Status) {
    let change = ChangeRequest {
        status: Some(status),
        ..ChangeRequest::default()
    };
    let by = staff(store);
    // Refused where it may not go there; that is fine.
    let _ = store.write(|tx| change.run(tx, &by, request));
}

/// Takes the oldest link back that still opens something, and gives out another.
pub(super) fn renew_link(store: &MemoryStore, request: RequestId) {
    let by = staff(store);
    let links = store
        .read(|view| invites::of_request(view, request))
        .unwrap();
    if let Some(link) = links.iter().find(|link| link.revoked.is_none()) {
        let revoke = RevokeInvite {
            request,
            invite: link.id,
        };
        store.write(|tx| revoke.run(tx, &by)).unwrap();
    }
    // Refused where the owner was erased; that is fine.
    let _ = store.write(|tx| InviteOwner { request }.run(tx, &by));
}

/// The owner of a request asks to be forgotten, and is.
pub(super) fn forget(store: &MemoryStore, request: RequestId, extent: Extent) {
    let by = staff(store);
    let erase = ErasePerson {
        person: owner(store, request).id,
        name: owner(store, request).name,
        extent,
    };
    store.write(|tx| erase.run(tx, &by)).unwrap();
    sweep(store);
}

/// What the box does by itself after copies were brought together.
pub(super) fn sweep(store: &MemoryStore) {
    while store.write(|tx| EraseLeftovers.run(tx)).unwrap().more {}
    let left = store
        .read(|view| {
            let mut left = 0;
            for who in erasure::forgotten(view)? {
                left += erasure::identity(view, who)?.len();
                left += erasure::words(view, who, 100)?.len();
            }
            Ok::<_, crate::store::StoreError>(left)
        })
        .unwrap();
    assert_eq!(left, 0);
}

/// Every text that the journal still has.
pub(super) fn texts(store: &MemoryStore) -> String {
    let mut texts = String::new();
    store
        .read(|view| {
            journal::each(view.conn, |entry| {
                texts.push_str(&entry.body.unwrap_or_default());
                texts.push_str(&entry.remains.unwrap_or_default());
                Ok(())
            })
        })
        .unwrap();
    texts
}

/// Ids of the journal, in order.
pub(super) fn ids(store: &MemoryStore) -> Vec<EventId> {
    let mut ids = Vec::new();
    store
        .read(|view| {
            journal::each(view.conn, |entry| {
                ids.push(entry.id);
                Ok(())
            })
        })
        .unwrap();
    ids
}

/// A stretch of a relay's copy.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) begins: Chain,
    pub(super) entries: Vec<GivenEntry>,
    pub(super) ends: SignedHead,
}

/// Everything after a position, as a relay has it that took every batch.
pub(super) fn run_after(store: &MemoryStore, after: Seq) -> Option<Run> {
    let mut at = after;
    let mut run: Option<Run> = None;
    while let Some(batch) = store.read(|view| batch_after(view, at)).unwrap() {
        assert_eq!(batch.prev.seq, at);
        let run = run.get_or_insert_with(|| Run {
            begins: batch.prev.chain,
            entries: Vec::new(),
            ends: batch.head,
        });
        run.ends = batch.head;
        at = batch.head.position.seq;
        for entry in batch.entries {
            run.entries.push(GivenEntry {
                log: batch.log,
                entry: SealedEntry {
                    clear: None,
                    ..entry
                },
                settled: false,
            });
        }
    }
    run
}

/// Gives runs back in pages of a few entries and adopts them.
pub(super) fn merge(
    store: &MemoryStore,
    runs: &[Run],
    common: Seq,
    relay_head: Seq,
    page: usize,
) -> Adopted {
    store.write(adopt::clear).unwrap();
    for given in pages(runs, page) {
        let staged = store.write(|tx| adopt::stage(tx, &given)).unwrap();
        assert_eq!(staged, Staged::Taken);
    }
    store
        .write(|tx| adopt::finish(tx, common, relay_head))
        .unwrap()
}

pub(super) fn pages(runs: &[Run], page: usize) -> Vec<Given> {
    let mut pages = Vec::new();
    for run in runs {
        let chunks: Vec<_> = run.entries.chunks(page).collect();
        for (at, chunk) in chunks.iter().enumerate() {
            pages.push(Given {
                begins: (at == 0).then_some(run.begins),
                entries: chunk.to_vec(),
                ends: Some(run.ends),
                next: Some(vec![1]),
            });
        }
    }
    match pages.last_mut() {
        Some(last) => last.next = None,
        None => pages.push(Given {
            begins: None,
            entries: Vec::new(),
            ends: None,
            next: None,
        }),
    }
    pages
}

/// The last position at which two copies agree.
pub(super) fn common(one: &MemoryStore, other: &MemoryStore) -> Seq {
    let seqs: Vec<_> = (0..=i64::try_from(ids(one).len()).unwrap())
        .map(Seq)
        .collect();
    let ours = one.read(|view| chains(view, &seqs)).unwrap();
    let theirs = other.read(|view| chains(view, &seqs)).unwrap();
    let agreed = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
    seqs[agreed - 1]
}

pub(super) fn head(store: &MemoryStore) -> Seq {
    store.read(crate::store::head).unwrap().seq
}
