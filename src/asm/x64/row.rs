//! What a row of the instruction table says, and the parser of its opcode column.
//!
//! The opcode column is the manual's own notation (Intel SDM 2A, 3.1.1.1 and 3.1.1.2), read by a `const fn`: a
//! column that cannot be read is a compile-time error. Three things are added to the notation:
//!
//! - `[REX.W]` and `[W1]` stand for two lines of the manual: the one without is taken for [`Size::S32`], the one
//!   with it for [`Size::S64`];
//! - `+cc` is a condition added to the opcode, which the manual writes as sixteen lines;
//! - `is` is a sign-extended immediate: 32 bits, or 8 bits with the opcode's bit 1 set if the value fits (the "s"
//!   bit, Intel SDM 2D B.1.4.3), which the manual writes as two lines.
//!
//! In the Op/En column the n-th letter is the place of the n-th operand, as in the manual's tables; `O` is the
//! register in the opcode, `D` a branch target, `C` the register cl (which is no parameter), `c` a condition.
//!
//! [`Size::S32`]: super::reg::Size::S32
//! [`Size::S64`]: super::reg::Size::S64

use super::features::Feature;
use super::insts::Op;
use super::reg::Gpr;
use crate::base::text::{Few, Text};

/// One row of the instruction table.
#[derive(Debug)]
pub struct Row {
    /// The operation.
    pub op: Op,
    /// `<mnemonic>_<form>`: the name of the emit method.
    pub name: Text<20>,
    /// The manual's opcode column.
    pub opcode: Text<30>,
    /// What a disassembler calls it; a condition is appended to it.
    pub mnemonic: Text<16>,
    /// The operands, in the manual's order: destination first.
    pub operands: Few<Operand, 4>,
    /// The manual's operand encoding.
    pub op_en: Text<4>,
    /// Registers that are read or written without being operands.
    pub implicit: Few<(Mark, Gpr), 4>,
    /// What happens to the flags; `None` if nothing. "Written" means that one of them may be another one afterwards,
    /// or undefined; others may survive (`inc`), or all of them (a shift by 0).
    pub flags: Option<Mark>,
    /// The feature needed beyond the baseline.
    pub feature: Option<Feature>,
    /// Volume and instruction in the Intel Software Developer's Manual (order number 325462).
    pub manual: Text<28>,
    /// True if the instruction takes a [`super::reg::Size`].
    pub sized: bool,
    /// The Op/En column, read.
    pub(super) places: [Place; 4],
}

/// An operand of a row.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    pub name: Text<10>,
    pub mark: Mark,
    pub kind: Kind,
}

impl Operand {
    /// Stands where there is none.
    pub(super) const NONE: Operand = Operand { name: Text::new(""), mark: Mark::N, kind: Kind::L };
}

/// How an operand is used. Of a memory operand it says what happens to the memory; the registers of the address
/// are always read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Read only, or a constant.
    R,
    /// Written; nothing of the old value is left that the operand's width covers.
    W,
    /// Read and written, or written under a condition.
    Rw,
    /// Not accessed: `lea` only names the address.
    N,
}

impl Mark {
    /// True if the old value matters.
    pub const fn reads(self) -> bool {
        matches!(self, Mark::R | Mark::Rw)
    }

    /// True if the value may be another one afterwards.
    pub const fn writes(self) -> bool {
        matches!(self, Mark::W | Mark::Rw)
    }
}

/// What an operand can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// General-purpose register of 8, 16, 32 or 64 bits; `Rv`: of the instruction's size.
    R8,
    R16,
    R32,
    R64,
    Rv,
    /// Memory of that many bits; `Mv`: of the instruction's size; `M`: of no size.
    M8,
    M16,
    M32,
    M64,
    M128,
    Mv,
    M,
    /// Vector register.
    X,
    /// Signed immediate of 8, 16 or 32 bits, sign-extended to the instruction's size.
    Ib,
    Iw,
    Id,
    /// Unsigned or untyped immediate of 8, 32 or 64 bits.
    Ub,
    Ud,
    Uq,
    /// Predicate of a floating-point comparison.
    P,
    /// Condition.
    Cc,
    /// Branch target.
    L,
}

/// Where an operand lies in the encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere: there is no such operand.
    None,
    /// ModRM byte, "reg" field.
    Reg,
    /// ModRM byte, "r/m" field, and what belongs to it.
    Rm,
    /// VEX prefix, "vvvv" field.
    Vvvv,
    /// The low three bits of the opcode.
    Opcode,
    /// Immediate.
    Imm,
    /// Branch displacement.
    Target,
    /// The low four bits of the opcode.
    Cond,
    /// The register cl.
    Cl,
}

/// Reads the Op/En column.
pub(super) const fn places(op_en: &str) -> [Place; 4] {
    let mut places = [Place::None; 4];
    let letters = op_en.as_bytes();
    if equals(letters, b"ZO") {
        return places;
    }
    let mut index = 0;
    while index < letters.len() {
        places[index] = match letters[index] {
            b'R' => Place::Reg,
            b'M' => Place::Rm,
            b'V' => Place::Vvvv,
            b'O' => Place::Opcode,
            b'I' => Place::Imm,
            b'D' => Place::Target,
            b'C' => Place::Cl,
            b'c' => Place::Cond,
            _ => panic!("unknown letter in the Op/En column"),
        };
        index += 1;
    }
    places
}

/// The opcode column, read, in the form that the encoder needs: all that it knows of a row. Small, because the encodings
/// of the rows that are in use should stay in the processor's first cache.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoding {
    /// Escape bytes and opcode, little-endian, and how many they are.
    pub opcode: u32,
    pub opcode_len: u8,
    /// Prefixes F0h and 66h, F2h or F3h, little-endian, and how many they are.
    pub lead: u16,
    pub lead_len: u8,
    /// REX.W or VEX.W is set in any case; it is set for 64-bit operands.
    pub wide: bool,
    pub wide_by_size: bool,
    /// Fields "mmmmm" and "pp" of the VEX prefix; there is none if the first is 0.
    pub vex_map: u8,
    pub vex_prefix: u8,
    pub modrm: ModRm,
    /// The "reg" field of the ModRM byte if it is not a register.
    pub digit: u8,
    /// Length of the immediate in bytes.
    pub imm_len: u8,
    /// True if the immediate can be shorter: `is`.
    pub imm_short: bool,
    /// True if the operand in the ModRM byte's "reg" field, or in its "r/m" field, is an 8-bit register.
    pub byte_reg: bool,
    pub byte_rm: bool,
}

/// What stands in the ModRM byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModRm {
    /// There is no such byte.
    None,
    /// There is none, but a register in the opcode: `+rd`.
    InOpcode,
    /// `/r`
    Reg,
    /// `/0` to `/7`
    Digit,
}

/// Reads the opcode column; the operands and their places say which are 8-bit registers.
pub(super) const fn encoding(text: &str, operands: &[Operand], places: &[Place; 4]) -> Encoding {
    let text = text.as_bytes();
    let mut e = Encoding {
        opcode: 0,
        opcode_len: 0,
        lead: 0,
        lead_len: 0,
        wide: false,
        wide_by_size: false,
        vex_map: 0,
        vex_prefix: 0,
        modrm: ModRm::None,
        digit: 0,
        imm_len: 0,
        imm_short: false,
        byte_reg: has_byte_at(operands, places, true),
        byte_rm: has_byte_at(operands, places, false),
    };
    let mut vex = false;
    let mut at = 0;
    while at < text.len() {
        let end = token_end(text, at);
        let (_, rest) = text.split_at(at);
        let (token, _) = rest.split_at(end - at);
        if equals(token, b"VEX") {
            vex = true;
        } else if !notation(&mut e, token) {
            byte(&mut e, token, vex);
        }
        // The separator.
        at = end + 1;
    }
    assert!(e.opcode_len > 0, "no opcode");
    assert!(e.opcode_len <= 3 && e.lead_len <= 2, "more bytes than the encoder collects in 64 bits");
    assert!(
        if vex { e.vex_map >= 1 && e.opcode_len == 1 } else { e.vex_map == 0 },
        "not a row that the three-byte VEX prefix is for"
    );
    e
}

/// The end of the token that begins at `at`.
const fn token_end(text: &[u8], at: usize) -> usize {
    let mut end = at;
    while end < text.len() && text[end] != b' ' && text[end] != b'.' {
        end += 1;
    }
    end
}

/// Takes a token that is not a byte; false if it is one.
const fn notation(e: &mut Encoding, token: &[u8]) -> bool {
    match token {
        b"NP" | b"REX" | b"[REX" | b"LZ" | b"LIG" | b"WIG" | b"W0" => {}
        // That there is a condition, and where, the Op/En column says as well.
        b"+cc" => {}
        b"W" | b"W1" => e.wide = true,
        b"W]" | b"[W1]" => e.wide_by_size = true,
        // The "mmmmm" field (Intel SDM 2A, table 2-10).
        b"0F38" => e.vex_map = 2,
        b"0F3A" => e.vex_map = 3,
        b"/r" => e.modrm = ModRm::Reg,
        b"+rd" => e.modrm = ModRm::InOpcode,
        b"ib" | b"cb" => e.imm_len = 1,
        b"iw" => e.imm_len = 2,
        b"id" | b"cd" => e.imm_len = 4,
        b"io" => e.imm_len = 8,
        b"is" => (e.imm_len, e.imm_short) = (4, true),
        [b'/', digit @ b'0'..=b'7'] => (e.modrm, e.digit) = (ModRm::Digit, *digit - b'0'),
        _ => return false,
    }
    true
}

/// Takes a byte: prefix, or escape, opcode or fixed ModRM byte.
const fn byte(e: &mut Encoding, token: &[u8], vex: bool) {
    assert!(token.len() == 2, "not a token of the opcode column");
    let value = hex(token[0]) << 4 | hex(token[1]);
    // Prefixes are before the escape; the same numbers are opcodes behind it.
    let prefix = e.opcode_len == 0 && e.vex_map == 0;
    match value {
        // The "pp" field (Intel SDM 2A, table 2-10).
        0x66 if prefix && vex => e.vex_prefix = 1,
        0xf3 if prefix && vex => e.vex_prefix = 2,
        0xf2 if prefix && vex => e.vex_prefix = 3,
        // The "mmmmm" field, as above.
        0x0f if prefix && vex => e.vex_map = 1,
        0x66 | 0xf0 | 0xf2 | 0xf3 if prefix => {
            e.lead |= u16::from_le_bytes([value, 0]) << (8 * e.lead_len);
            e.lead_len += 1;
        }
        _ => {
            e.opcode |= u32::from_le_bytes([value, 0, 0, 0]) << (8 * e.opcode_len);
            e.opcode_len += 1;
        }
    }
}

/// The value of a digit.
const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'A'..=b'F' => digit - b'A' + 10,
        _ => panic!("not a digit of the opcode column"),
    }
}

const fn equals(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// True if the operand at this place of the row is an 8-bit register.
const fn has_byte_at(operands: &[Operand], places: &[Place; 4], reg: bool) -> bool {
    let mut index = 0;
    while index < operands.len() {
        let here = match places[index] {
            Place::Reg => reg,
            Place::Rm => !reg,
            _ => false,
        };
        if here && matches!(operands[index].kind, Kind::R8) {
            return true;
        }
        index += 1;
    }
    false
}
