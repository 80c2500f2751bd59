//! What doctor says of the link to the relay: what the box's database knows of it. Whether the line is
//! up at this moment only a running server knows; its page and `/metrics` tell.

use serde_json::{Value, json};

use super::say;
use crate::domain::Timestamp;
use crate::store::inspect::Relay;
use crate::store::link::{Merge, Waiting};
use crate::wire::link::Verdict;
use crate::wire::rfc3339;

/// What waits longer than this is no short break any more.
const LONG_MS: i64 = 10 * 60 * 1_000;
const MINUTE_MS: i64 = 60 * 1_000;

/// The section of the report.
pub(super) fn tell(relay: &Relay) {
    say("Relay");
    for (name, what) in lines(relay) {
        say(format_args!("  {name:<10}  {what}"));
    }
    for sentence in advice(relay) {
        say(format_args!("  - {sentence}"));
    }
}

/// The same for programs.
pub(super) fn as_json(relay: &Relay) -> Value {
    let settings = relay.settings.as_ref();
    let merge = |merge: &Merge| {
        json!({
            "at": rfc3339(merge.at),
            "entries": merge.entries,
            "messages": merge.messages,
            "flagged": merge.flagged.iter().map(|request| request.0).collect::<Vec<_>>(),
        })
    };
    json!({
        "set_up": settings.is_some(),
        "url": settings.map(|it| &it.url),
        "public_url": settings.and_then(|it| it.public_url.as_ref()),
        "verdict": settings.and_then(|it| it.verdict).map(word),
        "claimed": settings.is_some_and(|it| it.claim),
        "delivered_up_to": relay.delivered_up_to.map(|seq| seq.0),
        "waiting_entries": relay.waiting.entries,
        "waiting_messages": relay.waiting.messages,
        "waiting_since": relay.waiting.oldest.map(rfc3339),
        "merges": relay.merges.iter().map(merge).collect::<Vec<_>>(),
        "post_gaps": relay.post_gaps,
        "advice": advice(relay),
    })
}

fn lines(relay: &Relay) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    match &relay.settings {
        None => lines.push((
            "address",
            "none: owners reach this box on its own network only".to_owned(),
        )),
        Some(settings) => {
            lines.push(("address", settings.url.clone()));
            let links = settings.public_url.as_ref();
            lines.push((
                "links",
                links.map_or_else(
                    || "not known yet: the relay has not answered so far".to_owned(),
                    |url| format!("{url}/o/..."),
                ),
            ));
            let said = settings
                .verdict
                .map_or("nothing against this box", sentence);
            lines.push(("it said", said.to_owned()));
            lines.push(("waiting", waiting(relay.waiting, relay.now)));
        }
    }
    // What was brought together stays of interest after a relay was let go of.
    if let Some(merge) = relay.merges.first() {
        lines.push(("copies", merged(merge, relay.merges.len())));
    }
    if relay.post_gaps > 0 {
        lines.push(("missing", format!("{} posts of owners", relay.post_gaps)));
    }
    lines
}

fn waiting(waiting: Waiting, now: Timestamp) -> String {
    if waiting.entries == 0 {
        return "nothing: the relay has everything".to_owned();
    }
    let what = format!(
        "{} messages, {} entries in all",
        waiting.messages, waiting.entries
    );
    match waiting.oldest {
        None => what,
        Some(oldest) => format!("{what}; the oldest for {}", age(now.0 - oldest.0)),
    }
}

fn merged(merge: &Merge, times: usize) -> String {
    let often = match times {
        1 => String::new(),
        times => format!(", {times} times in all"),
    };
    format!(
        "brought together at {}{often}: {} messages recovered, {} entries in all",
        rfc3339(merge.at),
        merge.messages,
        merge.entries
    )
}

/// What to do, a sentence each; nothing while all is well.
fn advice(relay: &Relay) -> Vec<String> {
    let mut advice = Vec::new();
    if let Some(settings) = &relay.settings {
        if let Some(verdict) = settings.verdict {
            advice.push(what_to_do(verdict).to_owned());
        }
        let oldest = relay.waiting.oldest.filter(|_| relay.waiting.entries > 0);
        let waits_ms = oldest.map_or(0, |oldest| relay.now.0 - oldest.0);
        if settings.verdict.is_none() && waits_ms > LONG_MS {
            advice.push(format!(
                "It waits long: check that this machine reaches {}, and what the page Settings > \
                 Relay says. Nothing is lost meanwhile.",
                settings.url
            ));
        }
    }
    let flagged = relay.merges.first().map_or(&[][..], |merge| &merge.flagged);
    if !flagged.is_empty() {
        let numbers: Vec<_> = flagged.iter().map(ToString::to_string).collect();
        advice.push(format!(
            "Somebody should look at request {}: its status was changed on both copies.",
            numbers.join(", ")
        ));
    }
    if relay.post_gaps > 0 {
        advice.push(
            "Posts that owners' phones counted never came here: if an owner misses an answer, ask \
             them to write again."
                .to_owned(),
        );
    }
    advice
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Resume | Verdict::Restored => "welcome",
        Verdict::Quarantined => "quarantined",
        Verdict::Superseded => "superseded",
        Verdict::Unknown => "unknown_here",
        Verdict::BadCode => "bad_code",
    }
}

const fn sentence(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Resume | Verdict::Restored => "nothing against this box",
        Verdict::Quarantined => "two copies of this box are alive",
        Verdict::Superseded => "another copy of this box was declared the real one",
        Verdict::Unknown => "it does not know this workshop",
        Verdict::BadCode => "the pairing code is wrong, used up or too old",
    }
}

const fn what_to_do(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Resume | Verdict::Restored => "Nothing is to be done.",
        Verdict::Quarantined => {
            "Switch the other copy off. On the box that counts, an admin says so under Settings > Relay."
        }
        Verdict::Superseded => {
            "If this is the box that counts after all, an admin says so under Settings > Relay."
        }
        Verdict::Unknown | Verdict::BadCode => {
            "Ask the relay's operator for a new code and enter it under Settings > Relay."
        }
    }
}

/// In the two largest units that matter.
fn age(ms: i64) -> String {
    // The clock may have been put back since.
    let minutes = ms.max(0) / MINUTE_MS;
    let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, hours) => format!("{hours} h {minutes} min"),
        (days, hours) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RequestId;
    use crate::store::link::Settings;

    fn relay() -> Relay {
        Relay {
            settings: Some(Settings {
                url: "https://relay.example".to_owned(),
                public_url: None,
                relay_key: None,
                pairing_code: Some("ABCDE-FGHJK".to_owned()),
                claim: false,
                verdict: None,
            }),
            delivered_up_to: None,
            waiting: Waiting::default(),
            merges: Vec::new(),
            post_gaps: 0,
            now: Timestamp(100 * MINUTE_MS),
        }
    }

    #[test]
    fn all_is_well_needs_no_advice_and_no_secret_is_told() {
        let relay = relay();
        assert_eq!(advice(&relay), Vec::<String>::new());
        let told = format!("{:?} {}", lines(&relay), as_json(&relay));
        assert!(!told.contains("ABCDE"), "{told}");
    }

    #[test]
    fn whatever_is_wrong_comes_with_what_to_do() {
        let mut ill = relay();
        ill.waiting = Waiting {
            entries: 9,
            messages: 3,
            oldest: Some(Timestamp(0)),
        };
        ill.post_gaps = 2;
        ill.merges.push(Merge {
            at: Timestamp(0),
            entries: 52,
            messages: 37,
            flagged: vec![RequestId(12), RequestId(15)],
        });
        let told = lines(&ill);
        let told = told
            .iter()
            .map(|(_, what)| what.as_str())
            .collect::<Vec<_>>()
            .join("\n");
        assert!(
            told.contains("3 messages, 9 entries in all; the oldest for 1 h 40 min"),
            "{told}"
        );
        assert!(told.contains("37 messages recovered"), "{told}");
        let advice = advice(&ill).join("\n");
        for part in [
            "reaches https://relay.example",
            "request 12, 15",
            "write again",
        ] {
            assert!(advice.contains(part), "{part}: {advice}");
        }
        let settings = ill.settings.as_mut().unwrap();
        settings.verdict = Some(Verdict::Quarantined);
        assert!(super::advice(&ill)[0].contains("Switch the other copy off"));
        assert_eq!(as_json(&ill)["verdict"], "quarantined");
    }

    #[test]
    fn a_box_without_a_relay_says_so() {
        let mut relay = relay();
        relay.settings = None;
        assert_eq!(lines(&relay).len(), 1);
        assert_eq!(as_json(&relay)["set_up"], false);
    }
}
