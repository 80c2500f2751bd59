//! `motoreach uninstall`: what was installed goes; data and configuration stay, unless they are to go too.

use std::process::Command;

use anyhow::{Context, bail};

use super::super::failure::Exit;
use super::super::say;
use super::super::stdin;
use super::files::{BOX, CONFIGURATION, Kind, PROGRAM, RELAY, SHARED};
use super::machine::{Machine, run as run_program};
use super::no_package;
use crate::cli::UninstallArgs;
use crate::store::{DataDir, inspect};

/// Where systemd notes when a timer last went off.
const TIMERS: &str = "var/lib/systemd/timers";

/// `motoreach uninstall`.
///
/// # Errors
/// Something could not be removed, or nobody confirmed that the data may go.
pub fn run(args: UninstallArgs) -> anyhow::Result<Exit> {
    let kind = if args.relay { RELAY } else { BOX };
    let machine = Machine::of(args.root)?;
    no_package(&machine, kind)?;
    if args.purge && !args.yes {
        confirm(&machine, kind)?;
    }
    // Each by itself: one that is not loaded must not keep the others running.
    for unit in kind.stopped {
        machine.systemctl_may(&["stop", unit]);
    }
    for unit in kind.enabled.iter().chain(&["motoreach-tls.socket"]) {
        if machine.has(&format!("etc/systemd/system/{unit}")) {
            machine.systemctl(&["disable", unit])?;
        }
    }
    for part in kind.parts {
        machine.remove(part.path)?;
    }
    let other_stays = machine.has(kind.other().parts[0].path);
    if !other_stays {
        for part in SHARED {
            machine.remove(part.path)?;
        }
        machine.remove(PROGRAM)?;
    }
    if !machine.asleep {
        machine.systemctl(&["daemon-reload"])?;
    }
    if args.purge {
        purge(&machine, kind, other_stays)?;
        say("MotoReach is removed, with its data and its configuration.");
    } else {
        say(format_args!(
            "MotoReach is removed. Its data is kept in /{}, its configuration in /{CONFIGURATION}; \
             installing it again goes on with them.",
            kind.data()
        ));
    }
    Ok(Exit::Done)
}

fn purge(machine: &Machine, kind: Kind, other_stays: bool) -> anyhow::Result<()> {
    machine.remove_all(&kind.data())?;
    machine.remove_all(&format!("var/lib/{}-update", kind.name))?;
    machine.remove(&format!("{TIMERS}/stamp-{}-backup.timer", kind.name))?;
    machine.remove(kind.configuration.path)?;
    if !other_stays {
        machine.remove_all(CONFIGURATION)?;
    }
    if !machine.asleep {
        // Not there, or still at work for somebody else: either way the data is gone.
        if let Err(error) = run_program(Command::new("userdel").arg(kind.name)) {
            tracing::warn!(%error, "the user was not removed");
        }
    }
    Ok(())
}

/// Whoever removes a workshop for good types its name.
fn confirm(machine: &Machine, kind: Kind) -> anyhow::Result<()> {
    let data = machine.path(&kind.data());
    let named = inspect::facts(&DataDir::new(&data)).ok();
    let name = named.and_then(|facts| facts.workshop);
    let name = name.unwrap_or_else(|| kind.name.to_owned());
    say(format_args!(
        "This removes everything in {} for good. Type `{name}` to go on:",
        data.display()
    ));
    let typed = stdin::line().context("Nothing could be read; nothing was removed.")?;
    if typed.trim() != name.trim() {
        bail!("That is not `{name}`; nothing was removed.");
    }
    Ok(())
}
