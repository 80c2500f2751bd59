//! What is around the data: whether owners are reached, and which program this is.

use super::words::{counted, span};
use super::{Area, Finding};
use crate::domain::{LinkRefusal, LinkReport, LinkState, LinkTrouble, Timestamp};

/// A line that is gone for longer than this is no short break any more, in milliseconds.
const LONG_BREAK_MS: i64 = 10 * 60 * 1_000;
/// Owners outside were not reached for so long, in milliseconds: somebody has to see to it.
const VERY_LONG_BREAK_MS: i64 = 24 * 60 * 60 * 1_000;

/// Whether owners outside the workshop's network are reached.
pub fn relay(report: &LinkReport, now: Timestamp) -> Finding {
    // A clock that was put right in between makes no time negative.
    let since_ms = now.0.saturating_sub(report.since.0).max(0);
    match report.state {
        LinkState::Unpaired => Finding::well(
            Area::Relay,
            "No relay is set up: owners reach this box on its own network only.",
        ),
        LinkState::Online => Finding::well(
            Area::Relay,
            format!("The relay answers, for {} now.", span(since_ms)),
        ),
        LinkState::Connecting => unreached(report, None, since_ms),
        LinkState::Waiting { why, .. } => unreached(report, Some(why), since_ms),
        LinkState::Stopped(why) => Finding::act(Area::Relay, why.to_string(), refused(why)),
    }
}

fn unreached(report: &LinkReport, why: Option<LinkTrouble>, since_ms: i64) -> Finding {
    let mut what = format!("The relay has not been reached for {}.", span(since_ms));
    if let Some(why) = why {
        what.push_str(&format!(" {why}"));
    }
    if report.waiting_messages > 0 {
        let waiting = counted(report.waiting_messages, "message waits", "messages wait");
        what.push_str(&format!(" {waiting} here; nothing is lost."));
    }
    let advice = "Check that the box has a way out to the internet, and what Settings > Relay says. \
                  It is tried again by itself.";
    match since_ms {
        ..LONG_BREAK_MS => Finding::well(Area::Relay, what),
        LONG_BREAK_MS..VERY_LONG_BREAK_MS => Finding::look(Area::Relay, what, advice),
        VERY_LONG_BREAK_MS.. => Finding::act(Area::Relay, what, advice),
    }
}

const fn refused(why: LinkRefusal) -> &'static str {
    match why {
        LinkRefusal::Quarantined | LinkRefusal::Superseded => {
            "Switch the other copy off. On the box that counts, an admin says so under Settings > Relay."
        }
        LinkRefusal::BadCode | LinkRefusal::UnknownHere => {
            "Ask the relay's operator for a new code and enter it under Settings > Relay."
        }
        LinkRefusal::OtherRelay | LinkRefusal::NotOurs => {
            "Check the address under Settings > Relay with the relay's operator."
        }
    }
}

/// Where the box is found on the workshop's network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// What to type into a browser, by name.
    pub url: String,
    /// What to type where names do not work, the most useful first.
    pub plain: Vec<String>,
    /// Whether it has this name because another machine has the one that was wanted.
    pub conflict: bool,
    /// Whether the network knows the name.
    pub announced: Announced,
}

/// Whether the network knows the box's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Announced {
    /// The configuration says that it shall not.
    Off,
    /// There is no network that could.
    NoNetwork,
    /// The name is being asked for.
    Asking,
    /// It does.
    Yes,
    /// The system does not let us.
    Failed,
}

/// Where the box is found, by its name and by its plain address.
pub fn name(found: &Found) -> Finding {
    let plain = match found.plain.first() {
        Some(plain) => format!("Its plain address is {plain}."),
        None => "It has no address on a network.".to_owned(),
    };
    let url = &found.url;
    match found.announced {
        Announced::Off => Finding::well(
            Area::Name,
            format!("The box tells the network no name, as it was configured. {plain}"),
        ),
        Announced::NoNetwork => Finding::look(
            Area::Name,
            format!("No network knows the box by its name. {plain}"),
            "Check the cable or the Wi-Fi of the box.",
        ),
        Announced::Asking => Finding::well(
            Area::Name,
            format!("The box is asking the network for its name. {plain}"),
        ),
        Announced::Failed => Finding::look(
            Area::Name,
            format!("The box could not tell the network its name; it tries again. {plain}"),
            "Use the plain address meanwhile.",
        ),
        Announced::Yes if found.conflict => Finding::look(
            Area::Name,
            format!(
                "The box is found at {url}, because another machine has the name that it should \
                 have. {plain}"
            ),
            "Switch the other one off, or get used to this address: links to the box use it.",
        ),
        Announced::Yes => Finding::well(Area::Name, format!("The box is found at {url}. {plain}")),
    }
}

/// Which program this is.
pub fn program(version: &str, sqlite: &str) -> Finding {
    Finding::well(
        Area::Program,
        format!("MotoReach {version}, with SQLite {sqlite}."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::Level;

    const MINUTE_MS: i64 = 60_000;

    fn report(state: LinkState) -> LinkReport {
        LinkReport {
            state,
            ..LinkReport::unpaired(Timestamp(0))
        }
    }

    #[test]
    fn a_short_break_of_the_line_worries_nobody() {
        let waiting = report(LinkState::Waiting {
            retry_at: Timestamp(0),
            why: LinkTrouble::Tls,
        });
        let after = |minutes: i64| relay(&waiting, Timestamp(minutes * MINUTE_MS)).level;
        assert_eq!(after(5), Level::Well);
        assert_eq!(after(30), Level::Look);
        assert_eq!(after(2 * 24 * 60), Level::Act);
    }

    #[test]
    fn a_relay_that_said_no_needs_somebody() {
        let no = report(LinkState::Stopped(LinkRefusal::Quarantined));
        assert_eq!(relay(&no, Timestamp(0)).level, Level::Act);
        let unpaired = report(LinkState::Unpaired);
        assert_eq!(relay(&unpaired, Timestamp(0)).level, Level::Well);
    }

    #[test]
    fn the_box_says_where_it_is_found() {
        let found = |conflict, announced| {
            name(&Found {
                url: "http://motoreach.local".to_owned(),
                plain: vec!["http://192.168.1.20".to_owned()],
                conflict,
                announced,
            })
        };
        let well = found(false, Announced::Yes);
        assert_eq!(
            well.what,
            "The box is found at http://motoreach.local. Its plain address is http://192.168.1.20."
        );
        assert_eq!(well.level, Level::Well);
        assert_eq!(found(true, Announced::Yes).level, Level::Look);
        assert_eq!(found(false, Announced::NoNetwork).level, Level::Look);
        assert_eq!(found(false, Announced::Off).level, Level::Well);
    }
}
