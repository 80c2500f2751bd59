//! What a running server does with an operator's order: what concerns the process itself here, what
//! concerns the workshop in `execute`.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::execute::execute;
pub use super::order::Front;
use super::order::{Answer, Refused, Request};
use crate::domain::{Field, Rejection};
use crate::health::Watch;
use crate::http::token::TokenKeys;
use crate::store::Store;
use crate::store::backup::Backups;
use crate::telemetry::Levels;

/// A changed log may stay so for this long, in seconds: a week.
const LOG_FOR_S_MAX: u64 = 7 * 24 * 3_600;

/// Whom an operator talks to. Clones are the same one.
#[derive(Clone)]
pub struct Ear {
    front: Arc<dyn Fn() -> Front + Send + Sync>,
    workshop: Option<Workshop>,
}

/// What only a box has.
#[derive(Clone)]
struct Workshop {
    store: Store,
    tokens: Arc<TokenKeys>,
    backups: Backups,
    health: Watch,
}

impl Ear {
    /// A box's; `front` says where a browser finds it right now.
    pub fn of_box(
        store: Store,
        tokens: Arc<TokenKeys>,
        backups: Backups,
        health: Watch,
        front: impl Fn() -> Front + Send + Sync + 'static,
    ) -> Self {
        Self {
            front: Arc::new(front),
            workshop: Some(Workshop {
                store,
                tokens,
                backups,
                health,
            }),
        }
    }

    /// A relay's: it has no workshop to give orders to.
    pub(super) fn of_relay(url: String) -> Self {
        let front = move || Front {
            urls: vec![url.clone()],
            set_up_code: None,
        };
        Self {
            front: Arc::new(front),
            workshop: None,
        }
    }

    /// Carries an order out.
    ///
    /// # Errors
    /// It cannot be; nothing was changed then, unless the sentence says so.
    pub(super) async fn carry_out(&self, request: Request) -> Result<Answer, Refused> {
        match (request, &self.workshop) {
            (Request::Log { set, for_s }, _) => log(set, for_s),
            (Request::Front, _) => Ok(Answer::Front((self.front)())),
            // Only a running server knows how its box is.
            (Request::Health, Some(workshop)) => {
                let checkup = workshop.health.checkup().await?;
                Ok(Answer::Health((&checkup).into()))
            }
            (request, Some(it)) => execute(&it.store, &it.tokens, &it.backups, request).await,
            (_, None) => Err(not_here()),
        }
    }
}

/// Lets a log that an operator changed go back to what is usual when the time is up.
pub async fn mind_log(shutdown: CancellationToken) {
    if let Some(levels) = Levels::of_this_process() {
        shutdown.run_until_cancelled(levels.mind()).await;
    }
}

/// What is asked of a workshop where there is none.
pub(super) fn not_here() -> Refused {
    Refused {
        code: "not_here".to_owned(),
        detail: "Only a running server of the other kind can do this: a box has a workshop, a relay has none.".to_owned(),
    }
}

fn log(set: Option<String>, for_s: Option<u64>) -> Result<Answer, Refused> {
    let levels = Levels::of_this_process().ok_or_else(|| Refused {
        code: "no_log".to_owned(),
        detail: "This server keeps no log.".to_owned(),
    })?;
    if let Some(asked) = set {
        let lasting = for_s.map(|seconds| Duration::from_secs(seconds.min(LOG_FOR_S_MAX)));
        levels.set(&asked, lasting).map_err(|_| Rejection::Value {
            field: Field("log"),
            why: "must be a level (error, warn, info, debug, trace, off), `usual`, or directives such \
                  as motoreach=debug,hyper=info",
        })?;
        tracing::info!(directives = asked, ?lasting, "an operator changed the log");
    }
    let present = levels.present();
    Ok(Answer::Log {
        left_s: present.left().map(whole_seconds),
        directives: present.directives,
    })
}

/// Rounded up: what is not over yet is not nothing.
const fn whole_seconds(left: Duration) -> u64 {
    left.as_secs()
        .saturating_add((left.subsec_nanos() > 0) as u64)
}
