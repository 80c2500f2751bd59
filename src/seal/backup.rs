//! The seal of a backup file: a header that anybody may read, and chunks that only the recovery words
//! open. `store::backup` writes and reads the bytes.
//!
//! ```text
//! 4,096 bytes   "motoreach-backup" | version (1) | length u16 BE | header in CBOR | SHA-256 | zeros
//! then, sealed  chunks of 64 KiB, each with a tag of 16 bytes; the last one may be shorter
//!       plain   the same tar.gz as it is: `tail -c +4097 FILE | tar -xz` opens it
//! ```
//! Chunks are sealed with AES-256-GCM as in the STREAM construction: nonce = the salt's first 7 bytes |
//! counter u32 BE | 1 for the last chunk, otherwise 0; AAD = SHA-256 of the whole header block. The key
//! is `root.derive("backup", [salt])`, and the salt is random for each file, so no nonce is used twice.
//! What is cut off, reordered, moved from another file or changed anywhere does not open.
//!
//! The root secret is in no backup, sealed or plain: whoever restores has the words. The beginning up to
//! the SHA-256 is the same in every version, so that a newer file is known as one.

use minicbor::{Decode, Encode};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};

use super::carried::Position;
use super::key::Key;
use super::root::RootSecret;
use super::sealed::SealBroken;
use crate::domain::{BackupUnreadable, WorkshopKey};

/// What stands before the chunks, in bytes: one page of a disk.
pub const BACKUP_HEADER_BYTES: usize = 4_096;
/// What one chunk holds, in bytes; the last may hold less.
pub const BACKUP_CHUNK_BYTES: usize = 64 * 1_024;
/// What sealing adds to a chunk, in bytes.
pub const BACKUP_TAG_BYTES: usize = 16;

const MAGIC: &[u8; 16] = b"motoreach-backup";
const VERSION: u8 = 1;
/// Magic, version and length.
const BEFORE_BYTES: usize = 19;
const SHA_BYTES: usize = 32;
const PREFIX_BYTES: usize = 7;

/// What a backup says of itself without any words.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BackupHeader {
    /// Whose it is; the recovery words alone give this id.
    #[n(0)]
    pub workshop: WorkshopKey,
    /// When the database was as it is in here, in milliseconds since 1970.
    #[n(1)]
    pub made_ms: i64,
    /// Whether the box had been told the time then. If not, `made_ms` orders nothing.
    #[n(2)]
    pub clock_was_sure: bool,
    /// Where the journal ends in it.
    #[n(3)]
    pub head: Position,
    /// Messages in it.
    #[n(4)]
    pub messages: u64,
    /// The length of the database, in bytes, before it was compressed.
    #[n(5)]
    pub database_bytes: u64,
    /// The database's own version.
    #[n(6)]
    pub migration: u32,
    /// Whether the chunks are sealed.
    #[n(7)]
    pub sealed: bool,
    /// Random, of this file alone.
    #[cbor(n(8), with = "minicbor::bytes")]
    pub salt: [u8; 32],
    /// The program that made it.
    #[n(9)]
    pub program: String,
}

impl BackupHeader {
    /// The block that a file begins with.
    pub fn block(&self) -> [u8; BACKUP_HEADER_BYTES] {
        let mut block = [0; BACKUP_HEADER_BYTES];
        let header = minicbor::to_vec(self).expect("writing to memory does not fail");
        let length = u16::try_from(header.len()).expect("a header is some 200 bytes");
        block[..16].copy_from_slice(MAGIC);
        block[16] = VERSION;
        block[17..BEFORE_BYTES].copy_from_slice(&length.to_be_bytes());
        let end = BEFORE_BYTES + header.len();
        block[BEFORE_BYTES..end].copy_from_slice(&header);
        let sha = digest(&SHA256, &block[..end]);
        block[end..end + SHA_BYTES].copy_from_slice(sha.as_ref());
        block
    }

    /// Reads the block back.
    ///
    /// # Errors
    /// It is no backup, of a newer kind, or damaged.
    pub fn parse(block: &[u8; BACKUP_HEADER_BYTES]) -> Result<Self, BackupUnreadable> {
        if !block.starts_with(MAGIC) {
            return Err(BackupUnreadable::NotABackup);
        }
        let length = usize::from(u16::from_be_bytes([block[17], block[18]]));
        let end = BEFORE_BYTES + length;
        let sha = block.get(end..end + SHA_BYTES);
        if sha != Some(digest(&SHA256, &block[..end.min(BACKUP_HEADER_BYTES)]).as_ref()) {
            return Err(BackupUnreadable::Damaged);
        }
        if block[16] != VERSION {
            return Err(BackupUnreadable::Newer);
        }
        if block[end + SHA_BYTES..].iter().any(|byte| *byte != 0) {
            return Err(BackupUnreadable::Damaged);
        }
        minicbor::decode(&block[BEFORE_BYTES..end]).map_err(|_| BackupUnreadable::Damaged)
    }
}

/// Whether a chunk is the last one of its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChunkPlace {
    /// Others come after it.
    Inside,
    /// None comes after it.
    Last,
}

/// Seals or opens the chunks of one file, in their order.
pub struct ChunkSeal {
    key: LessSafeKey,
    prefix: [u8; PREFIX_BYTES],
    header_sha: [u8; SHA_BYTES],
    counter: u32,
}

impl ChunkSeal {
    /// For the file that begins with this header.
    pub fn new(root: &RootSecret, header: &BackupHeader) -> Self {
        let key: Key = root.derive("backup", &[&header.salt]);
        let key = UnboundKey::new(&AES_256_GCM, key.as_bytes()).expect("AES-256 takes 32 bytes");
        let (mut prefix, mut header_sha) = ([0; PREFIX_BYTES], [0; SHA_BYTES]);
        prefix.copy_from_slice(&header.salt[..PREFIX_BYTES]);
        header_sha.copy_from_slice(digest(&SHA256, &header.block()).as_ref());
        Self {
            key: LessSafeKey::new(key),
            prefix,
            header_sha,
            counter: 0,
        }
    }

    /// Seals the next chunk in its place; its tag comes after it.
    pub fn seal(&mut self, chunk: &mut Vec<u8>, place: ChunkPlace) {
        let nonce = self.nonce(place);
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(self.header_sha), chunk)
            .expect("AES-GCM takes up to 64 GiB, a chunk is 64 KiB");
        self.next();
    }

    /// Opens the next chunk in its place; its tag is gone.
    ///
    /// # Errors
    /// It was not sealed with these words for this place of this file.
    pub fn open(&mut self, chunk: &mut Vec<u8>, place: ChunkPlace) -> Result<(), SealBroken> {
        let nonce = self.nonce(place);
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(self.header_sha), chunk)
            .map_err(|_| SealBroken)?
            .len();
        chunk.truncate(plain);
        self.next();
        Ok(())
    }

    fn nonce(&self, place: ChunkPlace) -> Nonce {
        let mut nonce = [0; 12];
        nonce[..PREFIX_BYTES].copy_from_slice(&self.prefix);
        nonce[PREFIX_BYTES..11].copy_from_slice(&self.counter.to_be_bytes());
        nonce[11] = u8::from(place == ChunkPlace::Last);
        Nonce::assume_unique_for_key(nonce)
    }

    fn next(&mut self) {
        self.counter = self
            .counter
            .checked_add(1)
            .expect("2^32 chunks are 256 TiB, more than any disk of a box");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{LogId, Seq};
    use crate::seal::Chain;

    fn header() -> BackupHeader {
        BackupHeader {
            workshop: WorkshopKey::from_bytes([1; 16]),
            made_ms: 1_795_573_800_000,
            clock_was_sure: true,
            head: Position {
                log: LogId::from_bytes([2; 16]),
                seq: Seq(1_500),
                chain: Chain::from_bytes([3; 32]),
            },
            messages: 1_204,
            database_bytes: 2_097_152,
            migration: 2,
            sealed: true,
            salt: [4; 32],
            program: "0.1.0".to_owned(),
        }
    }

    fn root() -> RootSecret {
        RootSecret::from_bytes([7; 32])
    }

    #[test]
    fn a_header_comes_back_as_it_was_written() {
        assert_eq!(BackupHeader::parse(&header().block()), Ok(header()));
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_noticed() {
        let block = header().block();
        for bit in 0..block.len() * 8 {
            let mut broken = block;
            broken[bit / 8] ^= 1 << (bit % 8);
            let fault = BackupHeader::parse(&broken).unwrap_err();
            let expected = if bit < 16 * 8 {
                BackupUnreadable::NotABackup
            } else {
                BackupUnreadable::Damaged
            };
            assert_eq!(fault, expected, "bit {bit}");
        }
    }

    #[test]
    fn a_newer_file_is_known_as_one() {
        let mut block = header().block();
        let length = usize::from(u16::from_be_bytes([block[17], block[18]]));
        block[16] = 2;
        let end = BEFORE_BYTES + length;
        let sha = digest(&SHA256, &block[..end]);
        block[end..end + SHA_BYTES].copy_from_slice(sha.as_ref());
        assert_eq!(BackupHeader::parse(&block), Err(BackupUnreadable::Newer));
    }

    #[test]
    fn a_chunk_opens_in_its_place_of_its_file_with_its_words_alone() {
        let mut seal = ChunkSeal::new(&root(), &header());
        let mut chunks = [b"first".to_vec(), b"second".to_vec(), b"last".to_vec()];
        let places = [ChunkPlace::Inside, ChunkPlace::Inside, ChunkPlace::Last];
        for (chunk, place) in chunks.iter_mut().zip(places) {
            seal.seal(chunk, place);
        }
        let open = |root: &RootSecret, header: &BackupHeader, chunks: &[Vec<u8>]| {
            let mut seal = ChunkSeal::new(root, header);
            let mut plain = Vec::new();
            for (chunk, place) in chunks.iter().zip(places) {
                let mut chunk = chunk.clone();
                seal.open(&mut chunk, place)?;
                plain.extend(chunk);
            }
            Ok::<_, SealBroken>(plain)
        };
        let (root, header) = (root(), header());
        assert_eq!(
            open(&root, &header, &chunks),
            Ok(b"firstsecondlast".to_vec())
        );

        let other = RootSecret::from_bytes([8; 32]);
        assert_eq!(open(&other, &header, &chunks), Err(SealBroken));
        let mut elsewhere = header.clone();
        elsewhere.messages += 1;
        assert_eq!(open(&root, &elsewhere, &chunks), Err(SealBroken));
        let [first, second, last] = chunks;
        for wrong in [
            vec![second.clone(), first.clone(), last.clone()],
            vec![first.clone(), last.clone(), second.clone()],
            vec![first.clone(), first.clone(), last],
            vec![first.clone(), second.clone(), second],
        ] {
            assert_eq!(open(&root, &header, &wrong), Err(SealBroken));
        }
    }

    proptest! {
        #[test]
        fn any_header_comes_back(
            workshop: [u8; 16], made_ms: i64, clock_was_sure: bool, log: [u8; 16],
            seq in 0..i64::MAX, chain: [u8; 32], messages: u64, database_bytes: u64,
            migration: u32, sealed: bool, salt: [u8; 32], program in "\\PC{0,40}",
        ) {
            let header = BackupHeader {
                workshop: WorkshopKey::from_bytes(workshop),
                made_ms,
                clock_was_sure,
                head: Position {
                    log: LogId::from_bytes(log),
                    seq: Seq(seq),
                    chain: Chain::from_bytes(chain),
                },
                messages,
                database_bytes,
                migration,
                sealed,
                salt,
                program,
            };
            prop_assert_eq!(BackupHeader::parse(&header.block()), Ok(header));
        }

        #[test]
        fn hostile_blocks_never_panic(noise: Vec<u8>, after in 0..200_usize, magic: bool) {
            let mut block = [0; BACKUP_HEADER_BYTES];
            for (place, byte) in block.iter_mut().skip(after).zip(noise) {
                *place = byte;
            }
            if magic {
                block[..16].copy_from_slice(MAGIC);
            }
            prop_assert!(BackupHeader::parse(&block).is_err());
        }
    }
}
