//! The encoder: from an [`Inst`] to bytes.
//!
//! Order of an instruction's parts (Intel SDM 2A, figure 2-1 and 2.3.2): legacy prefixes, REX or VEX, escape bytes,
//! opcode, ModRM, SIB, displacement, immediate.
//!
//! It is the inner loop of translation. Optional parts are written in any case and then counted or not: which parts an
//! instruction has depends on its registers, so a branch would often be mispredicted. What seldom happens (no room, a
//! label as memory operand, a listing) is done by calls in the last place, so that nothing need be kept across them.

use super::inst::{Head, Inst, Rm};
use super::insts::encoding_of;
use super::mem::Mem;
use super::reg::Size;
use super::row::{Encoding, ModRm};
use crate::asm::buffer::WINDOW;
use crate::asm::{CodeBuffer, FixupKind, Label};

/// Appends to the window of the code buffer.
struct Out<'a> {
    bytes: &'a mut [u8; WINDOW],
    len: usize,
}

/// The longest instruction is shorter than this, and this plus the longest value fits the window.
const LIMIT: usize = WINDOW / 2;

impl Out<'_> {
    /// Appends the byte if the condition holds.
    #[inline(always)]
    fn byte_if(&mut self, condition: bool, byte: u8) {
        // The mask changes nothing; it tells the compiler that the index is in range.
        self.bytes[self.len & (LIMIT - 1)] = byte;
        self.len += usize::from(condition);
    }

    /// Appends the low `len` of the `N` bytes.
    #[inline(always)]
    fn low_bytes<const N: usize>(&mut self, bytes: [u8; N], len: u8) {
        let at = self.len & (LIMIT - 1);
        self.bytes[at..at + N].copy_from_slice(&bytes);
        self.len += usize::from(len);
    }
}

/// Appends an instruction of the row with index `ROW` to the code.
///
/// There is one encoder per row that is used, with all that the row says folded into it. The emit methods know the form
/// of the operands, so one call remains of this, with all arguments in registers. (Inlining the encoder into each call
/// makes the crate compile ten times as long; one encoder for all rows takes twice as many instructions.)
#[inline(always)]
pub(super) fn encode<const ROW: usize>(buffer: &mut CodeBuffer, inst: Inst) {
    match inst.rm {
        Rm::None => with_register::<ROW>(buffer, inst.head, 0, inst.imm),
        Rm::Reg(number) => with_register::<ROW>(buffer, inst.head, number, inst.imm),
        Rm::Mem(mem) => with_memory::<ROW>(buffer, inst.head, mem, inst.imm),
        Rm::Label(label) => with_label::<ROW>(buffer, inst.head, label),
    }
}

/// Appends an instruction without memory operand; `number` is that of the register in the "r/m" field or in the opcode.
#[inline(never)]
fn with_register<const ROW: usize>(buffer: &mut CodeBuffer, head: Head, number: u8, imm: i64) {
    let e = const { &encoding_of(ROW) };
    let start = buffer.offset();
    let Some(window) = buffer.window() else {
        return again(buffer, move |buffer| with_register::<ROW>(buffer, head, number, imm));
    };
    let mut out = Out { bytes: window, len: 0 };
    let rex = rex(e, head, 0, number);
    let modrm = 0b11 << 6 | (reg(e, head) & 7) << 3 | number & 7;
    if e.vex_map == 0 {
        let byte = e.byte_rm & matches!(number, 4..=7) | is_byte_reg(e, head);
        let in_opcode = if e.modrm == ModRm::InOpcode { number & 7 } else { 0 };
        legacy(&mut out, e, rex, byte, variable(e, head, imm) | in_opcode, modrm);
    } else {
        vex(&mut out, e, rex, head, modrm);
    }
    immediate(&mut out, e, imm);
    let len = out.len;
    buffer.advance(len);
    if buffer.is_noted() {
        note(buffer, start, head, Rm::Reg(number), imm);
    }
}

/// Appends an instruction with a memory operand.
#[inline(never)]
fn with_memory<const ROW: usize>(buffer: &mut CodeBuffer, head: Head, mem: Mem, imm: i64) {
    let e = const { &encoding_of(ROW) };
    let start = buffer.offset();
    let Some(window) = buffer.window() else {
        return again(buffer, move |buffer| with_memory::<ROW>(buffer, head, mem, imm));
    };
    let mut out = Out { bytes: window, len: 0 };
    // Prefixes of the address (Intel SDM 2A, 2.1.1).
    out.byte_if(mem.has_gs(), 0x65);
    out.byte_if(mem.has_addr32(), 0x67);
    // What is missing has a number without bit 3.
    let rex = rex(e, head, mem.index_number(), mem.base_number());
    let address = Address::of(mem);
    let modrm = address.modrm | (reg(e, head) & 7) << 3;
    if e.vex_map == 0 {
        legacy(&mut out, e, rex, is_byte_reg(e, head), variable(e, head, imm), modrm);
    } else {
        vex(&mut out, e, rex, head, modrm);
    }
    out.byte_if(address.has_sib, address.sib);
    let disp = out.len;
    out.low_bytes(mem.displacement().to_le_bytes(), address.disp_len);
    immediate(&mut out, e, imm);
    let len = out.len;
    buffer.advance(len);
    if mem.is_label() | buffer.is_noted() {
        refer(buffer, start, disp, Inst { head, rm: Rm::Mem(mem), imm });
    }
}

/// Appends a branch.
#[inline(never)]
fn with_label<const ROW: usize>(buffer: &mut CodeBuffer, head: Head, label: Label) {
    let e = const { &encoding_of(ROW) };
    let start = buffer.offset();
    let Some(window) = buffer.window() else {
        return again(buffer, move |buffer| with_label::<ROW>(buffer, head, label));
    };
    let mut out = Out { bytes: window, len: 0 };
    legacy(&mut out, e, 0, false, head.cond(), 0);
    let at = out.len;
    immediate(&mut out, e, 0);
    let len = out.len;
    buffer.advance(len);
    let kind = if e.imm_len == 1 { FixupKind::Rel8 } else { FixupKind::Rel32 };
    buffer.fixup(kind, start + at, start + len, label, 0);
    if buffer.is_noted() {
        note(buffer, start, head, Rm::Label(label), 0);
    }
}

/// Makes room and tries again.
#[cold]
#[inline(never)]
fn again(buffer: &mut CodeBuffer, append: impl Fn(&mut CodeBuffer)) {
    buffer.grow();
    append(buffer);
}

/// If the memory operand of the instruction just appended is a label, has its displacement, `disp` bytes behind the
/// instruction's start, filled in; records the text.
#[cold]
#[inline(never)]
fn refer(buffer: &mut CodeBuffer, start: usize, disp: usize, inst: Inst) {
    if let Rm::Mem(mem) = inst.rm {
        if let Some(label) = mem.to_label() {
            buffer.fixup(FixupKind::Rel32, start + disp, buffer.offset(), label, mem.displacement());
        }
    }
    buffer.note(start, || inst.to_string());
}

/// Records the text of the instruction at `start`.
#[cold]
#[inline(never)]
fn note(buffer: &mut CodeBuffer, start: usize, head: Head, rm: Rm, imm: i64) {
    buffer.note(start, || Inst { head, rm, imm }.to_string());
}

/// The "reg" field and its extension. A row has a digit or a register there; the other is 0.
#[inline(always)]
fn reg(e: &Encoding, head: Head) -> u8 {
    e.digit | head.reg()
}

/// The low four bits of a REX prefix: W, and bit 3 of three register numbers (Intel SDM 2A, table 2-4).
#[inline(always)]
fn rex(e: &Encoding, head: Head, index: u8, base: u8) -> u8 {
    let wide = e.wide | (e.wide_by_size & (head.size() == Size::S64));
    u8::from(wide) << 3 | (reg(e, head) >> 3) << 2 | (index >> 3) << 1 | base >> 3
}

/// Whether the number in the "reg" field is one of an 8-bit register that needs a REX prefix in any case: without one,
/// the numbers 4 to 7 mean ah, ch, dh and bh instead of spl, bpl, sil and dil (Intel SDM 2A, 2.2.1.2).
#[inline(always)]
fn is_byte_reg(e: &Encoding, head: Head) -> bool {
    e.byte_reg & matches!(head.reg(), 4..=7)
}

/// The "s" bit: the immediate is stored as one sign-extended byte.
#[inline(always)]
fn is_short(e: &Encoding, imm: i64) -> bool {
    e.imm_short & i8::try_from(imm).is_ok()
}

/// Bits of the opcode's last byte that are 0 in the row: condition and "s" bit.
#[inline(always)]
fn variable(e: &Encoding, head: Head, imm: i64) -> u8 {
    head.cond() | u8::from(is_short(e, imm)) << 1
}

/// Prefixes, escape bytes, opcode and, if the row has one, ModRM byte of an instruction without VEX. `byte` asks for a
/// REX prefix in any case.
#[inline(always)]
fn legacy(out: &mut Out<'_>, e: &Encoding, rex: u8, byte: bool, variable: u8, modrm: u8) {
    out.low_bytes(e.lead.to_le_bytes(), e.lead_len);
    out.byte_if((rex != 0) | byte, 0x40 | rex);
    // The opcode has at most three bytes, so that this is one store.
    let opcode =
        e.opcode | u32::from(variable) << (8 * (e.opcode_len - 1)) | u32::from(modrm) << (8 * e.opcode_len);
    out.low_bytes(opcode.to_le_bytes(), e.opcode_len + u8::from(has_modrm(e)));
}

/// The three-byte VEX prefix (Intel SDM 2A, 2.3.5), the opcode, which has one byte, and the ModRM byte. Register bits
/// and vvvv are stored inverted, L is 0. Most rows are in maps that the two-byte form cannot name: 0F38 and 0F3A.
#[inline(always)]
fn vex(out: &mut Out<'_>, e: &Encoding, rex: u8, head: Head, modrm: u8) {
    let registers = (rex & 7 ^ 7) << 5 | e.vex_map;
    let rest = (rex >> 3) << 7 | (head.vvvv() ^ 15) << 3 | e.vex_prefix;
    let [opcode, ..] = e.opcode.to_le_bytes();
    out.low_bytes([0xc4, registers, rest, opcode], 4);
    out.byte_if(has_modrm(e), modrm);
}

/// Whether the row has a ModRM byte.
#[inline(always)]
fn has_modrm(e: &Encoding) -> bool {
    (e.modrm == ModRm::Reg) | (e.modrm == ModRm::Digit)
}

/// Appends the immediate.
#[inline(always)]
fn immediate(out: &mut Out<'_>, e: &Encoding, imm: i64) {
    let len = if is_short(e, imm) { 1 } else { e.imm_len };
    match e.imm_len {
        0 => {}
        8 => out.low_bytes(imm.to_le_bytes(), 8),
        // The others are the low half of it.
        _ => out.low_bytes(((imm & 0xffff_ffff) as u32).to_le_bytes(), len),
    }
}

/// What a memory operand puts into the ModRM and SIB bytes, and the length of its displacement (Intel SDM 2A, tables 2-2
/// and 2-3).
struct Address {
    /// Fields "mod" and "r/m".
    modrm: u8,
    has_sib: bool,
    sib: u8,
    disp_len: u8,
}

impl Address {
    #[inline(always)]
    fn of(mem: Mem) -> Address {
        let sib = mem.scale_field() << 6 | (mem.index_number() & 7) << 3;
        if mem.has_base() {
            let base = mem.base_number() & 7;
            let mode = mode(base, mem.displacement());
            // rsp and r12 as a base need a SIB byte without an index.
            let has_sib = mem.has_index() | (base == SIB);
            let modrm = mode << 6 | if has_sib { SIB } else { base };
            // Modes 0, 1 and 2 have 0, 1 and 4 bytes.
            Address { modrm, has_sib, sib: sib | base, disp_len: mode + (mode & 2) }
        } else {
            // The displacement alone is relative to rip (Intel SDM 2A, 2.2.1.6), as it is to be for a label only.
            let has_sib = !mem.is_label();
            let modrm = if has_sib { SIB } else { NO_BASE };
            Address { modrm, has_sib, sib: sib | NO_BASE, disp_len: 4 }
        }
    }
}

/// The "r/m" field that announces a SIB byte.
const SIB: u8 = 4;
/// The "base" or "r/m" field that with mod 0 means none.
const NO_BASE: u8 = 5;

/// The "mod" field with the shortest displacement: none, 8 bits, 32 bits. The numbers of rbp and r13 with mod 0 mean
/// that there is no base, so these take a displacement of 0.
#[inline(always)]
fn mode(base: u8, disp: i32) -> u8 {
    let none = (disp == 0) & (base != NO_BASE);
    let long = i8::try_from(disp).is_err();
    u8::from(!none) << u8::from(long)
}
