//! A signed program: whether the signature is right, and what it says that the program is.

use std::io::{self, Read};

use minisign_verify::Signature;

use super::key::{KeyId, UpdateKey};
use super::refusal::Refusal;
use super::version::{TARGET, Version};

/// The largest program that is looked at, in bytes: ours have some 20 MB.
pub const PROGRAM_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// The longest signature, in bytes: minisign's have some 300.
pub const SIGNATURE_BYTES_MAX: u64 = 4 * 1024;
/// Read at a time, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// What a signature says of a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Release {
    /// Its version.
    pub version: Version,
    /// The machine it is for.
    pub target: String,
}

/// Whether an older program may take a newer one's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consent {
    /// Only a newer one.
    NewerOnly,
    /// Any: somebody said so.
    AnyVersion,
}

/// A signature that was read, by the right key; what it says is proven only together with the program.
pub struct Claim {
    signature: Signature,
    key: UpdateKey,
    release: Release,
}

impl Claim {
    /// Reads a signature file.
    ///
    /// # Errors
    /// It is none, it is by somebody else, or it does not say what is signed.
    pub fn read(text: &str, key: Option<&UpdateKey>) -> Result<Self, Refusal> {
        let key = key.ok_or(Refusal::NoKey)?.clone();
        if looks_like_a_page(text.as_bytes()) {
            return Err(Refusal::SignatureIsAPage);
        }
        let signature = Signature::decode(text).map_err(|_| Refusal::NoSignature)?;
        let signer = text.lines().nth(1).and_then(KeyId::of);
        let signer = signer.ok_or(Refusal::NoSignature)?;
        if signer != key.id() {
            return Err(Refusal::OtherKey {
                signer,
                ours: key.id(),
            });
        }
        let release = said(signature.trusted_comment()).ok_or(Refusal::SaysNothing)?;
        Ok(Self {
            signature,
            key,
            release,
        })
    }

    /// What the signature claims; not proven yet.
    pub const fn claimed(&self) -> &Release {
        &self.release
    }

    /// Refuses what would be refused in the end anyhow.
    ///
    /// # Errors
    /// The program is for another machine, or not newer.
    pub fn suits(&self, running: Version, consent: Consent) -> Result<(), Refusal> {
        let Release { version, target } = &self.release;
        if target != TARGET {
            return Err(Refusal::OtherTarget {
                target: target.clone(),
            });
        }
        match consent {
            Consent::AnyVersion => Ok(()),
            Consent::NewerOnly if *version > running => Ok(()),
            Consent::NewerOnly if *version == running => Err(Refusal::Same(running)),
            Consent::NewerOnly => Err(Refusal::Older {
                version: *version,
                running,
            }),
        }
    }

    /// Proves that this very program was signed, and gives what the signature says of it.
    ///
    /// # Errors
    /// It is empty, a web page, too large, or not what was signed; or it cannot be read.
    pub fn prove(self, program: impl Read) -> Result<Release, Refusal> {
        let legacy = |_| Refusal::NoSignature;
        let stream = self.key.minisign().verify_stream(&self.signature);
        let mut stream = stream.map_err(legacy)?;
        let mut program = program.take(PROGRAM_BYTES_MAX + 1);
        let mut chunk = vec![0; CHUNK_BYTES];
        let (mut bytes, mut is_a_page) = (0_u64, false);
        loop {
            let read = match program.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Refusal::Unreadable(error)),
            };
            is_a_page |= bytes == 0 && looks_like_a_page(&chunk[..read]);
            bytes += read as u64;
            stream.update(&chunk[..read]);
        }
        match bytes {
            0 => Err(Refusal::Empty),
            PROGRAM_BYTES_MAX.. => Err(Refusal::TooLarge),
            _ => match stream.finalize() {
                Ok(()) => Ok(self.release),
                Err(_) if is_a_page => Err(Refusal::ProgramIsAPage),
                Err(_) => Err(Refusal::NotWhatWasSigned),
            },
        }
    }
}

/// What a trusted comment says: `version:0.2.0 target:aarch64-unknown-linux-musl`, among other words.
fn said(comment: &str) -> Option<Release> {
    let word = |name: &str| {
        let mut words = comment.split_whitespace();
        words.find_map(|word| word.strip_prefix(name)?.strip_prefix(':'))
    };
    Some(Release {
        version: word("version")?.parse().ok()?,
        target: word("target")?.to_owned(),
    })
}

/// An error page of a server, saved under the name of what was asked for.
fn looks_like_a_page(begin: &[u8]) -> bool {
    begin.trim_ascii_start().starts_with(b"<")
}

#[cfg(test)]
#[path = "release_test.rs"]
mod tests;
