//! Who is here: of the moment, never stored. Owners at the relay count as being in their request's
//! room; what staff do in a room is told to the link, which carries it to them.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{Dialect, Hub, Place, Room, Rooms, Subscriber};
use crate::domain::{RequestId, Side};
use crate::wire::server::{Peer, ServerFrame};
use crate::wire::side_word;

/// Moments that may wait for the link; older ones are of no interest any more.
pub(super) const MOMENTS_MAX: usize = 64;

/// What somebody of the staff does in a request's room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StaffMoment {
    /// The request.
    pub request: RequestId,
    /// What.
    pub what: StaffDoes,
}

/// What of the moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StaffDoes {
    /// The first of the staff opened the thread.
    Opened,
    /// The last one left it.
    Left,
    /// Somebody types.
    Typing,
}

impl Hub {
    /// Who is in a room, each person once, in the order in which they came; then an owner who is at
    /// the relay.
    pub fn peers(&self, request: RequestId) -> Vec<Peer> {
        let rooms = self.rooms();
        let mut peers: Vec<Peer> = Vec::new();
        let here = rooms.chats.get(&request).into_iter().flatten();
        let here = here.map(|socket| Peer {
            name: socket.listener.actor.name.clone(),
            side: side_word(socket.side()),
        });
        let remote = rooms.remote_owners.get(&request).map(|name| Peer {
            name: name.clone(),
            side: side_word(Side::User),
        });
        for peer in here.chain(remote) {
            if !peers.contains(&peer) {
                peers.push(peer);
            }
        }
        peers
    }

    /// Whether anybody of the staff has a page open.
    pub fn workshop_online(&self) -> bool {
        let rooms = self.rooms();
        !rooms.staff.is_empty() || rooms.staff_in_chats > 0
    }

    /// Says to the others in a room that somebody is typing.
    pub fn typing(&self, place: &Place) {
        let Room::Chat(request) = place.room else {
            return;
        };
        let actor = &place.subscriber.listener.actor;
        let frame: Utf8Bytes = ServerFrame::typing(&actor.name, actor.side())
            .encode()
            .into();
        for other in self.rooms().chats.get(&request).into_iter().flatten() {
            if other.person() != actor.id && other.listener.dialect == Dialect::V1 {
                other.push(None, frame.clone());
            }
        }
        if actor.side() == Side::Workshop {
            tell_link(&self.inner.moments, request, StaffDoes::Typing);
        }
    }

    /// An owner came to the relay, or the last of their devices left it.
    pub(super) fn remote_owner(&self, request: RequestId, name: &str, online: bool) {
        let mut rooms = self.rooms();
        if online {
            rooms.remote_owners.insert(request, name.to_owned());
        } else {
            rooms.remote_owners.remove(&request);
        }
        rooms.tell_remote(request, name, online);
    }

    /// The owner who is at the relay types.
    pub(super) fn remote_typing(&self, request: RequestId) {
        let rooms = self.rooms();
        let Some(name) = rooms.remote_owners.get(&request) else {
            return;
        };
        rooms.tell_staff_in(request, &ServerFrame::typing(name, Side::User));
    }

    /// The line went: nobody knows who is at the relay.
    pub(super) fn remote_owners_gone(&self) {
        let mut rooms = self.rooms();
        for (request, name) in std::mem::take(&mut rooms.remote_owners) {
            rooms.tell_remote(request, &name, false);
        }
    }

    /// The rooms that somebody of the staff is in.
    pub(super) fn staffed(&self) -> Vec<RequestId> {
        let rooms = self.rooms();
        let chats = rooms.chats.iter();
        let staffed = chats.filter(|(_, room)| room.iter().any(|socket| is_staff(socket)));
        staffed.map(|(request, _)| *request).collect()
    }
}

impl Rooms {
    /// An owner who is on the workshop's own network as well is here either way.
    fn tell_remote(&self, request: RequestId, name: &str, online: bool) {
        let room = self.chats.get(&request).into_iter().flatten();
        if room.into_iter().any(|socket| !is_staff(socket)) {
            return;
        }
        let presence = ServerFrame::Presence {
            side: side_word(Side::User),
            online,
            name: name.to_owned(),
        };
        self.tell_staff_in(request, &presence);
    }

    fn tell_staff_in(&self, request: RequestId, frame: &ServerFrame) {
        let Some(room) = self.chats.get(&request) else {
            return;
        };
        let text: Utf8Bytes = frame.encode().into();
        for socket in room {
            if is_staff(socket) && socket.listener.dialect == Dialect::V1 {
                socket.push(None, text.clone());
            }
        }
    }
}

fn is_staff(socket: &Subscriber) -> bool {
    socket.side() == Side::Workshop
}

/// Somebody came into a room where they were not.
pub(super) fn came(
    room: &[Arc<Subscriber>],
    who: &Subscriber,
    request: RequestId,
    moments: &broadcast::Sender<StaffMoment>,
) {
    tell_presence(room, who, true);
    if is_staff(who) && !room.iter().any(|other| is_staff(other)) {
        tell_link(moments, request, StaffDoes::Opened);
    }
}

/// Somebody left a room for good.
pub(super) fn went(
    room: &[Arc<Subscriber>],
    who: &Subscriber,
    request: RequestId,
    at_relay: bool,
    moments: &broadcast::Sender<StaffMoment>,
) {
    if is_staff(who) {
        if !room.iter().any(|other| is_staff(other)) {
            tell_link(moments, request, StaffDoes::Left);
        }
    } else if at_relay {
        return;
    }
    tell_presence(room, who, false);
}

/// Lossy: nobody may listen, and whoever falls behind has missed nothing that still matters.
fn tell_link(moments: &broadcast::Sender<StaffMoment>, request: RequestId, what: StaffDoes) {
    let _ = moments.send(StaffMoment { request, what });
}

fn tell_presence(room: &[Arc<Subscriber>], who: &Subscriber, online: bool) {
    let frame: Utf8Bytes = ServerFrame::Presence {
        side: side_word(who.side()),
        online,
        name: who.listener.actor.name.clone(),
    }
    .encode()
    .into();
    for other in room {
        if other.person() != who.person() && other.listener.dialect == Dialect::V1 {
            other.push(None, frame.clone());
        }
    }
}
