//! `motoreach demo`: a sample workshop, for looking at and for testing against. Box and relay are two
//! processes, paired with each other over a line that can be taken down.
//!
//! `sample` makes the workshop, `roster` says who is in it; `beside` is the relay and the line to it,
//! `place` where all of it is kept, `told` what is said. Message limits are off here, and everybody's
//! password is printed: it is no place for real customers.

mod beside;
mod line;
mod place;
mod relay;
mod told;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use self::beside::Beside;
use self::place::Place;
use super::failure::Exit;
use super::roster;
use super::serve::{minded_signals, until_stopped, url};
use super::{many_threads, one_thread, sample, say};
use crate::appliance::{self, MessageLimits, Options, Outside, Running};
use crate::cli::DemoArgs;
use crate::config::Config;
use crate::http::handed::Handed;
use crate::http::token::TOKEN_LIFE_S_MAX;
use crate::store::DataDir;

/// Where it listens if nobody says where, and nobody else does.
const PORT: u16 = 8080;

/// `motoreach demo`.
///
/// # Errors
/// The directory holds a real workshop, or it cannot start.
pub fn run(args: DemoArgs) -> anyhow::Result<Exit> {
    if args.cut {
        let place = place::running(args.data.as_deref())?;
        let state = one_thread()?.block_on(line::toggle_in(&place))?;
        say(state.told());
        return Ok(Exit::Done);
    }
    let place = Place::of(args.data.as_deref())?;
    let runtime = many_threads()?;
    let done = runtime.block_on(demo(&args, &place));
    // After a second signal nothing is waited for.
    runtime.shutdown_background();
    done
}

async fn demo(args: &DemoArgs, place: &Place) -> anyhow::Result<Exit> {
    let mut signals = minded_signals()?;
    let starting = async {
        let beside = match args.no_relay {
            true => None,
            false => Some(Beside::start(place, args.relay_listen).await?),
        };
        anyhow::Ok((beside, start_box(args, place).await?))
    };
    // Dropped half-way it leaves a sample that the next run goes on with.
    let (mut beside, running) = tokio::select! {
        started = starting => started?,
        () = signals.next() => return Ok(Exit::Done),
    };
    let told = tokio::select! {
        told = bring_together_and_tell(args, place, &running, beside.as_mut()) => told,
        // What is left to do is told by nobody any more.
        () = signals.next() => Ok(Told::Interrupted),
    };
    let done = match told {
        Ok(Told::All) => until_stopped(running, &mut signals).await,
        Ok(Told::Interrupted) => {
            running.stop().await;
            Ok(Exit::Done)
        }
        Err(error) => {
            running.stop().await;
            Err(error)
        }
    };
    if let Some(beside) = beside {
        beside.stop().await;
    }
    done
}

/// How far the telling came.
enum Told {
    All,
    Interrupted,
}

async fn start_box(args: &DemoArgs, place: &Place) -> anyhow::Result<Running> {
    let data = DataDir::new(place.path().join("box"));
    let listen = args.listen.map_or_else(usual_or_free, Ok)?;
    sample::seed(data.clone(), args.requests).await?;
    let options = Options {
        data: data.clone(),
        listen: vec![listen],
        handed: Handed::default(),
        config: Config {
            data: data.path().to_owned(),
            listen: vec![listen],
            ..Config::default()
        },
        message_limits: MessageLimits::Off,
        outside: Outside::Everybody,
    };
    Ok(appliance::start(options).await?)
}

async fn bring_together_and_tell(
    args: &DemoArgs,
    place: &Place,
    running: &Running,
    mut beside: Option<&mut Beside>,
) -> anyhow::Result<Told> {
    if let Some(beside) = beside.as_deref_mut() {
        beside.bring_together(running, place).await?;
    }
    let base = running
        .addresses()
        .first()
        .map_or_else(String::new, |address| url(*address));
    let ttl = args.token_ttl.at_most(TOKEN_LIFE_S_MAX);
    let relay = beside.as_deref().map(Beside::listed);
    let made = roster::of(
        running.store(),
        running.tokens(),
        &base,
        relay,
        ttl.seconds(),
    );
    let roster = made.await?;
    if let Some(file) = &args.json {
        told::write_whole(file, &roster)?;
    }
    if ttl != args.token_ttl {
        say(format_args!(
            "Tokens live {ttl} and not {}: no token lives longer.",
            args.token_ttl
        ));
    }
    told::tell(&roster, place);
    if let Some(beside) = beside {
        beside.mind_the_line();
    }
    Ok(Told::All)
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
