//! One name, told to the network until something ends it: asked for, proven free, announced, defended,
//! withdrawn.
//!
//! mdns-sd probes each record for itself and renames what it loses, per interface; nothing after that
//! looks whether somebody else came along with the same name. So this asks for the name before it
//! takes it, listens for as long as it has it, and ends when the name is another's: `run` begins again
//! with the next one, in a daemon of its own that knows nothing of the last.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use mdns_sd::{
    DaemonEvent, HostnameResolutionEvent, IfKind, IfPredicate, RRType, Receiver, ServiceDaemon,
    ServiceInfo,
};

use super::facts::{self, SERVICES};
use super::interfaces::{Interfaces, is_ours};
use super::name::Label;

/// How long others may take to say that they have the name: two questions, the second after a second.
const ASKING: Duration = Duration::from_millis(1_500);
/// From then on until it must be announced, with time for a lost tie (RFC 6762 §8.2): otherwise the
/// system does not let us.
const ANNOUNCING: Duration = Duration::from_secs(15);
/// How long somebody who has our name by a lesser right may take to give it up.
const GIVING_UP: Duration = Duration::from_secs(10);
/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the network is to know.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) label: Label,
    /// How often the instance's name was another's.
    pub(super) again: u16,
    pub(super) workshop: Option<String>,
    pub(super) interfaces: Interfaces,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) port: u16,
    pub(super) asking: Asking,
}

/// Whether somebody may have taken the name since we had it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asking {
    Needed,
    /// We had it a moment ago, on the same networks.
    Done,
}

/// Why a name is told no longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// It is another's: take the next one.
    Taken,
    /// Somebody else uses it as well: ask for it again.
    Contested,
    /// Another service is called the same.
    InstanceTaken,
    /// The system does not let us.
    Failed,
}

/// A daemon that tells one notice.
pub(super) struct Announcer {
    daemon: ServiceDaemon,
    events: Receiver<DaemonEvent>,
    heard: Receiver<HostnameResolutionEvent>,
    notice: Notice,
}

impl Announcer {
    /// Begins to listen on the notice's interfaces.
    ///
    /// # Errors
    /// The system has no thread or no descriptor left.
    pub(super) fn begin(notice: Notice) -> mdns_sd::Result<Self> {
        let daemon = ServiceDaemon::new()?;
        // Addresses that come and go are seen by `run`, which begins again with them.
        daemon.set_ip_check_interval(0)?;
        let wanted = notice.interfaces.clone();
        daemon.disable_interface(IfKind::All)?;
        let leads = IfPredicate::new(move |interface| wanted.lead_through(interface));
        daemon.enable_interface(IfKind::Predicate(leads))?;
        let events = daemon.monitor()?;
        let heard = daemon.resolve_hostname(&host(&notice.label), None)?;
        Ok(Self {
            daemon,
            events,
            heard,
            notice,
        })
    }

    /// Asks, announces, and listens for as long as the name is ours; `announced` is called once the
    /// network knows it. Cancel-safe, in that `withdraw` puts right whatever was begun.
    pub(super) async fn tell(&self, announced: impl Fn()) -> End {
        let mut others = Others::default();
        if self.notice.asking == Asking::Needed && self.is_taken(&mut others).await {
            return End::Taken;
        }
        if let Err(error) = self.register(&others) {
            tracing::warn!(%error, "the box's name cannot be announced");
            return End::Failed;
        }
        let mut known = false;
        let must_be_known = tokio::time::sleep(ANNOUNCING);
        tokio::pin!(must_be_known);
        let mut asked_to_go: Option<Instant> = None;
        loop {
            let grace = asked_to_go.map(|at| at + GIVING_UP);
            // Cancel-safe: a message stays in its channel until it is taken.
            tokio::select! {
                event = self.events.recv_async() => match event {
                    Ok(DaemonEvent::Announce(..)) => if !known {
                        known = true;
                        announced();
                    },
                    Ok(DaemonEvent::NameChange(change)) => {
                        tracing::debug!(?change, "a name is another's");
                        let is_host = matches!(change.rr_type, RRType::A | RRType::AAAA);
                        return if is_host { End::Taken } else { End::InstanceTaken };
                    }
                    Ok(DaemonEvent::Error(error)) => {
                        tracing::warn!(%error, "the box's name cannot be announced");
                        return End::Failed;
                    }
                    Ok(event) => tracing::trace!(?event, "mDNS"),
                    Err(_) => return End::Failed,
                },
                heard = self.heard.recv_async() => {
                    let Ok(heard) = heard else { return End::Failed };
                    others.hear(&heard);
                    match others.greatest() {
                        None => asked_to_go = None,
                        Some(other) if self.yields_to(other) => return End::Contested,
                        Some(_) => asked_to_go = asked_to_go.or_else(|| Some(now())),
                    }
                }
                () = &mut must_be_known, if !known => return End::Failed,
                () = until(grace), if grace.is_some() => return End::Contested,
            }
        }
    }

    /// Takes back everything that was told: caches forget it within a second (RFC 6762 §10.1).
    pub(super) async fn withdraw(self) {
        let Ok(done) = self.daemon.shutdown() else {
            return;
        };
        let farewell = tokio::time::timeout(FAREWELL, done.recv_async()).await;
        tracing::debug!(?farewell, "the name was withdrawn");
    }

    /// Listens for others who say that they have the name.
    async fn is_taken(&self, others: &mut Others) -> bool {
        let listen = async {
            while let Ok(heard) = self.heard.recv_async().await {
                others.hear(&heard);
                if others.greatest().is_some() {
                    return true;
                }
            }
            // The daemon died; what comes next fails and says so.
            false
        };
        tokio::time::timeout(ASKING, listen).await.unwrap_or(false)
    }

    fn register(&self, others: &Others) -> mdns_sd::Result<()> {
        let notice = &self.notice;
        let workshop = notice.workshop.as_deref();
        let instance = facts::instance(workshop, &notice.label, notice.again);
        let txt = facts::txt(workshop);
        let addresses = others.as_this_machine_says(&notice.addresses);
        for service in SERVICES {
            self.daemon.register(ServiceInfo::new(
                service,
                &instance,
                &host(&notice.label),
                addresses.as_slice(),
                notice.port,
                txt.as_slice(),
            )?)?;
        }
        Ok(())
    }

    /// The greater address keeps the name, as between two who ask at once (RFC 6762 §8.2).
    fn yields_to(&self, other: IpAddr) -> bool {
        self.notice.addresses.iter().max() < Some(&other)
    }
}

/// Who says that they have our name.
#[derive(Default, Debug)]
struct Others {
    elsewhere: BTreeSet<IpAddr>,
    /// Our own addresses, told by us or by another program on this machine.
    here: BTreeSet<IpAddr>,
}

impl Others {
    fn hear(&mut self, heard: &HostnameResolutionEvent) {
        if let HostnameResolutionEvent::AddressesFound(_, addresses) = heard {
            for ip in addresses.iter().map(mdns_sd::ScopedIp::to_ip_addr) {
                if is_ours(ip) {
                    self.here.insert(ip);
                } else if self.elsewhere.insert(ip) {
                    tracing::debug!(%ip, "another machine has our name");
                }
            }
        }
        if let HostnameResolutionEvent::AddressesRemoved(_, addresses) = heard {
            for ip in addresses.iter().map(mdns_sd::ScopedIp::to_ip_addr) {
                self.elsewhere.remove(&ip);
                self.here.remove(&ip);
            }
        }
    }

    fn greatest(&self) -> Option<IpAddr> {
        self.elsewhere.last().copied()
    }

    /// Where this machine's own name service (Avahi) has the name already, with the same addresses, it
    /// would take any further one for a conflict: then those that it tells, of each kind.
    fn as_this_machine_says(&self, ours: &[IpAddr]) -> Vec<IpAddr> {
        let told = |ip: &IpAddr| {
            let mut of_its_kind = self.here.iter().filter(|it| it.is_ipv4() == ip.is_ipv4());
            self.here.contains(ip) || of_its_kind.next().is_none()
        };
        ours.iter().filter(|ip| told(ip)).copied().collect()
    }
}

fn host(label: &Label) -> String {
    format!("{}.", label.host())
}

fn now() -> Instant {
    crate::clock::stopwatch()
}

async fn until(moment: Option<Instant>) {
    if let Some(moment) = moment {
        tokio::time::sleep_until(moment.into()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn beside_avahi_no_address_is_told_that_it_does_not_tell() {
        let ours = ips(&["10.0.0.5", "10.1.0.5", "fd00::5"]);
        let mut others = Others::default();
        assert_eq!(others.as_this_machine_says(&ours), ours);
        others.here.insert("10.0.0.5".parse().unwrap());
        assert_eq!(
            others.as_this_machine_says(&ours),
            ips(&["10.0.0.5", "fd00::5"])
        );
    }
}
