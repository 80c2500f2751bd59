//! `motoreach person erase`: an owner is forgotten, after their name was typed once more.

use serde_json::json;

use super::failure::Exit;
use super::operator::{answer, order, unexpected};
use super::order::{Answer, Refused, Request};
use super::{say, stdin};
use crate::cli::EraseArgs;
use crate::commands::{EraseLeftovers, ErasePerson};
use crate::domain::{Actor, Extent, PersonId};
use crate::store::{Need, Store};

/// `motoreach person erase`.
///
/// # Errors
/// No such owner, another name, or what the disk says.
pub(super) fn run(args: EraseArgs) -> anyhow::Result<Exit> {
    let name = match args.name {
        Some(name) => name,
        None => asked(args.all)?,
    };
    let request = Request::ErasePerson {
        person: args.person,
        name,
        everything: args.all,
    };
    let Answer::Erased {
        requests,
        links,
        entries,
    } = order(&args.at, request)?
    else {
        return unexpected();
    };
    let json = json!({ "erased": { "requests": requests, "links": links, "entries": entries } });
    answer(&args.at, json, || {
        say(format_args!(
            "Person {} was erased: {requests} request(s) have no owner any more, {links} link(s) open \
             nothing, {entries} entries lost what they said.",
            args.person
        ));
        say(
            "Backup files that were made before still hold it; the ones in the backup folder are \
             replaced in turn, and restoring one of them erases it again.",
        );
    });
    Ok(Exit::Done)
}

fn asked(everything: bool) -> std::io::Result<String> {
    say(
        "This erases who they are and everything that they wrote, here and at the relay, for ever.",
    );
    say(if everything {
        "What the workshop wrote to them goes, too."
    } else {
        "What the workshop wrote stays, as its own record (--all takes it, too)."
    });
    say("Type their full name exactly as it is shown, and press Enter:");
    Ok(stdin::line()?.to_string())
}

/// Carries it out. What is not done when the connection breaks off is done by the box itself.
pub(super) async fn execute(
    store: &Store,
    person: PersonId,
    name: String,
    everything: bool,
) -> Result<Answer, Refused> {
    let extent = if everything {
        Extent::Everything
    } else {
        Extent::Words
    };
    let command = ErasePerson {
        person,
        name,
        extent,
    };
    let mut done = store
        .write_needed(Need::Essential, move |tx| {
            command.run(tx, &Actor::the_box())
        })
        .await?;
    loop {
        let swept = store
            .write_needed(Need::Essential, |tx| EraseLeftovers.run(tx))
            .await?;
        done.entries += swept.entries;
        if !swept.more {
            break;
        }
    }
    Ok(Answer::Erased {
        requests: done.requests,
        links: done.links,
        entries: done.entries,
    })
}
