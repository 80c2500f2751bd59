//! What stands beside the sample's box: the relay, and the line to it that whoever looks on may take
//! down.

use std::io::{self, BufRead, IsTerminal};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::line::{self, Line};
use super::place::Place;
use super::relay::Relay;
use crate::appliance::Running;
use crate::domain::LinkReport;
use crate::ops::roster::AtRelay;
use crate::ops::say;
use crate::store::link;

/// By when the relay has the whole sample; a hundred thousand requests take a while.
const CARRIED_OVER_MAX: Duration = Duration::from_secs(120);

/// The relay and the line.
pub(super) struct Beside {
    relay: Relay,
    line: Line,
    minding: JoinSet<()>,
}

impl Beside {
    /// Starts the relay and opens a line to it.
    ///
    /// # Errors
    /// The relay does not start.
    pub(super) async fn start(place: &Place, listen: Option<SocketAddr>) -> anyhow::Result<Self> {
        let relay = Relay::start(&place.path().join("relay"), listen).await?;
        let line = Line::to(relay.address()).await?;
        Ok(Self {
            relay,
            line,
            minding: JoinSet::new(),
        })
    }

    /// Pairs the box with the relay and waits until the relay has all of its journal.
    ///
    /// # Errors
    /// They do not come together in time.
    pub(super) async fn bring_together(
        &mut self,
        running: &Running,
        place: &Place,
    ) -> anyhow::Result<()> {
        self.line.answer_in(place.path())?;
        let url = format!("http://{}", self.line.address());
        let code = self.relay.code().await?;
        // A code pairs anew: the sample's relay may be another one than the last time.
        let connected = running
            .store()
            .write(move |tx| link::connect(tx, &url, &code));
        connected
            .await
            .context("The sample's box cannot be paired.")?;
        let board = running.link();
        let round = board.changed();
        let mut reports = board.reports();
        let carried_over = reports.wait_for(|report| {
            report.settings >= round && report.is_online() && report.waiting_entries == 0
        });
        match timeout(CARRIED_OVER_MAX, carried_over).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => bail!("The sample's box stopped."),
            Err(_) => bail!(
                "Box and relay do not come together: {}.",
                in_words(&board.report())
            ),
        }
    }

    /// What is said of it.
    pub(super) fn listed(&self) -> AtRelay {
        AtRelay {
            url: self.relay.url(),
            pid: self.relay.pid(),
        }
    }

    /// From here on Enter in the terminal takes the line down and up, and every change is said.
    pub(super) fn mind_the_line(&mut self) {
        let mut changes = self.line.changes();
        changes.mark_unchanged();
        self.minding.spawn(async move {
            while changes.changed().await.is_ok() {
                let now = *changes.borrow_and_update();
                say(now.told());
            }
        });
        if !io::stdin().is_terminal() {
            return;
        }
        let mut lines = typed_lines();
        let state = self.line.switch();
        self.minding.spawn(async move {
            while lines.recv().await.is_some() {
                line::toggle(&state);
            }
        });
    }

    /// Stops the relay; the line goes with this.
    pub(super) async fn stop(self) {
        self.relay.stop().await;
    }
}

fn in_words(report: &LinkReport) -> String {
    format!(
        "{:?}, {} entries wait",
        report.state, report.waiting_entries
    )
}

/// What is typed, line by line. The thread sits in a read for as long as the process lives, which is
/// why it is none of the runtime's.
fn typed_lines() -> mpsc::Receiver<()> {
    let (typed, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            if line.is_err() || typed.blocking_send(()).is_err() {
                return;
            }
        }
    });
    lines
}
