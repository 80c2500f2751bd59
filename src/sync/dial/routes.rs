//! Noticing that the network changed: the kernel's table of routes is another one. Looked at only while
//! the link waits for its next try.

use std::time::Duration;

use tokio::time::sleep;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Where Linux tells its routes (proc_net(5)); a machine that does not is waited for by time alone.
const TABLES: [&str; 2] = ["/proc/net/route", "/proc/net/ipv6_route"];

/// Waits until the routes are others than now. Cancel-safe.
pub(super) async fn changed() {
    let before = gateways();
    loop {
        sleep(LOOK_EVERY).await;
        if gateways() != before {
            return;
        }
    }
}

/// Interface, destination and gateway of every route, without counters that always change.
fn gateways() -> Vec<String> {
    let mut routes = Vec::new();
    for table in TABLES {
        // Reading what the kernel has in memory waits for no disk.
        let text = std::fs::read_to_string(table).unwrap_or_default();
        routes.extend(text.lines().map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            match words.as_slice() {
                [name, to, gateway, _, _, _, _, mask, ..] if table == TABLES[0] => {
                    format!("{name} {to} {gateway} {mask}")
                }
                [to, prefix, _, _, gateway, .., name] => format!("{name} {to}/{prefix} {gateway}"),
                _ => String::new(),
            }
        }));
    }
    routes.sort_unstable();
    routes.dedup();
    routes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_that_did_not_change_read_the_same() {
        assert_eq!(gateways(), gateways());
    }
}
