//! Who asks: the address at the other end, or the one that a proxy of ours says it speaks for.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};

use crate::http::fields::listed;
use crate::http::listen::Peer;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that limits count for. Only a proxy on this machine, or one that was configured, is
/// believed, and only the last address that it wrote: the ones before are what its client claims.
pub(super) fn address(peer: Peer, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let mut address = peer.remote.ip().to_canonical();
    // Back through proxies of ours, as long as there are any.
    let said: Vec<_> = listed(headers, &FORWARDED_FOR).collect();
    for said in said.iter().rev() {
        let trusted = address.is_loopback() || proxies.contains(&address);
        match said.parse::<IpAddr>() {
            Ok(before) if trusted => address = before.to_canonical(),
            Ok(_) | Err(_) => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn asking(remote: &str, said: Option<&'static str>, proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        if let Some(said) = said {
            headers.insert(FORWARDED_FOR, HeaderValue::from_static(said));
        }
        let peer = Peer {
            remote: format!("{remote}:5000").parse().unwrap(),
            local: "127.0.0.1:80".parse().unwrap(),
        };
        let proxies: Vec<IpAddr> = proxies.iter().map(|it| it.parse().unwrap()).collect();
        address(peer, &headers, &proxies).to_string()
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed() {
        assert_eq!(asking("203.0.113.1", None, &[]), "203.0.113.1");
        assert_eq!(asking("203.0.113.1", Some("10.0.0.1"), &[]), "203.0.113.1");
        assert_eq!(asking("127.0.0.1", Some("203.0.113.9"), &[]), "203.0.113.9");
        assert_eq!(
            asking("127.0.0.1", Some("1.1.1.1, 2.2.2.2"), &[]),
            "2.2.2.2"
        );
        assert_eq!(
            asking("127.0.0.1", Some("1.1.1.1, 2.2.2.2"), &["2.2.2.2"]),
            "1.1.1.1"
        );
        assert_eq!(asking("127.0.0.1", Some("nobody"), &[]), "127.0.0.1");
        assert_eq!(asking("[::1]", Some("2001:db8::1"), &[]), "2001:db8::1");
    }
}
