//! A box in memory with one owner's link, and posts as that owner's phone seals them.

use uuid::Uuid;

use super::{AcceptPost, Accepted, Customer, OpenRequest, SetUp, fresh_id};
use crate::clock::Clock;
use crate::domain::{
    Actor, Description, DeviceId, FullName, Invite, LogId, Role, Scope, Seq, Timestamp, Username,
    Vehicle,
};
use crate::seal::{self, RootSecret, SealContext, SealedPost, ThreadKeys};
use crate::store::memory::MemoryStore;
use crate::store::{self, messages};

pub(super) const ROOT: [u8; 32] = [7; 32];
pub(super) const DEVICE: DeviceId = DeviceId::from_bytes([5; 16]);
pub(super) const NOON: Timestamp = Timestamp(1_900_000_000_000);

pub(super) struct Desk {
    pub(super) store: MemoryStore,
    pub(super) clock: Clock,
    pub(super) meera: Actor,
    pub(super) invite: Invite,
}

pub(super) fn desk() -> Desk {
    let clock = Clock::manual(NOON);
    let log = LogId::new(Uuid::new_v4());
    let store = MemoryStore::new(RootSecret::from_bytes(ROOT), log, clock.clone());
    let set_up = SetUp {
        workshop_name: FullName::parse("Nair Motors").unwrap(),
        full_name: FullName::parse("Meera Nair").unwrap(),
        username: Username::parse("meera").unwrap(),
        password_hash: "none".to_owned(),
    };
    let person = store.write(|tx| set_up.run(tx)).unwrap();
    let meera = Actor {
        id: person.id,
        key: person.key,
        name: person.full_name,
        role: Role::Admin,
        scope: Scope::Everything,
    };
    let open = OpenRequest {
        id: fresh_id(),
        customer: Customer::Named {
            full_name: FullName::parse("Asha Nair").unwrap(),
            phone: None,
            email: None,
        },
        vehicle: Vehicle {
            plate: "KL 07 AB 1234".into(),
            make: None,
            model: None,
            year: None,
        },
        description: Description::parse("Brakes").unwrap(),
        assign_to: None,
    };
    let invite = store.write(|tx| open.run(tx, &meera)).unwrap().invite;
    Desk {
        store,
        clock,
        meera,
        invite,
    }
}

impl Desk {
    /// A post as the link's holder seals it.
    pub(super) fn post(&self, kind: &str, at: Timestamp, body: &str) -> SealedPost {
        self.post_at_epoch(0, kind, at, body)
    }

    pub(super) fn post_at_epoch(
        &self,
        epoch: u16,
        kind: &str,
        at: Timestamp,
        body: &str,
    ) -> SealedPost {
        let root = RootSecret::from_bytes(ROOT);
        let id = fresh_id();
        let thread = self.invite.request_key;
        let keys = ThreadKeys::derive(&root, *thread.as_bytes(), epoch);
        let secret = self.store.keys().invite_secret(self.invite.id);
        let context = SealContext {
            workshop: *self.store.keys().workshop().as_bytes(),
            thread: Some(*thread.as_bytes()),
            event: *id.as_bytes(),
            kind,
        };
        let plain = seal::plain(at.0, *DEVICE.as_bytes(), body.as_bytes());
        let key = secret.post_key(&keys, *self.invite.id.as_bytes());
        SealedPost {
            id,
            thread,
            invite: self.invite.id,
            device: DEVICE,
            kind: kind.to_owned(),
            epoch,
            sealed: seal::seal(&key, &context, &plain),
        }
    }

    pub(super) fn message(&self, seq: i64, text: &str) -> SealedPost {
        let body = serde_json::json!({"seq": seq, "content": text}).to_string();
        self.post("message", NOON, &body)
    }

    pub(super) fn takes(&self, post: &SealedPost) -> Accepted {
        let command = AcceptPost { post: post.clone() };
        self.store.write(|tx| command.run(tx)).unwrap()
    }

    pub(super) fn head(&self) -> Seq {
        self.store.read(store::head).unwrap().seq
    }

    /// What stands in the journal under a post's id.
    pub(super) fn kind_of(&self, post: &SealedPost) -> String {
        let known = self.store.read(|view| store::known(view, post.id)).unwrap();
        let seq = known.unwrap().seq;
        let before = Seq(seq.0 - 1);
        let batch = self
            .store
            .read(|view| store::link::batch_after(view, before))
            .unwrap()
            .unwrap();
        batch.entries[0].kind.clone()
    }

    pub(super) fn messages(&self) -> Vec<crate::domain::Message> {
        self.store
            .read(|view| messages::page(view, self.invite.request, None, 50))
            .unwrap()
            .messages
    }
}
