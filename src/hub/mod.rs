//! Live fan-out, in memory and synchronous: what was committed goes to every socket that it concerns,
//! encoded once and shared.
//!
//! `publish` is called by the writer's thread after each commit, so order of frames is order of
//! commits (invariant 2). Nothing here waits: a reader that falls behind is cut and resumes from the
//! journal (invariant 7). Presence and typing are of the moment and never stored.

mod link;
mod presence;
mod subscriber;

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, watch};
use tokio_tungstenite::tungstenite::Utf8Bytes;

pub use link::LinkBoard;
pub use presence::{StaffDoes, StaffMoment};
pub use subscriber::{Cut, Dialect, Listener, Next, QUEUE_BYTES_MAX, QUEUE_FRAMES_MAX, Subscriber};

use crate::domain::{
    Audience, Change, Committed, PersonId, RequestId, Role, Scope, Seq, SessionId, Side,
};
use crate::wire::api::RequestBody;
use crate::wire::message::{ChatMessage, OriginalMessage};
use crate::wire::server::ServerFrame;

/// Sockets that one person may have in one room, and as many that watch their numbers: more tabs than
/// anybody has open, and few enough that one person cannot take every place.
pub const SOCKETS_PER_PERSON_MAX: usize = 64;

/// Everybody who listens.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    rooms: Mutex<Rooms>,
    link: link::Shared,
    /// What staff do in rooms, for the link.
    moments: broadcast::Sender<StaffMoment>,
    /// What the workshop is called, for whoever tells others; empty before the first run is over.
    named: watch::Sender<String>,
    next_id: AtomicU64,
    sockets_per_person_max: usize,
}

#[derive(Default)]
struct Rooms {
    /// Chat sockets by request.
    chats: HashMap<RequestId, Vec<Arc<Subscriber>>>,
    /// The staff's notification sockets.
    staff: Vec<Arc<Subscriber>>,
    /// Owners' notification sockets.
    owners: HashMap<PersonId, Vec<Arc<Subscriber>>>,
    /// Owners who have their thread open at the relay, by request.
    remote_owners: HashMap<RequestId, String>,
    /// How many of the chat sockets are the staff's.
    staff_in_chats: usize,
    /// The workshop's name, for frames that say it.
    workshop: String,
}

/// A place in the hub; dropping it leaves.
pub struct Place {
    hub: Hub,
    room: Room,
    subscriber: Arc<Subscriber>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Room {
    Chat(RequestId),
    Staff,
    Owner(PersonId),
}

impl Hub {
    /// An empty hub. The limit is `SOCKETS_PER_PERSON_MAX`, except where crowds are played by one.
    pub fn new(sockets_per_person_max: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                rooms: Mutex::default(),
                link: link::Shared::new(),
                moments: broadcast::Sender::new(presence::MOMENTS_MAX),
                named: watch::Sender::new(String::new()),
                next_id: AtomicU64::new(0),
                sockets_per_person_max,
            }),
        }
    }

    /// Tells the hub what the workshop is called.
    pub fn name_workshop(&self, name: String) {
        self.inner.named.send_replace(name.clone());
        self.rooms().workshop = name;
    }

    /// What the workshop is called, whenever that changes; empty before the first run is over.
    pub fn workshop_named(&self) -> watch::Receiver<String> {
        self.inner.named.subscribe()
    }

    /// Enters a request's room. From here on every change of it is queued; read what came before
    /// afterwards, and drop what comes twice. `None` when this person has too many sockets there.
    pub fn enter(&self, request: RequestId, listener: Listener) -> Option<Place> {
        let subscriber = self.subscriber(listener);
        let mut rooms = self.rooms();
        let room = rooms.chats.entry(request).or_default();
        let theirs = sockets_of(room, subscriber.person());
        if theirs >= self.inner.sockets_per_person_max {
            return None;
        }
        if theirs == 0 {
            presence::came(room, &subscriber, request, &self.inner.moments);
        }
        room.push(Arc::clone(&subscriber));
        rooms.staff_in_chats += usize::from(subscriber.side() == Side::Workshop);
        drop(rooms);
        Some(Place {
            hub: self.clone(),
            room: Room::Chat(request),
            subscriber,
        })
    }

    /// Watches one person's numbers. `None` when this person has too many sockets that do.
    pub fn watch(&self, listener: Listener) -> Option<Place> {
        let room = match listener.actor.side() {
            Side::Workshop => Room::Staff,
            Side::User => Room::Owner(listener.actor.id),
        };
        let subscriber = self.subscriber(listener);
        let mut rooms = self.rooms();
        let watchers = match room {
            Room::Owner(person) => rooms.owners.entry(person).or_default(),
            Room::Staff | Room::Chat(_) => &mut rooms.staff,
        };
        if sockets_of(watchers, subscriber.person()) >= self.inner.sockets_per_person_max {
            return None;
        }
        watchers.push(Arc::clone(&subscriber));
        drop(rooms);
        Some(Place {
            hub: self.clone(),
            room,
            subscriber,
        })
    }

    /// Open sockets: in rooms, and watching numbers.
    pub fn sockets(&self) -> (usize, usize) {
        let rooms = self.rooms();
        let owners: usize = rooms.owners.values().map(Vec::len).sum();
        let chats = rooms.chats.values().map(Vec::len).sum();
        (chats, rooms.staff.len() + owners)
    }

    /// Closes every socket that came from a sign-in.
    pub fn sign_out(&self, session: SessionId) {
        self.cut(Cut::SignedOut, |socket| {
            socket.listener.session == Some(session)
        });
    }

    /// Hands committed events to everybody whom they concern, in order.
    pub fn publish(&self, committed: &[Committed]) {
        for event in committed {
            self.publish_one(event);
        }
    }

    fn publish_one(&self, event: &Committed) {
        match &event.change {
            Change::PersonSignedOut(person) => {
                self.cut(Cut::SignedOut, |socket| socket.person() == *person);
            }
            Change::InviteRevoked(_) => {
                if let Some(audience) = &event.audience {
                    // Owners who came by another link of the request come back at once.
                    self.cut(Cut::SignedOut, |socket| {
                        socket.side() == Side::User
                            && socket.listener.actor.scope == Scope::Only(audience.request)
                    });
                }
            }
            Change::Merged { workshop } => {
                self.name_workshop(workshop.clone());
                // Places in the journal moved: whatever a page shows, it asks for anew.
                self.cut(Cut::StartOver, |_| true);
            }
            Change::Posted(_)
            | Change::Erased { .. }
            | Change::Read(_)
            | Change::Request(..)
            | Change::Quiet => {}
        }
        let Some(audience) = &event.audience else {
            return;
        };
        let rooms = self.rooms();
        if let Some(room) = rooms.chats.get(&audience.request) {
            tell_room(room, event, &rooms.workshop);
        }
        tell_watchers(&rooms, event, audience);
    }

    fn cut(&self, why: Cut, is_over: impl Fn(&Subscriber) -> bool) {
        let rooms = self.rooms();
        let in_rooms = rooms.chats.values().chain(rooms.owners.values()).flatten();
        for socket in in_rooms.chain(&rooms.staff) {
            if is_over(socket) {
                socket.cut(why);
            }
        }
    }

    fn subscriber(&self, listener: Listener) -> Arc<Subscriber> {
        let id = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        Arc::new(Subscriber::new(id, listener))
    }

    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.inner
            .rooms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each contract's frame is encoded when the first socket needs it, and shared by the rest.
fn tell_room(room: &[Arc<Subscriber>], event: &Committed, workshop: &str) {
    let mut original: Option<Option<Utf8Bytes>> = None;
    // What a side has not read is for that side alone, so each has its own frame.
    let mut v1: [Option<Option<Utf8Bytes>>; 2] = [None, None];
    for socket in room {
        let frame = match (socket.listener.dialect, socket.side()) {
            (Dialect::Original, _) => original.get_or_insert_with(|| original_frame(&event.change)),
            (Dialect::V1, side) => v1[usize::from(side == Side::User)].get_or_insert_with(|| {
                v1_frame(event.seq, &event.change, workshop, side)
                    .map(|frame| frame.encode().into())
            }),
        };
        if let Some(text) = frame {
            socket.push(Some(event.seq), text.clone());
        }
    }
}

fn original_frame(change: &Change) -> Option<Utf8Bytes> {
    match change {
        Change::Posted(message) => {
            let text = serde_json::to_string(&OriginalMessage::from(&**message))
                .expect("texts and numbers always have a JSON form");
            Some(text.into())
        }
        Change::Erased { .. }
        | Change::Read(_)
        | Change::Request(..)
        | Change::PersonSignedOut(_)
        | Change::InviteRevoked(_)
        | Change::Merged { .. }
        | Change::Quiet => None,
    }
}

/// The frame by which a chat socket of this side learns of a change; also for one that resumes.
pub fn v1_frame(seq: Seq, change: &Change, workshop: &str, side: Side) -> Option<ServerFrame> {
    match change {
        Change::Posted(message) => Some(ServerFrame::Message(Box::new(ChatMessage::from(
            &**message,
        )))),
        Change::Erased { message, why, by } => Some(ServerFrame::redacted(*message, seq, by, *why)),
        Change::Read(receipt) => Some(ServerFrame::read(receipt)),
        Change::Request(aspect, request) => {
            ServerFrame::changed(*aspect, seq, RequestBody::new(request, workshop, side))
        }
        Change::PersonSignedOut(_)
        | Change::InviteRevoked(_)
        | Change::Merged { .. }
        | Change::Quiet => None,
    }
}

fn tell_watchers(rooms: &Rooms, event: &Committed, audience: &Audience) {
    let is_news = match &event.change {
        Change::Request(..) | Change::Posted(_) | Change::Erased { .. } => true,
        Change::Read(_) => false,
        Change::PersonSignedOut(_)
        | Change::InviteRevoked(_)
        | Change::Merged { .. }
        | Change::Quiet => return,
    };
    let news: Option<Utf8Bytes> = is_news.then(|| {
        let service_request_id = audience.request.0;
        ServerFrame::RequestsChanged { service_request_id }
            .encode()
            .into()
    });
    // Looked up, not searched: thousands of owners may be there, and this is the writer's thread.
    let owner = rooms.owners.get(&audience.owner);
    for socket in rooms.staff.iter().chain(owner.into_iter().flatten()) {
        let actor = &socket.listener.actor;
        if !actor.is_party_to(audience.request, audience.owner) {
            continue;
        }
        if let (Some(frame), Dialect::V1) = (&news, socket.listener.dialect) {
            socket.push(None, frame.clone());
        }
        let counts = match actor.role {
            Role::Admin | Role::Owner => true,
            Role::Mechanic => audience.mechanics.contains(&actor.id),
        };
        if counts {
            socket.recount();
        }
    }
}

fn sockets_of(sockets: &[Arc<Subscriber>], person: PersonId) -> usize {
    sockets
        .iter()
        .filter(|socket| socket.person() == person)
        .count()
}

impl Deref for Place {
    type Target = Subscriber;

    fn deref(&self) -> &Subscriber {
        &self.subscriber
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut rooms = self.hub.rooms();
        let id = self.subscriber.id;
        match self.room {
            Room::Chat(request) => {
                let at_relay = rooms.remote_owners.contains_key(&request);
                rooms.staff_in_chats -= usize::from(self.subscriber.side() == Side::Workshop);
                if let Some(room) = rooms.chats.get_mut(&request) {
                    room.retain(|other| other.id != id);
                    if !room
                        .iter()
                        .any(|other| other.person() == self.subscriber.person())
                    {
                        let moments = &self.hub.inner.moments;
                        presence::went(room, &self.subscriber, request, at_relay, moments);
                    }
                    if room.is_empty() {
                        rooms.chats.remove(&request);
                    }
                }
            }
            Room::Staff => rooms.staff.retain(|other| other.id != id),
            Room::Owner(person) => {
                if let Some(sockets) = rooms.owners.get_mut(&person) {
                    sockets.retain(|other| other.id != id);
                    if sockets.is_empty() {
                        rooms.owners.remove(&person);
                    }
                }
            }
        }
    }
}
