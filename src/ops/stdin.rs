//! What people type or pipe in: a password, recovery words. Never echoed into a log, wiped after use.
//! And what its end says: whoever held it is gone.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use tokio::sync::oneshot;
use zeroize::Zeroizing;

/// The longest line that is taken for a password, in bytes.
const PASSWORD_LINE_BYTES_MAX: u64 = 4 * 1024;
/// The longest text that is taken for recovery words, in bytes.
const WORDS_BYTES_MAX: u64 = 16 * 1024;

/// The first line, without its end.
pub(super) fn line() -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    io::stdin()
        .lock()
        .take(PASSWORD_LINE_BYTES_MAX)
        .read_line(&mut line)?;
    while line.ends_with(['\n', '\r']) {
        line.pop();
    }
    Ok(line)
}

/// Lines until there are `count` words, or no more lines.
pub(super) fn words(count: usize) -> io::Result<Zeroizing<String>> {
    words_of(io::stdin().lock(), count)
}

/// The same from a file.
pub(super) fn words_in(file: &Path, count: usize) -> io::Result<Zeroizing<String>> {
    words_of(BufReader::new(File::open(file)?), count)
}

/// Comes when standard input ends: whoever holds its other end let go of it, or died.
pub(super) type StdinEnd = oneshot::Receiver<()>;

/// Reads standard input to its end. The thread sits in a read for as long as the process lives, which
/// is why it is none of the runtime's.
pub(super) fn stdin_end() -> StdinEnd {
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        // Whoever stopped waiting is stopping already.
        let _ = ended.send(());
    });
    end
}

fn words_of(input: impl BufRead, count: usize) -> io::Result<Zeroizing<String>> {
    let mut input = input.take(WORDS_BYTES_MAX);
    let mut words = Zeroizing::new(String::new());
    while words.split_whitespace().count() < count && input.read_line(&mut words)? > 0 {}
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_come_on_one_line_or_on_many() {
        let read = |text: &str| words_of(text.as_bytes(), 3).unwrap().trim().to_owned();
        assert_eq!(read("a b c\nleft alone\n"), "a b c");
        assert_eq!(read("a\n\nb\nc\nleft alone"), "a\n\nb\nc");
        assert_eq!(read("a b"), "a b");
    }
}
