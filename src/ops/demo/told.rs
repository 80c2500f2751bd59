//! What the sample says once it is open: to people on stdout, to scripts in a file.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context;

use super::place::Place;
use crate::ops::roster::{self, Roster};
use crate::ops::{sample, say};

/// Who to be and where to go.
pub(super) fn tell(roster: &Roster, place: &Place) {
    say(format_args!("{} is open: {}", sample::WORKSHOP, roster.url));
    if let Some(relay) = &roster.relay {
        say(format_args!("Its relay, another process: {relay}"));
    }
    say("");
    say(format_args!(
        "Sign in with the password {}:",
        sample::PASSWORD
    ));
    for person in roster.people.iter().filter(|person| person.role != "user") {
        let username = person.username.as_deref().unwrap_or("-");
        say(format_args!(
            "  {:<10} {} ({})",
            username,
            person.name,
            person.role.replace('_', " ")
        ));
    }
    say("");
    match roster.relay {
        Some(_) => say("Open an owner's link as the owner would, at the relay from anywhere:"),
        None => say("Open an owner's link as the owner would, on their phone:"),
    }
    for request in roster.requests.iter().take(roster::REQUESTS_TOLD_MAX) {
        let at_relay = request.relay_invite_url.as_deref();
        let link = at_relay.or(request.invite_url.as_deref());
        say(format_args!(
            "  {:<20} {}",
            format!("{} {}", request.id, request.status),
            link.unwrap_or("(taken back)")
        ));
    }
    if let Some(more) = roster
        .requests
        .len()
        .checked_sub(roster::REQUESTS_TOLD_MAX + 1)
    {
        say(format_args!("  and {} more", more + 1));
    }
    say("");
    if roster.relay.is_some() {
        say(
            "Enter, or `motoreach demo --cut` elsewhere, takes the line between the two down and up.",
        );
    }
    match place {
        Place::Kept(path) => say(format_args!(
            "It stays in {}. Ctrl-C stops it.",
            path.display()
        )),
        Place::Scratch(_) => say("Nothing of it stays. Ctrl-C stops it."),
    }
}

/// Whole or not at all: whoever waits for the file never reads half of it.
///
/// # Errors
/// A sentence that names the file.
pub(super) fn write_whole(file: &Path, roster: &Roster) -> anyhow::Result<()> {
    let content = serde_json::to_vec_pretty(roster)?;
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let written: io::Result<()> =
        fs::write(&beside, content).and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.with_context(|| format!("{} cannot be written.", file.display()))
}
