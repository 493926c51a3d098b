//! Tests of the ELF parser on images built here, sound and hostile.

use super::*;

/// A file with one program header table and the given headers (type, flags, offset, vaddr, filesz, memsz, align).
pub fn file(kind: u16, entry: u64, headers: &[(u32, u32, u64, u64, u64, u64, u64)], len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len.max(HEADER + headers.len() * PHDR as usize)];
    bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(16, &kind.to_le_bytes());
    put(18, &EM_RISCV.to_le_bytes());
    put(20, &1u32.to_le_bytes());
    put(24, &entry.to_le_bytes());
    put(32, &64u64.to_le_bytes());
    put(54, &56u16.to_le_bytes());
    put(56, &(headers.len() as u16).to_le_bytes());
    for (index, &(kind, flags, offset, vaddr, filesz, memsz, align)) in headers.iter().enumerate() {
        let at = HEADER + index * PHDR as usize;
        put(at, &kind.to_le_bytes());
        put(at + 4, &flags.to_le_bytes());
        for (field, value) in [offset, vaddr, vaddr, filesz, memsz, align].into_iter().enumerate() {
            put(at + 8 + field * 8, &value.to_le_bytes());
        }
    }
    bytes
}

fn good() -> Vec<u8> {
    let load = [
        (PT_LOAD, 5, 0, 0x10000, 0x1000, 0x1000, 0x1000),
        (PT_LOAD, 6, 0x1000, 0x12000, 0x10, 0x2010, 0x1000),
    ];
    file(ET_EXEC, 0x10100, &load, 0x1010)
}

#[test]
fn a_sound_image_is_understood() {
    let image = parse(&good()).unwrap();
    assert_eq!((image.entry, image.relocatable, image.segments.len()), (0x10100, false, 2));
    assert_eq!((image.low(), image.high(), image.phdr), (0x10000, 0x15000, 0x10040));
    assert_eq!(image.segments[0].prot, Prot::RX);
}

#[test]
fn every_truncation_is_an_error() {
    let good = good();
    for len in 0..good.len() {
        let got = parse(&good[..len]).unwrap_err();
        assert!(matches!(got, ElfError::NotElf | ElfError::Truncated), "{len}: {got:?}");
    }
}

#[test]
fn broken_headers_are_named() {
    let patch = |at: usize, value: u8| {
        let mut bytes = good();
        bytes[at] = value;
        parse(&bytes).unwrap_err()
    };
    assert_eq!(patch(0, 0), ElfError::NotElf);
    assert_eq!(patch(4, 1), ElfError::WrongMachine(243));
    assert_eq!(patch(5, 2), ElfError::WrongMachine(243));
    assert_eq!(patch(18, 62), ElfError::WrongMachine(62));
    assert_eq!(patch(16, 1), ElfError::NotExecutable(1));
    assert!(matches!(patch(6, 9), ElfError::BadHeader(_)));
    assert!(matches!(patch(48, 8), ElfError::BadHeader(_)));
    assert!(matches!(patch(54, 55), ElfError::BadHeader(_)));
    assert!(matches!(patch(56, 0), ElfError::BadHeader(_)));
    assert!(matches!(patch(57, 0xff), ElfError::BadHeader(_)));
    // The entry point outside, in data, or odd.
    assert!(matches!(patch(26, 9), ElfError::BadHeader(_)));
    assert!(matches!(patch(25, 0x20), ElfError::BadHeader(_)));
    assert!(matches!(patch(24, 1), ElfError::BadHeader(_)));
}

#[test]
fn broken_segments_are_refused() {
    let one = |header| parse(&file(ET_EXEC, 0x10000, &[header], 0x2000)).unwrap_err();
    let bad = |error| matches!(error, ElfError::BadSegment(_));
    assert!(bad(one((PT_LOAD, 5, 0, 0x10000, 0x1000, 0xfff, 0x1000))));
    assert!(bad(one((PT_LOAD, 5, 0, 0x10000, 0x1000, 1 << 33, 0x1000))));
    assert!(bad(one((PT_LOAD, 5, 0, u64::MAX - 0xfff, 0x1000, 0x2000, 0x1000))));
    assert!(bad(one((PT_LOAD, 5, 0x10, 0x10000, 0x1000, 0x1000, 0x1000))));
    assert!(bad(one((PT_LOAD, 5, 0, 0x10000, 0x1000, 0x1000, 0x1001))));
    assert!(bad(one((PT_LOAD, 5, 0, 0x10000, 0x1000, 0x1000, 1 << 40))));
    assert!(bad(one((PT_LOAD, 5, 0, 0x10000, 0, 0, 0x1000))));
    assert_eq!(one((PT_LOAD, 5, 0, 0x10000, 0x3000, 0x3000, 0x1000)), ElfError::Truncated);
    assert_eq!(one((PT_LOAD, 5, u64::MAX - 0xfff, 0x10000, 0x1000, 0x3000, 0x1000)), ElfError::Truncated);
    let load = (PT_LOAD, 5, 0, 0x10000, 0x1000, 0x1000, 0x1000);
    assert!(bad(parse(&file(ET_EXEC, 0x10000, &[load, load], 0x2000)).unwrap_err()));
    // Two segments in one page: only if both show the same page of the file.
    let text = (PT_LOAD, 5, 0, 0x10000, 0x800, 0x800, 0x1000);
    let with = |second| parse(&file(ET_EXEC, 0x10000, &[text, second], 0x2000));
    assert!(with((PT_LOAD, 6, 0x800, 0x10800, 0x100, 0x100, 0x1000)).is_ok());
    assert!(with((PT_LOAD, 6, 0x1800, 0x10800, 0x100, 0x100, 0x1000)).is_err());
    assert!(with((PT_LOAD, 6, 0x800, 0x10800, 0, 0x100, 0x1000)).is_err());
}

#[test]
fn the_interpreter_is_a_bounded_string() {
    let load = (PT_LOAD, 5, 0, 0, 0x1000, 0x1000, 0x1000);
    let with = |text: &[u8], size: u64| {
        let mut bytes = file(ET_DYN, 0x100, &[load, (PT_INTERP, 4, 0x400, 0x400, size, size, 1)], 0x1000);
        bytes[0x400..0x400 + text.len()].copy_from_slice(text);
        parse(&bytes)
    };
    assert_eq!(with(b"/lib/ld.so\0", 11).unwrap().interp.unwrap(), b"/lib/ld.so");
    assert!(with(b"/lib/ld.so", 10).is_err());
    assert!(with(b"/lib\0ld.so\0", 11).is_err());
    assert!(with(b"", u64::MAX).is_err());
    assert!(with(b"", 0x1000).is_err());
}

#[test]
fn random_damage_never_panics() {
    fn damaged(changes: Vec<(u16, u8)>) -> bool {
        let mut bytes = good();
        for (at, value) in changes {
            let len = bytes.len();
            bytes[usize::from(at) % 0x100 % len] = value;
        }
        symbols(&bytes.as_slice());
        match parse(&bytes) {
            Ok(image) => image.segments.iter().all(|s| s.vaddr + s.mem_size <= SPACE),
            Err(_) => true,
        }
    }
    quickcheck::QuickCheck::new().tests(5000).quickcheck(damaged as fn(Vec<(u16, u8)>) -> bool);
}

#[test]
fn symbols_come_from_the_tables() {
    let mut bytes = good();
    let shoff = bytes.len() as u64;
    let mut section = |kind: u32, offset: u64, size: u64, link: u32| {
        let mut header = [0u8; SHDR as usize];
        header[4..8].copy_from_slice(&kind.to_le_bytes());
        header[24..32].copy_from_slice(&offset.to_le_bytes());
        header[32..40].copy_from_slice(&size.to_le_bytes());
        header[40..44].copy_from_slice(&link.to_le_bytes());
        bytes.extend_from_slice(&header);
    };
    section(0, 0, 0, 0);
    section(SHT_SYMTAB, shoff + 3 * SHDR, 3 * SYM as u64, 2);
    section(3, shoff + 3 * SHDR + 3 * SYM as u64, 12, 0);
    let entry = |name: u32, info: u8, section: u16, addr: u64| {
        let mut entry = name.to_le_bytes().to_vec();
        entry.extend([info, 0]);
        entry.extend(section.to_le_bytes());
        entry.extend(addr.to_le_bytes());
        entry.extend(8u64.to_le_bytes());
        entry
    };
    bytes.extend([entry(0, 0, 0, 0), entry(1, 0x12, 1, 0x10100), entry(6, 0x12, 0, 0)].concat());
    bytes.extend(b"\0main\0putx\0\0");
    bytes[40..48].copy_from_slice(&shoff.to_le_bytes());
    bytes[58..60].copy_from_slice(&64u16.to_le_bytes());
    bytes[60..62].copy_from_slice(&3u16.to_le_bytes());
    let found = symbols(&bytes.as_slice());
    assert_eq!(found, [Symbol { name: "main".into(), addr: 0x10100, size: 8 }]);
}
