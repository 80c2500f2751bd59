//! A backup file, whole, cut, bent and in the wrong hands.

use std::io::Cursor;

use proptest::prelude::*;

use super::super::pack::{Unpacking, pack, unpack};
use super::*;
use crate::domain::{LogId, Seq, WorkshopKey};
use crate::seal::{Chain, Position};

fn root() -> RootSecret {
    RootSecret::from_bytes([7; 32])
}

fn header(sealed: bool, database_bytes: u64) -> BackupHeader {
    BackupHeader {
        workshop: WorkshopKey::from_bytes([1; 16]),
        made_ms: 1_795_573_800_000,
        clock_was_sure: true,
        head: Position {
            log: LogId::from_bytes([2; 16]),
            seq: Seq(15),
            chain: Chain::from_bytes([3; 32]),
        },
        messages: 12,
        database_bytes,
        migration: 2,
        sealed,
        salt: [4; 32],
        program: "0.1.0".to_owned(),
    }
}

/// Bytes that do not compress, so that a file has several chunks.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    (0..bytes).map(|_| next()).collect()
}

fn packed(database: &[u8], sealed: bool) -> Vec<u8> {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("db");
    std::fs::write(&file, database).unwrap();
    let header = header(sealed, database.len() as u64);
    let body = BodyWriter::begin(Vec::new(), &root(), &header).unwrap();
    pack(&file, body, 1_795_573_800, |_| Ok(())).unwrap()
}

fn unpacked(bytes: &[u8], root: &RootSecret) -> Result<Vec<u8>, BackupUnreadable> {
    let mut from = Cursor::new(bytes);
    let header = read_header(&mut from)?;
    let temp = tempfile::tempdir().unwrap();
    let to = temp.path().join("db");
    match unpack(from, root, &header, &to, |_| Ok(())) {
        Ok(()) => Ok(std::fs::read(to).unwrap()),
        Err(Unpacking::Backup(error)) => Err(why(&error)),
        Err(Unpacking::Place(error)) => panic!("{error}"),
    }
}

#[test]
fn what_was_packed_comes_back_whatever_its_length() {
    let chunk = BACKUP_CHUNK_BYTES;
    for length in [0, 1, 511, 512, chunk - 1, chunk, chunk + 1, 5 * chunk + 17] {
        let database = noise(length);
        for sealed in [true, false] {
            let file = packed(&database, sealed);
            assert_eq!(unpacked(&file, &root()), Ok(database.clone()), "{length}");
        }
    }
}

#[test]
fn a_body_of_whole_chunks_ends_with_one_that_says_so() {
    for length in [0, 1, BACKUP_CHUNK_BYTES, 2 * BACKUP_CHUNK_BYTES] {
        let header = header(true, 0);
        let mut body = BodyWriter::begin(Vec::new(), &root(), &header).unwrap();
        body.write_all(&noise(length)).unwrap();
        let file = body.finish().unwrap();
        let mut from = Cursor::new(&file);
        read_header(&mut from).unwrap();
        let mut back = Vec::new();
        let mut body = BodyReader::new(from, &root(), &header).unwrap();
        body.read_to_end(&mut back).unwrap();
        assert_eq!(back, noise(length));
    }
}

#[test]
fn nothing_of_a_sealed_file_is_readable_and_a_plain_one_is_an_ordinary_archive() {
    let words = "the brakes of KL 07 AB 1234 squeal".repeat(50);
    let is_in = |file: &[u8], part: &[u8]| file.windows(part.len()).any(|window| window == part);
    let sealed = packed(words.as_bytes(), true);
    assert!(!is_in(&sealed, b"motoreach.db") && !is_in(&sealed, &[0x1f, 0x8b]));
    let plain = packed(words.as_bytes(), false);
    let archive = flate2::read::GzDecoder::new(&plain[BACKUP_HEADER_BYTES..]);
    let mut archive = tar::Archive::new(archive);
    let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(entry.path().unwrap().to_str(), Some("motoreach.db"));
    let mut back = String::new();
    entry.read_to_string(&mut back).unwrap();
    assert_eq!(back, words);
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused() {
    for sealed in [true, false] {
        let file = packed(&noise(3 * BACKUP_CHUNK_BYTES), sealed);
        for cut in (0..file.len()).step_by(997).chain([file.len() - 1]) {
            let refused = unpacked(&file[..cut], &root()).unwrap_err();
            let expected: &[_] = match cut {
                0..16 => &[BackupUnreadable::NotABackup],
                16..BACKUP_HEADER_BYTES => &[BackupUnreadable::CutOff],
                _ => &[BackupUnreadable::CutOff, BackupUnreadable::Damaged],
            };
            assert!(expected.contains(&refused), "{cut}: {refused:?}");
        }
    }
    // At the border of two chunks it is known for what it is.
    let file = packed(&noise(3 * BACKUP_CHUNK_BYTES), true);
    let border = BACKUP_HEADER_BYTES + BACKUP_CHUNK_BYTES + BACKUP_TAG_BYTES;
    for cut in [BACKUP_HEADER_BYTES, border] {
        assert_eq!(
            unpacked(&file[..cut], &root()),
            Err(BackupUnreadable::CutOff)
        );
    }
}

#[test]
fn chunks_that_changed_places_and_bytes_at_the_end_are_refused() {
    let file = packed(&noise(3 * BACKUP_CHUNK_BYTES), true);
    let chunk = BACKUP_CHUNK_BYTES + BACKUP_TAG_BYTES;
    let (first, second) = (BACKUP_HEADER_BYTES, BACKUP_HEADER_BYTES + chunk);
    let mut swapped = file.clone();
    swapped[first..second].copy_from_slice(&file[second..second + chunk]);
    swapped[second..second + chunk].copy_from_slice(&file[first..second]);
    assert_eq!(unpacked(&swapped, &root()), Err(BackupUnreadable::Damaged));
    for sealed in [true, false] {
        for more in [&b"x"[..], &noise(2 * chunk)] {
            let longer = [packed(b"abc", sealed), more.to_vec()].concat();
            assert_eq!(unpacked(&longer, &root()), Err(BackupUnreadable::Damaged));
        }
    }
}

#[test]
fn other_words_do_not_open_it() {
    let file = packed(b"abc", true);
    let other = RootSecret::from_bytes([8; 32]);
    assert_eq!(unpacked(&file, &other), Err(BackupUnreadable::Damaged));
}

#[test]
fn what_is_no_backup_is_told_so() {
    for other in [
        &b""[..],
        b"PK\x03\x04",
        b"<!doctype html>",
        &noise(3 * BACKUP_HEADER_BYTES),
    ] {
        assert_eq!(unpacked(other, &root()), Err(BackupUnreadable::NotABackup));
    }
}

proptest! {
    #[test]
    fn a_flipped_bit_anywhere_is_noticed(at in any::<prop::sample::Index>(), bit in 0..8_u8, sealed: bool) {
        let database = noise(BACKUP_CHUNK_BYTES + 100);
        let mut file = packed(&database, sealed);
        // A plain file is gzip's: of its own header only what changes the contents counts.
        let from = if sealed { 0 } else { BACKUP_HEADER_BYTES + 10 };
        let place = from + at.index(file.len() - from);
        file[place] ^= 1 << bit;
        prop_assert!(unpacked(&file, &root()).is_err());
    }

    #[test]
    fn any_bytes_come_back(database: Vec<u8>, sealed: bool) {
        let file = packed(&database, sealed);
        prop_assert_eq!(unpacked(&file, &root()), Ok(database));
    }

    #[test]
    fn hostile_bodies_never_panic(noise: Vec<u8>, sealed: bool) {
        let header = header(sealed, 3);
        let file = [&header.block()[..], &noise].concat();
        prop_assert!(unpacked(&file, &root()).is_err());
    }
}
