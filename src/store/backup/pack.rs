//! What is in a backup: a tar of the database, compressed. Files that belong to it will stand beside it
//! in the same tar, and a program that does not know them says that it is too old.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, EntryType, Header};

use super::file::{BodyReader, BodyWriter, unreadable};
use crate::domain::BackupUnreadable;
use crate::seal::{BackupHeader, RootSecret};

/// The database's name in the tar.
const DATABASE: &str = "motoreach.db";
/// Compressing is the longest part on a small computer: quick, and a third larger than at best.
const EFFORT: u32 = 3;
/// Read and written at once.
const BUFFER_BYTES: usize = 64 * 1_024;

/// Packs a database into what follows the header. `passed` is told how many bytes went in, and may stop
/// it with an error.
pub(super) fn pack<W: Write>(
    database: &Path,
    into: BodyWriter<W>,
    made_s: u64,
    passed: impl FnMut(u64) -> io::Result<()>,
) -> io::Result<W> {
    let file = File::open(database)?;
    let bytes = file.metadata()?.len();
    let mut tar = Builder::new(GzEncoder::new(into, Compression::new(EFFORT)));
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(made_s);
    let counted = Counted {
        inner: file,
        bytes: 0,
        passed,
    };
    let mut counted = BufReader::with_capacity(BUFFER_BYTES, counted);
    tar.append_data(&mut header, DATABASE, &mut counted)?;
    tar.into_inner()?.finish()?.finish()
}

/// Unpacks the database of a backup to a file that is not there yet, and reads on to the end of the
/// backup, so that nothing is missing or added.
///
/// # Errors
/// One that says what is wrong with the backup, or what the file system said.
pub(super) fn unpack(
    from: impl Read,
    root: &RootSecret,
    header: &BackupHeader,
    database: &Path,
    passed: impl FnMut(u64) -> io::Result<()>,
) -> Result<(), Unpacking> {
    let body = BodyReader::new(from, root, header).map_err(Unpacking::Backup)?;
    let plain = GzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, body));
    let mut tar = Archive::new(plain);
    let first = tar.entries().map_err(Unpacking::Backup)?.next();
    let missing = || unreadable(BackupUnreadable::Damaged);
    let entry = first.unwrap_or_else(|| Err(missing()));
    let entry = entry.map_err(Unpacking::Backup)?;
    let is_database = entry.path_bytes().as_ref() == DATABASE.as_bytes()
        && entry.header().entry_type() == EntryType::Regular;
    if !is_database || entry.size() != header.database_bytes {
        return Err(Unpacking::Backup(missing()));
    }
    let counted = Counted {
        inner: entry,
        bytes: 0,
        passed,
    };
    write_out(counted, database)?;
    to_the_end(tar.into_inner()).map_err(Unpacking::Backup)
}

/// What failed while unpacking.
#[derive(Debug)]
pub(super) enum Unpacking {
    /// Reading the backup; `file::why` says what is wrong with it.
    Backup(io::Error),
    /// Writing what came out of it.
    Place(io::Error),
}

fn write_out(mut from: impl Read, database: &Path) -> Result<(), Unpacking> {
    use std::os::unix::fs::OpenOptionsExt;
    let to = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(database)
        .map_err(Unpacking::Place)?;
    let mut to = BufWriter::with_capacity(BUFFER_BYTES, to);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer).map_err(Unpacking::Backup)?;
        if read == 0 {
            return to.flush().map_err(Unpacking::Place);
        }
        to.write_all(&buffer[..read]).map_err(Unpacking::Place)?;
    }
}

/// After the database there is the tar's end and nothing else: zeros, and the end of the file.
fn to_the_end<R: Read>(mut plain: GzDecoder<BufReader<BodyReader<R>>>) -> io::Result<()> {
    let mut buffer = [0; 4_096];
    loop {
        let read = plain.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        if buffer[..read].iter().any(|byte| *byte != 0) {
            return Err(unreadable(BackupUnreadable::Newer));
        }
    }
    let mut body = plain.into_inner();
    if body.read(&mut buffer)? > 0 {
        return Err(unreadable(BackupUnreadable::Damaged));
    }
    Ok(())
}

/// Tells how much went through.
struct Counted<R, F> {
    inner: R,
    bytes: u64,
    passed: F,
}

impl<R: Read, F: FnMut(u64) -> io::Result<()>> Read for Counted<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        (self.passed)(self.bytes)?;
        Ok(read)
    }
}
