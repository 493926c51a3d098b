//! From IR to machine code. Pure: code is bytes with places to patch, and knows IR and `CpuState` offsets only.
//!
//! ```text
//!   IRBlock --compile--> CodeObject { bytes, links, marks, pending, repairs } --publish (cache)--> executable, linked
//! ```
//!
//! Code of a block is entered with the guest's hot registers in host registers (`x64::roles`) and leaves the same way,
//! by jumping to another block's entry. It leaves for the engine with an exit code, one of [`exit`].

pub mod listing;
pub mod x64;

use crate::asm::FinishError;
use crate::base::GuestAddr;
use crate::ir::IROp;

/// Exit codes of generated code.
pub mod exit {
    /// A direct successor is not linked; `exit_value` is the number of the link.
    pub const LINK: u32 = 1;
    /// No code is in the table for the computed target, which is the program counter.
    pub const MISS: u32 = 2;
    /// The block at the program counter costs more fuel than is left.
    pub const FUEL: u32 = 3;
    /// A system call; the program counter is behind it.
    pub const SYSCALL: u32 = 4;
    /// Instruction fetches must see earlier stores; the program counter is behind.
    pub const SYNC_CODE: u32 = 5;
    /// The instruction at the program counter is illegal.
    pub const ILLEGAL: u32 = 6;
    /// The instruction at the program counter is a breakpoint.
    pub const BREAKPOINT: u32 = 7;
    /// An access faulted at `host_pc`.
    pub const FAULT: u32 = 8;
    /// A helper trapped; `host_pc` is behind its call.
    pub const HELPER_TRAP: u32 = 9;
    /// Goes on at the program counter, but perhaps not in generated code.
    pub const RESUME: u32 = 10;
    /// The block ended with `Return`.
    pub const RETURN: u32 = 11;
    /// Goes on at the program counter, with one block in the interpreter: generated code cannot do what comes there.
    pub const GIVE_UP: u32 = 12;
    /// A region costs more fuel than is left; the program counter is at its start.
    pub const SLICE: u32 = 13;
}

/// How guest addresses become host addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// They are equal: the low space.
    Low,
    /// The gs segment's base is added.
    Segment,
}

/// A place that names another block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkSite {
    /// Offset of the 4-byte displacement, relative to the byte behind it. A multiple of 4.
    pub field: u32,
    /// The successor.
    pub target: GuestAddr,
}

/// The NaN that RISC-V arithmetic on doubles gives.
pub const CANONICAL_NAN: u64 = 0x7ff8_0000_0000_0000;

/// The NaN that RISC-V arithmetic on singles gives, boxed.
pub const CANONICAL_SINGLE: u64 = 0xffff_ffff_7fc0_0000;

/// An operation that has not been done yet where an access may fault: the engine does it then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repair {
    /// Code offsets of the guest instruction that makes the access, and of its end.
    pub from: u32,
    pub to: u32,
    /// Of integer registers; it has no side effect.
    pub op: IROp,
}

/// Code of one block, not placed yet. It is independent of its place as long as that is a multiple of 16.
#[derive(Clone, Debug)]
pub struct CodeObject {
    /// The entry is at offset 0.
    pub bytes: Vec<u8>,
    /// Numbered on from `first_link` of the request.
    pub links: Vec<LinkSite>,
    /// For code offsets in ascending order, the number of guest instructions of the block that were begun before the
    /// code from there on: 1 for code of the first.
    pub marks: Vec<(u32, u32)>,
    /// For code offsets in ascending order, the guest's registers (a bit for each) that are to be made exact if the code
    /// from there on faults: an integer's upper half the sign of the lower one, a double's NaN the canonical one. None
    /// before the first; the last one has none.
    pub pending: Vec<(u32, u64)>,
    /// In ascending order; those of one place in the order to do them in, once nothing is pending.
    pub repairs: Vec<Repair>,
    /// The assembly, if it was asked for.
    pub listing: String,
}

/// Why a block or a region has no code; it stays in the tier below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bail {
    /// The assembler refused; a bug of the code generator that costs only speed.
    Assembler(FinishError),
    /// The block is larger than code offsets or fuel immediates allow.
    TooLarge,
    /// The allocator found no registers for a region.
    Registers,
    /// An operation of a region turned out to have no code.
    Operation,
    /// A state of a region cannot be made where it is wanted.
    State,
}
