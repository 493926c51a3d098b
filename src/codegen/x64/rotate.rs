//! Rotations. The base instruction set has none, so compilers write `x << n | x >> (32 - n)`: two shifts, somewhere
//! before an `or` of their results. Shifts by constants are therefore put off until a result is read, the register
//! shifted is overwritten or the block may be left; most shifts of rotations are overwritten before that and never
//! done. If an access faults, the engine does those that are put off there ([`Repair`]).
//!
//! A register whose shift is put off holds an old value. Invariants: what is put off reads no register that is put off
//! itself, but for a shift of a register in place; nothing is put off where the block is left but at a fault.

use super::memory::is_plain;
use super::roles::Home;
use super::thunks::state;
use super::{Lower, Repair};
use crate::asm::x64::reg::*;
use crate::asm::x64::{Feature, Size};
use crate::base::{RegId, FIRST_FLOAT};
use crate::ir::ops::{Effect, Operand};
use crate::ir::IROp;

use Size::{S32, S64};

/// A shift by a constant, neither 0 nor the width.
#[derive(Clone, Copy, Debug)]
struct Shift {
    size: Size,
    left: bool,
    dst: RegId,
    src: RegId,
    count: u8,
}

impl Shift {
    fn of(op: &IROp) -> Option<Shift> {
        let (size, left, dst, src, imm) = match *op {
            IROp::ShlWImm { dst, src, imm } => (S32, true, dst, src, imm),
            IROp::ShrWImm { dst, src, imm } => (S32, false, dst, src, imm),
            IROp::ShlImm { dst, src, imm } => (S64, true, dst, src, imm),
            IROp::ShrImm { dst, src, imm } => (S64, false, dst, src, imm),
            _ => return None,
        };
        let guest = |reg| (1..FIRST_FLOAT).contains(&reg);
        let count = u8::try_from(imm).ok().filter(|&count| (1..width(size)).contains(&count))?;
        (guest(dst) && guest(src)).then_some(Shift { size, left, dst, src, count })
    }

    /// Whether the results of the two together are a rotation of the register.
    fn completes(&self, other: &Shift) -> bool {
        self.src == other.src
            && self.size == other.size
            && self.left != other.left
            && self.count + other.count == width(self.size)
    }

    fn op(&self) -> IROp {
        let Shift { dst, src, .. } = *self;
        let imm = i64::from(self.count);
        match (self.size, self.left) {
            (S32, true) => IROp::ShlWImm { dst, src, imm },
            (S32, false) => IROp::ShrWImm { dst, src, imm },
            (S64, true) => IROp::ShlImm { dst, src, imm },
            (S64, false) => IROp::ShrImm { dst, src, imm },
        }
    }
}

fn width(size: Size) -> u8 {
    match size {
        S32 => 32,
        S64 => 64,
    }
}

/// Shifts that are put off, each of another destination.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PutOff {
    shifts: [Option<Shift>; 8],
    len: usize,
}

impl PutOff {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn find(&self, wanted: impl Fn(&Shift) -> bool) -> Option<usize> {
        self.shifts[..self.len].iter().position(|shift| shift.as_ref().is_some_and(&wanted))
    }

    /// The shift with that result.
    fn of(&self, dst: RegId) -> Option<Shift> {
        self.shifts[self.find(|shift| shift.dst == dst)?]
    }

    fn take(&mut self, index: usize) -> Option<Shift> {
        self.len -= 1;
        self.shifts.swap(index, self.len);
        self.shifts[self.len].take()
    }

    fn push(&mut self, shift: Shift) {
        self.shifts[self.len] = Some(shift);
        self.len += 1;
    }
}

impl Lower<'_> {
    /// Puts a shift off, or makes a rotation of two; false if the operation is to be done as any other.
    #[inline(always)]
    pub(super) fn put_off(&mut self, op: &IROp) -> bool {
        match op {
            IROp::ShlWImm { .. } | IROp::ShrWImm { .. } | IROp::ShlImm { .. } | IROp::ShrImm { .. } => {
                Shift::of(op).is_some_and(|shift| self.defer(op, shift))
            }
            IROp::Or { .. } | IROp::Xor { .. } | IROp::Add { .. } | IROp::AddW { .. } => {
                !self.put_off.is_empty() && self.combine(op)
            }
            _ => false,
        }
    }

    /// Makes a rotation of two shifts if that is what the operation does.
    fn combine(&mut self, op: &IROp) -> bool {
        let (dst, src1, src2, word) = match *op {
            // The bits are disjoint, so all of these do the same.
            IROp::Or { dst, src1, src2 } | IROp::Xor { dst, src1, src2 } | IROp::Add { dst, src1, src2 } => {
                (dst, src1, src2, false)
            }
            IROp::AddW { dst, src1, src2 } => (dst, src1, src2, true),
            _ => return false,
        };
        let (Some(a), Some(b)) = (self.put_off.of(src1), self.put_off.of(src2)) else { return false };
        if !a.completes(&b) || word && a.size == S64 {
            return false;
        }
        self.overwrite(dst);
        self.rotate(dst, a.size, a.src, if a.left { b.count } else { a.count });
        true
    }

    /// Puts a shift off if it may be half of a rotation.
    fn defer(&mut self, op: &IROp, shift: Shift) -> bool {
        let in_place = shift.dst == shift.src;
        let likely = match in_place {
            // Of a register in place, only the second one may be. The first one stays put off.
            true => {
                self.put_off.of(shift.src).is_none()
                    && self.put_off.find(|other| other.completes(&shift)).is_some()
            }
            // Short shifts to the left are of indices, and 32 cuts a half off.
            false => shift.size == S32 || shift.count > 3 && shift.count != 32,
        };
        let wanted = likely && self.put_off.len < self.put_off.shifts.len();
        if !(wanted && in_place) {
            self.prepare(op);
        }
        if wanted && !in_place {
            self.define(shift.dst);
        }
        if wanted {
            self.put_off.push(shift);
        }
        wanted
    }

    fn rotate(&mut self, dst: RegId, size: Size, src: RegId, count: u8) {
        let features = self.request.features;
        let d = self.target(dst, RAX);
        match self.home(src) {
            Home::Slot(at) if features.has(Feature::Bmi2) => {
                self.asm.rorx_rmi(size, d, state(at), count);
            }
            _ => {
                let a = self.sized(size, src, RAX);
                self.asm.any_rorx(features, size, d, a, count);
            }
        }
        self.put_sized(size, dst, d);
    }

    /// Makes the registers that an operation reads what they should be, and those that are to be shifts of what it
    /// overwrites.
    #[inline(always)]
    pub(super) fn prepare(&mut self, op: &IROp) {
        if !self.put_off.is_empty() {
            self.prepare_for(op);
        }
    }

    fn prepare_for(&mut self, op: &IROp) {
        let access = is_plain(op);
        if op.info().effect != Effect::Pure && !access {
            return self.shift_all();
        }
        let mut op = *op;
        op.operands(&mut |operand| {
            if let Operand::Use(reg) = operand {
                if let Some(index) = self.put_off.find(|shift| shift.dst == *reg) {
                    self.shift_now(index);
                }
            }
        });
        match op.def() {
            // If it faults, nothing is overwritten; see `note_put_off`.
            Some(dst) if access => self.shift_from(dst),
            Some(dst) => self.overwrite(dst),
            None => {}
        }
    }

    /// Notes what is put off at an access, whose code begins at `from` and is there. A shift that it overwrites is never
    /// done.
    #[inline(always)]
    pub(super) fn note_put_off(&mut self, from: u32, op: &IROp) {
        if !self.put_off.is_empty() {
            self.note_shifts(from, op);
        }
    }

    fn note_shifts(&mut self, from: u32, op: &IROp) {
        let (to, put_off) = (self.here(), self.put_off);
        // Those of a register in place come last: others may read it.
        for in_place in [false, true] {
            let shifts = put_off.shifts.iter().flatten().filter(|shift| (shift.dst == shift.src) == in_place);
            self.repairs.extend(shifts.map(|shift| Repair { from, to, op: shift.op() }));
        }
        if let Some(dst) = op.def() {
            self.overwrite(dst);
        }
    }

    /// Gets ready for a register to be overwritten: its own shift is never done.
    fn overwrite(&mut self, reg: RegId) {
        self.shift_from(reg);
        if let Some(index) = self.put_off.find(|shift| shift.dst == reg) {
            self.put_off.take(index);
        }
    }

    /// Does the shifts of a register into others.
    fn shift_from(&mut self, reg: RegId) {
        while let Some(index) = self.put_off.find(|shift| shift.src == reg && shift.dst != reg) {
            self.shift_now(index);
        }
    }

    /// Does all shifts that are put off. Flags may change.
    pub(super) fn shift_all(&mut self) {
        while !self.put_off.is_empty() {
            self.shift_now(0);
        }
    }

    /// Does one; before one of a register in place, the others of that register.
    fn shift_now(&mut self, index: usize) {
        let Some(shift) = self.put_off.take(index) else { return };
        if shift.dst == shift.src {
            self.overwrite(shift.src);
        }
        self.integer(&shift.op());
    }
}
