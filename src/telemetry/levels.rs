//! What is logged, changed while the program runs, and changed back by itself when that was asked for.
//!
//! `motoreach log` orders it through the control socket; nothing is written down, so the next start
//! begins as usual.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::reload::Handle;
use tracing_subscriber::{EnvFilter, Registry};

use super::{LEVELS, both};

static THIS_PROCESS: OnceLock<Levels> = OnceLock::new();

/// The word that means: as at the start.
pub const USUAL: &str = "usual";

/// What is logged.
pub struct Levels {
    filter: Handle<EnvFilter, Registry>,
    usual: String,
    present: watch::Sender<Present>,
}

/// What is logged now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Present {
    /// As in `MOTOREACH_LOG`.
    pub directives: String,
    /// When it goes back to what is usual; `None`: not by itself.
    until: Option<Instant>,
}

impl Present {
    /// How long until it goes back to what is usual.
    pub fn left(&self) -> Option<Duration> {
        self.until
            .map(|until| until.saturating_duration_since(Instant::now()))
    }
}

impl Levels {
    pub(super) fn begin(filter: Handle<EnvFilter, Registry>, usual: String) {
        let present = Present {
            directives: usual.clone(),
            until: None,
        };
        let levels = Self {
            filter,
            usual,
            present: watch::Sender::new(present),
        };
        // Only a test starts a log twice; the first one stays.
        let _ = THIS_PROCESS.set(levels);
    }

    /// Those of this process; `None` where no log was started.
    pub fn of_this_process() -> Option<&'static Self> {
        THIS_PROCESS.get()
    }

    /// What is logged now.
    pub fn present(&self) -> Present {
        self.present.borrow().clone()
    }

    /// Logs something else: a level for us (the libraries below us get one less), directives as in
    /// `MOTOREACH_LOG`, or [`USUAL`]; for so long, or until it is changed again.
    ///
    /// # Errors
    /// The directives say nothing that can be understood; nothing is changed then.
    pub fn set(&self, asked: &str, lasting: Option<Duration>) -> Result<(), ParseError> {
        let directives = match LEVELS.iter().position(|level| *level == asked) {
            Some(level) => both(level),
            None if asked == USUAL => self.usual.clone(),
            None => asked.to_owned(),
        };
        let filter = EnvFilter::try_new(&directives)?;
        // It fails only where the log has gone already.
        let _ = self.filter.reload(filter);
        self.present.send_replace(Present {
            directives,
            until: lasting.map(|lasting| Instant::now() + lasting),
        });
        Ok(())
    }

    /// Goes back to what is usual whenever the time is up, for as long as it is polled. Cancel-safe.
    pub async fn mind(&self) {
        let mut changes = self.present.subscribe();
        loop {
            let until = changes.borrow_and_update().until;
            let time_is_up = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = time_is_up => {
                    // What was usual at the start can be understood.
                    let _ = self.set(USUAL, None);
                    tracing::info!(directives = self.usual, "the log is as usual again");
                }
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::reload;

    use super::*;

    #[tokio::test]
    async fn a_level_goes_back_by_itself() {
        let (_layer, filter) = reload::Layer::new(EnvFilter::new("warn"));
        let usual = "warn,motoreach=info".to_owned();
        let present = Present {
            directives: usual.clone(),
            until: None,
        };
        let levels = Levels {
            filter,
            usual: usual.clone(),
            present: watch::Sender::new(present),
        };
        levels.set("debug", Some(Duration::from_millis(1))).unwrap();
        assert_eq!(levels.present().directives, "info,motoreach=debug");
        assert!(levels.set("motoreach=nonsense=x", None).is_err());
        let mut changes = levels.present.subscribe();
        tokio::select! {
            () = levels.mind() => {}
            changed = changes.changed() => changed.unwrap(),
        }
        let (directives, left) = (levels.present().directives, levels.present().left());
        assert_eq!((directives, left), (usual, None));
    }
}
