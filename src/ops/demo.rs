//! `motoreach demo`: a box with a sample workshop in it, for looking at and for testing against.
//!
//! `sample` makes the workshop, `roster` says who is in it. Message limits are off here, and
//! everybody's password is printed: it is no place for real customers.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use uuid::Uuid;

use super::failure::Exit;
use super::roster::{self, Roster};
use super::serve::{minded_signals, until_stopped, url};
use super::{many_threads, sample, say};
use crate::appliance::{self, MessageLimits, Options};
use crate::cli::DemoArgs;
use crate::config::Config;
use crate::http::token::TOKEN_LIFE_S_MAX;
use crate::store::DataDir;

/// Where it listens if nobody says where, and nobody else does.
const PORT: u16 = 8080;

/// `motoreach demo`.
///
/// # Errors
/// The directory holds a real workshop, or it cannot start.
pub fn run(args: DemoArgs) -> anyhow::Result<Exit> {
    let place = Place::of(args.data.as_deref())?;
    let runtime = many_threads()?;
    let done = runtime.block_on(demo(&args, &place));
    // After a second signal nothing is waited for.
    runtime.shutdown_background();
    done
}

async fn demo(args: &DemoArgs, place: &Place) -> anyhow::Result<Exit> {
    let mut signals = minded_signals()?;
    let data = DataDir::new(place.path().join("box"));
    let listen = match args.listen {
        Some(address) => address,
        None => usual_or_free()?,
    };
    let starting = async {
        sample::seed(data.clone(), args.requests).await?;
        let options = Options {
            data: data.clone(),
            listen: vec![listen],
            config: Config {
                data: data.path().to_owned(),
                listen: vec![listen],
                ..Config::default()
            },
            message_limits: MessageLimits::Off,
        };
        anyhow::Ok(appliance::start(options).await?)
    };
    let running = tokio::select! {
        // Dropped half-way it leaves a sample that the next run goes on with.
        started = starting => started?,
        () = signals.next() => return Ok(Exit::Done),
    };
    let base = running
        .addresses()
        .first()
        .map_or_else(String::new, |address| url(*address));
    let ttl = args.token_ttl.at_most(TOKEN_LIFE_S_MAX);
    let made = roster::of(running.store(), running.tokens(), &base, ttl.seconds()).await;
    let told = made.and_then(|roster| {
        if let Some(file) = &args.json {
            write_whole(file, &serde_json::to_vec_pretty(&roster)?)
                .with_context(|| format!("{} cannot be written.", file.display()))?;
        }
        if ttl != args.token_ttl {
            say(format_args!(
                "Tokens live {ttl} and not {}: no token lives longer.",
                args.token_ttl
            ));
        }
        tell(&roster, place);
        Ok(())
    });
    if let Err(error) = told {
        running.stop().await;
        return Err(error);
    }
    until_stopped(running, &mut signals).await
}

/// The usual address, or any free port if somebody has it.
fn usual_or_free() -> io::Result<SocketAddr> {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    match TcpListener::bind(usual) {
        Ok(_) => Ok(usual),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        }
        Err(error) => Err(error),
    }
}

fn tell(roster: &Roster, place: &Place) {
    say(format_args!("{} is open: {}", sample::WORKSHOP, roster.url));
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
    say("Open an owner's link as the owner would, on their phone:");
    for request in roster.requests.iter().take(roster::REQUESTS_TOLD_MAX) {
        let link = request.invite_url.as_deref().unwrap_or("(taken back)");
        say(format_args!(
            "  {:<20} {link}",
            format!("{} {}", request.id, request.status)
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
    match place {
        Place::Kept(path) => say(format_args!(
            "It stays in {}. Ctrl-C stops it.",
            path.display()
        )),
        Place::Scratch(_) => say("Nothing of it stays. Ctrl-C stops it."),
    }
}

/// Whole or not at all: whoever waits for the file never reads half of it.
fn write_whole(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let written = fs::write(&beside, content).and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Where the sample lives.
enum Place {
    /// In a directory that was named; it stays.
    Kept(PathBuf),
    /// In one of its own, which goes with it.
    Scratch(PathBuf),
}

impl Place {
    fn of(named: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = named {
            return Ok(Self::Kept(path.to_owned()));
        }
        let path = std::env::temp_dir().join(format!("motoreach-demo-{}", Uuid::new_v4()));
        // Fails where it exists: nobody can have prepared it for us.
        let made = fs::DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("{} cannot be made.", path.display()))?;
        Ok(Self::Scratch(path))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) | Self::Scratch(path) => path,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        match self {
            Self::Kept(_) => {}
            Self::Scratch(path) => {
                let _ = fs::remove_dir_all(path);
            }
        }
    }
}
