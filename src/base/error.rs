//! The kinds of failure, one type each (design: `docs/architecture.md`, "Failures").
//!
//! - [`Error`]: the caller's or the environment's fault.
//! - [`Trap`]: the guest's fault; part of a normal result.
//! - panic: a bug of this crate, never caused by guest or file input.

use super::GuestAddr;
use std::fmt;

/// Which kind of access a fault was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Load,
    Store,
    Fetch,
}

/// A guest access that its page permissions forbid, or that met no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The guest address that could not be accessed (`si_addr` of the guest's signal).
    pub addr: GuestAddr,
    pub access: Access,
    /// True if a page is mapped there but forbids the access (`SEGV_ACCERR`), false if none is (`SEGV_MAPERR`).
    pub mapped: bool,
    /// True if the page is mapped from a file that ends before it (`SIGBUS`).
    pub beyond_file: bool,
}

/// Why the guest could not go on. The program counter in the state is that of the instruction at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// A memory access failed.
    Memory(Fault),
    /// The instruction is not defined, or its rounding mode is reserved.
    IllegalInstruction,
    /// A breakpoint instruction (`ebreak`).
    Breakpoint,
    /// An address that the operation requires to be aligned was not (LR/SC and AMO).
    Misaligned(GuestAddr),
}

impl From<Fault> for Trap {
    fn from(fault: Fault) -> Trap {
        Trap::Memory(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.access {
            Access::Load => "load from",
            Access::Store => "store to",
            Access::Fetch => "fetch from",
        };
        let why = match (self.beyond_file, self.mapped) {
            (true, _) => "page beyond the end of its file",
            (false, true) => "page protection forbids it",
            (false, false) => "no page is mapped",
        };
        write!(f, "{what} {:#x}: {why}", self.addr)
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trap::Memory(fault) => write!(f, "{fault}"),
            Trap::IllegalInstruction => write!(f, "illegal instruction"),
            Trap::Breakpoint => write!(f, "breakpoint"),
            Trap::Misaligned(addr) => write!(f, "misaligned atomic access to {addr:#x}"),
        }
    }
}

/// Why a request to this crate failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The host refused memory (`what` was being reserved or mapped).
    NoMemory { what: &'static str, bytes: u64 },
    /// This host lacks something that the engine needs.
    Unsupported(&'static str),
    /// A system call of the host failed.
    Host { what: &'static str, source: std::io::Error },
    /// A file could not be read or written.
    File { path: std::path::PathBuf, source: std::io::Error },
    /// The ELF image is not a program this engine runs.
    Elf(ElfError),
    /// An IR block breaks a rule of `docs/ir.md`; `op` is the index of the operation (`ops.len()` = terminator).
    InvalidBlock { op: usize, why: &'static str },
    /// The text is not an IR block.
    Parse { line: usize, why: &'static str },
    /// A guest range is outside the space, not page-aligned, or wraps around.
    BadRange { addr: GuestAddr, len: u64 },
    /// The guest trapped while the host was using it.
    Trap { pc: GuestAddr, trap: Trap },
    /// No symbol of this name in the loaded program.
    NoSymbol(String),
    /// An operation that needs a loaded program was used before one was loaded.
    NotLoaded,
    /// The fuel limit was reached.
    OutOfFuel,
    /// Somebody stopped the guest ([`super::state::InterruptHandle`]).
    Interrupted,
    /// The guest ended by itself while the host expected a function to return.
    Exited(i32),
}

/// What is wrong with an ELF file. Each variant names the first defect found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElfError {
    NotElf,
    Truncated,
    /// The machine (`e_machine`), class or byte order is not riscv64 little-endian.
    WrongMachine(u16),
    NotExecutable(u16),
    BadHeader(&'static str),
    /// The image does not fit the 4 GiB guest space or overlaps itself.
    BadSegment(&'static str),
    /// The program interpreter (`PT_INTERP`) was not found.
    NoInterpreter(String),
}

impl fmt::Display for ElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ElfError::NotElf => write!(f, "not an ELF file"),
            ElfError::Truncated => write!(f, "the ELF file is truncated"),
            ElfError::WrongMachine(m) => write!(f, "not a riscv64 little-endian ELF file (machine {m})"),
            ElfError::NotExecutable(t) => write!(f, "not an executable ELF file (type {t})"),
            ElfError::BadHeader(why) => write!(f, "broken ELF header: {why}"),
            ElfError::BadSegment(why) => write!(f, "broken ELF segment: {why}"),
            ElfError::NoInterpreter(path) => {
                write!(f, "program interpreter {path} not found (give its sysroot with -L)")
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoMemory { what, bytes } => write!(f, "no memory for {what} ({bytes} bytes)"),
            Error::Unsupported(what) => write!(f, "this host is not supported: {what}"),
            Error::Host { what, source } => write!(f, "{what}: {source}"),
            Error::File { path, source } => write!(f, "{}: {source}", path.display()),
            Error::Elf(e) => write!(f, "{e}"),
            Error::InvalidBlock { op, why } => write!(f, "invalid IR block: operation {op}: {why}"),
            Error::Parse { line, why } => write!(f, "line {line}: {why}"),
            Error::BadRange { addr, len } => write!(f, "bad guest range {addr:#x}+{len:#x}"),
            Error::Trap { pc, trap } => write!(f, "guest trapped at {pc:#x}: {trap}"),
            Error::NoSymbol(name) => write!(f, "no symbol {name}"),
            Error::NotLoaded => write!(f, "no program is loaded"),
            Error::OutOfFuel => write!(f, "out of fuel"),
            Error::Interrupted => write!(f, "interrupted"),
            Error::Exited(code) => write!(f, "the guest exited with status {code}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Host { source, .. } | Error::File { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<ElfError> for Error {
    fn from(e: ElfError) -> Self {
        Error::Elf(e)
    }
}
