//! One instruction with its operands.
//!
//! Only the typed emit methods and the sample generator make values of [`Inst`], both through `Builder` and
//! in the order of the row, so every value has an encoding.

use super::insts::{Op, ROWS};
use super::mem::Mem;
use super::reg::{Cond, Gpr, Predicate, Size, Xmm, RCX};
use super::row::{Kind, Mark, Operand, Place, Row};
use crate::asm::Label;
use std::fmt;

/// An instruction. Fields that its row does not use have the values that `Builder::new` gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inst {
    pub(super) head: Head,
    pub(super) rm: Rm,
    pub(super) imm: i64,
}

/// The small parts of an instruction, packed into one number for the same reason as [`Mem`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Head(u64);

// Positions in `Head`.
const OP: u32 = 0;
const REG: u32 = 16;
const VVVV: u32 = 24;
const COND: u32 = 32;
const WIDE: u32 = 40;

impl Head {
    #[inline(always)]
    const fn new(op: Op, size: Size) -> Head {
        let wide = match size {
            Size::S32 => 0,
            Size::S64 => 1,
        };
        // The discriminant of an operation is its row's index.
        Head((op as u64) << OP | wide << WIDE)
    }

    #[inline(always)]
    fn with(self, position: u32, number: u8) -> Head {
        Head(self.0 | u64::from(number) << position)
    }

    /// The byte at a position.
    #[inline(always)]
    fn at(self, position: u32) -> u8 {
        let [low, ..] = (self.0 >> position).to_le_bytes();
        low
    }

    /// The row.
    pub fn row(self) -> &'static Row {
        let [low, high, ..] = (self.0 >> OP).to_le_bytes();
        &ROWS[usize::from(u16::from_le_bytes([low, high]))]
    }

    /// Number of the register in the "reg" field.
    #[inline(always)]
    pub fn reg(self) -> u8 {
        self.at(REG)
    }

    /// Number of the register in the "vvvv" field.
    #[inline(always)]
    pub fn vvvv(self) -> u8 {
        self.at(VVVV)
    }

    /// Number of the condition.
    #[inline(always)]
    pub fn cond(self) -> u8 {
        self.at(COND)
    }

    #[inline(always)]
    pub fn size(self) -> Size {
        if self.at(WIDE) == 0 {
            Size::S32
        } else {
            Size::S64
        }
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {:?} reg {} vvvv {} cond {}",
            self.row().name,
            self.size(),
            self.reg(),
            self.vvvv(),
            self.cond()
        )
    }
}

/// The operand in the "r/m" field, in the opcode, or behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rm {
    None,
    /// Number of a register.
    Reg(u8),
    Mem(Mem),
    /// Branch target.
    Label(Label),
}

/// The value of an operand, without its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    Reg(u8),
    Mem(Mem),
    Label(Label),
    Cond(Cond),
    Imm(i64),
}

macro_rules! raw_from {
    ($($type:ty: $value:ident => $raw:expr;)*) => {
        $(impl From<$type> for Raw {
            #[inline(always)]
            fn from($value: $type) -> Raw {
                $raw
            }
        })*
    };
}

raw_from! {
    Gpr: value => Raw::Reg(value.number());
    Xmm: value => Raw::Reg(value.number());
    Mem: value => Raw::Mem(value);
    Label: value => Raw::Label(value);
    Cond: value => Raw::Cond(value);
    Predicate: value => Raw::Imm(i64::from(value.number()));
    i8: value => Raw::Imm(i64::from(value));
    i16: value => Raw::Imm(i64::from(value));
    i32: value => Raw::Imm(i64::from(value));
    u8: value => Raw::Imm(i64::from(value));
    u32: value => Raw::Imm(i64::from(value));
    // The same 64 bits; they are encoded as they are.
    u64: value => Raw::Imm(i64::from_ne_bytes(value.to_ne_bytes()));
}

/// A register that an instruction uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reg {
    Gpr(Gpr),
    Xmm(Xmm),
}

/// An instruction that is given its operands one after the other.
#[derive(Clone, Copy)]
pub(super) struct Builder {
    inst: Inst,
    /// How many operands have been given.
    count: usize,
}

impl Builder {
    /// The instruction before its operands are given. `size` matters only if the row is a sized one.
    #[inline(always)]
    pub const fn new(op: Op, size: Size) -> Builder {
        Builder { inst: Inst { head: Head::new(op, size), rm: Rm::None, imm: 0 }, count: 0 }
    }

    /// The instruction with its next operand, whose place is in the row's list.
    #[inline(always)]
    pub fn with(mut self, places: &[Place; 4], raw: Raw) -> Builder {
        let inst = &mut self.inst;
        match (places[self.count & 3], raw) {
            (Place::Reg, Raw::Reg(number)) => inst.head = inst.head.with(REG, number),
            (Place::Vvvv, Raw::Reg(number)) => inst.head = inst.head.with(VVVV, number),
            (Place::Rm | Place::Opcode, Raw::Reg(number)) => inst.rm = Rm::Reg(number),
            (Place::Rm, Raw::Mem(mem)) => inst.rm = Rm::Mem(mem),
            (Place::Target, Raw::Label(label)) => inst.rm = Rm::Label(label),
            (Place::Imm, Raw::Imm(value)) => inst.imm = value,
            (Place::Cond, Raw::Cond(cond)) => inst.head = inst.head.with(COND, cond.number()),
            // The tests go through every row: kinds and places match.
            (_, _) => debug_assert!(false, "an operand of {:?} cannot stand there", inst.head),
        }
        self.count += 1;
        self
    }

    /// The complete instruction.
    #[inline(always)]
    pub const fn build(self) -> Inst {
        self.inst
    }
}

impl Inst {
    /// The operation.
    pub fn op(&self) -> Op {
        self.row().op
    }

    /// The row of the operation.
    pub fn row(&self) -> &'static Row {
        self.head.row()
    }

    /// The condition, if the row has one.
    pub(super) fn cond(&self) -> Cond {
        Cond::ALL[usize::from(self.head.cond() & 15)]
    }

    /// Operand size in bits; that of a row that takes no size is not said here.
    pub(super) fn bits(&self) -> u16 {
        self.head.size().bits()
    }

    /// The value of the operand at this place of the row.
    pub(super) fn raw(&self, place: Place) -> Option<Raw> {
        Some(match (place, self.rm) {
            (Place::Reg, _) => Raw::Reg(self.head.reg()),
            (Place::Vvvv, _) => Raw::Reg(self.head.vvvv()),
            (Place::Rm | Place::Opcode, Rm::Reg(number)) => Raw::Reg(number),
            (Place::Rm, Rm::Mem(mem)) => Raw::Mem(mem),
            (Place::Target, Rm::Label(label)) => Raw::Label(label),
            (Place::Imm, _) => Raw::Imm(self.imm),
            (Place::Cond, _) => Raw::Cond(self.cond()),
            (Place::Cl, _) => Raw::Reg(RCX.number()),
            _ => return None,
        })
    }

    /// The row's operands with their values, in the manual's order.
    pub(super) fn operands(&self) -> impl Iterator<Item = (&'static Operand, Raw)> + use<'_> {
        let row = self.row();
        row.operands.iter().zip(row.places).filter_map(|(operand, place)| Some((operand, self.raw(place)?)))
    }

    /// Calls `visit` for every register that the instruction reads or writes: operands, registers of addresses, and
    /// implicit ones. A register that is used in several ways is visited several times.
    pub fn visit_registers(&self, visit: &mut dyn FnMut(Reg, Mark)) {
        for (operand, raw) in self.operands() {
            match raw {
                Raw::Reg(number) if operand.kind == Kind::X => {
                    visit(Reg::Xmm(Xmm::ALL[usize::from(number & 15)]), operand.mark);
                }
                Raw::Reg(number) => visit(Reg::Gpr(Gpr::ALL[usize::from(number & 15)]), operand.mark),
                Raw::Mem(mem) => {
                    mem.registers()
                        .into_iter()
                        .flatten()
                        .for_each(|register| visit(Reg::Gpr(register), Mark::R));
                }
                Raw::Label(_) | Raw::Cond(_) | Raw::Imm(_) => {}
            }
        }
        for &(mark, register) in self.row().implicit.iter() {
            visit(Reg::Gpr(register), mark);
        }
    }

    /// What happens to the memory of the memory operand, if there is one.
    pub fn memory(&self) -> Option<(Mem, Mark)> {
        self.operands().find_map(|(operand, raw)| match raw {
            Raw::Mem(mem) => Some((mem, operand.mark)),
            _ => None,
        })
    }

    /// What happens to the flags.
    pub fn flags(&self) -> Option<Mark> {
        self.row().flags
    }
}

/// The typed value of an operand, for [`super::Assembler::replay`].
#[cfg(any(test, feature = "testing"))]
pub(super) trait FromRaw: Sized {
    /// The value, if it is one of this type.
    fn from_raw(raw: Raw) -> Option<Self>;
}

#[cfg(any(test, feature = "testing"))]
macro_rules! from_raw {
    ($($type:ty: $pattern:pat => $value:expr;)*) => {
        $(impl FromRaw for $type {
            fn from_raw(raw: Raw) -> Option<$type> {
                match raw {
                    $pattern => $value,
                    _ => None,
                }
            }
        })*
    };
}

#[cfg(any(test, feature = "testing"))]
from_raw! {
    Gpr: Raw::Reg(number) => Gpr::new(number);
    Xmm: Raw::Reg(number) => Xmm::new(number);
    Mem: Raw::Mem(mem) => Some(mem);
    Label: Raw::Label(label) => Some(label);
    Cond: Raw::Cond(cond) => Some(cond);
    Predicate: Raw::Imm(value) => usize::try_from(value).ok().and_then(|n| Predicate::ALL.get(n)).copied();
    i8: Raw::Imm(value) => i8::try_from(value).ok();
    i16: Raw::Imm(value) => i16::try_from(value).ok();
    i32: Raw::Imm(value) => i32::try_from(value).ok();
    u8: Raw::Imm(value) => u8::try_from(value).ok();
    u32: Raw::Imm(value) => u32::try_from(value).ok();
    u64: Raw::Imm(value) => Some(u64::from_ne_bytes(value.to_ne_bytes()));
}
