//! The encoder: from an [`Inst`] to bytes.
//!
//! Order of an instruction's parts (Intel SDM 2A, figure 2-1 and 2.3.2): legacy prefixes, REX or VEX, escape bytes,
//! opcode, ModRM, SIB, displacement, immediate.

use super::inst::{Inst, Rm};
use super::mem::{Address, Mem};
use super::reg::Size;
use super::row::{Encoding, Imm, Map, ModRm, Row, Wide};
use crate::asm::buffer::WINDOW;
use crate::asm::{CodeBuffer, FixupKind, Label};

/// Appends to the window of the code buffer.
struct Out<'a> {
    bytes: &'a mut [u8; WINDOW],
    len: usize,
}

impl Out<'_> {
    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        // No instruction is longer than 15 bytes, half of the window: the mask only tells the compiler so.
        self.bytes[self.len & (WINDOW / 2 - 1)] = byte;
        self.len += 1;
    }

    /// The low `N` bytes of a value.
    #[inline(always)]
    fn value<const N: usize>(&mut self, value: i64) {
        let at = self.len & (WINDOW / 2 - 1);
        let bytes = value.to_le_bytes();
        let Some((low, _)) = bytes.split_first_chunk::<N>() else { return };
        self.bytes[at..at + N].copy_from_slice(low);
        self.len += N;
    }
}

/// A reference to a label that the bytes contain.
#[derive(Clone, Copy)]
struct Reference {
    kind: FixupKind,
    /// Position of the field in the instruction.
    at: usize,
    label: Label,
    addend: i32,
}

/// Appends the instruction to the code.
pub(super) fn encode(buffer: &mut CodeBuffer, inst: &Inst) {
    let start = buffer.offset();
    let (len, reference) = bytes(buffer.window(), inst, inst.row());
    buffer.advance(len);
    if let Some(Reference { kind, at, label, addend }) = reference {
        buffer.fixup(kind, start + at, start + len, label, addend);
    }
    buffer.note(start, || inst.to_string());
}

/// Writes the instruction; returns its length and the reference to be filled in.
fn bytes(window: &mut [u8; WINDOW], inst: &Inst, row: &Row) -> (usize, Option<Reference>) {
    let e = &row.encoding;
    let mut out = Out { bytes: window, len: 0 };
    let wide = match e.wide {
        Wide::Zero => false,
        Wide::One => true,
        Wide::BySize => inst.size == Size::S64,
    };
    let reg = match e.modrm {
        ModRm::Digit(digit) => digit,
        _ => inst.reg,
    };
    // The numbers of the registers that the prefix extends to four bits.
    let (base, index) = match &inst.rm {
        Rm::Reg(number) => (*number, 0),
        Rm::Mem(mem) => {
            segment_and_size(&mut out, mem);
            match mem.address {
                Address::Base(base) => (base.number(), 0),
                Address::Sum(base, index, _) => (base.number(), index.register().number()),
                Address::Scaled(index, _) => (0, index.register().number()),
                Address::Absolute | Address::Label(_) => (0, 0),
            }
        }
        Rm::None | Rm::Label(_) => (0, 0),
    };
    if e.vex {
        vex(&mut out, e, wide, reg, index, base, inst.vvvv);
    } else {
        let byte_rm = row.byte_rm && matches!(inst.rm, Rm::Reg(4..=7));
        let byte_reg = row.byte_reg && matches!(inst.reg, 4..=7);
        legacy(&mut out, e, rex(wide, reg, index, base), byte_rm | byte_reg);
    }
    // The "s" bit: the immediate is stored as one sign-extended byte.
    let short = e.imm == Imm::Is && i8::try_from(inst.imm).is_ok();
    let opcode = e.opcode | inst.cond.number() | u8::from(short) << 1;
    out.byte(if e.modrm == ModRm::InOpcode { opcode | base & 7 } else { opcode });
    let mut reference = match e.modrm {
        ModRm::Reg | ModRm::Digit(_) => match &inst.rm {
            Rm::Mem(mem) => memory(&mut out, reg, mem),
            _ => {
                out.byte(0b11 << 6 | (reg & 7) << 3 | base & 7);
                None
            }
        },
        ModRm::Fixed(byte) => {
            out.byte(byte);
            None
        }
        ModRm::None | ModRm::InOpcode => None,
    };
    match (e.imm, &inst.rm) {
        (Imm::None, _) => {}
        (Imm::Is, _) if short => out.value::<1>(inst.imm),
        (Imm::Ib, _) => out.value::<1>(inst.imm),
        (Imm::Iw, _) => out.value::<2>(inst.imm),
        (Imm::Id | Imm::Is, _) => out.value::<4>(inst.imm),
        (Imm::Io, _) => out.value::<8>(inst.imm),
        (Imm::Cb, Rm::Label(label)) => {
            reference = Some(Reference { kind: FixupKind::Rel8, at: out.len, label: *label, addend: 0 });
            out.value::<1>(0);
        }
        (Imm::Cd, Rm::Label(label)) => {
            reference = Some(Reference { kind: FixupKind::Rel32, at: out.len, label: *label, addend: 0 });
            out.value::<4>(0);
        }
        // The operand of a branch is a label.
        (Imm::Cb | Imm::Cd, _) => {}
    }
    (out.len, reference)
}

/// The prefixes that a memory operand asks for (Intel SDM 2A, 2.1.1).
#[inline(always)]
fn segment_and_size(out: &mut Out<'_>, mem: &Mem) {
    if mem.gs {
        out.byte(0x65);
    }
    if mem.addr32 {
        out.byte(0x67);
    }
}

/// The low four bits of a REX prefix: W, and bit 3 of three register numbers (Intel SDM 2A, table 2-4).
#[inline(always)]
fn rex(wide: bool, reg: u8, index: u8, base: u8) -> u8 {
    u8::from(wide) << 3 | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3
}

/// Prefixes and escape bytes of an instruction without VEX.
///
/// `byte` asks for a REX prefix in any case: without one, the numbers 4 to 7 of 8-bit registers mean ah, ch, dh and
/// bh instead of spl, bpl, sil and dil (Intel SDM 2A, 2.2.1.2).
#[inline(always)]
fn legacy(out: &mut Out<'_>, e: &Encoding, rex: u8, byte: bool) {
    if e.lock {
        out.byte(0xf0);
    }
    if e.prefix != 0 {
        out.byte(e.prefix);
    }
    if rex != 0 || byte {
        out.byte(0x40 | rex);
    }
    if e.map != Map::Primary {
        out.byte(0x0f);
    }
    match e.map {
        Map::Primary | Map::M0f => {}
        Map::M0f38 => out.byte(0x38),
        Map::M0f3a => out.byte(0x3a),
    }
}

/// The three-byte VEX prefix (Intel SDM 2A, 2.3.5): register bits and vvvv are stored inverted, L is 0. All rows are
/// in maps that the two-byte form cannot name.
#[inline(always)]
fn vex(out: &mut Out<'_>, e: &Encoding, wide: bool, reg: u8, index: u8, base: u8, vvvv: u8) {
    let map = match e.map {
        Map::Primary | Map::M0f => 1,
        Map::M0f38 => 2,
        Map::M0f3a => 3,
    };
    let prefix = match e.prefix {
        0x66 => 1,
        0xf3 => 2,
        0xf2 => 3,
        _ => 0,
    };
    let registers = rex(false, reg, index, base);
    out.byte(0xc4);
    out.byte((registers ^ 7) << 5 | map);
    out.byte(u8::from(wide) << 7 | (vvvv ^ 15) << 3 | prefix);
}

/// ModRM, SIB and displacement of a memory operand (Intel SDM 2A, tables 2-2 and 2-3).
#[inline(always)]
fn memory(out: &mut Out<'_>, reg: u8, mem: &Mem) -> Option<Reference> {
    let reg = (reg & 7) << 3;
    match mem.address {
        Address::Base(base) => {
            let low = base.number() & 7;
            let mode = mode(low, mem.disp);
            out.byte(mode << 6 | reg | low);
            if low == SIB {
                // rsp and r12 as a base need a SIB byte without an index.
                out.byte(NO_INDEX << 3 | low);
            }
            displacement(out, mode, mem.disp);
        }
        Address::Sum(base, index, scale) => {
            let low = base.number() & 7;
            let mode = mode(low, mem.disp);
            out.byte(mode << 6 | reg | SIB);
            out.byte(scale.field() << 6 | (index.register().number() & 7) << 3 | low);
            displacement(out, mode, mem.disp);
        }
        Address::Scaled(index, scale) => {
            out.byte(reg | SIB);
            out.byte(scale.field() << 6 | (index.register().number() & 7) << 3 | NO_BASE);
            out.value::<4>(i64::from(mem.disp));
        }
        Address::Absolute => {
            // Without SIB the displacement would be relative to rip (Intel SDM 2A, 2.2.1.6).
            out.byte(reg | SIB);
            out.byte(NO_INDEX << 3 | NO_BASE);
            out.value::<4>(i64::from(mem.disp));
        }
        Address::Label(label) => {
            out.byte(reg | NO_BASE);
            let at = out.len;
            out.value::<4>(0);
            return Some(Reference { kind: FixupKind::Rel32, at, label, addend: mem.disp });
        }
    }
    None
}

/// The "r/m" field that announces a SIB byte.
const SIB: u8 = 4;
/// The "index" field that means none.
const NO_INDEX: u8 = 4;
/// The "base" or "r/m" field that with mod 0 means none.
const NO_BASE: u8 = 5;

/// The "mod" field with the shortest displacement: none, 8 bits, 32 bits. The numbers of rbp and r13 with mod 0 mean
/// that there is no base, so these take a displacement of 0.
#[inline(always)]
fn mode(base: u8, disp: i32) -> u8 {
    if disp == 0 && base != NO_BASE {
        0
    } else if i8::try_from(disp).is_ok() {
        1
    } else {
        2
    }
}

#[inline(always)]
fn displacement(out: &mut Out<'_>, mode: u8, disp: i32) {
    match mode {
        0 => {}
        1 => out.value::<1>(i64::from(disp)),
        _ => out.value::<4>(i64::from(disp)),
    }
}
