//! ELF64 for riscv64: what a program file asks to have mapped, and its symbols.
//!
//! Everything here is pure: it reads a [`Source`] and returns numbers. The file is not trusted: every offset and
//! size is checked against the file and against the guest space before it is used, and nothing is allocated whose
//! size the file could claim without having it.
//!
//! Source: System V gABI chapters 4 and 5; RISC-V ELF psABI, "File Header" and "Program Header Table".

use crate::base::error::ElfError;
use crate::base::{GuestAddr, PAGE, SPACE};
use crate::mmu::Prot;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// `e_machine` of RISC-V (RISC-V ELF psABI, "File Header").
const EM_RISCV: u16 = 243;
/// `e_flags`: the program uses only 16 registers (RISC-V ELF psABI, "File Header").
const EF_RISCV_RVE: u32 = 8;
const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;
const PT_LOAD: u32 = 1;
const PT_INTERP: u32 = 3;
const PT_PHDR: u32 = 6;
const PT_GNU_STACK: u32 = 0x6474_e551;
const SHT_SYMTAB: u32 = 2;
const SHT_DYNSYM: u32 = 11;

const HEADER: usize = 64;
pub(super) const PHDR: u64 = 56;
const SHDR: u64 = 64;
const SYM: usize = 24;
/// Far above what any linker makes; Linux itself stops at 64 KiB of program headers.
const MAX_PHDRS: u64 = 512;
/// Far above what any linker makes; a file with more sections has its symbols ignored.
const MAX_SHDRS: u64 = 65_536;
/// Longest path of an interpreter, as Linux has it (`PATH_MAX`).
const MAX_INTERP: u64 = 4096;

/// Bytes to parse: a slice or an open file.
pub trait Source {
    /// Length in bytes.
    fn length(&self) -> u64;
    /// Fills `into` from `offset`.
    ///
    /// # Errors
    /// `ElfError::Truncated` if the source ends before or cannot be read.
    fn read_exact(&self, offset: u64, into: &mut [u8]) -> Result<(), ElfError>;

    /// `len` bytes from `offset`; allocates only what the source has.
    ///
    /// # Errors
    /// As [`Source::read_exact`].
    fn bytes(&self, offset: u64, len: u64) -> Result<Vec<u8>, ElfError> {
        let end = offset.checked_add(len).filter(|&end| end <= self.length());
        let len = end.and_then(|_| usize::try_from(len).ok()).ok_or(ElfError::Truncated)?;
        let mut bytes = vec![0; len];
        self.read_exact(offset, &mut bytes)?;
        Ok(bytes)
    }
}

impl Source for &[u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read_exact(&self, offset: u64, into: &mut [u8]) -> Result<(), ElfError> {
        let start = usize::try_from(offset).map_err(|_| ElfError::Truncated)?;
        let end = start.checked_add(into.len()).ok_or(ElfError::Truncated)?;
        into.copy_from_slice(self.get(start..end).ok_or(ElfError::Truncated)?);
        Ok(())
    }
}

impl Source for File {
    fn length(&self) -> u64 {
        self.metadata().map_or(0, |meta| meta.len())
    }

    fn read_exact(&self, offset: u64, into: &mut [u8]) -> Result<(), ElfError> {
        self.read_exact_at(into, offset).map_err(|_| ElfError::Truncated)
    }
}

/// One `PT_LOAD` header. Addresses are those of the file; the load bias comes on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub vaddr: GuestAddr,
    pub mem_size: u64,
    pub file_size: u64,
    pub offset: u64,
    pub prot: Prot,
}

/// What a program file asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// True for `ET_DYN`: the image may be placed anywhere.
    pub relocatable: bool,
    pub entry: GuestAddr,
    /// Ascending and disjoint, at least one, each inside the guest space.
    pub segments: Vec<Segment>,
    /// Address of the program headers in memory, 0 if no segment holds them.
    pub phdr: GuestAddr,
    pub phnum: u64,
    /// Path of the program interpreter, without its NUL.
    pub interp: Option<Vec<u8>>,
    /// `PT_GNU_STACK` asks for an executable stack.
    pub exec_stack: bool,
    /// The largest alignment of a segment, a power of two.
    pub align: u64,
}

impl Image {
    /// First page of the image.
    pub fn low(&self) -> GuestAddr {
        self.segments.first().map_or(0, |segment| segment.vaddr / PAGE * PAGE)
    }

    /// End of the last page of the image.
    pub fn high(&self) -> GuestAddr {
        self.segments.last().map_or(0, |segment| (segment.vaddr + segment.mem_size).next_multiple_of(PAGE))
    }
}

fn le<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    if let Some(from) = at.checked_add(N).and_then(|end| bytes.get(at..end)) {
        field.copy_from_slice(from);
    }
    field
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(le(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(le(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(le(bytes, at))
}

/// Parses a whole file held in memory.
///
/// # Errors
/// The first defect found.
pub fn parse(bytes: &[u8]) -> Result<Image, ElfError> {
    parse_source(&bytes)
}

/// As [`parse`], reading only headers.
///
/// # Errors
/// The first defect found.
pub fn parse_source(source: &dyn Source) -> Result<Image, ElfError> {
    let mut header = [0; HEADER];
    let have = source.length().min(HEADER as u64) as usize;
    source.read_exact(0, &mut header[..have])?;
    if header[..4] != *b"\x7fELF" {
        return Err(ElfError::NotElf);
    }
    if have < HEADER {
        return Err(ElfError::Truncated);
    }
    let relocatable = check_header(&header)?;
    let (phoff, phnum) = (u64_at(&header, 32), u64::from(u16_at(&header, 56)));
    if phnum == 0 || phnum > MAX_PHDRS {
        return Err(ElfError::BadHeader("number of program headers"));
    }
    let table = source.bytes(phoff, phnum * PHDR)?;
    let mut image = Image {
        relocatable,
        entry: u64_at(&header, 24),
        segments: Vec::new(),
        phdr: 0,
        phnum,
        interp: None,
        exec_stack: false,
        align: PAGE,
    };
    for entry in table.chunks_exact(PHDR as usize) {
        program_header(source, entry, &mut image)?;
    }
    check_segments(&image)?;
    if image.phdr == 0 {
        image.phdr = find_phdr(&image, phoff, phnum * PHDR);
    }
    Ok(image)
}

/// Checks the fixed part of the header; true for a relocatable program.
fn check_header(header: &[u8; HEADER]) -> Result<bool, ElfError> {
    let machine = u16_at(header, 18);
    // EI_CLASS = 2 (64 bits), EI_DATA = 1 (little-endian).
    if header[4] != 2 || header[5] != 1 || machine != EM_RISCV {
        return Err(ElfError::WrongMachine(machine));
    }
    if header[6] != 1 || u32_at(header, 20) != 1 {
        return Err(ElfError::BadHeader("version"));
    }
    if u32_at(header, 48) & EF_RISCV_RVE != 0 {
        return Err(ElfError::BadHeader("the program needs the RVE base"));
    }
    if u64::from(u16_at(header, 54)) != PHDR {
        return Err(ElfError::BadHeader("size of a program header"));
    }
    match u16_at(header, 16) {
        ET_EXEC => Ok(false),
        ET_DYN => Ok(true),
        other => Err(ElfError::NotExecutable(other)),
    }
}

/// Takes one program header into the image.
fn program_header(source: &dyn Source, entry: &[u8], image: &mut Image) -> Result<(), ElfError> {
    let (kind, flags) = (u32_at(entry, 0), u32_at(entry, 4));
    let (offset, vaddr, file_size) = (u64_at(entry, 8), u64_at(entry, 16), u64_at(entry, 32));
    match kind {
        PT_LOAD => {
            let prot = Prot { read: flags & 4 != 0, write: flags & 2 != 0, exec: flags & 1 != 0 };
            let segment = Segment { vaddr, mem_size: u64_at(entry, 40), file_size, offset, prot };
            load_segment(source, segment, u64_at(entry, 48), image)?;
        }
        PT_INTERP if image.interp.is_none() => {
            if !(2..=MAX_INTERP).contains(&file_size) {
                return Err(ElfError::BadHeader("length of the interpreter's path"));
            }
            let mut path = source.bytes(offset, file_size)?;
            if path.pop() != Some(0) || path.contains(&0) {
                return Err(ElfError::BadHeader("interpreter's path"));
            }
            image.interp = Some(path);
        }
        PT_PHDR => image.phdr = vaddr,
        PT_GNU_STACK => image.exec_stack = flags & 1 != 0,
        _ => {}
    }
    Ok(())
}

fn load_segment(
    source: &dyn Source,
    segment: Segment,
    align: u64,
    image: &mut Image,
) -> Result<(), ElfError> {
    let Segment { vaddr, mem_size, file_size, offset, .. } = segment;
    if file_size > mem_size {
        return Err(ElfError::BadSegment("larger in the file than in memory"));
    }
    if offset.checked_add(file_size).is_none_or(|end| end > source.length()) {
        return Err(ElfError::Truncated);
    }
    if vaddr.checked_add(mem_size).is_none_or(|end| end > SPACE - PAGE) {
        return Err(ElfError::BadSegment("outside the 4 GiB guest space"));
    }
    if align > 1 && !align.is_power_of_two() {
        return Err(ElfError::BadSegment("alignment is not a power of two"));
    }
    if vaddr % PAGE != offset % PAGE {
        return Err(ElfError::BadSegment("address and file offset differ within the page"));
    }
    if align > SPACE / 4 {
        return Err(ElfError::BadSegment("alignment too large"));
    }
    if mem_size == 0 {
        return Ok(());
    }
    if image.segments.last().is_some_and(|last| last.vaddr + last.mem_size > vaddr) {
        return Err(ElfError::BadSegment("segments overlap or are not in ascending order"));
    }
    if image.segments.last().is_some_and(|last| clobbers(last, &segment)) {
        return Err(ElfError::BadSegment("two segments in one page"));
    }
    image.align = image.align.max(align);
    image.segments.push(segment);
    Ok(())
}

/// Whether mapping `next` would replace contents of `last`: they share a page, and it is not one page of the file
/// that both show.
fn clobbers(last: &Segment, next: &Segment) -> bool {
    let shared = (last.vaddr + last.mem_size - 1) / PAGE == next.vaddr / PAGE;
    let distance = |segment: &Segment| segment.vaddr.wrapping_sub(segment.offset);
    let one_page = last.mem_size == last.file_size && next.file_size > 0 && distance(last) == distance(next);
    shared && !one_page
}

fn check_segments(image: &Image) -> Result<(), ElfError> {
    if image.segments.is_empty() {
        return Err(ElfError::BadSegment("none to load"));
    }
    let holds = |segment: &Segment| {
        segment.prot.exec && image.entry >= segment.vaddr && image.entry - segment.vaddr < segment.mem_size
    };
    match image.segments.iter().any(holds) && image.entry.is_multiple_of(2) {
        true => Ok(()),
        false => Err(ElfError::BadHeader("entry point is not in an executable segment")),
    }
}

/// Where the segment that holds file range `[phoff, phoff + size)` puts it.
fn find_phdr(image: &Image, phoff: u64, size: u64) -> GuestAddr {
    let holds = |s: &&Segment| phoff >= s.offset && phoff + size <= s.offset + s.file_size;
    image.segments.iter().find(holds).map_or(0, |segment| segment.vaddr + (phoff - segment.offset))
}

/// One defined symbol. The address is that of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    pub name: String,
    pub addr: GuestAddr,
    pub size: u64,
}

/// The functions and objects of `.symtab`, or of `.dynsym` if the program was stripped. Empty if there is neither
/// or either is broken: symbols are a convenience.
pub fn symbols(source: &dyn Source) -> Vec<Symbol> {
    symbol_table(source, SHT_SYMTAB)
        .ok()
        .filter(|symbols| !symbols.is_empty())
        .or_else(|| symbol_table(source, SHT_DYNSYM).ok())
        .unwrap_or_default()
}

fn symbol_table(source: &dyn Source, kind: u32) -> Result<Vec<Symbol>, ElfError> {
    let mut header = [0; HEADER];
    source.read_exact(0, &mut header)?;
    let (shoff, shentsize, shnum) =
        (u64_at(&header, 40), u16_at(&header, 58), u64::from(u16_at(&header, 60)));
    if u64::from(shentsize) != SHDR || shnum > MAX_SHDRS {
        return Err(ElfError::BadHeader("section headers"));
    }
    let sections = source.bytes(shoff, shnum * SHDR)?;
    let section = |index: usize| sections.chunks_exact(SHDR as usize).nth(index).ok_or(ElfError::Truncated);
    let contents = |section: &[u8]| source.bytes(u64_at(section, 24), u64_at(section, 32));
    let mut symbols = Vec::new();
    for table in sections.chunks_exact(SHDR as usize).filter(|section| u32_at(section, 4) == kind) {
        let names = contents(section(u32_at(table, 40) as usize)?)?;
        symbols.extend(contents(table)?.chunks_exact(SYM).filter_map(|entry| symbol(entry, &names)));
    }
    Ok(symbols)
}

/// One symbol table entry; `None` for what is not defined here, not code or data, or without a name.
fn symbol(entry: &[u8], names: &[u8]) -> Option<Symbol> {
    let (info, section) = (entry[4], u16_at(entry, 6));
    // STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_GNU_IFUNC; SHN_UNDEF = 0.
    if !matches!(info & 15, 0 | 1 | 2 | 10) || section == 0 {
        return None;
    }
    let name = names.get(u32_at(entry, 0) as usize..)?;
    let name = &name[..name.iter().position(|&byte| byte == 0)?];
    // Mapping symbols such as `$x` mark code inside a function, not something with a name.
    if name.is_empty() || name[0] == b'$' {
        return None;
    }
    let name = String::from_utf8_lossy(name).into_owned();
    Some(Symbol { name, addr: u64_at(entry, 8), size: u64_at(entry, 16) })
}

#[cfg(test)]
#[path = "elf_tests.rs"]
mod tests;

#[cfg(test)]
pub(super) use tests::file as test_file;
