//! `motoreach log`: what a running server logs, shown or changed without starting it again.

use std::path::Path;

use serde_json::json;

use super::failure::{Exit, NoData};
use super::order::{Answer, Request};
use super::{control, one_thread, say};
use crate::cli::{LogArgs, LogWhat};
use crate::config::Config;
use crate::store::DataDir;

/// `motoreach log`.
///
/// # Errors
/// No server runs there, or it does not understand what it shall log.
pub fn run(args: LogArgs) -> anyhow::Result<Exit> {
    let config = Config::load(args.at.config.as_deref())?;
    let data = args.at.data.unwrap_or(config.data);
    show_or_set(&data, args.what, args.at.json)
}

/// The same for the server, box or relay, that has this data directory.
///
/// # Errors
/// As `run`.
pub(super) fn show_or_set(data: &Path, what: LogWhat, json: bool) -> anyhow::Result<Exit> {
    let request = Request::Log {
        set: what.level,
        for_s: what.lasting.map(|lasting| lasting.seconds().unsigned_abs()),
    };
    let socket = DataDir::new(data).control_socket();
    let answered = one_thread()?.block_on(control::ask(&socket, &request))?;
    let Some(outcome) = answered else {
        return Err(NoData::NotRunning(data.display().to_string()).into());
    };
    let Answer::Log { directives, left_s } = outcome? else {
        return super::operator::unexpected();
    };
    if json {
        say(json!({ "log": directives, "left_s": left_s }));
    } else {
        say(match left_s {
            None => directives,
            Some(seconds) => format!("{directives} (as usual again in {seconds} s)"),
        });
    }
    Ok(Exit::Done)
}
