//! A program in memory: written as an ELF file for qemu, mapped as guest memory for the engines.

use crate::base::{GuestAddr, PAGE};
use crate::mmu::{Backing, Prot, SoftMmu};

/// A run of pages with one permission.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Where it begins; a multiple of 4 KiB.
    pub addr: GuestAddr,
    /// Its contents; the rest of the last page is zero.
    pub bytes: Vec<u8>,
    /// Its permissions.
    pub prot: Prot,
}

/// A program.
#[derive(Clone, Debug)]
pub struct Image {
    /// Its memory, in ascending order.
    pub segments: Vec<Segment>,
    /// Its first instruction.
    pub entry: GuestAddr,
}

/// Where programs of [`Image::of_code`] and of `case` begin: above the lowest address that Linux lets programs map.
pub const CODE: GuestAddr = 0x1_0000;

// ELF-64 Object File Format, Version 1.5: sizes, and the constants that the fields below take.
const HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;
const EM_RISCV: u16 = 243;
/// RISC-V ELF psABI, `e_flags`: compressed instructions, double-precision calling convention.
const FLAGS: u32 = 5;

impl Image {
    /// One segment of code that begins at its start.
    pub fn of_code(code: &[u8], prot: Prot) -> Image {
        Image { segments: vec![Segment { addr: CODE, bytes: code.to_vec(), prot }], entry: CODE }
    }

    /// The program as a static ELF file.
    pub fn to_elf(&self) -> Vec<u8> {
        let mut elf = self.header();
        let mut offset = PAGE;
        for segment in &self.segments {
            elf.extend(program_header(segment, offset));
            offset += (segment.bytes.len() as u64).next_multiple_of(PAGE);
        }
        for segment in &self.segments {
            elf.resize(elf.len().next_multiple_of(PAGE as usize), 0);
            elf.extend(&segment.bytes);
        }
        elf
    }

    fn header(&self) -> Vec<u8> {
        // Magic; 64 bits, little-endian, version 1; padding.
        let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        // e_type = ET_EXEC, e_machine, e_version.
        out.extend(2u16.to_le_bytes());
        out.extend(EM_RISCV.to_le_bytes());
        out.extend(1u32.to_le_bytes());
        // e_entry, e_phoff, e_shoff.
        for field in [self.entry, HEADER, 0] {
            out.extend(field.to_le_bytes());
        }
        out.extend(FLAGS.to_le_bytes());
        // e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx.
        let count = self.segments.len() as u16;
        for field in [HEADER as u16, PROGRAM_HEADER as u16, count, 64, 0, 0] {
            out.extend(field.to_le_bytes());
        }
        out
    }

    /// The program as guest memory.
    ///
    /// # Panics
    /// If the host refuses the memory.
    pub fn to_mmu(&self) -> SoftMmu {
        let mmu = SoftMmu::try_new(0, false).unwrap_or_else(|error| panic!("guest memory: {error}"));
        for segment in &self.segments {
            let len = (segment.bytes.len() as u64).next_multiple_of(PAGE);
            let done = mmu.map(segment.addr, len, Prot::RW, Backing::Anonymous);
            done.unwrap_or_else(|error| panic!("segment at {:#x}: {error}", segment.addr));
            mmu.write(segment.addr, &segment.bytes).unwrap_or_else(|fault| panic!("{fault:?}"));
            mmu.protect(segment.addr, len, segment.prot).unwrap_or_else(|error| panic!("{error}"));
        }
        mmu
    }
}

fn program_header(segment: &Segment, offset: u64) -> Vec<u8> {
    let bit = |set: bool, bit: u32| if set { bit } else { 0 };
    // PF_R, PF_W, PF_X.
    let flags = bit(segment.prot.read, 4) | bit(segment.prot.write, 2) | bit(segment.prot.exec, 1);
    // p_type = PT_LOAD.
    let mut out = 1u32.to_le_bytes().to_vec();
    out.extend(flags.to_le_bytes());
    let len = segment.bytes.len() as u64;
    // p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align.
    for field in [offset, segment.addr, segment.addr, len, len, PAGE] {
        out.extend(field.to_le_bytes());
    }
    out
}
