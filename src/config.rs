//! The box's configuration: a TOML file that nobody needs, and the defaults for everybody else.
//!
//! `ops` loads it once and hands it to `appliance`; `motoreach doctor` prints what came of it. The
//! command line wins over the file, the file over the defaults. It must never hold a secret: those
//! live in the data directory.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::discovery::Label;
use crate::update::UpdateKey;

/// The longest configuration file that is read, in bytes.
const CONFIG_BYTES_MAX: u64 = 64 * 1024;
/// The port of a box that may open it: browsers need none in the address.
const PORT_OF_ROOT: u16 = 80;
/// The port of a box that somebody tries without being root.
const PORT_OF_USER: u16 = 8080;

/// What can be set. Everything has a default.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the database and its secret are.
    pub data: PathBuf,
    /// Where to listen for browsers.
    pub listen: Vec<SocketAddr>,
    /// What owners' links begin with; `None`: the address under which staff opened the page.
    #[serde(deserialize_with = "public_url")]
    pub public_url: Option<String>,
    /// A PEM file with further certificates that the relay may be known by; `None`: only those that
    /// the world and this machine trust.
    pub relay_ca: Option<PathBuf>,
    /// Whose signature makes a program an update: the second line of a `minisign.pub`; `None`: the key
    /// that this program was built with.
    #[serde(deserialize_with = "update_key")]
    pub update_key: Option<UpdateKey>,
    /// Further names that this box goes by, without port: a reverse proxy's, a router's.
    pub hosts: Vec<String>,
    /// Front ends on other origins that may call, as `https://app.example`.
    pub origins: Vec<String>,
    /// What the box is called on the workshop's network, without `.local`.
    pub name: Label,
    /// Whether the network is told that name.
    pub mdns: bool,
    /// The network interfaces that lead to the workshop; none: all that look like it.
    pub interfaces: Vec<String>,
    /// Whether TLS is spoken as well, and who vouches for it.
    pub tls: Tls,
    /// Where to listen for TLS; none: as for plain HTTP, on port 443 beside 80 and 8443 beside others.
    pub tls_listen: Vec<SocketAddr>,
    /// The certificate and those that vouch for it, PEM; with `tls_key`, instead of `tls`.
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub tls_key: Option<PathBuf>,
}

/// Whether a box speaks TLS beside plain HTTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// It does not.
    #[default]
    Off,
    /// With a certificate authority of its own.
    Auto,
}

impl Default for Config {
    fn default() -> Self {
        Self::in_surroundings(&Surroundings::of_this_process())
    }
}

impl Config {
    /// Every key that a file may set.
    pub const KEYS: [&str; 14] = [
        "data",
        "listen",
        "public_url",
        "relay_ca",
        "update_key",
        "hosts",
        "origins",
        "name",
        "mdns",
        "interfaces",
        "tls",
        "tls_listen",
        "tls_cert",
        "tls_key",
    ];

    /// The configuration of this file, or the defaults without one.
    ///
    /// # Errors
    /// A sentence that names the file and, where there is one, the key.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        load_with(file, Self::parse)
    }

    /// All defaults in one place.
    fn in_surroundings(around: &Surroundings) -> Self {
        let port = if around.is_root {
            PORT_OF_ROOT
        } else {
            PORT_OF_USER
        };
        Self {
            data: around.data(),
            listen: vec![SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)],
            public_url: None,
            relay_ca: None,
            update_key: None,
            hosts: Vec::new(),
            origins: Vec::new(),
            name: Label::default(),
            mdns: true,
            interfaces: Vec::new(),
            tls: Tls::Off,
            tls_listen: Vec::new(),
            tls_cert: None,
            tls_key: None,
        }
    }

    fn parse(text: &str) -> Result<Self, Why> {
        let config: Self = parse_keys(text, &Self::KEYS)?;
        if config.listen.is_empty() {
            Err(Why::ListensNowhere)
        } else {
            Ok(config)
        }
    }
}

/// The configuration of another role, such as a relay's: every key of `keys` may be set.
///
/// # Errors
/// A sentence that names the file and, where there is one, the key.
pub fn load_keys<T: DeserializeOwned + Default>(
    file: Option<&Path>,
    keys: &'static [&'static str],
) -> Result<T, ConfigError> {
    load_with(file, |text| parse_keys(text, keys))
}

fn load_with<T: Default>(
    file: Option<&Path>,
    parse: impl FnOnce(&str) -> Result<T, Why>,
) -> Result<T, ConfigError> {
    let Some(path) = file else {
        return Ok(T::default());
    };
    let told = |why| ConfigError {
        path: path.to_owned(),
        why,
    };
    parse(&read(path).map_err(|error| told(Why::Unreadable(error)))?).map_err(told)
}

fn parse_keys<T: DeserializeOwned>(text: &str, keys: &'static [&'static str]) -> Result<T, Why> {
    let table: toml::Table = text.parse().map_err(|error| Why::Toml(Box::new(error)))?;
    if let Some(key) = table.keys().find(|key| !keys.contains(&key.as_str())) {
        let key = key.clone();
        return Err(Why::UnknownKey { key, known: keys });
    }
    // Key by key first, so that the sentence can name the one at fault.
    for (key, value) in &table {
        let alone = toml::Table::from_iter([(key.clone(), value.clone())]);
        if let Err(error) = alone.try_into::<T>().map_err(Box::new) {
            return Err(Why::Value {
                key: key.clone(),
                error,
            });
        }
    }
    table.try_into().map_err(|error| Why::Toml(Box::new(error)))
}

/// Where data of this name goes by default: where the service manager, the system or the user keeps
/// it.
pub fn default_data(name: &str) -> PathBuf {
    Surroundings::of_this_process().data_of(name)
}

/// Whether this process may open the low ports: as root, or because the service manager lets it.
pub fn may_open_low_ports() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    Surroundings::of_this_process().is_root || binds_low_ports(&status)
}

/// Whether `CAP_NET_BIND_SERVICE` is in effect, as `/proc/self/status` tells.
fn binds_low_ports(status: &str) -> bool {
    const CAP_NET_BIND_SERVICE: u64 = 1 << 10;
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = effective.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.is_some_and(|bits| bits & CAP_NET_BIND_SERVICE != 0)
}

/// What the defaults depend on.
struct Surroundings {
    is_root: bool,
    state_directory: Option<PathBuf>,
    xdg_data_home: Option<PathBuf>,
    home: Option<PathBuf>,
}

impl Surroundings {
    fn of_this_process() -> Self {
        let path = |name| {
            std::env::var_os(name)
                .filter(|it| !it.is_empty())
                .map(PathBuf::from)
        };
        // systemd separates several directories by colons; ours is the first.
        let state = std::env::var("STATE_DIRECTORY").ok();
        let state = state
            .as_deref()
            .and_then(|it| it.split(':').next())
            .filter(|it| !it.is_empty());
        Self {
            is_root: rustix::process::geteuid().is_root(),
            state_directory: state.map(PathBuf::from),
            xdg_data_home: path("XDG_DATA_HOME"),
            home: path("HOME"),
        }
    }

    fn data(&self) -> PathBuf {
        self.data_of("motoreach")
    }

    fn data_of(&self, name: &str) -> PathBuf {
        let of_the_system = || PathBuf::from("/var/lib").join(name);
        if let Some(directory) = &self.state_directory {
            return directory.clone();
        }
        if self.is_root {
            return of_the_system();
        }
        let of_home = self.home.as_ref().map(|home| home.join(".local/share"));
        let shared = self.xdg_data_home.clone().or(of_home);
        shared.map_or_else(of_the_system, |shared| shared.join(name))
    }
}

/// The base of owners' links as it was typed, checked, without the slash at its end.
///
/// # Errors
/// A sentence that says what it must look like.
pub fn parse_public_url(text: &str) -> Result<String, PublicUrlError> {
    let uri: http::Uri = text.trim().parse().map_err(|_| PublicUrlError)?;
    let is_web = uri
        .scheme_str()
        .is_some_and(|scheme| matches!(scheme, "http" | "https"));
    let named = uri
        .authority()
        .is_some_and(|it| !it.host().is_empty() && !it.as_str().contains('@'));
    // `Uri` drops a fragment silently; a link's fragment is its secret.
    if !is_web || !named || uri.query().is_some() || text.contains('#') {
        return Err(PublicUrlError);
    }
    Ok(text.trim().trim_end_matches('/').to_owned())
}

/// Not an address that a link can begin with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("must be an address like https://workshop.example, without ? or #")]
pub struct PublicUrlError;

/// `parse_public_url` of a configuration's value.
///
/// # Errors
/// It is no such address.
pub fn public_url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    parse_public_url(&text)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

fn update_key<'de, D: Deserializer<'de>>(from: D) -> Result<Option<UpdateKey>, D::Error> {
    let text = String::deserialize(from)?;
    UpdateKey::parse(&text)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(CONFIG_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > CONFIG_BYTES_MAX {
        return Err(std::io::Error::other("it is larger than 64 KiB"));
    }
    Ok(text)
}

/// A configuration file that cannot be used. Its text is a sentence that says what to do.
#[derive(Debug)]
pub struct ConfigError {
    path: PathBuf,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Unreadable(std::io::Error),
    Toml(Box<toml::de::Error>),
    UnknownKey {
        key: String,
        known: &'static [&'static str],
    },
    Value {
        key: String,
        error: Box<toml::de::Error>,
    },
    ListensNowhere,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.why {
            Why::Unreadable(error) => {
                write!(f, "The configuration {path} cannot be read: {error}.")
            }
            Why::Toml(error) => write!(f, "The configuration {path} is not TOML:\n{error}"),
            Why::UnknownKey { key, known } => {
                let known = known.join(", ");
                write!(
                    f,
                    "The configuration {path} sets `{key}`, which is not known. Known are: {known}."
                )
            }
            Why::Value { key, error } => {
                write!(
                    f,
                    "In the configuration {path}, `{key}` is not right: {}.",
                    error.message()
                )
            }
            Why::ListensNowhere => {
                write!(
                    f,
                    "In the configuration {path}, `listen` is empty: name an address or leave it out."
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
