//! Checking a file with nothing but the file.

use std::io::{self, Write};

use ring::digest::{SHA256, digest};

use super::{DATA_ENDS, DATA_OPENS, SIGNATURE_OPENS, fingerprint, page};
use crate::domain::{EventId, LogId, Seq};
use crate::seal::{Chain, Link, Position, STAFF_ONLY, SignedHead, body_sha, check_export};
use crate::wire::export::{
    ClearEntry, Data, EXPORT_FORMAT, Fixed, Header, Line, Long, Signature, Stub,
};

/// Faults that are told one by one.
const FAULTS_MAX: usize = 20;

/// What a file is worth.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    /// What it says it is; none when its data cannot be read.
    pub header: Option<Header>,
    /// The key that signed it, as people compare it.
    pub fingerprint: Option<String>,
    /// The key itself.
    pub public_key: Option<Fixed<32>>,
    /// Messages with their words.
    pub messages: usize,
    /// Messages whose words were erased.
    pub erased: usize,
    /// Entries of the journal that were followed, stubs included.
    pub entries: usize,
    /// What is wrong; empty when the file is sound.
    pub faults: Vec<String>,
}

impl Verdict {
    /// Whether every byte of the file is signed or follows from what is signed.
    pub const fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    fn fault(&mut self, text: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(text.into());
        }
    }
}

/// Checks a file. `opens` is asked of every entry that has words whether its seal opens to them, where
/// somebody has the keys to tell.
pub fn verify(file: &[u8], mut opens: Option<&mut dyn FnMut(&ClearEntry) -> bool>) -> Verdict {
    let mut verdict = Verdict::default();
    let Some(parts) = Parts::of(file) else {
        verdict.fault("This is no file that MotoReach exported, or it was cut off.");
        return verdict;
    };
    let signature: Signature = match serde_json::from_slice(parts.signature) {
        Ok(signature) => signature,
        Err(error) => {
            verdict.fault(format!("Its signature cannot be read: {error}."));
            return verdict;
        }
    };
    verdict.fingerprint = Some(fingerprint(&signature.public_key));
    verdict.public_key = Some(signature.public_key);
    let mut sha = [0; 32];
    sha.copy_from_slice(digest(&SHA256, parts.data).as_ref());
    if check_export(&signature.public_key.0, &sha, &signature.signature.0).is_err() {
        verdict.fault("Its data are not what was signed: something was changed after that.");
    }
    let data: Data = match serde_json::from_slice(parts.data) {
        Ok(data) => data,
        Err(error) => {
            verdict.fault(format!("Its data cannot be read: {error}."));
            return verdict;
        }
    };
    if data.header.format != EXPORT_FORMAT {
        verdict.fault("It was made by a newer MotoReach: verify it with that one.");
        return verdict;
    }
    follow(&data, &signature.public_key, &mut verdict);
    for line in &data.entries {
        if let Line::Clear(entry) = line {
            entry_is_sound(&data.header, entry, &mut verdict);
            if entry.kind == "message_posted" {
                match entry.body {
                    Some(_) => verdict.messages += 1,
                    None => verdict.erased += 1,
                }
            }
            if let Some(opens) = &mut opens
                && !opens(entry)
            {
                verdict.fault(format!(
                    "Entry {} is sealed with other words, or with other keys.",
                    entry.seq
                ));
            }
        }
    }
    let told = i64::try_from(verdict.messages + verdict.erased).ok();
    if told != Some(data.header.messages) {
        verdict.fault("It does not have as many messages as it says.");
    }
    if let Err(at) = reads_as_the_data_say(&data, &signature, &parts) {
        verdict.fault(format!(
            "What it shows is not what its data say (the first difference is {at} bytes in)."
        ));
    }
    verdict.header = Some(data.header);
    verdict
}

/// A file, taken apart.
struct Parts<'f> {
    before: &'f [u8],
    data: &'f [u8],
    after: &'f [u8],
    signature: &'f [u8],
}

impl<'f> Parts<'f> {
    fn of(file: &'f [u8]) -> Option<Self> {
        let opens = find(file, DATA_OPENS)? + DATA_OPENS.len();
        let (before, rest) = file.split_at(opens);
        let (data, after) = rest.split_at(find(rest, DATA_ENDS)?);
        let at = find(after, SIGNATURE_OPENS)? + SIGNATURE_OPENS.len();
        let signature = after.get(at..)?;
        let signature = signature.get(..find(signature, DATA_ENDS)?)?;
        Some(Self {
            before,
            data,
            after,
            signature,
        })
    }
}

fn find(bytes: &[u8], text: &str) -> Option<usize> {
    bytes
        .windows(text.len())
        .position(|window| window == text.as_bytes())
}

/// Walks the chain from the place before the first entry to the signed one.
fn follow(data: &Data, public_key: &Fixed<32>, verdict: &mut Verdict) {
    let header = &data.header;
    let mut chain = Chain::from_bytes(header.before.chain.0);
    let mut seq = header.before.seq;
    for line in &data.entries {
        seq += 1;
        verdict.entries += 1;
        let Some(log) = header.logs.iter().rev().find(|log| log.first <= seq) else {
            verdict.fault(format!("Entry {seq} belongs to no journal."));
            return;
        };
        let log = LogId::new(log.log);
        let link = match line {
            Line::Clear(entry) => {
                if entry.seq != seq {
                    verdict.fault(format!(
                        "Where entry {seq} belongs stands entry {}: something was left out or moved.",
                        entry.seq
                    ));
                }
                Link {
                    log: *log.as_bytes(),
                    seq: seq.unsigned_abs(),
                    event: *EventId::new(entry.id).as_bytes(),
                    kind: &entry.kind,
                    flags: entry.flags,
                    body_sha: entry.sha.0,
                }
            }
            Line::Stub(Stub(id, kind, flags, sha)) => Link {
                log: *log.as_bytes(),
                seq: seq.unsigned_abs(),
                event: id.0,
                kind,
                flags: *flags,
                body_sha: sha.0,
            },
        };
        chain = chain.next(&link);
    }
    let head = SignedHead {
        position: Position {
            log: LogId::new(header.head.log),
            seq: Seq(header.head.seq),
            chain: Chain::from_bytes(header.head.chain.0),
        },
        signature: header.head.signature.0,
    };
    let newest = header.logs.iter().rev().find(|log| log.first <= seq);
    if seq != header.head.seq
        || chain != head.position.chain
        || newest.map(|log| log.log) != Some(header.head.log)
    {
        verdict.fault(
            "Its entries do not lead to the end that the workshop signed: one was changed, left out, \
             added or moved.",
        );
    }
    if head.check(&public_key.0).is_err() {
        verdict.fault("The end of its journal is not signed by the key that signed the file.");
    }
}

fn entry_is_sound(header: &Header, entry: &ClearEntry, verdict: &mut Verdict) {
    let seq = entry.seq;
    if entry.flags & STAFF_ONLY != 0
        || !header
            .requests
            .iter()
            .any(|request| request.thread == entry.thread)
    {
        verdict.fault(format!("Entry {seq} does not belong in this file."));
    }
    match (&entry.body, &entry.sealed) {
        (None, None) => {}
        (Some(_), Some(Long(sealed))) if body_sha(sealed) == entry.sha.0 => {}
        (Some(_) | None, Some(_)) | (Some(_), None) => {
            verdict.fault(format!("Entry {seq} is not what the journal has there."));
        }
    }
}

/// Makes the readable parts again; gives where the first difference is.
fn reads_as_the_data_say(
    data: &Data,
    signature: &Signature,
    parts: &Parts<'_>,
) -> Result<(), usize> {
    let mut before = Same::with(parts.before);
    let made = shown(data, &signature.public_key, &mut before);
    if made.is_err() || !before.is_at_its_end() {
        return Err(before.at);
    }
    let mut after = Same::with(parts.after);
    let made = after
        .write_all(DATA_ENDS.as_bytes())
        .and_then(|()| page::end(&mut after, signature));
    if made.is_err() || !after.is_at_its_end() {
        return Err(parts.before.len() + parts.data.len() + after.at);
    }
    Ok(())
}

fn shown(data: &Data, public_key: &Fixed<32>, out: &mut impl Write) -> io::Result<()> {
    let header = &data.header;
    page::begin(out, header, public_key)?;
    for request in &header.requests {
        page::request(out, header, request)?;
        for line in &data.entries {
            match line {
                Line::Clear(entry) if entry.thread == request.thread => page::entry(out, entry)?,
                Line::Clear(_) | Line::Stub(_) => {}
            }
        }
        page::request_ends(out)?;
    }
    page::proof(out, header, public_key)?;
    out.write_all(DATA_OPENS.as_bytes())
}

/// Takes what is written only as long as it is the same as what is there.
struct Same<'f> {
    there: &'f [u8],
    at: usize,
}

impl<'f> Same<'f> {
    const fn with(there: &'f [u8]) -> Self {
        Self { there, at: 0 }
    }

    const fn is_at_its_end(&self) -> bool {
        self.at == self.there.len()
    }
}

impl Write for Same<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let rest = &self.there[self.at..];
        let same = rest.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        self.at += same;
        if same == bytes.len() {
            Ok(same)
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
