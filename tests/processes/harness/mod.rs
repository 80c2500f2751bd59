//! What every test here needs: a running program, a client for each of its doors, a small disk.

pub mod agreement;
pub mod hostile;
mod http;
mod line;
mod namespace;
mod owner;
mod process;
mod program;
mod random;
mod relay;
mod served;
mod socket;
mod workshop;

use std::future::Future;
use std::time::Duration;

pub use http::{get, post};
pub use line::{Certificate, Deed, Line, Way, Weather, Which, kind};
pub use namespace::Namespace;
pub use owner::Owner;
pub use process::{Process, contains};
pub use program::{Outcome, Plan, Program, Sample, Starting, program_path, run, run_as};
pub use random::{Random, bytes as random_bytes};
pub use relay::{RelayPlan, RelayProgram};
pub use served::Served;
pub use socket::{Chat, Frame};
pub use workshop::{Workshop, copy_directory, put_back};

/// Between two looks at something that must happen.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// By when an ordinary thing has happened, on a busy machine too.
pub const SOON: Duration = Duration::from_secs(30);

/// Waits until `look` finds something; fails in words when it does not by the deadline.
#[track_caller]
pub fn until<T, F>(
    what: impl std::fmt::Display,
    within: Duration,
    mut look: F,
) -> impl Future<Output = T>
where
    F: AsyncFnMut() -> Option<T>,
{
    let asked_at = std::panic::Location::caller();
    async move {
        let found = tokio::time::timeout(within, async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        found
            .await
            .unwrap_or_else(|_| panic!("{what}: not within {within:?} ({asked_at})"))
    }
}
