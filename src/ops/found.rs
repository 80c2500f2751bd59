//! Where the box is found, for whoever stands at a terminal: names, plain addresses, and a code that a
//! phone's camera reads.

use std::io::{self, IsTerminal};
use std::path::Path;

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::say;
use crate::config::Config;
use crate::discovery::{
    Board, Discovery, Interfaces, Secure, Settings, Standing, Telling, Voucher,
};
use crate::net::AuthorityFiles;
use crate::store::DataDir;

/// Black on white, whatever the terminal's colours: many cameras do not read it the other way round.
const BLACK_ON_WHITE: &str = "\x1b[30;47m";
const AS_BEFORE: &str = "\x1b[0m";

/// Says it once the box listens.
pub(super) fn announce(standing: &Standing, dir: &DataDir) {
    let Some(plain) = standing.plain_urls().into_iter().next() else {
        return;
    };
    say(format_args!(
        "On the workshop's network: {}, or {plain}",
        standing.url()
    ));
    tell_secure(standing, &dir.tls(), "");
    if io::stdout().is_terminal() {
        draw(&plain);
    }
}

/// Says what changes while the box runs; never ends. Cancel-safe.
pub(super) async fn tell_changes(board: &Board) -> std::convert::Infallible {
    let mut watch = board.watch();
    let mut told = said(&watch.borrow_and_update());
    loop {
        if watch.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        let now = said(&watch.borrow_and_update());
        if now != told {
            say(format_args!("Now found at {now}"));
            told = now;
        }
    }
}

/// What the doctor says, beside a running box or without one.
pub(super) fn doctor(config: &Config, dir: &DataDir) {
    let standing = look(config, dir);
    say("Addresses");
    let because = if standing.conflict {
        " (another machine on the network has the name that it was to have)"
    } else {
        ""
    };
    say(format_args!("  by name     {}{because}", standing.url()));
    match standing.plain_urls().as_slice() {
        [] => say(
            "  plain       none: no network cable, no address yet, or it listens to this machine only",
        ),
        plain => {
            say(format_args!("  plain       {}", plain.join(", ")));
            draw(&plain[0]);
        }
    }
    tell_secure(&standing, &dir.tls(), "  ");
}

/// The same for a program.
pub(super) fn as_json(config: &Config, dir: &DataDir) -> Value {
    let standing = look(config, dir);
    json!({
        "name": standing.name,
        "conflict": standing.conflict,
        "url": standing.url(),
        "plain": standing.plain_urls(),
        "fingerprint": AuthorityFiles::at(dir.tls()).root().map(|root| root.fingerprint()),
    })
}

/// A look of our own: a box that runs has the same name in its memory and the same addresses.
fn look(config: &Config, dir: &DataDir) -> Standing {
    let settings = Settings {
        label: config.name.clone(),
        telling: Telling::Nothing,
        interfaces: Interfaces::named(config.interfaces.clone()),
        memory: dir.name_on_network(),
        listening: config.listen.clone(),
    };
    let (_, nobodys) = watch::channel(String::new());
    Discovery::new(settings, nobodys).board().now()
}

fn tell_secure(standing: &Standing, tls: &Path, margin: &str) {
    if let Some(url) = standing.secure_url() {
        say(format_args!("{margin}Over TLS: {url}"));
    }
    let own = match &standing.secure {
        Secure::Failed(why) => {
            say(format_args!("{margin}No TLS: {why}"));
            return;
        }
        Secure::On { by, .. } => *by == Voucher::OwnAuthority,
        // The doctor does not know what a running box was told on its command line.
        Secure::Off => true,
    };
    if own && let Some(root) = AuthorityFiles::at(tls).root() {
        say(format_args!(
            "{margin}Its certificate's fingerprint (SHA-256), to compare: {}",
            root.fingerprint()
        ));
    }
}

fn said(standing: &Standing) -> String {
    match standing.urls().as_slice() {
        [] => "no address: there is no network".to_owned(),
        urls => urls.join(", "),
    }
}

/// A code of half blocks.
fn draw(url: &str) {
    // An address is far shorter than what a code holds.
    let Ok(code) = QrCode::with_error_correction_level(url, EcLevel::L) else {
        return;
    };
    let picture = code.render::<Dense1x2>().build();
    let coloured = io::stdout().is_terminal();
    for line in picture.lines() {
        if coloured {
            say(format_args!("{BLACK_ON_WHITE}{line}{AS_BEFORE}"));
        } else {
            say(line);
        }
    }
}
