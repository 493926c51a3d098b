//! The encoder: from an [`Inst`] to bytes.
//!
//! Order of an instruction's parts (Intel SDM 2A, figure 2-1 and 2.3.2): legacy prefixes, REX or VEX, escape bytes,
//! opcode, ModRM, SIB, displacement, immediate.

use super::inst::{Head, Inst, Rm};
use super::mem::Mem;
use super::reg::Size;
use super::row::{Encoding, ModRm, Row};
use crate::asm::buffer::WINDOW;
use crate::asm::{CodeBuffer, FixupKind, Label};

/// Appends to the window of the code buffer.
///
/// Optional parts are written in any case and then counted or not: which parts an instruction has depends on its
/// registers, so a branch would often be mispredicted.
struct Out<'a> {
    bytes: &'a mut [u8; WINDOW],
    len: usize,
}

/// The longest instruction is shorter than this, and this plus the longest value fits the window.
const LIMIT: usize = WINDOW / 2;

impl Out<'_> {
    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        // The mask changes nothing; it tells the compiler that the index is in range.
        self.bytes[self.len & (LIMIT - 1)] = byte;
        self.len += 1;
    }

    /// Appends the byte if the condition holds.
    #[inline(always)]
    fn byte_if(&mut self, condition: bool, byte: u8) {
        self.bytes[self.len & (LIMIT - 1)] = byte;
        self.len += usize::from(condition);
    }

    /// Appends the low `len` of the `N` bytes.
    #[inline(always)]
    fn low_bytes<const N: usize>(&mut self, bytes: [u8; N], len: usize) {
        let at = self.len & (LIMIT - 1);
        self.bytes[at..at + N].copy_from_slice(&bytes);
        self.len += len;
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
///
/// The emit methods know which of the four it is, so one call remains of this, with all arguments in registers.
/// (Inlining all of the encoder into each method is no faster and made the crate compile ten times as long.)
#[inline(always)]
pub(super) fn encode(buffer: &mut CodeBuffer, inst: Inst) {
    match inst.rm {
        Rm::None => with_nothing(buffer, inst.head, inst.imm),
        Rm::Reg(number) => with_register(buffer, inst.head, number, inst.imm),
        Rm::Mem(mem) => with_memory(buffer, inst.head, mem, inst.imm),
        Rm::Label(label) => with_label(buffer, inst.head, label),
    }
}

fn with_nothing(buffer: &mut CodeBuffer, head: Head, imm: i64) {
    append(buffer, &Inst { head, rm: Rm::None, imm });
}

fn with_register(buffer: &mut CodeBuffer, head: Head, number: u8, imm: i64) {
    append(buffer, &Inst { head, rm: Rm::Reg(number), imm });
}

fn with_memory(buffer: &mut CodeBuffer, head: Head, mem: Mem, imm: i64) {
    append(buffer, &Inst { head, rm: Rm::Mem(mem), imm });
}

fn with_label(buffer: &mut CodeBuffer, head: Head, label: Label) {
    append(buffer, &Inst { head, rm: Rm::Label(label), imm: 0 });
}

/// Appends the instruction to the code. Inlined four times, each with what is known of `inst.rm`.
#[inline(always)]
fn append(buffer: &mut CodeBuffer, inst: &Inst) {
    let start = buffer.offset();
    let (len, reference) = bytes(buffer.window(), inst, inst.row());
    buffer.advance(len);
    if let Some(Reference { kind, at, label, addend }) = reference {
        buffer.fixup(kind, start + at, start + len, label, addend);
    }
    buffer.note(start, || inst.to_string());
}

/// Writes the instruction; returns its length and the reference to be filled in.
#[inline(always)]
fn bytes(window: &mut [u8; WINDOW], inst: &Inst, row: &Row) -> (usize, Option<Reference>) {
    let head = inst.head;
    let e = &row.encoding;
    let mut out = Out { bytes: window, len: 0 };
    let wide = e.wide | (e.wide_by_size & (head.size() == Size::S64));
    // A row has a digit or a register there; the other is 0.
    let reg = e.digit | head.reg();
    // The numbers of the registers that the prefix extends to four bits.
    let (base, index) = match inst.rm {
        Rm::Reg(number) => (number, 0),
        Rm::Mem(mem) => {
            // Prefixes of the address (Intel SDM 2A, 2.1.1).
            out.byte_if(mem.has_gs(), 0x65);
            out.byte_if(mem.has_addr32(), 0x67);
            // What is missing has a number without bit 3.
            (mem.base_number(), mem.index_number())
        }
        Rm::None | Rm::Label(_) => (0, 0),
    };
    if e.vex {
        vex(&mut out, e, wide, reg, index, base, head.vvvv());
    } else {
        let byte_rm = row.byte_rm & matches!(inst.rm, Rm::Reg(4..=7));
        let byte_reg = row.byte_reg & matches!(head.reg(), 4..=7);
        legacy(&mut out, e, rex(wide, reg, index, base), byte_rm | byte_reg);
    }
    // The "s" bit: the immediate is stored as one sign-extended byte.
    let short = e.imm_short & i8::try_from(inst.imm).is_ok();
    let in_opcode = if e.modrm == ModRm::InOpcode { base & 7 } else { 0 };
    // These change bits of the opcode's last byte that are 0 in the row.
    let variable = u32::from(head.cond() | u8::from(short) << 1 | in_opcode) << (8 * (e.opcode_len - 1));
    out.low_bytes((e.opcode | variable).to_le_bytes(), e.opcode_len);
    let mut reference = None;
    if let Rm::Mem(mem) = inst.rm {
        reference = memory(&mut out, reg, mem);
    } else {
        let modrm = (e.modrm == ModRm::Reg) | (e.modrm == ModRm::Digit);
        out.byte_if(modrm, 0b11 << 6 | (reg & 7) << 3 | base & 7);
    }
    if let Rm::Label(label) = inst.rm {
        let kind = if e.imm_len == 1 { FixupKind::Rel8 } else { FixupKind::Rel32 };
        reference = Some(Reference { kind, at: out.len, label, addend: 0 });
    }
    out.low_bytes(inst.imm.to_le_bytes(), if short { 1 } else { e.imm_len });
    (out.len, reference)
}

/// The low four bits of a REX prefix: W, and bit 3 of three register numbers (Intel SDM 2A, table 2-4).
#[inline(always)]
fn rex(wide: bool, reg: u8, index: u8, base: u8) -> u8 {
    u8::from(wide) << 3 | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3
}

/// The prefixes of an instruction without VEX.
///
/// `byte` asks for a REX prefix in any case: without one, the numbers 4 to 7 of 8-bit registers mean ah, ch, dh and
/// bh instead of spl, bpl, sil and dil (Intel SDM 2A, 2.2.1.2).
#[inline(always)]
fn legacy(out: &mut Out<'_>, e: &Encoding, rex: u8, byte: bool) {
    out.low_bytes(e.lead, e.lead_len);
    out.byte_if((rex != 0) | byte, 0x40 | rex);
}

/// The three-byte VEX prefix (Intel SDM 2A, 2.3.5): register bits and vvvv are stored inverted, L is 0. All rows are
/// in maps that the two-byte form cannot name: 0F38 and 0F3A.
#[inline(always)]
fn vex(out: &mut Out<'_>, e: &Encoding, wide: bool, reg: u8, index: u8, base: u8, vvvv: u8) {
    let registers = rex(false, reg, index, base);
    out.byte(0xc4);
    out.byte((registers ^ 7) << 5 | e.vex_map);
    out.byte(u8::from(wide) << 7 | (vvvv ^ 15) << 3 | e.vex_prefix);
}

/// ModRM, SIB and displacement of a memory operand (Intel SDM 2A, tables 2-2 and 2-3).
#[inline(always)]
fn memory(out: &mut Out<'_>, reg: u8, mem: Mem) -> Option<Reference> {
    let (reg, disp) = ((reg & 7) << 3, mem.displacement());
    if let Some(label) = mem.to_label() {
        out.byte(reg | NO_BASE);
        let at = out.len;
        out.low_bytes([0; 4], 4);
        return Some(Reference { kind: FixupKind::Rel32, at, label, addend: disp });
    }
    let base = if mem.has_base() { mem.base_number() & 7 } else { NO_BASE };
    // rsp and r12 as a base need a SIB byte without an index. Without a base it is needed as well: the displacement
    // alone would be relative to rip (Intel SDM 2A, 2.2.1.6).
    let sib = mem.has_index() | (base == SIB) | !mem.has_base();
    let (mode, length) = if mem.has_base() { mode(base, disp) } else { (0, 4) };
    out.byte(mode << 6 | reg | if sib { SIB } else { base });
    out.byte_if(sib, mem.scale_field() << 6 | (mem.index_number() & 7) << 3 | base);
    out.low_bytes(disp.to_le_bytes(), length);
    None
}

/// The "r/m" field that announces a SIB byte.
const SIB: u8 = 4;
/// The "base" or "r/m" field that with mod 0 means none.
const NO_BASE: u8 = 5;

/// The "mod" field with the shortest displacement, and the length of that: none, 8 bits, 32 bits. The numbers of rbp
/// and r13 with mod 0 mean that there is no base, so these take a displacement of 0.
#[inline(always)]
fn mode(base: u8, disp: i32) -> (u8, usize) {
    if (disp == 0) & (base != NO_BASE) {
        (0, 0)
    } else if i8::try_from(disp).is_ok() {
        (1, 1)
    } else {
        (2, 4)
    }
}
