//! Which networks are the workshop's, and our addresses there.
//!
//! A machine has networks of its own as well: those of containers and virtual machines, and tunnels to
//! elsewhere. A name announced there is at best found by nobody, at worst leads to an address that the
//! workshop cannot reach. Interfaces with such names are left out, unless the configuration names them.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use if_addrs::Interface;

/// How the names of interfaces begin behind which there is no workshop.
const NOT_THE_WORKSHOP: [&str; 26] = [
    "docker",
    "br-",
    "veth",
    "virbr",
    "vnet",
    "vmnet",
    "vboxnet",
    "lxc",
    "lxdbr",
    "incusbr",
    "podman",
    "cni",
    "flannel",
    "cali",
    "kube",
    "nodelocaldns",
    "weave",
    "tun",
    "tap",
    "wg",
    "tailscale",
    "zt",
    "nebula",
    "ppp",
    "dummy",
    "ifb",
];
/// The kernel's table of IPv6 addresses, with what may be thought of each.
const IPV6_TABLE: &str = "/proc/net/if_inet6";
/// Temporary (0x01), duplicate (0x08), deprecated (0x20) or not proven to be ours yet (0x40):
/// `linux/if_addr.h`. None of them is an address to write down.
const IPV6_PASSING: u32 = 0x01 | 0x08 | 0x20 | 0x40;

/// Which interfaces lead to the workshop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Interfaces {
    /// All but those that are known to lead elsewhere.
    Automatic,
    /// These.
    Named(Vec<String>),
}

impl Interfaces {
    /// What the configuration says: none is automatic.
    pub fn named(names: Vec<String>) -> Self {
        if names.is_empty() {
            Self::Automatic
        } else {
            Self::Named(names)
        }
    }

    /// Whether this one does.
    pub fn lead_through(&self, interface: &Interface) -> bool {
        let usable = interface.is_oper_up() && !interface.is_loopback();
        usable
            && match self {
                Self::Automatic => !interface.is_p2p() && !leads_elsewhere(&interface.name),
                Self::Named(names) => names.contains(&interface.name),
            }
    }
}

/// Our addresses on the workshop's networks at which one of `listening` is reached, the most useful
/// first: whoever types one in prefers four numbers.
///
/// # Errors
/// The system does not tell.
pub fn addresses(wanted: &Interfaces, listening: &[SocketAddr]) -> io::Result<Vec<IpAddr>> {
    let passing = fs::read_to_string(IPV6_TABLE).map_or_else(|_| Vec::new(), |it| passing(&it));
    let mut found: Vec<_> = if_addrs::get_if_addrs()?
        .into_iter()
        .filter(|interface| wanted.lead_through(interface))
        .map(|interface| (interface.index, interface.ip()))
        .filter(|(_, ip)| !passing.contains(ip) && listening.iter().any(|at| hears(at, *ip)))
        .collect();
    found.sort_by_key(|(index, ip)| (rank(*ip), *index, *ip));
    let mut found: Vec<_> = found.into_iter().map(|(_, ip)| ip).collect();
    found.dedup();
    // An address that needs its interface named is none to type in; it must do where there is no other.
    if found.iter().any(|ip| !is_link_local_v6(*ip)) {
        found.retain(|ip| !is_link_local_v6(*ip));
    }
    Ok(found)
}

/// Whether this machine has this address, on whatever network.
pub(super) fn is_ours(ip: IpAddr) -> bool {
    let ours = if_addrs::get_if_addrs().unwrap_or_default();
    ours.iter().any(|interface| interface.ip() == ip)
}

/// Whether whoever calls `ip` reaches this listener.
fn hears(listener: &SocketAddr, ip: IpAddr) -> bool {
    match listener.ip() {
        // `[::]` takes IPv4 as well.
        IpAddr::V6(any) if any.is_unspecified() => true,
        IpAddr::V4(any) if any.is_unspecified() => ip.is_ipv4(),
        IpAddr::V4(_) | IpAddr::V6(_) => listener.ip() == ip,
    }
}

fn leads_elsewhere(name: &str) -> bool {
    NOT_THE_WORKSHOP.iter().any(|begin| name.starts_with(begin))
}

/// Lower is more useful.
fn rank(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(v4) if v4.is_private() => 0,
        // No router gave one: it works between two machines on one cable.
        IpAddr::V4(v4) if v4.is_link_local() => 2,
        IpAddr::V4(_) => 1,
        IpAddr::V6(v6) if v6.is_unique_local() => 3,
        IpAddr::V6(v6) if v6.is_unicast_link_local() => 5,
        IpAddr::V6(_) => 4,
    }
}

fn is_link_local_v6(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// The addresses of the kernel's table that will not stay.
fn passing(table: &str) -> Vec<IpAddr> {
    table.lines().filter_map(passing_address).collect()
}

/// `fe80…01 02 40 20 80 eth0`: address, interface, prefix, scope, flags, name.
fn passing_address(line: &str) -> Option<IpAddr> {
    let mut fields = line.split_ascii_whitespace();
    let address = u128::from_str_radix(fields.next()?, 16).ok()?;
    let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
    (flags & IPV6_PASSING != 0).then(|| IpAddr::V6(Ipv6Addr::from_bits(address)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use if_addrs::{IfAddr, IfOperStatus, Ifv4Addr};
    use std::net::Ipv4Addr;

    fn interface(name: &str, ip: [u8; 4]) -> Interface {
        Interface {
            name: name.into(),
            addr: IfAddr::V4(Ifv4Addr {
                ip: Ipv4Addr::from(ip),
                netmask: Ipv4Addr::new(255, 255, 255, 0),
                prefixlen: 24,
                broadcast: None,
            }),
            index: Some(2),
            oper_status: IfOperStatus::Up,
            is_p2p: false,
        }
    }

    #[test]
    fn networks_of_containers_and_tunnels_are_not_the_workshops() {
        let lead = |name: &str| Interfaces::Automatic.lead_through(&interface(name, [10, 0, 0, 5]));
        for workshop in [
            "eth0",
            "end0",
            "wlan0",
            "enp3s0",
            "enx001122334455",
            "br0",
            "bond0",
        ] {
            assert!(lead(workshop), "{workshop}");
        }
        for elsewhere in [
            "docker0",
            "br-0f3a",
            "veth12",
            "virbr0",
            "wg0",
            "tailscale0",
            "tun0",
        ] {
            assert!(!lead(elsewhere), "{elsewhere}");
        }
        let named = Interfaces::named(vec!["docker0".into()]);
        assert!(named.lead_through(&interface("docker0", [10, 0, 0, 5])));
        assert!(!named.lead_through(&interface("eth0", [10, 0, 0, 5])));
        assert!(!named.lead_through(&interface("docker0", [127, 0, 0, 1])));
    }

    #[test]
    fn a_box_that_listens_to_itself_has_no_address() {
        let loopback = ["127.0.0.1:8080".parse().unwrap()];
        assert_eq!(
            addresses(&Interfaces::Automatic, &loopback).unwrap(),
            Vec::<IpAddr>::new()
        );
    }

    #[test]
    fn only_what_is_listened_at_is_an_address() {
        let hears = |at: &str, ip: &str| hears(&at.parse().unwrap(), ip.parse().unwrap());
        assert!(hears("[::]:80", "10.0.0.5"));
        assert!(hears("[::]:80", "fd00::5"));
        assert!(hears("0.0.0.0:80", "10.0.0.5"));
        assert!(!hears("0.0.0.0:80", "fd00::5"));
        assert!(hears("10.0.0.5:80", "10.0.0.5"));
        assert!(!hears("10.0.0.6:80", "10.0.0.5"));
    }

    #[test]
    fn ipv6_addresses_that_will_not_stay_are_not_written_down() {
        let table = "fd000000000000000000000000000005 02 40 00 80     eth0\n\
                     fd000000000000000000000000000006 02 40 00 01     eth0\n\
                     fd000000000000000000000000000007 02 40 00 a0     eth0\n\
                     nonsense\n";
        let expected: Vec<IpAddr> = vec!["fd00::6".parse().unwrap(), "fd00::7".parse().unwrap()];
        assert_eq!(passing(table), expected);
    }
}
