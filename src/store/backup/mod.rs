//! Backups: making them, proving them by restoring them, which are kept, and what is noted of them
//! (`sync.md` §4: a backup knows that it is one).
//!
//! In reading order: `name`, `folder` (which files are whose), `file`, `pack` (the bytes, sealed by
//! `seal::backup`), `watch`, `trouble`, `copy`, `prove`, `make`, `keep`, `places`, `record`, `bring_back`, and `desk`, the door for
//! everybody who wants one.

mod bring_back;
mod copy;
mod desk;
mod file;
mod folder;
mod keep;
mod make;
mod name;
mod pack;
mod places;
mod prove;
mod record;
mod trouble;
mod watch;

pub use bring_back::{BringBackError, belongs_to, bring_back, header};
pub use desk::{BackupOrder, BackupOutcome, Backups};
pub use folder::{Found, choose, folder_of, found, open_plain};
pub use make::Place;
pub use places::{Disk, OnDisk, disks, on_disks};
pub use record::{Chosen, Settings, last, last_proof, set, settings};
pub use trouble::Trouble;
