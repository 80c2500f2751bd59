//! The bytes of a backup file: what is written goes through the seal, what is read comes out of it
//! (`seal::backup`). Memory is one chunk, whatever the length of the file.

use std::io::{self, Read, Write};

use crate::domain::BackupUnreadable;
use crate::seal::{
    BACKUP_CHUNK_BYTES, BACKUP_HEADER_BYTES, BACKUP_TAG_BYTES, BackupHeader, ChunkPlace, ChunkSeal,
    RootSecret,
};

/// Writes what follows the header.
pub(super) struct BodyWriter<W> {
    to: W,
    seal: Option<ChunkSeal>,
    chunk: Vec<u8>,
}

impl<W: Write> BodyWriter<W> {
    /// Writes the header.
    pub(super) fn begin(mut to: W, root: &RootSecret, header: &BackupHeader) -> io::Result<Self> {
        to.write_all(&header.block())?;
        Ok(Self {
            to,
            seal: header.sealed.then(|| ChunkSeal::new(root, header)),
            chunk: Vec::with_capacity(BACKUP_CHUNK_BYTES + BACKUP_TAG_BYTES),
        })
    }

    /// Writes the last chunk and gives back what was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.put(ChunkPlace::Last)?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn put(&mut self, place: ChunkPlace) -> io::Result<()> {
        if let Some(seal) = &mut self.seal {
            seal.seal(&mut self.chunk, place);
        }
        self.to.write_all(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }
}

impl<W: Write> Write for BodyWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits until something comes after it: only then it is not the last.
        if self.chunk.len() == BACKUP_CHUNK_BYTES {
            self.put(ChunkPlace::Inside)?;
        }
        let taken = bytes.len().min(BACKUP_CHUNK_BYTES - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the header.
///
/// # Errors
/// It is no backup, of a newer kind, damaged, or not there.
pub(super) fn read_header(from: &mut impl Read) -> Result<BackupHeader, BackupUnreadable> {
    let mut block = Vec::with_capacity(BACKUP_HEADER_BYTES);
    from.take(BACKUP_HEADER_BYTES as u64)
        .read_to_end(&mut block)
        .map_err(|_| BackupUnreadable::Gone)?;
    let is_short = block.len() < BACKUP_HEADER_BYTES;
    let begins_well = block.starts_with(b"motoreach-backup");
    block.resize(BACKUP_HEADER_BYTES, 0);
    let whole = block.first_chunk().ok_or(BackupUnreadable::NotABackup)?;
    match BackupHeader::parse(whole) {
        Ok(_) | Err(BackupUnreadable::Damaged) if is_short && begins_well => {
            Err(BackupUnreadable::CutOff)
        }
        read => read,
    }
}

/// Reads what follows the header. Its errors carry a `BackupUnreadable`.
pub(super) struct BodyReader<R> {
    from: R,
    seal: Option<ChunkSeal>,
    chunk: Vec<u8>,
    /// Where in `chunk` the next byte stands.
    at: usize,
    /// One byte of the chunk after this one: whether there is one at all.
    ahead: Option<u8>,
    ended: bool,
}

impl<R: Read> BodyReader<R> {
    /// Reads on after the header.
    pub(super) fn new(mut from: R, root: &RootSecret, header: &BackupHeader) -> io::Result<Self> {
        let seal = header.sealed.then(|| ChunkSeal::new(root, header));
        let ahead = read_byte(&mut from)?;
        Ok(Self {
            from,
            seal,
            chunk: Vec::new(),
            at: 0,
            ahead,
            ended: false,
        })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        self.at = 0;
        self.chunk.clear();
        let Some(first) = self.ahead.take() else {
            // A sealed file ends with a chunk that says so.
            if self.seal.is_some() && !self.ended {
                return Err(unreadable(BackupUnreadable::CutOff));
            }
            return Ok(());
        };
        let tag = self.seal.as_ref().map_or(0, |_| BACKUP_TAG_BYTES);
        self.chunk.push(first);
        let more = (BACKUP_CHUNK_BYTES + tag - 1) as u64;
        (&mut self.from).take(more).read_to_end(&mut self.chunk)?;
        self.ahead = read_byte(&mut self.from)?;
        let Some(seal) = &mut self.seal else {
            return Ok(());
        };
        if self.ahead.is_some() {
            return seal
                .open(&mut self.chunk, ChunkPlace::Inside)
                .map_err(|_| unreadable(BackupUnreadable::Damaged));
        }
        // The last one there is. If it was not meant to be, the rest is missing; one that was cut in its
        // middle has no tag that tells it from a damaged one.
        let mut sealed = self.chunk.clone();
        if seal.open(&mut self.chunk, ChunkPlace::Last).is_ok() {
            self.ended = true;
            return Ok(());
        }
        let was_inside = seal.open(&mut sealed, ChunkPlace::Inside).is_ok();
        Err(unreadable(if was_inside {
            BackupUnreadable::CutOff
        } else {
            BackupUnreadable::Damaged
        }))
    }
}

impl<R: Read> Read for BodyReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() {
            let is_over = self.ahead.is_none() && (self.seal.is_none() || self.ended);
            if is_over {
                return Ok(0);
            }
            self.next_chunk()?;
        }
        let taken = buffer.len().min(self.chunk.len() - self.at);
        buffer[..taken].copy_from_slice(&self.chunk[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}

fn read_byte(from: &mut impl Read) -> io::Result<Option<u8>> {
    let mut byte = [0];
    loop {
        match from.read(&mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(byte[0])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// An error of reading that says what is wrong with the file.
pub(super) fn unreadable(why: BackupUnreadable) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// What an error of reading says of the file; of a plain one the decompressor finds out.
pub(super) fn why(error: &io::Error) -> BackupUnreadable {
    if let Some(why) = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<BackupUnreadable>())
    {
        return *why;
    }
    if error.raw_os_error().is_some() {
        BackupUnreadable::Gone
    } else if error.kind() == io::ErrorKind::UnexpectedEof {
        BackupUnreadable::CutOff
    } else {
        BackupUnreadable::Damaged
    }
}

#[cfg(test)]
#[path = "file_test.rs"]
mod tests;
