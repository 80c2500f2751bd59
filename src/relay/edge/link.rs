//! A box's socket: `GET /link/`. `relay::accept` leads the conversation; here the line is opened, and
//! what a box says reaches owners' sockets and pushes.

use std::net::IpAddr;

use axum::extract::{Extension, Request, State};
use axum::response::Response;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::mpsc;
use tracing::Instrument;

use super::{Relay, asking};
use crate::domain::WorkshopKey;
use crate::http::listen::Peer;
use crate::http::problem::Problem;
use crate::http::upgrade::upgrade_with;
use crate::relay::accept::{Conversation, Listener, converse};
use crate::relay::store::RelayStore;
use crate::seal::SealedEntry;
use crate::sync::line::socket_config;
use crate::sync::link::{End, RelayFacts};
use crate::wire::link::{LINK_PROTOCOL, Moment, Verdict};

/// Moments on their way to a box; what it is told next is decided when it takes one.
const MOMENTS_UNDERWAY_MAX: usize = 8;

/// Opens the line.
pub(super) async fn socket<S: RelayStore>(
    State(relay): State<Relay<S>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
) -> Result<Response, Problem> {
    let from = asking::address(peer, request.headers(), &relay.proxies);
    relay.rates.hello(from).map_err(Problem::rate_limited)?;
    let upgrading = upgrade_with(&mut request, &[LINK_PROTOCOL], socket_config())?;
    if upgrading.protocol.is_none() {
        return Err(Problem::malformed("This address speaks with boxes only."));
    }
    let facts = facts(&relay)?;
    let socket = upgrading.socket;
    let tracker = relay.tracker.clone();
    tracker.spawn(
        async move {
            let Ok(socket) = socket.await else { return };
            let (sender, moments) = mpsc::channel(MOMENTS_UNDERWAY_MAX);
            let with = Conversation {
                store: relay.store.clone(),
                facts,
                spread: spread(),
                moments,
                shutdown: relay.shutdown.clone(),
            };
            let mut listener = Ears {
                relay: relay.clone(),
                sender: Some(sender),
            };
            let end = converse(socket, with, &mut listener).await;
            // Said by the box's own log, too; here for the operator's.
            tracing::info!(?end, "a box's link ended");
            wrong_code(&relay, from, &end);
        }
        .instrument(tracing::info_span!("link", %from)),
    );
    Ok(upgrading.response)
}

/// A code that is wrong is a guess; a workshop that is not known showed none.
fn wrong_code<S: RelayStore>(relay: &Relay<S>, from: IpAddr, end: &End) {
    if *end == End::Refused(Verdict::BadCode) {
        relay.rates.paired_wrong(from);
    }
}

fn facts<S: RelayStore>(relay: &Relay<S>) -> Result<RelayFacts, Problem> {
    let random = || {
        let mut bytes = [0; 16];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| Problem::internal())?;
        Ok::<_, Problem>(bytes)
    };
    Ok(RelayFacts {
        identity: relay.secrets.identity.clone(),
        membership: relay.secrets.membership(),
        public_url: relay.public_url.clone(),
        now: relay.clock.now(),
        nonce: random()?,
        grant_nonce: random()?,
    })
}

/// Spreads pings and restarts; any number does.
fn spread() -> u8 {
    let mut byte = [128];
    let _ = SystemRandom::new().fill(&mut byte);
    byte[0]
}

/// What the relay does with what a box says.
struct Ears<S> {
    relay: Relay<S>,
    /// Until the box is on the line; closed when a newer line took its place.
    sender: Option<mpsc::Sender<Moment>>,
}

impl<S: RelayStore> Listener for Ears<S> {
    fn up(&mut self, workshop: WorkshopKey) {
        tracing::info!(%workshop, "a box is on the line");
        let Some(sender) = self.sender.take() else {
            return;
        };
        let link = self.relay.presence.link_up(workshop);
        self.relay.tracker.spawn(async move {
            // Ends, and says that the box is gone, when the conversation drops its receiver.
            loop {
                // Both arms are cancel-safe: an untaken moment stays a mark.
                tokio::select! {
                    () = sender.closed() => return,
                    moment = link.moment() => {
                        let Some(moment) = moment else { return };
                        if sender.send(moment).await.is_err() {
                            return;
                        }
                    }
                }
            }
        });
    }

    fn moment(&mut self, workshop: WorkshopKey, moment: Moment) {
        self.relay.presence.from_box(workshop, &moment);
    }

    fn applied(&mut self, workshop: WorkshopKey, news: Vec<SealedEntry>) {
        self.relay.pusher.applied(workshop, news);
    }
}
