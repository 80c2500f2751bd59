//! What the file is: complete in itself, and fit for every kernel that a Raspberry Pi runs.

use std::fs;

/// `e_machine` of a 64-bit ARM processor.
const AARCH64: u16 = 183;
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_NULL: u64 = 0;
const DT_NEEDED: u64 = 1;
/// A Raspberry Pi 5's kernel has pages of 16 KiB.
const PAGE_BYTES_MAX: u64 = 16 * 1024;
/// What we promise of its size: it goes over a workshop's slow line when it is updated.
const SIZE_BYTES_MAX: usize = 16 * 1024 * 1024;

#[test]
#[ignore = "`make arm` builds the program and runs this"]
fn it_needs_no_loader_and_no_library_and_fits_large_pages() {
    let program = super::program();
    let file = fs::read(program).unwrap();
    println!("size: {} bytes", file.len());
    assert!(file.len() <= SIZE_BYTES_MAX);
    // 64 bits, least significant byte first.
    assert_eq!(file[..6], [0x7f, b'E', b'L', b'F', 2, 1]);
    assert_eq!(number(&file, 18, 2), u64::from(AARCH64));
    let parts = parts(&file);
    assert!(parts.iter().any(|part| part.kind == PT_LOAD));
    for part in parts {
        match part.kind {
            PT_INTERP => panic!("it asks for a loader"),
            PT_DYNAMIC => assert!(
                !tags(&file[part.from..part.from + part.bytes]).contains(&DT_NEEDED),
                "it asks for a library"
            ),
            PT_LOAD => assert!(
                part.align >= PAGE_BYTES_MAX,
                "a kernel with pages of {PAGE_BYTES_MAX} bytes cannot load it: {}",
                part.align
            ),
            _ => {}
        }
    }
}

/// A program header.
struct Part {
    kind: u32,
    from: usize,
    bytes: usize,
    align: u64,
}

fn parts(file: &[u8]) -> Vec<Part> {
    let at = place(number(file, 32, 8));
    let (each, count) = (place(number(file, 54, 2)), place(number(file, 56, 2)));
    let part = |index| {
        let header = at + index * each;
        Part {
            kind: number(file, header, 4).try_into().unwrap(),
            from: place(number(file, header + 8, 8)),
            bytes: place(number(file, header + 32, 8)),
            align: number(file, header + 48, 8),
        }
    };
    (0..count).map(part).collect()
}

/// What a dynamic section speaks of; a program that relocates itself has one, too.
fn tags(dynamic: &[u8]) -> Vec<u64> {
    let tags = dynamic.chunks_exact(16).map(|entry| number(entry, 0, 8));
    tags.take_while(|tag| *tag != DT_NULL).collect()
}

fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let mut wide = [0; 8];
    wide[..length].copy_from_slice(&bytes[at..at + length]);
    u64::from_le_bytes(wide)
}

fn place(number: u64) -> usize {
    number.try_into().unwrap()
}
