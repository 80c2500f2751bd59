//! A relay as an admin types it: its address and its pairing code, checked before anything is tried.

use std::net::{IpAddr, Ipv4Addr};

use super::host::{Authority, Host};
use crate::domain::{Field, Rejection};

const ADDRESS_CHARS_MAX: usize = 255;
/// With whatever people put between its letters.
const CODE_CHARS_MAX: usize = 32;

const URL: Field = Field("url");

/// The relay's address without a path, as `https://relay.example`.
///
/// # Errors
/// What is wrong with it, for whoever typed it.
pub fn address(typed: &str) -> Result<String, Rejection> {
    let no = |why| Rejection::Value { field: URL, why };
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(no("must not be empty"));
    }
    if typed.chars().count() > ADDRESS_CHARS_MAX {
        return Err(no("is too long for an address"));
    }
    let (scheme, rest) = typed.split_once("://").unwrap_or(("https", typed));
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let authority = Authority::parse(authority).filter(|_| ["", "/"].contains(&path));
    let authority = authority.ok_or(no("must be an address such as https://relay.example"))?;
    match scheme.as_str() {
        "https" => {}
        "http" if is_near(&authority.host) => {}
        "http" => {
            return Err(no(
                "must begin with https://; only a relay in your own network may do without",
            ));
        }
        _ => return Err(no("must begin with https://")),
    }
    let host = &authority.host;
    Ok(match authority.port {
        None => format!("{scheme}://{host}"),
        Some(port) => format!("{scheme}://{host}:{port}"),
    })
}

/// A pairing code; what its letters mean is for the link to find out.
///
/// # Errors
/// It cannot be one.
pub(super) fn code(typed: &str) -> Result<String, Rejection> {
    let no = |why| Rejection::Value {
        field: Field("code"),
        why,
    };
    let code = typed.trim();
    if code.is_empty() {
        return Err(no("must not be empty"));
    }
    let fits = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == ' ';
    if code.len() > CODE_CHARS_MAX || !code.chars().all(fits) {
        return Err(no(
            "must be the ten letters and digits that the relay gave out",
        ));
    }
    Ok(code.to_owned())
}

/// Whether it is by its very name a machine of one's own network, where nobody has certificates.
fn is_near(host: &Host) -> bool {
    match host {
        Host::Name(name) => {
            name == "localhost" || name.ends_with(".localhost") || name.ends_with(".local")
        }
        Host::Ip(IpAddr::V4(ip)) => is_near_v4(*ip),
        Host::Ip(IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
    }
}

const fn is_near_v4(ip: Ipv4Addr) -> bool {
    ip.is_loopback() || ip.is_private() || ip.is_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for (typed, read) in [
            ("relay.example", "https://relay.example"),
            (" HTTPS://Relay.Example/ ", "https://relay.example"),
            ("https://relay.example:8443", "https://relay.example:8443"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://192.168.1.9", "http://192.168.1.9"),
            ("http://relay.local:9000/", "http://relay.local:9000"),
            ("http://[::1]:9000", "http://[::1]:9000"),
        ] {
            assert_eq!(address(typed).unwrap(), read, "{typed}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_relay_is_told_so() {
        for typed in [
            "",
            "   ",
            "http://relay.example",
            "ftp://relay.example",
            "https://relay.example/o/abc",
            "https://relay.example?x",
            "https://user@relay.example",
            "https://",
            "two words",
            "https://relay.example:0x50",
        ] {
            assert!(address(typed).is_err(), "{typed}");
        }
        assert!(address(&"a".repeat(256)).is_err());
    }

    #[test]
    fn a_code_is_letters_and_digits() {
        assert_eq!(code(" abcde-fghjk ").unwrap(), "abcde-fghjk");
        for typed in ["", " ", "abcde_fghjk", "ábcde", &"a".repeat(33)] {
            assert!(code(typed).is_err(), "{typed}");
        }
    }
}
