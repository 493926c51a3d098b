//! The encoder: from an [`Inst`] to bytes.
//!
//! Order of an instruction's parts (Intel SDM 2A, figure 2-1 and 2.3.2): legacy prefixes, REX or VEX, escape bytes,
//! opcode, ModRM, SIB, displacement, immediate.
//!
//! It is the inner loop of translation. So bytes are collected in a register and stored eight at once, in up to three
//! pieces (all up to the opcode; ModRM, SIB and displacement; the immediate), and what an instruction may have or not
//! is shifted in in any case and then counted or not: which parts it has depends on its registers, so a branch would
//! often be mispredicted.

use super::inst::{Head, Inst, Rm};
use super::insts::encoding_of;
use super::mem::Mem;
use super::reg::Size;
use super::row::{Encoding, ModRm};
use crate::asm::buffer::WINDOW;
use crate::asm::{CodeBuffer, FixupKind, Label};

/// Up to eight bytes, the first one lowest.
#[derive(Clone, Copy)]
struct Piece {
    bytes: u64,
    /// How many bits of it count; the others are 0.
    bits: u32,
}

impl Piece {
    const EMPTY: Piece = Piece { bytes: 0, bits: 0 };

    /// The piece with the low `len` bytes of `bytes` behind it; the other bytes are 0.
    #[inline(always)]
    fn with(self, bytes: u32, len: u8) -> Piece {
        debug_assert!(self.bits + u32::from(len) * 8 <= 64);
        Piece { bytes: self.bytes | u64::from(bytes) << self.bits, bits: self.bits + u32::from(len) * 8 }
    }

    /// The piece with the byte behind it if the condition holds.
    #[inline(always)]
    fn with_if(self, condition: bool, byte: u8) -> Piece {
        self.with(u32::from(byte) * u32::from(condition), u8::from(condition))
    }
}

/// Appends to the window of the code buffer.
struct Out<'a> {
    bytes: &'a mut [u8; WINDOW],
    len: usize,
}

/// All but the immediate is shorter than this, and this plus a stored piece fits the window.
const LIMIT: usize = WINDOW / 2;

impl Out<'_> {
    #[inline(always)]
    fn piece(&mut self, piece: Piece) {
        self.low_bytes(piece.bytes, piece.bits as usize / 8);
    }

    /// Appends the low `len` bytes.
    #[inline(always)]
    fn low_bytes(&mut self, bytes: u64, len: usize) {
        // The mask changes nothing; it tells the compiler that the index is in range.
        let at = self.len & (LIMIT - 1);
        self.bytes[at..at + 8].copy_from_slice(&bytes.to_le_bytes());
        self.len += len;
    }
}

/// Appends an instruction of the row with index `ROW` to the code.
///
/// There is one encoder per row that is used, with all that the row says folded into it. The emit methods know the form
/// of the operands, so one call remains of this, with all arguments in registers. (Inlining the encoder into each call
/// makes the crate compile ten times as long; one encoder for all rows needs three times as many instructions.)
#[inline(always)]
pub(super) fn encode<const ROW: usize>(buffer: &mut CodeBuffer, inst: Inst) {
    match inst.rm {
        Rm::None => with_register::<ROW>(buffer, inst.head, 0, inst.imm),
        Rm::Reg(number) => with_register::<ROW>(buffer, inst.head, number, inst.imm),
        Rm::Mem(mem) => with_memory::<ROW>(buffer, inst.head, mem, inst.imm),
        Rm::Label(label) => with_label::<ROW>(buffer, inst.head, label),
    }
}

/// Appends an instruction without memory operand.
#[inline(never)]
fn with_register<const ROW: usize>(buffer: &mut CodeBuffer, head: Head, number: u8, imm: i64) {
    let (start, e) = (buffer.offset(), const { &encoding_of(ROW) });
    let mut out = Out { bytes: buffer.window(), len: 0 };
    let byte_rm = e.byte_rm & matches!(number, 4..=7);
    let front = if e.vex_map == 0 {
        let in_opcode = if e.modrm == ModRm::InOpcode { number & 7 } else { 0 };
        let byte = byte_rm | is_byte_reg(e, head);
        legacy(Piece::EMPTY, e, rex(e, head, 0, number), byte, variable(e, head, imm) | in_opcode)
    } else {
        vex(Piece::EMPTY, e, rex(e, head, 0, number), head)
    };
    let modrm = (e.modrm == ModRm::Reg) | (e.modrm == ModRm::Digit);
    out.piece(front.with_if(modrm, 0b11 << 6 | (reg(e, head) & 7) << 3 | number & 7));
    immediate(&mut out, e, imm);
    let len = out.len;
    buffer.advance(len);
    buffer.note(start, || Inst { head, rm: Rm::Reg(number), imm }.to_string());
}

/// Appends an instruction with a memory operand.
#[inline(never)]
fn with_memory<const ROW: usize>(buffer: &mut CodeBuffer, head: Head, mem: Mem, imm: i64) {
    let (start, e) = (buffer.offset(), const { &encoding_of(ROW) });
    let mut out = Out { bytes: buffer.window(), len: 0 };
    // Prefixes of the address (Intel SDM 2A, 2.1.1).
    let prefixes = Piece::EMPTY.with_if(mem.has_gs(), 0x65).with_if(mem.has_addr32(), 0x67);
    // What is missing has a number without bit 3.
    let rex = rex(e, head, mem.index_number(), mem.base_number());
    out.piece(if e.vex_map == 0 {
        legacy(prefixes, e, rex, is_byte_reg(e, head), variable(e, head, imm))
    } else {
        vex(prefixes, e, rex, head)
    });
    let at = out.len;
    out.piece(memory(reg(e, head), mem));
    immediate(&mut out, e, imm);
    let len = out.len;
    buffer.advance(len);
    if let Some(label) = mem.to_label() {
        // The displacement follows the ModRM byte.
        buffer.fixup(FixupKind::Rel32, start + at + 1, start + len, label, mem.displacement());
    }
    buffer.note(start, || Inst { head, rm: Rm::Mem(mem), imm }.to_string());
}

/// Appends a branch.
#[inline(never)]
fn with_label<const ROW: usize>(buffer: &mut CodeBuffer, head: Head, label: Label) {
    let (start, e) = (buffer.offset(), const { &encoding_of(ROW) });
    let mut out = Out { bytes: buffer.window(), len: 0 };
    out.piece(legacy(Piece::EMPTY, e, 0, false, head.cond()));
    let at = out.len;
    out.low_bytes(0, usize::from(e.imm_len));
    let len = out.len;
    buffer.advance(len);
    let kind = if e.imm_len == 1 { FixupKind::Rel8 } else { FixupKind::Rel32 };
    buffer.fixup(kind, start + at, start + len, label, 0);
    buffer.note(start, || Inst { head, rm: Rm::Label(label), imm: 0 }.to_string());
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

/// Prefixes, escape bytes and opcode of an instruction without VEX. `byte` asks for a REX prefix in any case.
#[inline(always)]
fn legacy(before: Piece, e: &Encoding, rex: u8, byte: bool, variable: u8) -> Piece {
    let opcode = e.opcode | u32::from(variable) << (8 * (e.opcode_len - 1));
    before
        .with(u32::from(e.lead), e.lead_len)
        .with_if((rex != 0) | byte, 0x40 | rex)
        .with(opcode, e.opcode_len)
}

/// The three-byte VEX prefix (Intel SDM 2A, 2.3.5) and the opcode: register bits and vvvv are stored inverted, L is 0.
/// All rows are in maps that the two-byte form cannot name: 0F38 and 0F3A.
#[inline(always)]
fn vex(before: Piece, e: &Encoding, rex: u8, head: Head) -> Piece {
    let registers = (rex & 7 ^ 7) << 5 | e.vex_map;
    let rest = (rex >> 3) << 7 | (head.vvvv() ^ 15) << 3 | e.vex_prefix;
    let [opcode, ..] = e.opcode.to_le_bytes();
    before.with(u32::from_le_bytes([0xc4, registers, rest, opcode]), 4)
}

/// Appends the immediate.
#[inline(always)]
fn immediate(out: &mut Out<'_>, e: &Encoding, imm: i64) {
    let len = if is_short(e, imm) { 1 } else { e.imm_len };
    out.low_bytes(imm.cast_unsigned(), usize::from(len));
}

/// ModRM, SIB and displacement of a memory operand (Intel SDM 2A, tables 2-2 and 2-3).
#[inline(always)]
fn memory(reg: u8, mem: Mem) -> Piece {
    let (reg, disp) = ((reg & 7) << 3, mem.displacement().cast_unsigned());
    let modrm = |mode: u8, rm: u8| Piece::EMPTY.with(u32::from(mode << 6 | reg | rm), 1);
    let sib = |base: u8| mem.scale_field() << 6 | (mem.index_number() & 7) << 3 | base;
    if mem.has_base() {
        let base = mem.base_number() & 7;
        let mode = mode(base, mem.displacement());
        // rsp and r12 as a base need a SIB byte without an index.
        let has_sib = mem.has_index() | (base == SIB);
        // Of a shorter displacement nothing follows that the rest could spoil: lengths 0, 1, 4 for modes 0, 1, 2.
        modrm(mode, if has_sib { SIB } else { base }).with_if(has_sib, sib(base)).with(disp, mode * mode)
    } else if mem.to_label().is_some() {
        // Relative to rip; filled in later.
        modrm(0, NO_BASE).with(0, 4)
    } else {
        // The displacement alone would be relative to rip, so there is a SIB byte (Intel SDM 2A, 2.2.1.6).
        modrm(0, SIB).with(u32::from(sib(NO_BASE)), 1).with(disp, 4)
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
