//! What the service manager is told (sd_notify(3)): that we serve, what we are at, that we live.
//!
//! `serve` and `relay` call it. Without a service manager nothing of it happens. It must never say that
//! we are ready before somebody could connect, nor that we live without having asked.

mod watchdog;

use std::env;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::clock::stopwatch;

pub(super) use watchdog::{Depth, Pulse, feed};

/// While something long is at work the manager is asked for patience so often.
const PATIENCE_STEP: Duration = Duration::from_secs(10);
/// What is asked for each time: two requests may get lost.
const PATIENCE: Duration = Duration::from_secs(30);
/// Nothing at a start or a stop takes longer; then the manager may think what it likes.
const PATIENCE_MAX: Duration = Duration::from_secs(2 * 3_600);

/// The service manager that started this process, if one did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manager {
    listens: bool,
    watchdog: Option<Duration>,
}

impl Manager {
    /// What the environment says.
    pub(super) fn of_this_process() -> Self {
        Self {
            listens: env::var_os("NOTIFY_SOCKET").is_some(),
            watchdog: sd_notify::watchdog_enabled(),
        }
    }

    /// We serve; `status` is what `systemctl status` shows.
    pub(super) fn ready(self, status: &str) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// We go on serving, and this has changed.
    pub(super) fn status(self, status: &str) {
        self.tell(&[NotifyState::Status(status)]);
    }

    /// We serve no more, and `ready` follows: the process stays.
    pub(super) fn starting_again(self, why: &str) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now, NotifyState::Status(why)]),
            // Newer managers understand the first only together with the time.
            Err(_) => self.status(why),
        }
    }

    /// We serve no more.
    pub(super) fn stopping(self) {
        self.tell(&[NotifyState::Stopping, NotifyState::Status("Stopping")]);
    }

    /// Does work that may take long, such as a migration, and asks the manager for patience meanwhile.
    pub(super) async fn patient<T>(self, work: impl Future<Output = T>) -> T {
        if !self.listens {
            return work.await;
        }
        let begun = stopwatch();
        let mut work = std::pin::pin!(work);
        let more = u32::try_from(PATIENCE.as_micros()).unwrap_or(u32::MAX);
        loop {
            // Cancel-safe: the work is borrowed and goes on.
            tokio::select! {
                done = work.as_mut() => return done,
                () = tokio::time::sleep(PATIENCE_STEP) => {}
            }
            if begun.elapsed() < PATIENCE_MAX {
                self.tell(&[NotifyState::ExtendTimeoutUsec(more), NotifyState::Watchdog]);
            }
        }
    }

    /// We live.
    fn alive(self) {
        self.tell(&[NotifyState::Watchdog]);
    }

    /// A manager that does not listen is not missed: we serve either way.
    fn tell(self, states: &[NotifyState<'_>]) {
        if self.listens
            && let Err(error) = sd_notify::notify(states)
        {
            tracing::debug!(%error, "the service manager could not be told");
        }
    }
}
