//! What the page may do about updates: bring a program, have it applied, see how it went.
//!
//! The server runs as a user who cannot change programs, so it only checks what was brought and presses
//! the button: a root's `motoreach update --apply` takes the file and checks everything again. On a
//! machine without that helper the page says which command does it.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::key::UpdateKey;
use super::note::{Outcome, Progress, Step};
use super::place::{Place, Staging, unwritable};
use super::refusal::Refusal;
use super::release::{Claim, Consent, Release, SIGNATURE_BYTES_MAX};
use super::version::Version;

/// Where the helper works, when there is one; set by its unit.
const STATE: &str = "MOTOREACH_UPDATE_STATE";

/// The page's desk; clones share it.
#[derive(Clone, Debug)]
pub struct Desk {
    helper: Option<Place>,
    staging: Staging,
    key: Option<UpdateKey>,
    turn: Arc<Mutex<()>>,
}

/// A program that comes in: its signature suits, its bytes are written as they come.
pub struct Incoming {
    /// Where its bytes go.
    pub file: File,
    path: PathBuf,
    signature: String,
    claim: Claim,
    _turn: OwnedMutexGuard<()>,
}

/// How things stand.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The key that signs updates, as minisign shows it.
    pub key: Option<String>,
    /// Whether the page can have an update applied.
    pub by_page: bool,
    /// A program that was brought and not applied, and its length in bytes.
    pub waiting: Option<(Release, u64)>,
    /// What is being done.
    pub running: Option<Progress>,
    /// How the last one ended.
    pub last: Option<Outcome>,
}

impl Desk {
    /// The desk of this data directory.
    pub fn new(data: &std::path::Path, configured: Option<&UpdateKey>) -> Self {
        let state = std::env::var_os(STATE).filter(|it| !it.is_empty());
        Self {
            helper: state.map(|state| Place::of(Some(state.as_ref()), data)),
            staging: Staging::of(data),
            key: UpdateKey::chosen(configured),
            turn: Arc::default(),
        }
    }

    /// How things stand. It waits for the disk.
    pub fn standing(&self) -> Standing {
        let pressed = self.staging.ready().exists().then_some(Progress {
            step: Step::Checking,
            to: None,
        });
        let helper = self.helper.as_ref();
        let at_work = helper.filter(|place| place.is_held());
        Standing {
            key: self.key.as_ref().map(|key| key.id().to_string()),
            by_page: self.helper.is_some(),
            waiting: self.waiting(),
            running: at_work.and_then(Place::progress).or(pressed),
            last: helper.and_then(Place::outcome),
        }
    }

    /// Begins to take a program in whose signature this is.
    ///
    /// # Errors
    /// It would be refused in the end, another one comes in, or the file system says no.
    pub fn receive(&self, signature: String) -> Result<Incoming, Refusal> {
        let turn = Arc::clone(&self.turn).try_lock_owned();
        let turn = turn.map_err(|_| Refusal::UnderWay)?;
        if self.is_busy() {
            return Err(Refusal::UnderWay);
        }
        let claim = self.claim(&signature)?;
        let received = self.staging.receive();
        let (file, path) = received.map_err(unwritable(&self.staging.program()))?;
        Ok(Incoming {
            file,
            path,
            signature,
            claim,
            _turn: turn,
        })
    }

    /// All of it has come: it waits for the button, if it is what was signed. It waits for the disk.
    ///
    /// # Errors
    /// It is not; it is dropped then.
    pub fn received(&self, incoming: Incoming) -> Result<(), Refusal> {
        let Incoming {
            mut file,
            path,
            signature,
            claim,
            _turn,
        } = incoming;
        let kept = file
            .sync_all()
            .and_then(|()| io::Seek::rewind(&mut file))
            .map_err(unwritable(&path))
            .and_then(|()| claim.prove(&file))
            .and_then(|_| {
                let kept = self.staging.keep(&path, &signature);
                kept.map_err(unwritable(&path))
            });
        if kept.is_err() {
            let _ = super::files::remove(&path);
        }
        kept
    }

    /// Has what waits applied; false when nothing waits or nobody would do it.
    ///
    /// # Errors
    /// An update is at work, or the file system says no.
    pub fn apply(&self) -> Result<bool, Refusal> {
        let turn = self.turn.try_lock();
        let _turn = turn.map_err(|_| Refusal::UnderWay)?;
        if self.is_busy() {
            return Err(Refusal::UnderWay);
        }
        if self.helper.is_none() || self.waiting().is_none() {
            return Ok(false);
        }
        let pressed = self.staging.press();
        pressed.map_err(unwritable(&self.staging.ready()))?;
        Ok(true)
    }

    fn is_busy(&self) -> bool {
        self.staging.ready().exists() || self.helper.as_ref().is_some_and(Place::is_held)
    }

    fn waiting(&self) -> Option<(Release, u64)> {
        use std::io::Read;
        let mut signature = String::new();
        let file = File::open(self.staging.signature()).ok()?;
        file.take(SIGNATURE_BYTES_MAX)
            .read_to_string(&mut signature)
            .ok()?;
        let bytes = self.staging.program().metadata().ok()?.len();
        let claim = self.claim(&signature).ok()?;
        Some((claim.claimed().clone(), bytes))
    }

    /// Going back to an older version is for whoever stands at the box: a page is not to be talked into it.
    fn claim(&self, signature: &str) -> Result<Claim, Refusal> {
        let claim = Claim::read(signature, self.key.as_ref())?;
        claim.suits(Version::of_this_program(), Consent::NewerOnly)?;
        Ok(claim)
    }
}
