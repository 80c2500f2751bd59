//! Where the box is found right now: one value that changes, for pages, for `doctor` and for the
//! certificate.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::watch;

/// Where the box is found right now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// What it is called on the network, such as `motoreach.local`.
    pub name: String,
    /// Whether it is called so because another machine has the name that was asked for.
    pub conflict: bool,
    /// Whether the network knows.
    pub announcement: Announcement,
    /// Its addresses on the workshop's networks at which it listens, the most useful first.
    pub addresses: Vec<IpAddr>,
    /// The port of plain HTTP.
    pub port: u16,
    /// Whether it is reached over TLS as well.
    pub secure: Secure,
}

/// Whether the box is reached over TLS as well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Secure {
    /// Nobody wanted that.
    Off,
    /// On this port.
    On {
        /// The port.
        port: u16,
        /// Who vouches for it.
        by: Voucher,
    },
    /// It was wanted, and why it is not so.
    Failed(String),
}

/// Who vouches for the box's certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Voucher {
    /// The box's own authority, which devices have to be told to trust.
    OwnAuthority,
    /// Whoever signed the files in the configuration.
    Configured,
}

/// Whether the network knows the box's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Announcement {
    /// The configuration says that it shall not.
    Off,
    /// There is no network that could: no cable, no address yet, or the box listens to itself only.
    NoNetwork,
    /// The name is being asked for; a second or two.
    Asking,
    /// It does.
    Announced,
    /// The system does not let us; tried again by itself.
    Failed,
}

/// Shows a [`Standing`] to whoever looks; clones show the same one.
#[derive(Clone, Debug)]
pub struct Board {
    shown: Arc<watch::Sender<Standing>>,
}

impl Board {
    /// A board that shows this.
    pub fn new(standing: Standing) -> Self {
        Self {
            shown: Arc::new(watch::Sender::new(standing)),
        }
    }

    /// A board of a box that is found at one address and not by name. For tests.
    #[cfg(test)]
    pub(crate) fn still(at: std::net::SocketAddr) -> Self {
        Self::new(Standing {
            name: "motoreach.local".to_owned(),
            conflict: false,
            announcement: Announcement::Off,
            addresses: vec![at.ip()],
            port: at.port(),
            secure: Secure::Off,
        })
    }

    /// What it shows now.
    pub fn now(&self) -> Standing {
        self.shown.borrow().clone()
    }

    /// Sees every change from here on; the last one, where several were quick.
    pub fn watch(&self) -> watch::Receiver<Standing> {
        self.shown.subscribe()
    }

    /// Shows something else; tells whether anything is.
    pub fn show(&self, change: impl FnOnce(&mut Standing)) -> bool {
        self.shown.send_if_modified(|shown| {
            let before = shown.clone();
            change(shown);
            *shown != before
        })
    }
}

impl Standing {
    /// What to type into a browser, by name: `http://motoreach.local`.
    pub fn url(&self) -> String {
        plain_url(&self.name, self.port)
    }

    /// What to type where names do not work, the most useful first: `http://192.168.1.20`.
    pub fn plain_urls(&self) -> Vec<String> {
        let host = |ip: &IpAddr| match ip {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("[{v6}]"),
        };
        let urls = self.addresses.iter();
        urls.map(|ip| plain_url(&host(ip), self.port)).collect()
    }

    /// Everything that may be typed, by name first; nothing without a network.
    pub fn urls(&self) -> Vec<String> {
        let plain = self.plain_urls();
        if plain.is_empty() {
            return plain;
        }
        std::iter::once(self.url()).chain(plain).collect()
    }

    /// The same over TLS, by name.
    pub fn secure_url(&self) -> Option<String> {
        match &self.secure {
            Secure::On { port: 443, .. } => Some(format!("https://{}", self.name)),
            Secure::On { port, .. } => Some(format!("https://{}:{port}", self.name)),
            Secure::Off | Secure::Failed(_) => None,
        }
    }
}

fn plain_url(host: &str, port: u16) -> String {
    match port {
        80 => format!("http://{host}"),
        port => format!("http://{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Standing {
        Standing {
            name: "motoreach.local".into(),
            conflict: false,
            announcement: Announcement::Announced,
            addresses: vec!["192.168.1.20".parse().unwrap(), "fd00::5".parse().unwrap()],
            port: 80,
            secure: Secure::Off,
        }
    }

    #[test]
    fn addresses_are_shown_as_a_browser_takes_them() {
        let usual = standing();
        assert_eq!(usual.url(), "http://motoreach.local");
        assert_eq!(
            usual.plain_urls(),
            ["http://192.168.1.20", "http://[fd00::5]"]
        );
        let tried = Standing {
            port: 8080,
            ..standing()
        };
        assert_eq!(tried.url(), "http://motoreach.local:8080");
    }

    #[test]
    fn who_watches_hears_of_changes_only() {
        let board = Board::new(standing());
        let mut watch = board.watch();
        assert!(!board.show(|shown| shown.port = 80));
        assert!(!watch.has_changed().unwrap());
        assert!(board.show(|shown| shown.name = "motoreach-2.local".into()));
        assert!(watch.has_changed().unwrap());
        assert_eq!(watch.borrow_and_update().name, "motoreach-2.local");
        assert_eq!(board.clone().now().name, "motoreach-2.local");
    }
}
