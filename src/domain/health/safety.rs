//! What keeps the workshop's data safe and its owners reached: recovery words, the relay, the program.

use super::words::{counted, span};
use super::{Area, Finding};
use crate::domain::{LinkRefusal, LinkReport, LinkState, LinkTrouble, Timestamp};

/// A line that is gone for longer than this is no short break any more, in milliseconds.
const LONG_BREAK_MS: i64 = 10 * 60 * 1_000;
/// Owners outside were not reached for so long, in milliseconds: somebody has to see to it.
const VERY_LONG_BREAK_MS: i64 = 24 * 60 * 60 * 1_000;

/// Whether somebody confirmed to have written the recovery words down.
pub fn recovery_words(kept: bool) -> Finding {
    if kept {
        return Finding::well(
            Area::Words,
            "The 24 recovery words were written down, as somebody confirmed.",
        );
    }
    Finding::act(
        Area::Words,
        "Nobody has confirmed yet that the 24 recovery words were written down. Without them no \
         backup can be opened.",
        "An admin opens this page, writes the words on paper and keeps them away from the box.",
    )
}

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
    fn words_that_nobody_kept_are_worth_an_alarm() {
        assert_eq!(recovery_words(true).level, Level::Well);
        assert_eq!(recovery_words(false).level, Level::Act);
    }
}
