//! What the system knows of a process: its memory, the time it used, the words in it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use rustix::process::Pid;

/// A process, by its number.
#[derive(Clone, Copy, Debug)]
pub struct Process(Pid);

/// Read of another process's memory at once.
const CHUNK_BYTES: usize = 1024 * 1024;

impl Process {
    pub const fn of(pid: Pid) -> Self {
        Self(pid)
    }

    /// Resident memory, in bytes.
    pub fn memory_bytes(self) -> u64 {
        let status = self.proc("status");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        let kilobytes = line.split_whitespace().nth(1).unwrap();
        kilobytes.parse::<u64>().unwrap() * 1_024
    }

    /// Processor time used so far.
    pub fn processor_time(self) -> Duration {
        let stat = self.proc("stat");
        // The name in brackets may hold spaces; user and system time are fields 14 and 15.
        let fields: Vec<_> = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .collect();
        let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        // Linux counts these in hundredths of a second, whatever its own clock does.
        Duration::from_millis(ticks * 10)
    }

    /// Which of these words are anywhere in its writable memory. Only root and the process's own
    /// parent may look.
    pub fn words_in_memory<'a>(self, words: &[&'a str]) -> Vec<&'a str> {
        let memory = File::open(self.path("mem")).unwrap();
        let longest = words.iter().map(|word| word.len()).max().unwrap_or(0);
        let mut found = vec![false; words.len()];
        let mut chunk = vec![0; CHUNK_BYTES + longest];
        for (mut at, end) in self.written_regions() {
            while at < end {
                let want = usize::try_from(end - at).unwrap().min(chunk.len());
                // A region may have gone meanwhile.
                let Ok(read) = memory.read_at(&mut chunk[..want], at) else {
                    break;
                };
                if read == 0 {
                    break;
                }
                for (word, found) in words.iter().zip(&mut found) {
                    *found = *found || contains(&chunk[..read], word.as_bytes());
                }
                // A word may lie across the border of two chunks.
                at += read.min(CHUNK_BYTES) as u64;
            }
        }
        let found = words.iter().zip(found).filter(|(_, found)| *found);
        found.map(|(word, _)| *word).collect()
    }

    fn written_regions(self) -> Vec<(u64, u64)> {
        let maps = self.proc("maps");
        let region = |line: &str| {
            let mut words = line.split_whitespace();
            let (range, rights) = (words.next()?, words.next()?);
            let (from, to) = range.split_once('-')?;
            let number = |hex| u64::from_str_radix(hex, 16).ok();
            rights
                .starts_with("rw")
                .then_some((number(from)?, number(to)?))
        };
        maps.lines().filter_map(region).collect()
    }

    fn proc(self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    fn path(self, file: &str) -> String {
        format!("/proc/{}/{file}", self.0.as_raw_nonzero())
    }
}

/// Whether `part` is somewhere in `bytes`.
pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    let Some((first, rest)) = part.split_first() else {
        return true;
    };
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|byte| byte == first) {
        at += next + 1;
        if bytes[at..].starts_with(rest) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_in_the_memory_of_this_process_is_found() {
        let word = format!("quince-{}", std::process::id());
        let here = Process::of(rustix::process::getpid());
        assert_eq!(here.words_in_memory(&[&word]), [&word]);
        assert!(contains(b"a quince", b"quince") && contains(b"", b""));
        assert!(!contains(b"quinc", b"quince") && contains(b"qquince", b"quince"));
    }
}
