//! The intermediate representation: blocks of guest-independent operations on numbered virtual registers.
//!
//! A block is what a front end makes, what the interpreter runs, what is profiled and decided on. It is entered at
//! its first operation only and left by its terminator, or by a trap of one of its operations.

pub mod eval;
pub mod float;
pub mod ops;
pub mod text;
pub mod verify;

use crate::base::{GuestAddr, RegId};
pub use ops::IROp;

/// Condition of a two-way branch, on two 64-bit registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cond {
    Eq,
    Ne,
    Lt,
    Ge,
    Ltu,
    Geu,
}

impl Cond {
    /// All conditions.
    pub const ALL: [Cond; 6] = [Cond::Eq, Cond::Ne, Cond::Lt, Cond::Ge, Cond::Ltu, Cond::Geu];

    /// Name in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Cond::Eq => "eq",
            Cond::Ne => "ne",
            Cond::Lt => "lt",
            Cond::Ge => "ge",
            Cond::Ltu => "ltu",
            Cond::Geu => "geu",
        }
    }

    /// Whether the condition holds for `a` and `b`.
    #[inline(always)]
    pub fn holds(self, a: u64, b: u64) -> bool {
        match self {
            Cond::Eq => a == b,
            Cond::Ne => a != b,
            Cond::Lt => a.cast_signed() < b.cast_signed(),
            Cond::Ge => a.cast_signed() >= b.cast_signed(),
            Cond::Ltu => a < b,
            Cond::Geu => a >= b,
        }
    }
}

/// How a block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminator {
    /// Leaves the engine; the program counter stays at the block's start.
    Return,
    /// Goes to `target`.
    Jump { target: GuestAddr },
    /// Goes to `taken` if the condition holds, else to `fallthrough`.
    Branch { cond: Cond, src1: RegId, src2: RegId, taken: GuestAddr, fallthrough: GuestAddr },
    /// Goes to `(base + offset)` with bit 0 cleared.
    JumpIndirect { base: RegId, offset: i64 },
    /// Goes to `target`; a function that is expected to come back to `return_to`. (The block's operations have
    /// written the link register.)
    Call { target: GuestAddr, return_to: GuestAddr },
    /// Goes to `(base + offset)` with bit 0 cleared; a function that is expected to come back to `return_to`.
    CallIndirect { base: RegId, offset: i64, return_to: GuestAddr },
    /// Goes to `(base + offset)` with bit 0 cleared, expected to be where the last call wanted to return to.
    ReturnIndirect { base: RegId, offset: i64 },
    /// Hands a system call to the environment; execution goes on at `next`.
    Syscall { next: GuestAddr },
    /// Makes later instruction fetches see all earlier stores; execution goes on at `next`.
    SyncCode { next: GuestAddr },
    /// Traps with `Trap::Breakpoint`.
    Breakpoint,
    /// Traps with `Trap::IllegalInstruction`.
    Illegal,
}

impl Terminator {
    /// The registers that the terminator reads.
    pub fn uses(&self) -> impl Iterator<Item = RegId> {
        let (a, b) = match *self {
            Terminator::Branch { src1, src2, .. } => (Some(src1), Some(src2)),
            Terminator::JumpIndirect { base, .. }
            | Terminator::CallIndirect { base, .. }
            | Terminator::ReturnIndirect { base, .. } => (Some(base), None),
            _ => (None, None),
        };
        a.into_iter().chain(b)
    }
}

/// A block of IR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IRBlock {
    /// Guest address of the first instruction; identifies the block.
    pub start_pc: GuestAddr,
    /// The operations, in order.
    pub ops: Vec<IROp>,
    /// How the block ends.
    pub term: Terminator,
}

impl IRBlock {
    /// What executing the whole block costs in fuel: its guest instructions (marks) or, for a block without marks,
    /// its operations and its terminator.
    pub fn cost(&self) -> u64 {
        let marks = self.ops.iter().filter(|op| matches!(op, IROp::Mark { .. })).count();
        let count = if marks > 0 { marks } else { self.ops.len() + 1 };
        count as u64
    }

    /// Ends the block behind its first `most` guest instructions, of which there is at least one.
    pub fn cut(&mut self, most: u64) {
        let mut marks = self.ops.iter().enumerate().filter_map(|(at, op)| match *op {
            IROp::Mark { pc } => Some((at, pc)),
            _ => None,
        });
        let behind = usize::try_from(most.max(1)).ok().and_then(|most| marks.nth(most));
        if let Some((at, target)) = behind {
            self.ops.truncate(at);
            self.term = Terminator::Jump { target };
        }
    }
}
