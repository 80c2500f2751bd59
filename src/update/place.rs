//! Where an update's own files lie, and who may work there.
//!
//! ```text
//! STATE/               root's where root updates (/var/lib/motoreach-update), else DATA/update/state
//!   lock               held by whoever updates
//!   trial.json         a new program is on trial: what survives a power cut (`note`)
//!   progress.json      what is being done, for the page
//!   outcome.json       how the last one ended, for the page
//!   fetched/           the program and its signature, ours alone
//!   scratch/           a copy of the data, for the new program to be tested on
//!   kept/              the database as it was before a new program changed it
//! DATA/update/         what the page brought; whoever applies it checks everything again
//!   program, signature, ready
//! PROGRAM.new, PROGRAM.old    beside the program itself (`swap`)
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::files::{folder, fresh, remove, sync_folder_of, write_whole};
use super::note::{Outcome, Progress, Trial};
use super::refusal::Refusal;

/// Where root keeps it when the service manager names nothing else.
pub const OF_ROOT: &str = "/var/lib/motoreach-update";

/// The longest note that is read, in bytes.
const NOTE_BYTES_MAX: u64 = 64 * 1024;

/// An update's own folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    path: PathBuf,
}

/// Keeps the place for this process until it is dropped or the process ends, however.
#[derive(Debug)]
pub struct Held {
    _file: File,
}

impl Place {
    /// The named one, or else the one that belongs to this data directory.
    pub fn of(named: Option<&Path>, data: &Path) -> Self {
        let path = match named {
            Some(named) => named.to_owned(),
            None if is_systems() => OF_ROOT.into(),
            None => data.join("update/state"),
        };
        Self { path }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it if need be and takes it for this process.
    ///
    /// # Errors
    /// Another update is at work, or the file system says no.
    pub fn hold(&self) -> Result<Held, Refusal> {
        folder(&self.path, 0o755).map_err(unwritable(&self.path))?;
        let path = self.path.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            // Whoever serves the page may see that somebody is at work.
            .mode(0o644)
            .open(&path)
            .map_err(unwritable(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Held { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Refusal::UnderWay),
            Err(TryLockError::Error(error)) => Err(unwritable(&path)(error)),
        }
    }

    /// Whether somebody works there now.
    pub fn is_held(&self) -> bool {
        let lock = File::open(self.path.join("lock"));
        lock.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// The new program is on trial.
    ///
    /// # Errors
    /// The note cannot be read.
    pub fn trial(&self) -> io::Result<Option<Trial>> {
        read(&self.path.join("trial.json"))
    }

    /// Notes how the trial stands, on the disk.
    ///
    /// # Errors
    /// The file system says no.
    pub fn note_trial(&self, trial: &Trial) -> io::Result<()> {
        self.write("trial.json", trial)
    }

    /// How the last update ended, if there was one.
    pub fn outcome(&self) -> Option<Outcome> {
        read(&self.path.join("outcome.json")).ok().flatten()
    }

    /// The trial is over.
    ///
    /// # Errors
    /// The file system says no; it goes on then.
    pub fn conclude(&self, outcome: &Outcome) -> io::Result<()> {
        self.write("outcome.json", outcome)?;
        remove(&self.path.join("trial.json"))?;
        remove(&self.path.join("progress.json"))?;
        sync_folder_of(&self.path.join("trial.json"))
    }

    /// What is being done.
    pub fn progress(&self) -> Option<Progress> {
        read(&self.path.join("progress.json")).ok().flatten()
    }

    /// Says what is being done. A page that does not learn it is no reason to stop.
    pub fn tell(&self, progress: &Progress) {
        let path = self.path.join("progress.json");
        let told = serde_json::to_vec(progress)
            .map_err(io::Error::from)
            .and_then(|json| {
                let beside = path.with_extension("part");
                fs::write(&beside, json)?;
                fs::rename(&beside, &path)
            });
        if let Err(error) = told {
            tracing::debug!(%error, "an update's progress could not be told");
        }
    }

    /// Nothing is being done any more.
    pub fn tell_nothing(&self) {
        let _ = remove(&self.path.join("progress.json"));
    }

    /// A folder of this place, made for its user alone if it is not there.
    ///
    /// # Errors
    /// The file system says no.
    pub fn folder(&self, name: Folder) -> Result<PathBuf, Refusal> {
        let path = self.folder_path(name);
        folder(&path, 0o700).map_err(unwritable(&path))?;
        Ok(path)
    }

    /// Where that folder is.
    pub fn folder_path(&self, name: Folder) -> PathBuf {
        self.path.join(match name {
            Folder::Fetched => "fetched",
            Folder::Scratch => "scratch",
            Folder::Kept => "kept",
        })
    }

    /// Drops a folder with all that is in it.
    ///
    /// # Errors
    /// The file system says no.
    pub fn drop_folder(&self, name: Folder) -> io::Result<()> {
        match fs::remove_dir_all(self.folder_path(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    fn write(&self, name: &str, note: &impl serde::Serialize) -> io::Result<()> {
        let json = serde_json::to_vec_pretty(note)?;
        write_whole(&self.path.join(name), &json, 0o644)
    }
}

/// Whether root updates what the service manager runs.
fn is_systems() -> bool {
    rustix::process::geteuid().is_root() && Path::new("/run/systemd/system").is_dir()
}

/// A folder of a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Folder {
    /// The program and its signature.
    Fetched,
    /// A copy of the data to test on.
    Scratch,
    /// The database as it was before.
    Kept,
}

/// What the page brought. It belongs to whoever serves the page, so nothing in it is believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Staging {
    path: PathBuf,
}

impl Staging {
    /// The one of this data directory.
    pub fn of(data: &Path) -> Self {
        Self {
            path: data.join("update"),
        }
    }

    /// A file to receive a program in, and its path; one that was left half-way is dropped.
    ///
    /// # Errors
    /// The file system says no.
    pub fn receive(&self) -> io::Result<(File, PathBuf)> {
        folder(&self.path, 0o700)?;
        let path = self.path.join("program.part");
        Ok((fresh(&path, 0o600)?, path))
    }

    /// What was received is the program that waits, with its signature.
    ///
    /// # Errors
    /// The file system says no; nothing waits then.
    pub fn keep(&self, received: &Path, signature: &str) -> io::Result<()> {
        self.clear()?;
        fs::rename(received, self.program())?;
        write_whole(&self.signature(), signature.as_bytes(), 0o600)
    }

    /// Nothing waits any more.
    ///
    /// # Errors
    /// The file system says no.
    pub fn clear(&self) -> io::Result<()> {
        remove(&self.ready())?;
        remove(&self.signature())?;
        remove(&self.program())?;
        Ok(())
    }

    /// The program that waits.
    pub fn program(&self) -> PathBuf {
        self.path.join("program")
    }

    /// Its signature.
    pub fn signature(&self) -> PathBuf {
        self.path.join("signature")
    }

    /// Somebody pressed the button: whoever watches this file applies what waits.
    pub fn ready(&self) -> PathBuf {
        self.path.join("ready")
    }

    /// Presses the button.
    ///
    /// # Errors
    /// The file system says no.
    pub fn press(&self) -> io::Result<()> {
        write_whole(&self.ready(), b"", 0o600)
    }
}

/// A note, or none; one that is not whole is an error.
fn read<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    use std::io::Read;
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut json = Vec::new();
    file.take(NOTE_BYTES_MAX).read_to_end(&mut json)?;
    Ok(Some(serde_json::from_slice(&json)?))
}

/// The refusal for a path that cannot be written.
pub(super) fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> Refusal {
    let path = path.display().to_string();
    move |source| Refusal::Unwritable { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_works_at_a_time_and_others_see_it() {
        let temp = tempfile::tempdir().unwrap();
        let place = Place::of(Some(&temp.path().join("state")), temp.path());
        assert!(!place.is_held());
        let held = place.hold().unwrap();
        assert!(place.is_held());
        assert!(matches!(place.hold(), Err(Refusal::UnderWay)));
        drop(held);
        assert!(!place.is_held());
    }

    #[test]
    fn what_is_received_waits_whole_and_replaces_what_waited() {
        let temp = tempfile::tempdir().unwrap();
        let staging = Staging::of(temp.path());
        for words in ["one", "two"] {
            let (mut file, path) = staging.receive().unwrap();
            io::Write::write_all(&mut file, words.as_bytes()).unwrap();
            staging.keep(&path, "signed").unwrap();
            staging.press().unwrap();
            assert_eq!(fs::read_to_string(staging.program()).unwrap(), words);
        }
        staging.clear().unwrap();
        assert!(!staging.program().exists() && !staging.ready().exists());
    }
}
