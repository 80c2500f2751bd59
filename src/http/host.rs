//! Names as browsers write them: the `Host` header and the `Origin` header, taken apart.
//!
//! Pure. Called by `guard`, which decides; nothing here knows which names are ours.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a `Host` header names, lower-cased, without the trailing dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A DNS or mDNS name.
    Name(String),
    /// An address in figures.
    Ip(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

/// A host and, where one is written, its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The name or address.
    pub host: Host,
    /// The port as written; `None` is the scheme's own.
    pub port: Option<u16>,
}

impl Authority {
    /// Reads `host`, `host:port` or `[v6]:port`; anything else (user names, spaces, other letters
    /// than a host name's) is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.rfind(':') {
            Some(colon) if !text.ends_with(']') => (&text[..colon], &text[colon + 1..]),
            _ => (text, ""),
        };
        // An empty port is the scheme's own (RFC 3986 §3.2.3). `parse` alone would take "+80".
        let port = match port {
            "" => None,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            _ => return None,
        };
        Some(Self {
            host: parse_host(host)?,
            port,
        })
    }

    fn port_or(&self, default: u16) -> u16 {
        self.port.unwrap_or(default)
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => self.host.fmt(f),
        }
    }
}

/// The scheme of a page that may talk to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Where a page comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Its host and port.
    pub authority: Authority,
}

impl Origin {
    /// Reads an `Origin` header. `null`, other schemes and anything with a path are `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (scheme, rest) = text.split_once("://")?;
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        Some(Self {
            scheme,
            authority: Authority::parse(rest)?,
        })
    }

    /// Whether a page of this origin was served under `host`: same name, same port.
    pub fn is_at(&self, host: &Authority) -> bool {
        let port = self.scheme.port();
        self.authority.host == host.host && self.authority.port_or(port) == host.port_or(port)
    }

    /// Whether two origins are the same, however their ports are written.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.is_at(&other.authority)
    }
}

fn parse_host(text: &str) -> Option<Host> {
    if let Some(v6) = text.strip_prefix('[') {
        let ip: Ipv6Addr = v6.strip_suffix(']')?.parse().ok()?;
        return Some(Host::Ip(IpAddr::V6(ip).to_canonical()));
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if let Ok(ip) = name.parse::<Ipv4Addr>() {
        return Some(Host::Ip(IpAddr::V4(ip)));
    }
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let well_formed = !name.is_empty()
        && name.len() <= 253 // RFC 1035 §2.3.4
        && name.bytes().all(letters)
        && !name.split('.').any(str::is_empty);
    well_formed.then_some(Host::Name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_whatever_its_case_dot_and_port() {
        for (text, read) in [
            ("MotoReach.local.", Some("motoreach.local")),
            ("box:8080", Some("box:8080")),
            ("box:", Some("box")),
            ("192.168.1.5:80", Some("192.168.1.5:80")),
            ("[::1]", Some("[::1]")),
            ("[FE80::1]:81", Some("[fe80::1]:81")),
            ("[::ffff:10.0.0.1]", Some("10.0.0.1")),
            ("", None),
            (".", None),
            ("a..b", None),
            ("user@box", None),
            ("box:http", None),
            ("box:+80", None),
            ("box:99999", None),
            ("box/path", None),
            ("box;csp", None),
            ("[::1", None),
            ("[fe80::1%25eth0]", None),
            ("::1", None),
            ("bücher.example", None),
        ] {
            assert_eq!(
                Authority::parse(text).map(|it| it.to_string()).as_deref(),
                read,
                "{text}"
            );
        }
    }

    #[test]
    fn an_origin_is_ours_only_with_the_same_host_and_port() {
        for (origin, host, ours) in [
            ("http://box", "box", true),
            ("https://box", "box", true),
            ("http://BOX:80", "box", true),
            ("http://box", "box:80", true),
            ("http://box:8080", "box:8080", true),
            ("http://box:8080", "box", false),
            ("https://box", "box:80", false),
            ("http://box.evil.example", "box", false),
            ("http://[::1]:81", "[::1]:81", true),
        ] {
            let host = Authority::parse(host).unwrap();
            assert_eq!(
                Origin::parse(origin).unwrap().is_at(&host),
                ours,
                "{origin} at {host}"
            );
        }
        for none in [
            "null",
            "",
            "file://",
            "ftp://box",
            "http://box/",
            "http://a b",
            "box",
        ] {
            assert_eq!(Origin::parse(none), None, "{none}");
        }
    }
}
