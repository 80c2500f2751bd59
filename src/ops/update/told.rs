//! How an update ended, for whoever waits at a terminal.

use std::path::Path;

use serde_json::json;

use super::prepare::Prepared;
use crate::ops::failure::Exit;
use crate::ops::say;
use crate::update::{Outcome, Verdict, swap};

/// `--check`: it would do.
pub(super) fn checked(prepared: &Prepared, in_json: bool) {
    if in_json {
        say(json!({
            "verdict": "would_do",
            "to": prepared.version,
            "migrates": prepared.migrates,
            "seconds": prepared.took.as_secs_f64(),
        }));
        return;
    }
    let changes = match prepared.migrates {
        true => "It brings changes to the database.",
        false => "It changes nothing in the database.",
    };
    say(format_args!(
        "{} passed its test on a copy of the data in {:.1} s. {changes} Nothing was changed.",
        prepared.version,
        prepared.took.as_secs_f64()
    ));
}

/// It is over.
pub(super) fn ended(outcome: &Outcome, program: &Path, in_json: bool) -> Exit {
    if in_json {
        say(json!(outcome));
    } else {
        say(sentence(outcome, program));
    }
    match outcome.verdict {
        Verdict::Updated | Verdict::InPlace => Exit::Done,
        Verdict::WentBack | Verdict::Stayed | Verdict::Refused => Exit::Failed,
    }
}

fn sentence(outcome: &Outcome, program: &Path) -> String {
    let Outcome { from, to, why, .. } = outcome;
    let why = why.as_deref().unwrap_or_default();
    match outcome.verdict {
        Verdict::Updated => format!("Now {to} runs; it was {from}."),
        Verdict::InPlace => format!(
            "{to} is in place of {from}. Start the server again to run it; if it does not come up, \
             `{} update --roll-back` brings {from} back.",
            swap::old_of(program).display()
        ),
        Verdict::WentBack => format!("{from} runs again, because {to} was no good: {why}"),
        Verdict::Stayed => format!("{to} is no good, and stays all the same: {why}"),
        Verdict::Refused => why.to_owned(),
    }
}
