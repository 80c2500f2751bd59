//! `motoreach install` and `uninstall`: from a bare program to a box that starts with the machine, and
//! back. What the Debian packages do by their scripts, for machines without them.
//!
//! Installing again upgrades the program and the units, and leaves configuration and data alone.

mod files;
mod machine;
mod remove;

use std::fs::File;
use std::time::Duration;

use anyhow::{Context, bail};

use super::failure::{Exit, NoData};
use super::order::{Answer, Front, Request};
use super::{control, one_thread, say};
use crate::cli::{InstallArgs, WhereArgs};
use crate::store::DataDir;
use files::{BOX, CONFIGURATION, Kind, PACKAGED_UNITS, PROGRAM, RELAY, SHARED};
use machine::Machine;

pub use remove::run as uninstall;

/// The first name on the network is asked for this often, this long: announcing takes a second or two.
const FRONT_ATTEMPTS_MAX: u32 = 30;
const FRONT_PAUSE: Duration = Duration::from_millis(100);

/// `motoreach install`.
///
/// # Errors
/// Something could not be put in place, or what was installed does not start.
pub fn run(args: InstallArgs) -> anyhow::Result<Exit> {
    let kind = if args.relay { RELAY } else { BOX };
    let machine = Machine::of(args.root)?;
    no_package(&machine, kind)?;
    put_program(&machine)?;
    for part in SHARED.iter().chain(kind.parts) {
        machine.write(part.path, 0o644, &mut part.text_here().as_bytes())?;
    }
    let configuration = kind.configuration;
    if !machine.has(configuration.path) {
        machine.write(
            configuration.path,
            0o644,
            &mut configuration.text.as_bytes(),
        )?;
    }
    machine.make_users(SHARED[0].path)?;
    machine.systemctl(&[&["enable"], kind.enabled].concat())?;
    if machine.asleep {
        say(format_args!(
            "Installed, not started: {} is no machine that runs.",
            machine.path("").display()
        ));
        return Ok(Exit::Done);
    }
    machine.systemctl(&["daemon-reload"])?;
    // Without it disks are mounted from the machine's next start on.
    machine.may("udevadm", &["control", "--reload"]);
    if args.no_start {
        say(format_args!(
            "Installed; `systemctl start {}` starts it.",
            kind.name
        ));
        return Ok(Exit::Done);
    }
    start(&machine, kind)?;
    say(format_args!(
        "MotoReach {} is installed and runs.",
        env!("CARGO_PKG_VERSION")
    ));
    tell_where(kind);
    Ok(Exit::Done)
}

/// `motoreach where`.
///
/// # Errors
/// Nobody runs here.
pub fn tell(args: &WhereArgs) -> anyhow::Result<Exit> {
    let kind = if args.relay { RELAY } else { BOX };
    if front(kind).is_none() {
        return Err(NoData::NotRunning(format!("/{}", kind.data())).into());
    }
    tell_where(kind);
    Ok(Exit::Done)
}

/// The package's units would be hidden by ours, and its program forgotten.
fn no_package(machine: &Machine, kind: Kind) -> anyhow::Result<()> {
    if machine.has(&format!("{PACKAGED_UNITS}/{}.service", kind.name)) {
        bail!(
            "MotoReach is installed here as a Debian package: upgrade that with `apt install \
             ./motoreach_….deb`, or remove it first."
        );
    }
    Ok(())
}

/// The program that runs now becomes the installed one.
fn put_program(machine: &Machine) -> anyhow::Result<()> {
    let ours = "This program cannot be read.";
    let running = std::env::current_exe().context(ours)?;
    let place = machine.path(PROGRAM);
    if running.canonicalize().ok() == place.canonicalize().ok() {
        return Ok(());
    }
    machine.write(PROGRAM, 0o755, &mut File::open(running).context(ours)?)
}

/// Starts it, or starts it again with the new program; returns once it serves.
fn start(machine: &Machine, kind: Kind) -> anyhow::Result<()> {
    let unit = format!("{}.service", kind.name);
    machine.systemctl_may(&["reset-failed", &unit, &format!("{}.socket", kind.name)]);
    // Its sockets come first where it has any: they take nobody over who serves already.
    let others: Vec<_> = kind
        .enabled
        .iter()
        .filter(|it| **it != unit)
        .copied()
        .collect();
    if !others.is_empty() {
        machine.systemctl(&[&["start"], others.as_slice()].concat())?;
    }
    if let Err(error) = machine.systemctl(&["restart", &unit]) {
        let said = machine.last_words(&unit);
        bail!(
            "MotoReach was installed but {} does not start ({error}). Its last words:\n{said}\n\
             It is tried again by itself; `systemctl status {}` shows how it stands, and \
             /{CONFIGURATION} is where it is configured.",
            kind.called,
            kind.name
        );
    }
    Ok(())
}

/// Where to go now, as the server itself knows it.
fn tell_where(kind: Kind) {
    match front(kind) {
        Some(front) => {
            for (number, url) in front.urls.iter().enumerate() {
                say(format_args!(
                    "  {}{url}",
                    if number == 0 { "Open " } else { "or   " }
                ));
            }
            if let Some(code) = front.set_up_code {
                say(format_args!(
                    "From another computer it asks for the set-up code: {code}"
                ));
            }
        }
        None => say(format_args!(
            "`systemctl status {}` shows how it stands.",
            kind.name
        )),
    }
    if kind.name == RELAY.name {
        say("Its name and certificate are set in /etc/motoreach/relay.toml.");
        say("To let a box use it: motoreach relay pair");
    }
}

/// Asks the server; addresses may come a moment after it serves.
fn front(kind: Kind) -> Option<Front> {
    let socket = DataDir::new(format!("/{}", kind.data())).control_socket();
    one_thread().ok()?.block_on(async {
        let mut found = None;
        for _ in 0..FRONT_ATTEMPTS_MAX {
            if let Ok(Some(Ok(Answer::Front(front)))) = control::ask(&socket, &Request::Front).await
            {
                let whole = kind.name == RELAY.name || front.urls.len() > 1;
                found = Some(front);
                if whole {
                    break;
                }
            }
            tokio::time::sleep(FRONT_PAUSE).await;
        }
        found
    })
}
