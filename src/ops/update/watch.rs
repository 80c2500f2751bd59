//! Whether the program that was started serves well: asked at the box's own ear, and seen through the
//! service manager.

use std::path::Path;
use std::time::Duration;

use crate::clock::stopwatch;
use crate::ops::control;
use crate::ops::order::{Answer, Request};
use crate::store::DataDir;
use crate::update::Version;

use super::service::{Active, Service, State};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A box that ended so often within one trial is no good.
const ENDS_MAX: u32 = 3;

/// What is watched for.
pub(super) struct Wish {
    /// The version that is to serve.
    pub(super) version: Version,
    /// So long without a fault.
    pub(super) stays_up: Duration,
    /// It must have begun to serve by then.
    pub(super) limit: Duration,
}

/// Watches until the wish is fulfilled.
///
/// # Errors
/// Why it is not, as a sentence.
pub(super) async fn watch(service: &Service, data: &Path, wish: &Wish) -> Result<(), String> {
    let socket = DataDir::new(data).control_socket();
    let began = stopwatch();
    let mut seen = Seen::default();
    let mut well_since = None;
    loop {
        let state = service
            .state()
            .await
            .map_err(|error| format!("{error:#}"))?;
        seen.look(state);
        if seen.ends >= ENDS_MAX {
            return Err(format!(
                "{} ended by itself {ENDS_MAX} times in a row.",
                wish.version
            ));
        }
        if state.active == Active::Failed {
            return Err(format!("{} did not start.", wish.version));
        }
        let is_well = state.active == Active::Yes && serves(&socket, wish.version).await;
        let now = stopwatch();
        well_since = match (is_well, seen.is_the_same, well_since) {
            (false, _, _) => None,
            (true, true, Some(since)) => Some(since),
            (true, _, _) => Some(now),
        };
        if well_since.is_some_and(|since| now.duration_since(since) >= wish.stays_up) {
            return Ok(());
        }
        // One that serves by then has its time to prove it.
        if well_since.is_none() && now.duration_since(began) >= wish.limit {
            let limit = wish.limit.as_secs();
            return Err(format!("{} did not serve within {limit} s.", wish.version));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What was seen of the box's processes.
#[derive(Default)]
struct Seen {
    last: Option<State>,
    /// How often one ended.
    ends: u32,
    /// It is the process of the last look.
    is_the_same: bool,
}

impl Seen {
    fn look(&mut self, state: State) {
        self.is_the_same = self.last.is_some_and(|last| last.pid == state.pid);
        // The manager counts from the start that this trial asked for, or from the machine's.
        let (restarts, pid) = self.last.map_or((0, 0), |last| (last.restarts, last.pid));
        let vanished = u32::from(pid != 0 && pid != state.pid);
        self.ends += state.restarts.saturating_sub(restarts).max(vanished);
        self.last = Some(state);
    }
}

/// Whether this version answers, and its disk takes a write.
async fn serves(socket: &Path, version: Version) -> bool {
    match control::ask(socket, &Request::Hello).await {
        Ok(Some(Ok(Answer::Hello {
            version: says,
            well,
        }))) => well && says == version.to_string(),
        Ok(_) => false,
        Err(error) => {
            tracing::debug!(%error, "the box does not answer");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ends_is_counted_once() {
        let state = |pid, restarts| State {
            active: Active::Yes,
            pid,
            restarts,
        };
        let mut seen = Seen::default();
        for (state, ends) in [
            (state(0, 1), 1),
            (state(10, 1), 1),
            (state(10, 1), 1),
            (state(11, 2), 2),
            (state(0, 3), 3),
            (state(12, 3), 3),
        ] {
            seen.look(state);
            assert_eq!(seen.ends, ends, "{state:?}");
        }
    }
}
