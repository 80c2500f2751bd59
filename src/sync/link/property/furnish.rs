//! The workshop, and what its owners' pages make.

use uuid::Uuid;

use super::world::{NOW, ROOT};
use crate::commands::{Customer, OpenRequest, SetUp};
use crate::domain::{
    Actor, Description, DeviceId, EventId, FullName, InviteId, Plate, RequestId, RequestKey,
    Username, Vehicle, WorkshopKey,
};
use crate::seal::{self, RootSecret, SealContext, SealedPost, ThreadKeys};
use crate::store::memory::MemoryStore;

/// A request with the link that its owner's phone has.
#[derive(Clone, Copy)]
pub(super) struct Thread {
    pub(super) request: RequestId,
    pub(super) key: RequestKey,
    pub(super) invite: InviteId,
    pub(super) device: DeviceId,
    /// The dense number of the phone's next post.
    pub(super) next: i64,
}

/// A workshop with two requests whose owners have links.
pub(super) fn furnish(store: &MemoryStore) -> Vec<Thread> {
    let set_up = SetUp {
        workshop_name: FullName::parse("Nair Motors").unwrap(),
        full_name: FullName::parse("Meera Nair").unwrap(),
        username: Username::parse("meera").unwrap(),
        password_hash: "none".to_owned(),
    };
    store.write(|tx| set_up.run(tx)).unwrap();
    let threads = ["Asha", "Binu"].map(|name| {
        let open = OpenRequest {
            id: EventId::new(Uuid::new_v4()),
            customer: Customer::Named {
                full_name: FullName::parse(name).unwrap(),
                phone: None,
                email: None,
            },
            vehicle: Vehicle {
                plate: Plate::parse("KL 07 AB 1234").unwrap().into_string(),
                make: None,
                model: None,
                year: None,
            },
            description: Description::parse("Brakes").unwrap(),
            assign_to: None,
        };
        let opened = store.write(|tx| open.run(tx, &Actor::the_box())).unwrap();
        Thread {
            request: opened.request.id,
            key: opened.request.key,
            invite: opened.invite.id,
            device: DeviceId::new(Uuid::new_v4()),
            next: 1,
        }
    });
    threads.to_vec()
}

/// What an owner's page makes of a message.
pub(super) fn sealed_post(
    workshop: WorkshopKey,
    thread: &Thread,
    id: EventId,
    json: &str,
) -> SealedPost {
    let root = RootSecret::from_bytes(ROOT);
    let keys = ThreadKeys::derive(&root, *thread.key.as_bytes(), 0);
    let secret = seal::InviteSecret::derive(&root, *thread.invite.as_bytes());
    let key = secret.post_key(&keys, *thread.invite.as_bytes());
    let context = SealContext {
        workshop: *workshop.as_bytes(),
        thread: Some(*thread.key.as_bytes()),
        event: *id.as_bytes(),
        kind: "message",
    };
    let plain = seal::plain(NOW.0, *thread.device.as_bytes(), json.as_bytes());
    SealedPost {
        id,
        thread: thread.key,
        invite: thread.invite,
        device: thread.device,
        kind: "message".into(),
        epoch: 0,
        sealed: seal::seal(&key, &context, &plain),
    }
}
