//! Files that prove themselves: one request or one owner as a page that opens on any phone, prints, and
//! carries its own proof.
//!
//! ```text
//! page   what people read (`page`): HTML and style, no script needed
//! data   what it was made from (`wire::export`): the entries, and the journal's chain between them
//! seal   the workshop's signature over the data, byte for byte
//! ```
//! `make` writes one, in order and a page of entries at a time; `verify` needs nothing but the file: it
//! checks the signature and the chain, then makes the readable part again from the data and compares.
//! So every byte of a file is either signed or follows from what is signed.
//!
//! What that proves: the workshop's box signed these words, in this order, with nothing taken out
//! between the first and the last. What it does not: that the clock was right, who held a phone, or
//! that the key belongs to whom it says; the key's fingerprint must be compared with the workshop's.
//! A file that shows a conversation also shows how many other entries the journal had meanwhile, of
//! which kinds, and (in their ids) when: nothing of what they say.

mod page;
#[cfg(test)]
mod tests;
mod verify;

use std::io::{self, Write};

use ring::digest::{Context, SHA256, digest};

use crate::domain::RequestId;
use crate::store::export::{self, Wish};
use crate::store::{CommandError, StoreError, View};
use crate::wire::export::{EXPORT_BYTES_MAX, Fixed, Header, json_in_html};

pub use verify::{Verdict, verify};

/// What stands before a file's data, and after.
const DATA_OPENS: &str = "<script type=\"application/json\" id=\"motoreach-data\">\n";
const DATA_ENDS: &str = "\n</script>\n";
/// What stands before the signature under them.
const SIGNATURE_OPENS: &str = "<script type=\"application/json\" id=\"motoreach-signature\">\n";
/// Between a file's header and its entries, and after them.
const ENTRIES_OPEN: &str = ",\n\"entries\":[\n";
const ENTRIES_END: &str = "\n],\n\"photos\":[]}";

/// What was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made {
    /// Requests that are shown.
    pub requests: usize,
    /// Messages that are shown, those without words included.
    pub messages: i64,
    /// The key that signed it, as people compare it.
    pub fingerprint: String,
    /// Bytes.
    pub bytes: u64,
}

/// Why a file was not made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no such thing, or the database says no.
    #[error(transparent)]
    Refused(#[from] CommandError),
    /// It would be longer than a verifier takes.
    #[error("That would be more than {} MiB; export requests one by one.", .0 >> 20)]
    TooLarge(u64),
    /// The file cannot be written.
    #[error("the file cannot be written: {0}")]
    File(#[from] io::Error),
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// Writes a file of at most `bytes_max` bytes, from one consistent state.
///
/// # Errors
/// No such request or owner; too large; what the disk says. What was written by then is no file.
pub fn make(
    view: &View<'_>,
    wish: Wish,
    bytes_max: u64,
    out: impl Write,
) -> Result<Made, ExportError> {
    let bytes_max = bytes_max.min(EXPORT_BYTES_MAX);
    let mut out = Counted {
        out,
        left: bytes_max,
        full: false,
    };
    match write(view, wish, &mut out) {
        Err(ExportError::File(_)) if out.full => Err(ExportError::TooLarge(bytes_max)),
        Ok(made) => {
            out.out.flush()?;
            Ok(Made {
                bytes: bytes_max - out.left,
                ..made
            })
        }
        Err(error) => Err(error),
    }
}

fn write(view: &View<'_>, wish: Wish, out: &mut impl Write) -> Result<Made, ExportError> {
    let header = export::header(view, wish)?;
    let public_key = export::signature(view.keys(), &[0; 32]).public_key;
    page::begin(out, &header, &public_key)?;
    for request in &header.requests {
        page::request(out, &header, request)?;
        export::conversation_of(view, RequestId(request.number), |entry| {
            page::entry(out, &entry).map_err(ExportError::File)
        })?;
        page::request_ends(out)?;
    }
    page::proof(out, &header, &public_key)?;
    out.write_all(DATA_OPENS.as_bytes())?;
    let mut data = Hashed {
        out,
        hash: Context::new(&SHA256),
    };
    write_data(view, &header, &mut data)?;
    let sha = finished(data.hash);
    out.write_all(DATA_ENDS.as_bytes())?;
    let signature = export::signature(view.keys(), &sha);
    page::end(out, &signature)?;
    Ok(Made {
        requests: header.requests.len(),
        messages: header.messages,
        fingerprint: fingerprint(&public_key),
        bytes: 0,
    })
}

fn write_data(view: &View<'_>, header: &Header, out: &mut impl Write) -> Result<(), ExportError> {
    write!(out, "{{\"header\":{}{ENTRIES_OPEN}", json_in_html(header))?;
    let mut is_first = true;
    export::lines(view, header, |line| {
        if !is_first {
            out.write_all(b",\n")?;
        }
        is_first = false;
        out.write_all(json_in_html(&line).as_bytes())
            .map_err(ExportError::File)
    })?;
    out.write_all(ENTRIES_END.as_bytes())?;
    Ok(())
}

/// A key as people compare it: the first 16 bytes of its SHA-256, in eight groups.
pub fn fingerprint(public_key: &Fixed<32>) -> String {
    let sha = digest(&SHA256, &public_key.0);
    let groups = sha.as_ref()[..16].chunks(2);
    groups
        .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect())
        .collect::<Vec<String>>()
        .join(" ")
}

fn finished(hash: Context) -> [u8; 32] {
    let mut sha = [0; 32];
    sha.copy_from_slice(hash.finish().as_ref());
    sha
}

/// Takes so many bytes and no more.
struct Counted<W> {
    out: W,
    left: u64,
    full: bool,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let written = self.out.write(bytes)?;
        self.left -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Hashes what passes.
struct Hashed<'o, W> {
    out: &'o mut W,
    hash: Context,
}

impl<W: Write> Write for Hashed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
