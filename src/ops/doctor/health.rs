//! What doctor says of the box's health: what the running server says, word for word; without one,
//! what can be known without one.

use serde_json::Value;

use super::say;
use crate::clock::Clock;
use crate::health;
use crate::machine::Machine;
use crate::ops::control;
use crate::ops::order::{Answer, Request};
use crate::store::{DataDir, OpenError, inspect};
use crate::wire::api::{CheckupBody, FindingBody};

/// How the box fares; `None` where nothing can be said: the secret is missing.
///
/// # Errors
/// The database cannot be opened or read at all.
pub(super) async fn checkup(dir: &DataDir) -> Result<Option<CheckupBody>, OpenError> {
    // A server that does not answer, or is of an older version, is no reason to say nothing.
    let asked = control::ask(&dir.control_socket(), &Request::Health).await;
    if let Ok(Some(Ok(Answer::Health(checkup)))) = asked {
        return Ok(Some(checkup));
    }
    let Some(noted) = inspect::noted(dir)? else {
        return Ok(None);
    };
    let clock = Clock::kept(&dir.clock_floor());
    let figures = health::figures(&Machine::this(), dir.path(), &clock, noted);
    Ok(Some((&figures.judged()).into()))
}

/// The section of the report.
pub(super) fn tell(checkup: &CheckupBody) {
    say("Health");
    for finding in &checkup.findings {
        say(line(finding));
        if let Some(advice) = &finding.advice {
            say(format_args!("              - {advice}"));
        }
    }
}

/// The same for programs.
pub(super) fn as_json(checkup: &CheckupBody) -> Value {
    serde_json::to_value(checkup).unwrap_or_default()
}

fn line(finding: &FindingBody) -> String {
    let mark = match finding.level.as_str() {
        "well" => "",
        "look" => "look: ",
        _ => "ACT: ",
    };
    format!("  {:<10}  {mark}{}", finding.area, finding.what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_somebody_is_marked() {
        let finding = |level: &str| FindingBody {
            area: "disk".to_owned(),
            level: level.to_owned(),
            what: "It is full.".to_owned(),
            advice: None,
        };
        assert_eq!(line(&finding("well")), "  disk        It is full.");
        assert_eq!(line(&finding("look")), "  disk        look: It is full.");
        assert_eq!(line(&finding("act")), "  disk        ACT: It is full.");
    }

    #[tokio::test]
    async fn a_box_without_a_server_is_looked_at_all_the_same() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path());
        let store =
            crate::store::Store::open(dir.clone(), Clock::system(), Box::new(|_| {})).unwrap();
        store.close().await;
        let checkup = checkup(&dir).await.unwrap().unwrap();
        let areas: Vec<_> = checkup.findings.iter().map(|it| it.area.as_str()).collect();
        assert!(
            areas.contains(&"disk") && areas.contains(&"clock"),
            "{areas:?}"
        );
        assert!(!areas.contains(&"relay"), "only a server knows: {areas:?}");
    }
}
