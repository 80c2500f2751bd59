//! `motoreach doctor`: what is configured, what is in the data, what is wrong and what to do.
//!
//! It only reads, beside a running server or without one; `--rebuild` and `--recovery-words` are
//! the exceptions. It never shows a secret.

mod disks;
mod health;
mod relay;

use serde_json::json;

use super::desk::{must_be_ours, must_be_there};
use super::failure::Exit;
use super::found;
use super::signals::survive_file_size_limit;
use super::{control, one_thread, recovery, say};
use crate::cli::DoctorArgs;
use crate::config::{Config, Tls};
use crate::store::inspect::{self, Belonging, Facts, Relay};
use crate::store::verify::{self, Report};
use crate::store::{BoxKeys, DataDir, OpenError};
use crate::wire::api::CheckupBody;

/// `motoreach doctor`.
///
/// # Errors
/// The data cannot be looked at, or what was asked for cannot be done.
pub fn run(args: &DoctorArgs) -> anyhow::Result<Exit> {
    let mut config = Config::load(args.at.config.as_deref())?;
    if let Some(data) = &args.at.data {
        config.data.clone_from(data);
    }
    let dir = DataDir::new(&config.data);
    if args.recovery_words {
        return recovery::run(&dir, args.at.json);
    }
    if !args.at.json {
        tell_configuration(&config);
    }
    must_be_there(&dir)?;
    let runtime = one_thread()?;
    let server_runs = runtime.block_on(async {
        survive_file_size_limit()?;
        std::io::Result::Ok(control::is_listened_to(&dir.control_socket()).await)
    })?;
    let facts = inspect::facts(&dir)?;
    let relay = inspect::relay(&dir)?;
    let health = runtime.block_on(health::checkup(&dir))?;
    if !args.at.json {
        tell_facts(&dir, &facts, server_runs);
        disks::Disks::of(&dir).tell();
        found::doctor(&config, &dir);
        if let Some(relay) = &relay {
            relay::tell(relay);
        }
        if let Some(health) = &health {
            health::tell(health);
        }
    }
    let (report, rebuilt) = if args.rebuild {
        rebuild(&dir, server_runs)?
    } else {
        (verify::check(&dir)?, Rebuilt::NotAsked)
    };
    if args.at.json {
        let seen = Seen {
            facts,
            relay,
            health,
            server_runs,
        };
        let mut told = as_json(&config, &seen, &report, rebuilt);
        told["disks"] = disks::Disks::of(&dir).as_json();
        say(told);
    } else {
        tell_report(&dir, &report, rebuilt);
    }
    Ok(match (report.faults.is_empty(), rebuilt) {
        (false, _) => Exit::FaultsFound,
        (true, Rebuilt::ServerRuns) => Exit::Failed,
        (true, Rebuilt::NotAsked | Rebuilt::Done) => Exit::Done,
    })
}

/// What became of `--rebuild`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rebuilt {
    NotAsked,
    Done,
    ServerRuns,
}

/// Rebuilds if nobody uses the data, and compares either way.
fn rebuild(dir: &DataDir, server_runs: bool) -> anyhow::Result<(Report, Rebuilt)> {
    if !server_runs {
        must_be_ours(dir.path())?;
        match verify::rebuild(dir) {
            Ok(report) => return Ok((report, Rebuilt::Done)),
            Err(OpenError::InUse(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((verify::check(dir)?, Rebuilt::ServerRuns))
}

fn tell_configuration(config: &Config) {
    let listed = |items: Vec<String>| match items.as_slice() {
        [] => "none".to_owned(),
        items => items.join(", "),
    };
    let listen = config.listen.iter().map(ToString::to_string).collect();
    let public_url = config.public_url.as_deref();
    say(format_args!(
        "MotoReach {}, SQLite {}",
        version(),
        inspect::sqlite_version()
    ));
    say("Configuration");
    say(format_args!("  data        {}", config.data.display()));
    say(format_args!("  listen      {}", listed(listen)));
    say(format_args!(
        "  public_url  {}",
        public_url.unwrap_or("the address that staff opened")
    ));
    let relay_ca = config.relay_ca.as_deref();
    say(format_args!(
        "  relay_ca    {}",
        relay_ca.map_or_else(|| "none".into(), |path| path.display().to_string())
    ));
    say(format_args!(
        "  hosts       {}",
        listed(config.hosts.clone())
    ));
    say(format_args!(
        "  origins     {}",
        listed(config.origins.clone())
    ));
    say(format_args!("  name        {}", config.name.host()));
    say(format_args!(
        "  mdns        {}",
        if config.mdns { "on" } else { "off" }
    ));
    say(format_args!(
        "  interfaces  {}",
        match config.interfaces.as_slice() {
            [] => "all that look like the workshop's".to_owned(),
            named => named.join(", "),
        }
    ));
    say(format_args!("  tls         {}", tls_shown(config)));
}

fn tls_shown(config: &Config) -> String {
    match (&config.tls_cert, config.tls) {
        (Some(certificate), _) => certificate.display().to_string(),
        (None, Tls::Auto) => "auto".to_owned(),
        (None, Tls::Off) => "off".to_owned(),
    }
}

fn tell_facts(dir: &DataDir, facts: &Facts, server_runs: bool) {
    let workshop = facts.workshop.as_deref().unwrap_or("not set up yet");
    let server = if server_runs {
        "running"
    } else {
        "not running"
    };
    say("Data");
    say(format_args!("  workshop    {workshop}"));
    say(format_args!("  server      {server}"));
    say(format_args!("  secret      {}", secret_shown(dir)));
    say(format_args!(
        "  database    {}, version {}, {} KiB",
        dir.database().display(),
        facts.version,
        facts.bytes.div_ceil(1024)
    ));
    say(format_args!(
        "  holds       {} staff, {} owners, {} requests, {} messages, {} journal entries",
        facts.staff, facts.owners, facts.requests, facts.messages, facts.entries
    ));
}

/// That it is there is all that anybody may see of it.
fn secret_shown(dir: &DataDir) -> &'static str {
    match dir.root() {
        Ok(_) => "root.secret is there (********)",
        Err(_) => "root.secret is missing or damaged",
    }
}

fn tell_report(dir: &DataDir, report: &Report, rebuilt: Rebuilt) {
    match rebuilt {
        Rebuilt::NotAsked => {}
        Rebuilt::Done => say("Everything that follows from the journal was made again."),
        Rebuilt::ServerRuns => say(
            "Nothing was rebuilt: a server is using the data. Stop it, then run this again. \
             Compared instead:",
        ),
    }
    if report.faults.is_empty() {
        say(format_args!(
            "Sound: {} journal entries were read, and everything else follows from them.",
            report.entries
        ));
        return;
    }
    say("Faults:");
    for fault in &report.faults {
        say(format_args!("  - {fault}"));
    }
    say("What to do: keep a copy of the whole data directory before anything else.");
    say(advice(dir, report));
}

/// Projections can be made again; a secret can be put back; the journal is there once.
fn advice(dir: &DataDir, report: &Report) -> &'static str {
    if report
        .faults
        .iter()
        .all(|fault| fault.contains("--rebuild"))
    {
        return "The journal itself is sound. Stop the server and run `motoreach doctor --rebuild`.";
    }
    let belonging = dir
        .root()
        .and_then(|root| inspect::belongs_to(dir, &BoxKeys::new(root)));
    if matches!(belonging, Ok(Belonging::Another)) {
        return "Not one entry fits: root.secret belongs to another workshop. Move it away and put \
                the right one back, from a backup or with `motoreach doctor --recovery-words`.";
    }
    "The journal itself is damaged: restore the newest backup into a new directory, and replace the \
     card or disk, which is likely worn out."
}

/// What was looked at.
struct Seen {
    facts: Facts,
    relay: Option<Relay>,
    health: Option<CheckupBody>,
    server_runs: bool,
}

fn as_json(config: &Config, seen: &Seen, report: &Report, rebuilt: Rebuilt) -> serde_json::Value {
    let facts = &seen.facts;
    json!({
        "version": version(),
        "sqlite": inspect::sqlite_version(),
        "configuration": {
            "data": config.data.display().to_string(),
            "listen": config.listen.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "public_url": config.public_url,
            "relay_ca": config.relay_ca,
            "hosts": config.hosts,
            "origins": config.origins,
            "name": config.name.host(),
            "mdns": config.mdns,
            "interfaces": config.interfaces,
            "tls": tls_shown(config),
        },
        "addresses": found::as_json(config, &DataDir::new(&config.data)),
        "server_running": seen.server_runs,
        "database": {
            "version": facts.version,
            "bytes": facts.bytes,
            "workshop": facts.workshop,
            "staff": facts.staff,
            "owners": facts.owners,
            "requests": facts.requests,
            "messages": facts.messages,
            "entries": facts.entries,
        },
        "relay": seen.relay.as_ref().map(relay::as_json),
        "health": seen.health.as_ref().map(health::as_json),
        "rebuilt": rebuilt == Rebuilt::Done,
        "faults": report.faults,
    })
}

const fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
