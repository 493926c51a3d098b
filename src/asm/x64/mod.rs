//! The x86-64 assembler.
//!
//! [`Assembler`] has one method per row of the instruction table ([`insts`]), and a few that choose among rows or
//! emit more than one instruction. Operands have types that hold legal values only, so no method can fail; what
//! depends on distances is found by [`Assembler::finish`].

pub mod features;
pub mod inst;
pub mod insts;
pub mod mem;
pub mod reg;
pub mod row;

mod encode;
pub mod fallback;
#[cfg(any(test, feature = "testing"))]
pub mod sample;
mod text;

pub use fallback::Shift;
pub use features::{CpuFeatures, Feature};
pub use inst::{Inst, Reg};
pub use insts::{Op, ROWS};
pub use mem::Mem;
pub use reg::{Cond, Gpr, Index, Predicate, Scale, Size, Xmm};
pub use reg::{R10, R11, R12, R13, R14, R15, R8, R9, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP};
pub use row::{Kind, Mark, Operand, Row};

use super::buffer::{Code, CodeBuffer, Label};
use super::fixup::{FinishError, FixupKind};

/// `int3`: what the room between code and constants is filled with.
const FILLER: u8 = 0xcc;

/// The recommended no-operations of 1 to 9 bytes (Intel SDM 2B NOP, table 4-12), with zeroes behind them.
#[rustfmt::skip] // one per line
const NOPS: [[u8; 9]; 9] = [
    [0x90, 0, 0, 0, 0, 0, 0, 0, 0],
    [0x66, 0x90, 0, 0, 0, 0, 0, 0, 0],
    [0x0f, 0x1f, 0x00, 0, 0, 0, 0, 0, 0],
    [0x0f, 0x1f, 0x40, 0x00, 0, 0, 0, 0, 0],
    [0x0f, 0x1f, 0x44, 0x00, 0x00, 0, 0, 0, 0],
    [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00, 0, 0, 0],
    [0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00, 0, 0],
    [0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00, 0],
    [0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

/// Emits x86-64 instructions into a [`CodeBuffer`].
#[derive(Debug, Default)]
pub struct Assembler {
    buffer: CodeBuffer,
}

/// A jump whose target may be changed while other threads run it: the offset of its 32-bit displacement, which is
/// relative to the end of the field.
///
/// The offset is a multiple of 4, and so is the address of the code ([`Code::alignment`]): the field can be replaced
/// by one aligned store, which is atomic (Intel SDM 3A, 10.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PatchSite {
    offset: usize,
}

impl PatchSite {
    /// Offset of the displacement in the code.
    pub const fn offset(self) -> usize {
        self.offset
    }

    /// The displacement that makes the jump go to `target`, if its field at `field` can hold it; both are addresses.
    pub fn displacement(field: u64, target: u64) -> Option<i32> {
        let width = u64::try_from(FixupKind::Rel32.width()).ok()?;
        let from = field.wrapping_add(width);
        // The distance modulo 2^64, taken as a signed number.
        i32::try_from(i64::from_ne_bytes(target.wrapping_sub(from).to_ne_bytes())).ok()
    }
}

/// A few instructions without labels, assembled to be copied.
#[derive(Clone, Copy, Debug)]
pub struct Snippet {
    bytes: [u8; 16],
    len: usize,
    /// Offset of a 32-bit number that is another one in each copy.
    number: usize,
}

impl Snippet {
    /// The code so far, at most 16 bytes; `number` is the offset of four of them that copies may change.
    pub fn new(assembler: Assembler, number: usize) -> Snippet {
        let mut snippet = Snippet { bytes: [0; 16], len: 0, number: number.min(12) };
        // No label is used.
        let code = assembler.finish().map(Code::into_bytes).unwrap_or_default();
        debug_assert!(!code.is_empty() && code.len() <= 16 && number + 4 <= 16);
        for (to, from) in snippet.bytes.iter_mut().zip(&code) {
            *to = *from;
            snippet.len += 1;
        }
        snippet
    }
}

impl Assembler {
    /// An assembler with nothing emitted.
    pub fn new() -> Assembler {
        Assembler::default()
    }

    /// An assembler that records what it emits, for [`Code::listing`].
    pub fn with_listing() -> Assembler {
        let mut assembler = Assembler::default();
        assembler.buffer.record_listing();
        assembler
    }

    /// Offset of the next instruction. Emitted code does not move.
    #[inline]
    pub fn offset(&self) -> usize {
        self.buffer.offset()
    }

    /// A new label, not bound yet.
    pub fn new_label(&mut self) -> Label {
        self.buffer.new_label()
    }

    /// Binds the label to the next instruction. Every label that is used must be bound exactly once.
    pub fn bind(&mut self, label: Label) {
        self.buffer.bind(label);
    }

    /// A new label that is bound to the next instruction.
    pub fn here(&mut self) -> Label {
        let label = self.new_label();
        self.bind(label);
        label
    }

    /// The label of a 32-bit constant behind the code, for [`Mem::label`].
    pub fn constant32(&mut self, bits: u32) -> Label {
        self.buffer.constant32(bits)
    }

    /// The label of a 64-bit constant behind the code, for [`Mem::label`].
    pub fn constant64(&mut self, bits: u64) -> Label {
        self.buffer.constant64(bits)
    }

    /// The label of a 128-bit constant behind the code, for [`Mem::label`].
    pub fn constant128(&mut self, bits: u128) -> Label {
        self.buffer.constant128(bits)
    }

    /// Emits an instruction, which is one of the row with index `ROW`.
    #[inline(always)]
    pub(super) fn emit<const ROW: usize>(&mut self, inst: Inst) {
        encode::encode::<ROW>(&mut self.buffer, inst);
    }

    /// True if a jump back from here to the label certainly fits one byte.
    fn is_near(&self, label: Label) -> bool {
        let here = self.offset();
        let reaches = |target| {
            // The displacement counts from the end of the instruction, which has two bytes. There may be any distance
            // between the parts.
            here - target <= 0x80 - 2 && self.buffer.second().is_none_or(|second| target >= second)
        };
        self.buffer.label_offset(label).is_some_and(reaches)
    }

    /// Jumps to the label: with two bytes if it is bound and near, else with five.
    pub fn jmp(&mut self, target: Label) {
        if self.is_near(target) {
            self.jmp_l8(target);
        } else {
            self.jmp_l32(target);
        }
    }

    /// Jumps to the label if the condition holds: with two bytes if it is bound and near, else with six.
    pub fn jcc(&mut self, cond: Cond, target: Label) {
        if self.is_near(target) {
            self.jcc_l8(cond, target);
        } else {
            self.jcc_l32(cond, target);
        }
    }

    /// Calls the label.
    pub fn call(&mut self, target: Label) {
        self.call_l32(target);
    }

    /// Jumps to the label so that the target can be changed later.
    pub fn jmp_patchable(&mut self, target: Label) -> PatchSite {
        // One byte of opcode is before the field.
        self.align_offset_by(4, 1);
        self.jmp_l32(target);
        PatchSite { offset: self.offset() - FixupKind::Rel32.width() }
    }

    /// Jumps to the label if the condition holds, so that the target can be changed later.
    pub fn jcc_patchable(&mut self, cond: Cond, target: Label) -> PatchSite {
        // Two bytes of opcode are before the field.
        self.align_offset_by(4, 2);
        self.jcc_l32(cond, target);
        PatchSite { offset: self.offset() - FixupKind::Rel32.width() }
    }

    /// Does nothing until the offset is a multiple of `alignment`, which is a power of two; so will be the address
    /// ([`Code::alignment`]).
    pub fn align(&mut self, alignment: usize) {
        self.align_offset_by(alignment, 0);
    }

    /// Does nothing until the offset plus `extra` is a multiple of `alignment`.
    fn align_offset_by(&mut self, alignment: usize, extra: usize) {
        self.buffer.require_alignment(alignment);
        let at = self.offset() + extra;
        self.nop(at.next_multiple_of(alignment.max(1)) - at);
    }

    /// Does nothing in `length` bytes, with as few instructions as possible.
    pub fn nop(&mut self, length: usize) {
        let mut left = length;
        while left > 0 {
            let count = left.min(NOPS.len());
            let at = self.offset();
            self.buffer.put_short(&NOPS[count - 1], count);
            self.buffer.note(at, || format!("nop ; {count} bytes"));
            left -= count;
        }
    }

    /// Emits a copy of a snippet, with its number if there is one. False, and nothing is emitted, if a listing is wanted.
    #[inline]
    pub fn put(&mut self, snippet: &Snippet, number: Option<u32>) -> bool {
        if self.buffer.is_noted() {
            return false;
        }
        let mut bytes = snippet.bytes;
        if let (Some(number), Some(field)) = (number, bytes.get_mut(snippet.number..snippet.number + 4)) {
            field.copy_from_slice(&number.to_le_bytes());
        }
        self.buffer.put_short(&bytes, snippet.len);
        true
    }

    /// Sets all 64 bits of the register, with the shortest instruction. Flags are not changed.
    pub fn load_constant(&mut self, dst: Gpr, value: u64) {
        // The same bits as a signed number.
        let signed = i64::from_ne_bytes(value.to_ne_bytes());
        if let Ok(low) = u32::try_from(value) {
            self.mov_ri32(dst, low);
        } else if let Ok(low) = i32::try_from(signed) {
            self.mov_ri(Size::S64, dst, low);
        } else {
            self.movabs_ri(dst, value);
        }
    }

    /// Places the constants, fills in the references to labels and gives out the code.
    ///
    /// # Errors
    /// If a label that is used was not bound, a label was bound twice, or a short jump does not reach its label.
    pub fn finish(self) -> Result<Code, FinishError> {
        self.buffer.finish(FILLER)
    }

    /// What follows may be placed apart from what is there so far.
    pub fn begin_second(&mut self) {
        self.buffer.begin_second();
    }

    /// Places the constants; returns the lengths of both parts. Then [`Assembler::finish_in_place`].
    pub fn complete(&mut self) -> [usize; 2] {
        self.buffer.complete(FILLER)
    }

    /// As [`Assembler::finish`] for both parts, the second of which will stand `apart` bytes, a multiple of 16, behind its
    /// place next to the first. The assembler keeps its memory: call [`Assembler::clear`] before it is used again.
    ///
    /// # Errors
    /// As [`Assembler::finish`].
    pub fn finish_in_place(&mut self, apart: i64) -> Result<[&[u8]; 2], FinishError> {
        self.buffer.finish_in_place(apart)
    }

    /// Forgets everything but the memory. Labels handed out before are void.
    pub fn clear(&mut self) {
        self.buffer.clear();
    }
}
