//! Keeps the board right and the network told, from start to stop, whatever comes and goes.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::announce::{Announcer, Asking, End, Notice};
use super::board::{Announcement, Board, Secure, Standing};
use super::interfaces::{self, Interfaces};
use super::name::Label;

/// How often we look whether addresses came or went. It costs two questions to the kernel.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long we wait after the system did not let us.
const FAILED_PAUSE: Duration = Duration::from_secs(30);

/// How a box is to be found.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What it is to be called.
    pub label: Label,
    /// Whether the network is told.
    pub telling: Telling,
    /// Which networks.
    pub interfaces: Interfaces,
    /// Where it keeps the name that it got.
    pub memory: PathBuf,
    /// Where it listens for plain HTTP.
    pub listening: Vec<SocketAddr>,
}

/// Whether the network is told the box's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Telling {
    /// By mDNS.
    Mdns,
    /// It is not.
    Nothing,
}

/// The box's presence on its networks.
pub struct Discovery {
    settings: Settings,
    board: Board,
    label: Label,
    workshop: watch::Receiver<String>,
}

impl Discovery {
    /// Looks at the network once, so that the board shows plain addresses from the start.
    ///
    /// `workshop` is the workshop's name; empty before the first run is over.
    pub fn new(settings: Settings, workshop: watch::Receiver<String>) -> Self {
        let label = super::name::recall(&settings.memory, &settings.label);
        let standing = Standing {
            name: label.host(),
            conflict: label.is_numbered(),
            announcement: match settings.telling {
                Telling::Mdns => Announcement::NoNetwork,
                Telling::Nothing => Announcement::Off,
            },
            addresses: look(&settings).unwrap_or_default(),
            port: settings.listening.first().map_or(80, SocketAddr::port),
            secure: Secure::Off,
        };
        Self {
            board: Board::new(standing),
            settings,
            label,
            workshop,
        }
    }

    /// Where it shows how it stands.
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// Minds it until `shutdown`, then takes leave of the network.
    pub async fn mind(mut self, shutdown: CancellationToken) {
        let mut asking = Asking::Needed;
        let mut again = 0;
        while !shutdown.is_cancelled() {
            let addresses = self.board.now().addresses;
            if self.settings.telling == Telling::Nothing || addresses.is_empty() {
                self.show_announcement(match self.settings.telling {
                    Telling::Mdns => Announcement::NoNetwork,
                    Telling::Nothing => Announcement::Off,
                });
                // Cancel-safe: both only wait.
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    _ = self.address_change() => {}
                }
                asking = Asking::Needed;
                continue;
            }
            match self.announce(addresses, asking, again, &shutdown).await {
                Next::Stop => return,
                Next::Same(how) => asking = how,
                Next::OtherInstance => {
                    again += 1;
                    asking = Asking::Done;
                }
                Next::OtherName => {
                    let taken = self.label.host();
                    self.label = self.label.next();
                    tracing::warn!(%taken, now = %self.label.host(), "another machine has our name");
                    self.show_name();
                    asking = Asking::Needed;
                }
                Next::Later => {
                    self.show_announcement(Announcement::Failed);
                    tokio::select! {
                        () = shutdown.cancelled() => return,
                        () = tokio::time::sleep(FAILED_PAUSE) => {}
                    }
                    asking = Asking::Needed;
                }
            }
        }
    }

    /// Tells the network one name until something changes.
    async fn announce(
        &mut self,
        addresses: Vec<IpAddr>,
        asking: Asking,
        again: u16,
        shutdown: &CancellationToken,
    ) -> Next {
        let workshop = self.workshop.borrow_and_update().clone();
        let notice = Notice {
            label: self.label.clone(),
            again,
            workshop: (!workshop.is_empty()).then_some(workshop),
            interfaces: self.settings.interfaces.clone(),
            port: self.board.now().port,
            addresses,
            asking,
        };
        if asking == Asking::Needed {
            self.show_announcement(Announcement::Asking);
        }
        let announcer = match Announcer::begin(notice) {
            Ok(announcer) => announcer,
            Err(error) => {
                tracing::warn!(%error, "the box's name cannot be announced");
                return Next::Later;
            }
        };
        let (board, label) = (self.board.clone(), self.label.clone());
        let memory = self.settings.memory.clone();
        let announced = move || {
            if board.show(|shown| shown.announcement = Announcement::Announced) {
                tracing::info!(name = %label.host(), "the network knows the box's name");
            }
            super::name::remember(&memory, &label);
        };
        // Cancel-safe: what was begun is withdrawn below.
        let next = tokio::select! {
            () = shutdown.cancelled() => Next::Stop,
            change = self.change() => Next::Same(change),
            end = announcer.tell(announced) => match end {
                End::Taken => Next::OtherName,
                End::Contested => Next::Same(Asking::Needed),
                End::InstanceTaken => Next::OtherInstance,
                End::Failed => Next::Later,
            },
        };
        announcer.withdraw().await;
        next
    }

    /// Waits until the network has to be told something else.
    async fn change(&self) -> Asking {
        let mut workshop = self.workshop.clone();
        // Cancel-safe: both only wait. A sender that is gone changes nothing any more.
        tokio::select! {
            change = self.address_change() => change,
            Ok(()) = workshop.changed() => Asking::Done,
        }
    }

    /// Waits until there are other addresses, and shows them.
    async fn address_change(&self) -> Asking {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let Some(addresses) = look(&self.settings) else {
                continue;
            };
            let before = self.board.now().addresses;
            if addresses != before {
                tracing::info!(?addresses, "the box's addresses changed");
                let are_new = addresses.iter().any(|ip| !before.contains(ip));
                self.board.show(|shown| shown.addresses = addresses);
                return if are_new {
                    Asking::Needed
                } else {
                    Asking::Done
                };
            }
        }
    }

    fn show_announcement(&self, announcement: Announcement) {
        self.board.show(|shown| shown.announcement = announcement);
    }

    fn show_name(&self) {
        self.board.show(|shown| {
            shown.name = self.label.host();
            shown.conflict = self.label.is_numbered();
        });
    }
}

/// What is to be done after a name was told.
enum Next {
    Stop,
    /// The same name, with what there is now.
    Same(Asking),
    OtherName,
    OtherInstance,
    /// The same, after a pause.
    Later,
}

/// The addresses now; none where the system does not say, which is no reason to forget the last ones.
fn look(settings: &Settings) -> Option<Vec<IpAddr>> {
    match interfaces::addresses(&settings.interfaces, &settings.listening) {
        Ok(addresses) => Some(addresses),
        Err(error) => {
            tracing::debug!(%error, "the box's addresses cannot be looked up");
            None
        }
    }
}
