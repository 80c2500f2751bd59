//! The box's end of the link at work: when to dial, one session after the other, and what is said of it.
//!
//! `appliance` runs [`run`] in a task of its own. Nothing on the workshop's own network ever waits for
//! it; without a relay it waits for settings and does nothing.

mod backoff;
mod connect;
mod moments;
pub(in crate::sync) mod orders;
mod report;
mod retention;
mod routes;
mod session;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::domain::{LinkRefusal, LinkState, LinkTrouble};
use crate::hub::LinkBoard;
use crate::net::Dialer;
use crate::seal::{LINK_KEY_PURPOSE, SigningKey};
use crate::store::link::{LinkFacts, Settings};
use crate::store::{Store, StoreError, link};
use crate::sync::link::handshake::pairing_key;
use crate::sync::link::{BoxEnd, BoxFacts, End};
use crate::wire::link::Verdict;
use backoff::Backoff;
use connect::connect;
use report::Reporter;
use session::{Went, With, talk};

/// A line that stood for so long was a good one: the next trouble begins anew.
const STOOD: Duration = Duration::from_secs(60);
/// Whoever writes something does not wait for a pause to end, but tries are no closer than this.
const NUDGE: Duration = Duration::from_secs(5);
/// A relay that restarts is asked again within this time.
const RESTARTS_WITHIN: Duration = Duration::from_secs(60);
/// After the store failed it is tried again no sooner.
const STORE_PAUSE: Duration = Duration::from_secs(2);

/// What the link works with.
pub struct LinkParts {
    /// The box's database.
    pub store: Store,
    /// Where it is told how the link stands.
    pub board: LinkBoard,
    /// Makes connections.
    pub dialer: Dialer,
    /// Changes whenever the journal has grown.
    pub grown: watch::Receiver<u64>,
    /// Where the box serves browsers.
    pub addresses: Vec<SocketAddr>,
    /// Ends it.
    pub shutdown: CancellationToken,
}

/// Keeps the link up for as long as the box runs.
pub async fn run(parts: LinkParts) {
    let settings = parts.board.settings();
    let reporter = Reporter::new(parts.store.clone(), parts.board.clone());
    let key = parts.store.keys().signing_key(LINK_KEY_PURPOSE);
    let mut link = Dialing {
        key: Arc::new(key),
        settings,
        reporter,
        backoff: Backoff::default(),
        parts,
    };
    while !link.parts.shutdown.is_cancelled() {
        link.round().await;
    }
}

struct Dialing {
    parts: LinkParts,
    key: Arc<SigningKey>,
    settings: watch::Receiver<u64>,
    reporter: Reporter,
    backoff: Backoff,
}

/// What comes after a try.
enum Then {
    /// Again, after a while.
    Retry(LinkTrouble, Duration),
    /// The relay said no.
    Stop(LinkRefusal),
    /// Settings changed, or the box stops.
    Anew,
}

/// What it means for a pause that somebody writes something.
#[derive(Clone, Copy)]
enum Written {
    /// It is worth a try soon.
    Hastens,
    /// It changes nothing: the relay said no, or the store failed.
    Waits,
}

impl Dialing {
    /// One try: settings, a line, a session; then the wait for the next.
    async fn round(&mut self) {
        let round = *self.settings.borrow_and_update();
        let looked = self
            .parts
            .store
            .read(|view| -> Result<_, StoreError> {
                Ok((link::settings(view)?, link::facts(view)?))
            })
            .await;
        let (settings, facts) = match looked {
            Ok(looked) => looked,
            Err(error) => {
                tracing::error!(%error, "the link's settings could not be read");
                return self.rest(STORE_PAUSE, Written::Waits).await;
            }
        };
        self.reporter.begin(round, settings.as_ref());
        let Some(settings) = settings else {
            self.reporter.stands(LinkState::Unpaired).await;
            return self.until_changed().await;
        };
        self.reporter.stands(LinkState::Connecting).await;
        match self.dial(&settings, facts).await {
            Then::Anew => {}
            Then::Retry(why, after) => {
                let retry_at = self.reporter.retry_at(after);
                tracing::info!(
                    why = why.word(),
                    after_ms = after.as_millis(),
                    "the relay is not reached; it is tried again"
                );
                self.reporter
                    .stands(LinkState::Waiting { retry_at, why })
                    .await;
                self.rest(after, Written::Hastens).await;
            }
            Then::Stop(why) => {
                tracing::warn!(why = why.word(), "the relay does not go on with this box");
                self.reporter.stands(LinkState::Stopped(why)).await;
                self.rest(Backoff::refused(why), Written::Waits).await;
            }
        }
    }

    async fn dial(&mut self, settings: &Settings, facts: LinkFacts) -> Then {
        // Cancel-safe: a line that was half made is dropped.
        let connected = tokio::select! {
            connected = connect(&self.parts.dialer, &settings.url) => connected,
            _ = self.settings.changed() => {
                self.settings.mark_changed();
                return Then::Anew;
            }
            () = self.parts.shutdown.cancelled() => return Then::Anew,
        };
        let connected = match connected {
            Ok(connected) => connected,
            Err(why) => return Then::Retry(why, self.backoff.next(why, random())),
        };
        let facts = BoxFacts {
            head: facts.head,
            history: facts.history,
            lineage: facts.lineage,
            membership: facts.membership,
            relay: settings.relay_key,
            code: settings.pairing_code.as_deref().and_then(pairing_key),
            claim: settings.claim,
            doors: doors(connected.local, &self.parts.addresses),
        };
        let machine = BoxEnd::new(
            self.parts.store.keys().workshop(),
            Arc::clone(&self.key),
            facts,
            random_bytes(),
        );
        let began = Instant::now();
        let [spread, ..] = random_bytes::<1>();
        let went = talk(
            connected.line,
            machine,
            With {
                store: &self.parts.store,
                board: &self.parts.board,
                reporter: &mut self.reporter,
                grown: &mut self.parts.grown,
                settings: &mut self.settings,
                shutdown: &self.parts.shutdown,
                spread,
            },
        )
        .await;
        if went.applied || began.elapsed() >= STOOD {
            self.backoff.reset();
        }
        self.after(went)
    }

    fn after(&mut self, went: Went) -> Then {
        let Some(end) = went.end else {
            return Then::Anew;
        };
        tracing::info!(?end, "the link's session is over");
        let why = match end {
            End::Refused(Verdict::Quarantined) => return Then::Stop(LinkRefusal::Quarantined),
            End::Refused(Verdict::Superseded) => return Then::Stop(LinkRefusal::Superseded),
            End::Refused(Verdict::Unknown) => return Then::Stop(LinkRefusal::UnknownHere),
            End::Refused(Verdict::BadCode) => return Then::Stop(LinkRefusal::BadCode),
            End::OtherRelay => return Then::Stop(LinkRefusal::OtherRelay),
            End::NotOurs => return Then::Stop(LinkRefusal::NotOurs),
            End::SentAway {
                reconnect_in_ms,
                why,
            } if why == "restarting" => {
                // However long it wishes, and never without a pause: that is not a relay's to say.
                let asked = Duration::from_millis(u64::from(reconnect_in_ms)).min(RESTARTS_WITHIN);
                let why = LinkTrouble::RelayRestarting;
                let after = asked.max(self.backoff.next(why, random()));
                return Then::Retry(why, after);
            }
            End::Garbage => LinkTrouble::NotARelay,
            End::Silent => LinkTrouble::Silent,
            End::Rewound => LinkTrouble::Rewound,
            End::Closed => LinkTrouble::NoAnswer,
            End::Refused(Verdict::Resume | Verdict::Restored)
            | End::Protocol
            | End::Version
            | End::TooMany
            | End::Store
            | End::Fenced
            | End::SentAway { .. } => LinkTrouble::Other,
        };
        Then::Retry(why, self.backoff.next(why, random()))
    }

    /// Waits, but no longer than until settings change, the network does, or the box stops. What waits
    /// for the relay meanwhile is told.
    async fn rest(&mut self, at_most: Duration, written: Written) {
        let began = Instant::now();
        let mut deadline = began + at_most;
        let routes = routes::changed();
        let mut routes = std::pin::pin!(routes);
        loop {
            let due = self.reporter.due().min(deadline);
            let is_behind = self.reporter.is_behind();
            // Cancel-safe: all of them only wait.
            tokio::select! {
                () = sleep_until(deadline) => return,
                () = routes.as_mut() => return self.backoff.reset(),
                _ = self.settings.changed() => {
                    self.settings.mark_changed();
                    return self.backoff.reset();
                }
                changed = self.parts.grown.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.reporter.is_stale();
                    match written {
                        Written::Hastens => deadline = deadline.min(began + NUDGE),
                        Written::Waits => {}
                    }
                }
                () = sleep_until(due), if is_behind => self.reporter.numbers().await,
                () = self.parts.shutdown.cancelled() => return,
            }
        }
    }

    /// Waits for settings, or for the end.
    async fn until_changed(&mut self) {
        tokio::select! {
            _ = self.settings.changed() => self.settings.mark_changed(),
            () = self.parts.shutdown.cancelled() => {}
        }
    }
}

/// Where owners who are on site find this box: at what it listens on, seen from the network that leads
/// to the relay.
fn doors(local: Option<IpAddr>, addresses: &[SocketAddr]) -> Vec<String> {
    let on_this_machine = local.is_some_and(|ip| ip.is_loopback());
    let door = |address: &SocketAddr| {
        let ip = match address.ip() {
            ip if ip.is_unspecified() => local?,
            ip if ip.is_loopback() && !on_this_machine => return None,
            ip => ip,
        };
        let authority = match (ip.to_canonical(), address.port()) {
            (IpAddr::V4(ip), 80) => ip.to_string(),
            (IpAddr::V6(ip), 80) => format!("[{ip}]"),
            (ip, port) => SocketAddr::new(ip, port).to_string(),
        };
        Some(format!("http://{authority}"))
    };
    let mut doors: Vec<_> = addresses.iter().filter_map(door).collect();
    doors.dedup();
    doors
}

fn random() -> u32 {
    u32::from_be_bytes(random_bytes())
}

/// Random bytes. A system without randomness does not get this far: the store would not have opened.
fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        tracing::error!("the system gives no random numbers");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_written_as_a_browser_takes_it() {
        let seen = |local: &str, listen: &[&str]| {
            let listen: Vec<_> = listen.iter().map(|it| it.parse().unwrap()).collect();
            doors(local.parse().ok(), &listen)
        };
        assert_eq!(
            seen("192.168.1.20", &["0.0.0.0:80", "[::]:8080"]),
            ["http://192.168.1.20", "http://192.168.1.20:8080"]
        );
        assert_eq!(seen("fd00::20", &["[::]:80"]), ["http://[fd00::20]"]);
        assert_eq!(seen("192.168.1.20", &["127.0.0.1:8080"]), [""; 0]);
        assert_eq!(
            seen("127.0.0.1", &["127.0.0.1:8080"]),
            ["http://127.0.0.1:8080"]
        );
        assert_eq!(seen("", &["[::]:80"]), [""; 0]);
    }
}
