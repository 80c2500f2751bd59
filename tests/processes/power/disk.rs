//! A disk that may lose what was not flushed: which contents it can have after the power was cut.
//!
//! What was written to a file since its last flush may be there or not: none of it, all, the first half,
//! any part of it in any order, or the last write torn at a sector. A flush that failed leaves what it
//! should have written in doubt for ever, whatever later flushes say (quality.md §1.1). Names (made,
//! renamed, removed) are durable once their directory was flushed; before that a beginning of them is,
//! in their order, as a journalling file system keeps them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::trace::Deed;
use crate::harness::Random;

/// A write is torn between sectors of so many bytes.
const SECTOR_BYTES: usize = 512;

/// What a disk holds: its files, and what is only in the memory of the machine.
#[derive(Clone, Default)]
pub struct Disk {
    files: Vec<File>,
    /// By name, as the program sees it.
    names: BTreeMap<PathBuf, Name>,
    durable: BTreeMap<PathBuf, Name>,
    /// Changes of names that are not durable yet.
    pending: Vec<Naming>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Name {
    File(usize),
    Directory,
}

#[derive(Clone)]
enum Naming {
    Made(PathBuf, Name),
    Renamed(PathBuf, PathBuf),
    Removed(PathBuf),
}

#[derive(Clone, Default)]
struct File {
    /// What is certainly there.
    durable: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Clone)]
struct Change {
    what: What,
    fate: Fate,
}

#[derive(Clone)]
enum What {
    Cut(usize),
    Written(usize, Vec<u8>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Not flushed yet.
    Pending,
    /// Flushed, but not to be told apart from what is in doubt before it.
    Durable,
    /// Its flush failed.
    InDoubt,
}

impl Disk {
    /// What is in a directory, all of it durable. What lies in memory for others (`-shm`) and sockets
    /// are not on any disk.
    pub fn of(root: &Path) -> Self {
        let mut disk = Self::default();
        disk.take_in(root, Path::new(""));
        disk
    }

    fn take_in(&mut self, root: &Path, below: &Path) {
        let Ok(entries) = fs::read_dir(root.join(below)) else {
            return;
        };
        for entry in entries {
            let entry = entry.unwrap();
            let name = below.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                self.durable.insert(name.clone(), Name::Directory);
                self.names.insert(name.clone(), Name::Directory);
                self.take_in(root, &name);
            } else if entry.file_type().unwrap().is_file() && is_kept(&name) {
                let durable = fs::read(entry.path()).unwrap();
                let name_of = self.add(File {
                    durable,
                    since: Vec::new(),
                });
                self.durable.insert(name.clone(), name_of);
                self.names.insert(name, name_of);
            }
        }
    }

    fn add(&mut self, file: File) -> Name {
        self.files.push(file);
        Name::File(self.files.len() - 1)
    }

    /// The program goes on.
    pub fn does(&mut self, deed: &Deed) {
        match deed {
            Deed::Made { path, directory } => {
                if is_kept(path) && !self.names.contains_key(path) {
                    let name = if *directory {
                        Name::Directory
                    } else {
                        self.add(File::default())
                    };
                    self.names.insert(path.clone(), name);
                    self.pending.push(Naming::Made(path.clone(), name));
                }
            }
            Deed::Cut { path, bytes } => self.changes(path, What::Cut(*bytes)),
            Deed::Written { path, offset, data } => {
                self.changes(path, What::Written(*offset, data.clone()));
            }
            Deed::Flushed { path, done } => match self.names.get(path) {
                Some(Name::File(file)) => self.files[*file].is_flushed(*done),
                // The directory itself has no name below it.
                Some(Name::Directory) if *done => self.names_are_flushed(path),
                None if *done && path.as_os_str().is_empty() => self.names_are_flushed(path),
                Some(Name::Directory) | None => {}
            },
            Deed::Renamed { from, to } => {
                let naming = Naming::Renamed(from.clone(), to.clone());
                naming.apply(&mut self.names);
                self.pending.push(naming);
            }
            Deed::Removed { path } => {
                let naming = Naming::Removed(path.clone());
                naming.apply(&mut self.names);
                self.pending.push(naming);
            }
            Deed::Said { .. } => {}
        }
    }

    fn changes(&mut self, path: &Path, what: What) {
        if let Some(Name::File(file)) = self.names.get(path) {
            self.files[*file].since.push(Change {
                what,
                fate: Fate::Pending,
            });
        }
    }

    fn names_are_flushed(&mut self, directory: &Path) {
        let pending = std::mem::take(&mut self.pending);
        for naming in pending {
            if naming.lies_in(directory) {
                naming.apply(&mut self.durable);
            } else {
                self.pending.push(naming);
            }
        }
    }

    /// The power is cut now: puts what may be left into a directory.
    pub fn is_left(&self, random: &mut Random, into: &Path) {
        let mut names = self.durable.clone();
        let kept = match random.below(3) {
            0 => 0,
            1 => self.pending.len(),
            _ => below(random, self.pending.len() + 1),
        };
        for naming in &self.pending[..kept] {
            naming.apply(&mut names);
        }
        for (path, name) in &names {
            let place = into.join(path);
            match name {
                Name::Directory => fs::create_dir_all(place).unwrap(),
                Name::File(file) => {
                    // A file in a directory that is not there is not there.
                    if place.parent().is_some_and(Path::is_dir) {
                        fs::write(place, self.files[*file].is_left(random)).unwrap();
                    }
                }
            }
        }
    }
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<PathBuf, Name>) {
        match self {
            Self::Made(path, name) => {
                names.insert(path.clone(), *name);
            }
            Self::Removed(path) => {
                names.remove(path);
            }
            Self::Renamed(from, to) => {
                let moved: Vec<_> = names
                    .range(from.clone()..)
                    .take_while(|(path, _)| path.starts_with(from))
                    .map(|(path, name)| (path.clone(), *name))
                    .collect();
                for (path, name) in moved {
                    names.remove(&path);
                    let rest = path.strip_prefix(from).unwrap();
                    let place = if rest.as_os_str().is_empty() {
                        to.clone()
                    } else {
                        to.join(rest)
                    };
                    names.insert(place, name);
                }
            }
        }
    }

    fn lies_in(&self, directory: &Path) -> bool {
        let (Self::Made(path, _) | Self::Removed(path) | Self::Renamed(_, path)) = self;
        path.parent() == Some(directory)
    }
}

impl File {
    fn is_flushed(&mut self, done: bool) {
        let to = if done { Fate::Durable } else { Fate::InDoubt };
        for change in &mut self.since {
            if change.fate == Fate::Pending {
                change.fate = to;
            }
        }
        let settled = self
            .since
            .iter()
            .take_while(|change| change.fate == Fate::Durable)
            .count();
        for change in self.since.drain(..settled) {
            change.what.apply(&mut self.durable, 0..usize::MAX);
        }
    }

    fn is_left(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let pending = self
            .since
            .iter()
            .filter(|change| change.fate == Fate::Pending)
            .count();
        let way = random.below(5);
        let first = match way {
            0 => 0,
            1 => pending,
            _ => below(random, pending + 1),
        };
        let mut passed = 0;
        for change in &self.since {
            let whole = 0..usize::MAX;
            match change.fate {
                Fate::Durable => change.what.apply(&mut bytes, whole),
                Fate::InDoubt if random.below(2) == 0 => change.what.apply(&mut bytes, whole),
                Fate::InDoubt => {}
                Fate::Pending => {
                    passed += 1;
                    if passed <= first && way != 3 || way == 3 && random.below(2) == 0 {
                        change.what.apply(&mut bytes, whole);
                    } else if way == 4 && passed == first + 1 {
                        change.what.apply(&mut bytes, change.what.torn(random));
                    }
                }
            }
        }
        bytes
    }
}

impl What {
    /// Applies the part of it that lies within `kept`, counted in the file.
    fn apply(&self, bytes: &mut Vec<u8>, kept: std::ops::Range<usize>) {
        match self {
            Self::Cut(length) => bytes.resize(*length, 0),
            Self::Written(offset, data) => {
                let (from, to) = (kept.start.max(*offset), kept.end.min(offset + data.len()));
                if from < to {
                    bytes.resize(bytes.len().max(to), 0);
                    bytes[from..to].copy_from_slice(&data[from - offset..to - offset]);
                }
            }
        }
    }

    /// The sectors before or behind one of a write's borders.
    fn torn(&self, random: &mut Random) -> std::ops::Range<usize> {
        let Self::Written(offset, data) = self else {
            return 0..0;
        };
        let first = offset / SECTOR_BYTES;
        let sectors = (offset + data.len()).div_ceil(SECTOR_BYTES) - first;
        let border = (first + below(random, sectors + 1)) * SECTOR_BYTES;
        if random.below(2) == 0 {
            0..border
        } else {
            border..usize::MAX
        }
    }
}

/// What no power cut leaves: shared memory, and what is only put by.
fn is_kept(path: &Path) -> bool {
    let name = path.to_str().unwrap();
    !name.ends_with("-shm") && name != "reserve"
}

fn below(random: &mut Random, end: usize) -> usize {
    usize::try_from(random.below(u64::try_from(end).unwrap())).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(offset: usize, data: &[u8]) -> Deed {
        Deed::Written {
            path: "a".into(),
            offset,
            data: data.to_vec(),
        }
    }

    fn flushed(path: &str, done: bool) -> Deed {
        let path = path.into();
        Deed::Flushed { path, done }
    }

    /// The contents that `a` may have.
    fn left(deeds: &[Deed]) -> std::collections::BTreeSet<Option<Vec<u8>>> {
        let mut disk = Disk::default();
        let made = Deed::Made {
            path: "a".into(),
            directory: false,
        };
        disk.does(&made);
        deeds.iter().for_each(|deed| disk.does(deed));
        let mut random = Random::announced("power::disk");
        let looks = (0..200).map(|_| {
            let place = tempfile::tempdir().unwrap();
            disk.is_left(&mut random, place.path());
            fs::read(place.path().join("a")).ok()
        });
        looks.collect()
    }

    #[test]
    fn what_was_flushed_stays_and_what_was_not_may_go() {
        let some = |text: &[u8]| Some(text.to_vec());
        let named = flushed("", true);
        let deeds = [written(0, b"1"), flushed("a", true), named.clone()];
        assert_eq!(left(&deeds), [some(b"1")].into());
        let deeds = [
            written(0, b"1"),
            flushed("a", true),
            written(1, b"2"),
            named.clone(),
        ];
        assert_eq!(left(&deeds), [some(b"1"), some(b"12")].into());
        let deeds = [written(0, b"1"), flushed("a", true)];
        assert_eq!(left(&deeds), [None, some(b"1")].into(), "its name may go");
        // A flush that failed is in doubt, whatever the next one says.
        let failed = [written(0, b"1"), flushed("a", false)];
        let deeds = [&failed[..], &[written(1, b"2"), flushed("a", true), named]].concat();
        assert_eq!(left(&deeds), [some(b"\x002"), some(b"12")].into());
    }

    #[test]
    fn a_large_write_may_be_torn_between_sectors() {
        let deeds = [written(0, &[7; 1_536]), flushed("", true)];
        let lengths: std::collections::BTreeSet<_> = left(&deeds)
            .into_iter()
            .map(|left| left.unwrap())
            .inspect(|left| assert!(left.len() % SECTOR_BYTES == 0))
            .map(|left| left.iter().filter(|byte| **byte == 7).count())
            .collect();
        assert_eq!(lengths, [0, 512, 1_024, 1_536].into());
    }
}
