//! Where to: addresses as they are typed, and which of the world's IP addresses are whose.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

/// A place to connect to, out of an address like `https://relay.example/`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// A name, or an IP address without brackets.
    pub host: String,
    /// The port, written or the scheme's own.
    pub port: u16,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Path and query, beginning with a slash.
    pub path: String,
}

/// Not an address that can be connected to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("must be an address like https://relay.example")]
pub struct TargetError;

impl Target {
    /// Reads an address of `http`, `https`, `ws` or `wss`. One with a user name or a fragment is none.
    ///
    /// # Errors
    /// It is no such address.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        // `Uri` drops a fragment silently; nothing that we connect to has one.
        if text.contains('#') {
            return Err(TargetError);
        }
        let uri: Uri = text.trim().parse().map_err(|_| TargetError)?;
        let (tls, usual) = match uri.scheme_str() {
            Some("https" | "wss") => (true, 443),
            Some("http" | "ws") => (false, 80),
            Some(_) | None => return Err(TargetError),
        };
        let authority = uri.authority().ok_or(TargetError)?;
        let host = authority.host();
        let host = host
            .strip_prefix('[')
            .and_then(|it| it.strip_suffix(']'))
            .unwrap_or(host);
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(TargetError);
        }
        let path = uri.path_and_query().map_or("/", |it| it.as_str());
        Ok(Self {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(usual),
            tls,
            path: path.to_owned(),
        })
    }

    /// As a `Host` header has it.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// Whether it is by its very name a place of one's own network, where plain HTTP is usual.
    pub fn is_near(&self) -> bool {
        if let Ok(ip) = self.host.parse::<IpAddr>() {
            return is_near(ip);
        }
        let name = self.host.trim_end_matches('.').to_ascii_lowercase();
        [".local", ".localhost"].iter().any(|it| name.ends_with(it)) || name == "localhost"
    }
}

/// Whether an address is this machine's or of a network of one's own.
pub fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Whether an address is one of the internet's at large: nothing of ours or of our provider's is
/// behind it, so that whoever names it cannot make us speak to our own machines.
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = matches!(
        (a, b, c),
        // "This network", carrier-grade NAT, protocol assignments, 6to4 relays, benchmarks, reserved.
        (0, _, _)
            | (100, 64..=127, _)
            | (192, 0, 0)
            | (192, 88, 99)
            | (198, 18..=19, _)
            | (240.., _, _)
    );
    !(special
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || ip.is_broadcast())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    match ip.segments() {
        // NAT64: what counts is the IPv4 address in it.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Teredo, protocol assignments, documentation, 6to4: tunnels and examples.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => {
            false
        }
        // Everything that was ever given out lies here (RFC 4291 §2.4).
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let target = |text: &str| Target::parse(text).unwrap();
        let relay = target("https://relay.example");
        assert_eq!(
            (
                relay.host.as_str(),
                relay.port,
                relay.tls,
                relay.path.as_str()
            ),
            ("relay.example", 443, true, "/")
        );
        assert_eq!(relay.authority(), "relay.example");
        let near = target("ws://[::1]:8443/link/?x=1");
        assert_eq!((near.host.as_str(), near.port), ("::1", 8443));
        assert_eq!((near.path.as_str(), near.tls), ("/link/?x=1", false));
        assert_eq!(near.authority(), "[::1]:8443");
        for none in [
            "",
            "relay.example",
            "ftp://relay.example",
            "https://",
            "https://a@b",
            "https://a/#x",
            "https:///x",
        ] {
            assert_eq!(Target::parse(none), Err(TargetError), "{none}");
        }
    }

    #[test]
    fn near_is_what_is_named_so() {
        for near in [
            "localhost",
            "box.local",
            "BOX.LOCAL.",
            "127.0.0.1",
            "192.168.1.4",
            "fd00::1",
        ] {
            let target = Target {
                host: near.into(),
                port: 80,
                tls: false,
                path: "/".into(),
            };
            assert!(target.is_near(), "{near}");
        }
        for far in ["relay.example", "local", "8.8.8.8", "localhost.example"] {
            let target = Target {
                host: far.into(),
                port: 80,
                tls: false,
                path: "/".into(),
            };
            assert!(!target.is_near(), "{far}");
        }
    }

    #[test]
    fn only_the_internet_at_large_is_public() {
        for public in [
            "8.8.8.8",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for ours in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.0.1",
            "100.100.100.200",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            assert!(!is_public(ours.parse().unwrap()), "{ours}");
        }
    }
}
